#include "tests/sandbox/git_objects.h"

#include <algorithm>

#include "tests/sandbox/json.h"
#include "tests/sandbox/text.h"

namespace sandbox {
namespace {

// Stored objects begin with one of these.
constexpr char kBlob = 'B';
constexpr char kCommit = 'C';
constexpr char kTree = 'T';
constexpr char kTreeDelta = 'D';

constexpr size_t kShaLength = 40;
constexpr size_t kRecentTreesMax = 256;
// A tree is stored as a difference only when it is big, and never behind a longer chain.
constexpr size_t kDeltaEntriesMin = 32;
constexpr int kDeltaDepthMax = 40;

std::string ObjectSha(std::string_view type, std::string_view content) {
  std::string text(type);
  text += ' ' + std::to_string(content.size());
  text.push_back('\0');
  text += content;
  return Sha1Hex(text);
}

std::string RawSha(const std::string& hex) {
  std::string out;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return out;
}

// Git's own form of a tree; directories sort as if their names ended in '/'.
std::string TreeContent(const Tree& tree) {
  std::vector<std::pair<std::string, const Tree::value_type*>> sorted;
  for (const auto& entry : tree) {
    sorted.emplace_back(entry.first + (entry.second.type == "tree" ? "/" : ""), &entry);
  }
  std::sort(sorted.begin(), sorted.end());
  std::string out;
  for (const auto& [key, entry] : sorted) {
    const std::string& mode = entry->second.mode;
    out += (mode == "040000" ? "40000" : mode) + ' ' + entry->first;
    out.push_back('\0');
    out += RawSha(entry->second.sha);
  }
  return out;
}

void AppendEntry(std::string* out, const std::string& name, const TreeEntry& entry) {
  *out += entry.mode + ' ' + entry.type + ' ' + entry.sha + ' ' + name;
  out->push_back('\0');
}

// Applies stored entries ("-" as the mode takes one away) to `tree`.
void ReadEntries(std::string_view text, Tree* tree) {
  while (!text.empty()) {
    const size_t end = text.find('\0');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    const size_t a = line.find(' ');
    const size_t b = line.find(' ', a + 1);
    const size_t c = line.find(' ', b + 1);
    const std::string name(line.substr(c + 1));
    if (line.substr(0, a) == "-") {
      tree->erase(name);
    } else {
      (*tree)[name] = {std::string(line.substr(0, a)), std::string(line.substr(a + 1, b - a - 1)),
                       std::string(line.substr(b + 1, c - b - 1))};
    }
  }
}

int DepthOf(const std::string* data) {
  if (data == nullptr || data->front() != kTreeDelta) return 0;
  return std::stoi(data->substr(1 + kShaLength, 2));
}

std::string PersonLine(const GitPerson& person) {
  return person.name + " <" + person.email + "> " + std::to_string(person.time_ms / 1000) +
         " +0000";
}

Json PersonJson(const GitPerson& p) {
  return {{"name", p.name}, {"email", p.email}, {"time_ms", p.time_ms}};
}

GitPerson PersonOf(const Json& json) {
  return {StringOr(json, "name"), StringOr(json, "email"), IntOr(json, "time_ms", 0)};
}

}  // namespace

std::string GitObjects::PutBlob(std::string_view bytes) {
  std::string sha = ObjectSha("blob", bytes);
  store_.PutObject(sha, kBlob + std::string(bytes));
  return sha;
}

std::string GitObjects::PutTree(const Tree& tree, const std::string& like) {
  std::string sha = ObjectSha("tree", TreeContent(tree));
  if (store_.FindObject(sha) != nullptr) return sha;
  const std::string* base_data = like.empty() ? nullptr : store_.FindObject(like);
  const int depth = DepthOf(base_data) + 1;
  std::string data;
  if (base_data != nullptr && tree.size() >= kDeltaEntriesMin && depth <= kDeltaDepthMax) {
    const std::shared_ptr<const Tree> base = ReadTree(like);
    data = kTreeDelta + like + (depth < 10 ? "0" : "") + std::to_string(depth);
    for (const auto& [name, entry] : tree) {
      const auto old = base->find(name);
      if (old == base->end() || old->second != entry) AppendEntry(&data, name, entry);
    }
    for (const auto& [name, entry] : *base) {
      if (!tree.contains(name)) AppendEntry(&data, name, {"-", "-", "-"});
    }
  } else {
    data = kTree;
    for (const auto& [name, entry] : tree) AppendEntry(&data, name, entry);
  }
  store_.PutObject(sha, std::move(data));
  return sha;
}

std::string GitObjects::PutCommit(GitCommit commit) {
  std::string text = "tree " + commit.tree + "\n";
  commit.generation = 0;
  for (const std::string& parent : commit.parents) {
    text += "parent " + parent + "\n";
    const std::optional<GitCommit> known = ReadCommit(parent);
    if (known) commit.generation = std::max(commit.generation, known->generation + 1);
  }
  text += "author " + PersonLine(commit.author) + "\ncommitter " + PersonLine(commit.committer) +
          "\n\n" + commit.message;
  std::string sha = ObjectSha("commit", text);
  store_.PutObject(sha, kCommit + Dump({{"tree", commit.tree},
                                        {"parents", commit.parents},
                                        {"author", PersonJson(commit.author)},
                                        {"committer", PersonJson(commit.committer)},
                                        {"message", commit.message},
                                        {"generation", commit.generation}}));
  return sha;
}

std::string GitObjects::TypeOf(const std::string& sha) const {
  const std::string* data = store_.FindObject(sha);
  if (data == nullptr) return "";
  if (data->front() == kBlob) return "blob";
  return data->front() == kCommit ? "commit" : "tree";
}

std::optional<std::string> GitObjects::ReadBlob(const std::string& sha) const {
  const std::string* data = store_.FindObject(sha);
  if (data == nullptr || data->front() != kBlob) return std::nullopt;
  return data->substr(1);
}

std::shared_ptr<const Tree> GitObjects::ReadTree(const std::string& sha) {
  if (sha.empty()) return std::make_shared<Tree>();
  const auto recent = recent_by_sha_.find(sha);
  if (recent != recent_by_sha_.end()) {
    recent_.splice(recent_.begin(), recent_, recent->second);
    return recent->second->second;
  }
  const std::string* data = store_.FindObject(sha);
  if (data == nullptr || (data->front() != kTree && data->front() != kTreeDelta)) return nullptr;
  auto tree = std::make_shared<Tree>();
  if (data->front() == kTree) {
    ReadEntries(std::string_view(*data).substr(1), tree.get());
  } else {
    *tree = *ReadTree(data->substr(1, kShaLength));
    ReadEntries(std::string_view(*data).substr(1 + kShaLength + 2), tree.get());
  }
  recent_.emplace_front(sha, tree);
  recent_by_sha_[sha] = recent_.begin();
  if (recent_.size() > kRecentTreesMax) {
    recent_by_sha_.erase(recent_.back().first);
    recent_.pop_back();
  }
  return tree;
}

std::optional<GitCommit> GitObjects::ReadCommit(const std::string& sha) const {
  const std::string* data = store_.FindObject(sha);
  if (data == nullptr || data->front() != kCommit) return std::nullopt;
  const Json json = Json::parse(std::string_view(*data).substr(1), nullptr, false);
  GitCommit commit;
  commit.tree = StringOr(json, "tree");
  for (const Json& parent : Member(json, "parents")) commit.parents.push_back(parent);
  commit.author = PersonOf(Member(json, "author"));
  commit.committer = PersonOf(Member(json, "committer"));
  commit.message = StringOr(json, "message");
  commit.generation = IntOr(json, "generation", 0);
  return commit;
}

std::string GitObjects::UpdateTree(const std::string& root, const TreeChanges& changes) {
  const std::shared_ptr<const Tree> old = ReadTree(root);
  Tree tree = old == nullptr ? Tree() : *old;
  std::map<std::string, TreeChanges> below;
  for (const auto& [path, entry] : changes) {
    const size_t slash = path.find('/');
    if (slash != std::string::npos) {
      below[path.substr(0, slash)][path.substr(slash + 1)] = entry;
    } else if (entry) {
      tree[path] = *entry;
    } else {
      tree.erase(path);
    }
  }
  for (const auto& [name, inner] : below) {
    const auto found = tree.find(name);
    const bool is_tree = found != tree.end() && found->second.type == "tree";
    const std::string sha = UpdateTree(is_tree ? found->second.sha : "", inner);
    if (ReadTree(sha)->empty()) {
      tree.erase(name);
    } else {
      tree[name] = {"040000", "tree", sha};
    }
  }
  return PutTree(tree, root);
}

std::optional<TreeEntry> GitObjects::FindPath(const std::string& root, std::string_view path) {
  TreeEntry entry{"040000", "tree", root};
  if (path.empty()) return entry;
  for (const std::string& name : Split(path, '/')) {
    if (entry.type != "tree") return std::nullopt;
    const std::shared_ptr<const Tree> tree = ReadTree(entry.sha);
    if (tree == nullptr) return std::nullopt;
    const auto found = tree->find(name);
    if (found == tree->end()) return std::nullopt;
    entry = found->second;
  }
  return entry;
}

Tree GitObjects::ListFiles(const std::string& root) {
  Tree out;
  for (const auto& [path, entry] : Diff("", root)) out[path] = *entry;
  return out;
}

TreeChanges GitObjects::Diff(const std::string& from, const std::string& to) {
  TreeChanges out;
  DiffInto(from, to, "", &out);
  return out;
}

void GitObjects::DiffInto(const std::string& from, const std::string& to, const std::string& prefix,
                          TreeChanges* out) {
  if (from == to) return;
  const std::shared_ptr<const Tree> before = ReadTree(from);
  const std::shared_ptr<const Tree> after = ReadTree(to);
  const auto tree_sha = [](const Tree& tree, const std::string& name) {
    const auto found = tree.find(name);
    return found != tree.end() && found->second.type == "tree" ? found->second.sha : "";
  };
  for (const auto& [name, entry] : *before) {
    const auto now = after->find(name);
    if (entry.type == "tree") {
      DiffInto(entry.sha, tree_sha(*after, name), prefix + name + "/", out);
    } else if (now == after->end() || now->second.type == "tree") {
      (*out)[prefix + name] = std::nullopt;
    }
  }
  for (const auto& [name, entry] : *after) {
    const auto old = before->find(name);
    if (entry.type == "tree") {
      if (tree_sha(*before, name).empty()) DiffInto("", entry.sha, prefix + name + "/", out);
    } else if (old == before->end() || old->second != entry) {
      (*out)[prefix + name] = entry;
    }
  }
}

}  // namespace sandbox
