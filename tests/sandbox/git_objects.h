// Git's content-addressed objects over the store: the same content gives git's own sha.
// Trees that differ little from another are stored as that difference, so that a main branch with
// thousands of files does not cost its whole listing again for every commit.
// Thread-safety: externally synchronised (the server's one thread).
//
// Example:
//   GitObjects git(store);
//   std::string blob = git.PutBlob("hello\n");   // ce013625030ba8dba906f756967f9e9ca394464a
//   std::string tree = git.UpdateTree("", {{"docs/a.md", TreeEntry{"100644", "blob", blob}}});
#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tests/sandbox/store.h"

namespace sandbox {

struct TreeEntry {
  std::string mode;  // "100644", "040000", ...
  std::string type;  // "blob", "tree" or "commit"
  std::string sha;

  bool operator==(const TreeEntry&) const = default;
};

using Tree = std::map<std::string, TreeEntry>;
// What to put at (or, with nullopt, take away from) each path.
using TreeChanges = std::map<std::string, std::optional<TreeEntry>>;

struct GitPerson {
  std::string name, email;
  int64_t time_ms = 0;
};

struct GitCommit {
  std::string tree;
  std::vector<std::string> parents;
  GitPerson author, committer;
  std::string message;
  int64_t generation = 0;  // longest way to a root; given by PutCommit
};

class GitObjects {
 public:
  explicit GitObjects(Store& store) : store_(store) {}

  std::string PutBlob(std::string_view bytes);
  std::string PutTree(const Tree& tree, const std::string& like = "");
  std::string PutCommit(GitCommit commit);

  // "blob", "tree", "commit", or "" when there is no such object.
  std::string TypeOf(const std::string& sha) const;
  std::optional<std::string> ReadBlob(const std::string& sha) const;
  // Null when there is no such tree. "" is the empty tree.
  std::shared_ptr<const Tree> ReadTree(const std::string& sha);
  std::optional<GitCommit> ReadCommit(const std::string& sha) const;

  // The tree `root` with the changes made; empty directories vanish.
  std::string UpdateTree(const std::string& root, const TreeChanges& changes);
  std::optional<TreeEntry> FindPath(const std::string& root, std::string_view path);
  // All files below `root`, by path.
  Tree ListFiles(const std::string& root);
  // What turns tree `from` into tree `to`, file by file.
  TreeChanges Diff(const std::string& from, const std::string& to);

 private:
  void DiffInto(const std::string& from, const std::string& to, const std::string& prefix,
                TreeChanges* out);

  std::shared_ptr<const Tree> FindRecent(const std::string& sha);
  void Remember(const std::string& sha, std::shared_ptr<const Tree> tree);

  Store& store_;
  // Recently used trees, newest first.
  std::list<std::pair<std::string, std::shared_ptr<const Tree>>> recent_;
  std::unordered_map<std::string, decltype(recent_)::iterator> recent_by_sha_;
  size_t recent_entries_ = 0;
};

}  // namespace sandbox
