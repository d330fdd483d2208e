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
// Trees kept ready to read, counted in entries.
constexpr size_t kRecentEntriesMax = 300'000;
// A tree is stored as a difference only when it is big, and never behind a longer chain.
constexpr size_t kDeltaEntriesMin = 32;
constexpr int kDeltaDepthMax = 99;  // two digits

std::string ObjectSha(std::string_view type, std::string_view content) {
  std::string text(type);
  text += ' ' + std::to_string(content.size());
  text.push_back('\0');
  text += content;
  return Sha1Hex(text);
}

int HexValue(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

void AppendRawSha(std::string* out, const std::string& hex) {
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    out->push_back(static_cast<char>(HexValue(hex[i]) * 16 + HexValue(hex[i + 1])));
  }
}

// Git's order: directories sort as if their names ended in '/'.
bool SortsBefore(const Tree::value_type* a, const Tree::value_type* b) {
  const std::string& x = a->first;
  const std::string& y = b->first;
  const size_t common = std::min(x.size(), y.size());
  const int order = x.compare(0, common, y, 0, common);
  if (order != 0) return order < 0;
  const auto next = [common](const Tree::value_type* entry) {
    if (entry->first.size() > common) return static_cast<unsigned char>(entry->first[common]);
    return static_cast<unsigned char>(entry->second.type == "tree" ? '/' : '\0');
  };
  return next(a) < next(b);
}

// Git's own form of a tree.
std::string TreeContent(const Tree& tree) {
  std::vector<const Tree::value_type*> sorted;
  sorted.reserve(tree.size());
  for (const auto& entry : tree) sorted.push_back(&entry);
  if (!std::is_sorted(sorted.begin(), sorted.end(), SortsBefore)) {
    std::sort(sorted.begin(), sorted.end(), SortsBefore);
  }
  std::string out;
  out.reserve(tree.size() * 48);
  for (const Tree::value_type* entry : sorted) {
    const std::string& mode = entry->second.mode;
    out += mode == "040000" ? "40000" : mode;
    out += ' ';
    out += entry->first;
    out.push_back('\0');
    AppendRawSha(&out, entry->second.sha);
  }
  return out;
}

// Calls `visit(name, before, after)` for every name whose entry differs; absent ones are null.
template <typename Visit>
void EachDifference(const Tree& before, const Tree& after, const Visit& visit) {
  auto a = before.begin();
  auto b = after.begin();
  while (a != before.end() || b != after.end()) {
    const int order = a == before.end() ? 1 : b == after.end() ? -1 : a->first.compare(b->first);
    if (order < 0) {
      visit(a->first, &a->second, static_cast<const TreeEntry*>(nullptr));
      ++a;
    } else if (order > 0) {
      visit(b->first, static_cast<const TreeEntry*>(nullptr), &b->second);
      ++b;
    } else {
      if (a->second != b->second) visit(a->first, &a->second, &b->second);
      ++a;
      ++b;
    }
  }
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
    EachDifference(*base, tree,
                   [&data](const std::string& name, const TreeEntry*, const TreeEntry* now) {
                     AppendEntry(&data, name, now != nullptr ? *now : TreeEntry{"-", "-", "-"});
                   });
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
  if (std::shared_ptr<const Tree> recent = FindRecent(sha)) return recent;
  // Walks back over differences to a whole tree or a recent one, then applies them forwards.
  std::vector<std::string_view> differences;
  auto tree = std::make_shared<Tree>();
  for (std::string at = sha;;) {
    const std::string* data = store_.FindObject(at);
    if (data == nullptr || (data->front() != kTree && data->front() != kTreeDelta)) return nullptr;
    const std::string_view text = *data;
    if (text.front() == kTree) {
      ReadEntries(text.substr(1), tree.get());
      break;
    }
    differences.push_back(text.substr(1 + kShaLength + 2));
    at = text.substr(1, kShaLength);
    if (const std::shared_ptr<const Tree> recent = FindRecent(at)) {
      *tree = *recent;
      break;
    }
  }
  for (auto it = differences.rbegin(); it != differences.rend(); ++it) ReadEntries(*it, tree.get());
  Remember(sha, tree);
  return tree;
}

std::shared_ptr<const Tree> GitObjects::FindRecent(const std::string& sha) {
  const auto found = recent_by_sha_.find(sha);
  if (found == recent_by_sha_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  return found->second->second;
}

void GitObjects::Remember(const std::string& sha, std::shared_ptr<const Tree> tree) {
  if (recent_by_sha_.contains(sha)) return;
  recent_entries_ += tree->size();
  recent_.emplace_front(sha, std::move(tree));
  recent_by_sha_[sha] = recent_.begin();
  while (recent_entries_ > kRecentEntriesMax && recent_.size() > 1) {
    recent_entries_ -= recent_.back().second->size();
    recent_by_sha_.erase(recent_.back().first);
    recent_.pop_back();
  }
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
  std::string sha = PutTree(tree, root);
  if (!tree.empty()) Remember(sha, std::make_shared<const Tree>(std::move(tree)));
  return sha;
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
  EachDifference(
      *before, *after, [&](const std::string& name, const TreeEntry* old, const TreeEntry* now) {
        const bool was_tree = old != nullptr && old->type == "tree";
        const bool is_tree = now != nullptr && now->type == "tree";
        if (was_tree || is_tree) {
          DiffInto(was_tree ? old->sha : "", is_tree ? now->sha : "", prefix + name + "/", out);
        }
        if (now != nullptr && !is_tree) {
          (*out)[prefix + name] = *now;
        } else if (old != nullptr && !was_tree) {
          (*out)[prefix + name] = std::nullopt;
        }
      });
}

}  // namespace sandbox
