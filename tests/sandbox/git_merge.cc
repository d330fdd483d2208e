#include "tests/sandbox/git_merge.h"

#include <map>
#include <set>

namespace sandbox {
namespace {

std::string TreeOf(const GitObjects& git, const std::string& commit_sha) {
  const std::optional<GitCommit> commit = git.ReadCommit(commit_sha);
  return commit ? commit->tree : "";
}

}  // namespace

std::string MergeBase(const GitObjects& git, const std::string& a, const std::string& b) {
  // Walks both histories from the highest generation down; the first commit that both reach is
  // the answer, because all descendants of it have been visited by then.
  constexpr int kBoth = 3;
  std::set<std::pair<int64_t, std::string>> frontier;
  std::map<std::string, int> reached;
  const auto visit = [&](const std::string& sha, int side) {
    const std::optional<GitCommit> commit = git.ReadCommit(sha);
    if (!commit) return;
    reached[sha] |= side;
    frontier.emplace(commit->generation, sha);
  };
  visit(a, 1);
  visit(b, 2);
  while (!frontier.empty()) {
    const std::string sha = frontier.rbegin()->second;
    frontier.erase(std::prev(frontier.end()));
    if (reached[sha] == kBoth) return sha;
    const std::optional<GitCommit> commit = git.ReadCommit(sha);
    const int sides = reached[sha];
    for (const std::string& parent : commit->parents) visit(parent, sides);
  }
  return "";
}

bool IsAncestor(const GitObjects& git, const std::string& ancestor, const std::string& commit) {
  return MergeBase(git, ancestor, commit) == ancestor;
}

std::optional<std::string> MergeTrees(GitObjects& git, const std::string& base,
                                      const std::string& ours, const std::string& theirs) {
  const std::string base_tree = base.empty() ? "" : TreeOf(git, base);
  const std::string our_tree = TreeOf(git, ours);
  TreeChanges changes = git.Diff(base_tree, TreeOf(git, theirs));
  for (const auto& [path, wanted] : changes) {
    const std::optional<TreeEntry> before = git.FindPath(base_tree, path);
    const std::optional<TreeEntry> now = git.FindPath(our_tree, path);
    if (now != before && now != wanted) return std::nullopt;
  }
  return git.UpdateTree(our_tree, changes);
}

}  // namespace sandbox
