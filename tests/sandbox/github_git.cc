// Git data: blobs, trees, commits, references, branches.

#include "tests/sandbox/git_merge.h"
#include "tests/sandbox/github.h"
#include "tests/sandbox/text.h"

namespace sandbox {
namespace {

constexpr size_t kTreeListingMax = 100'000;

bool IsMode(const std::string& mode) {
  return mode == "100644" || mode == "100755" || mode == "040000" || mode == "160000" ||
         mode == "120000";
}

Json EntryJson(const std::string& path, const TreeEntry& entry, const std::string& api_url) {
  return {{"path", path},
          {"mode", entry.mode},
          {"type", entry.type},
          {"sha", entry.sha},
          {"url", api_url + "/git/" + entry.type + "s/" + entry.sha}};
}

Json PersonJson(const GitPerson& person) {
  return {{"name", person.name}, {"email", person.email}, {"date", IsoSeconds(person.time_ms)}};
}

bool IsPath(const std::string& path) {
  if (path.empty()) return false;
  for (const std::string& part : Split(path, '/')) {
    if (part.empty() || part == "." || part == ".." || part == ".git") return false;
  }
  return true;
}

}  // namespace

Response GitHub::CreateBlob(Call& call) {
  if (RepoOf(call).empty()) return NotFound();
  const Json& content = Member(call.body, "content");
  if (!content.is_string()) {
    return Invalid(FieldError("Blob", "content", "missing_field"));
  }
  std::string bytes = content;
  const std::string encoding = StringOr(call.body, "encoding", "utf-8");
  if (encoding == "base64") {
    std::optional<std::string> decoded = Base64Decode(bytes);
    if (!decoded) return Error(422, "content is not valid Base64");
    bytes = std::move(*decoded);
  } else if (encoding != "utf-8") {
    return Invalid(FieldError("Blob", "encoding", "invalid"));
  }
  const std::string sha = git_.PutBlob(bytes);
  return JsonResponse(201, {{"sha", sha}, {"url", ApiUrl(call, "/git/blobs/" + sha)}})
      .With("Location", ApiUrl(call, "/git/blobs/" + sha));
}

Response GitHub::GetBlob(Call& call) {
  if (RepoOf(call).empty()) return NotFound();
  const std::string sha = call.Param("sha");
  const std::optional<std::string> bytes = git_.ReadBlob(sha);
  if (!bytes) return NotFound();
  return JsonResponse(200, {{"sha", sha},
                            {"node_id", "B_" + sha.substr(0, 12)},
                            {"size", bytes->size()},
                            {"url", ApiUrl(call, "/git/blobs/" + sha)},
                            {"content", Base64Encode(*bytes)},
                            {"encoding", "base64"}});
}

Response GitHub::CreateTree(Call& call) {
  if (RepoOf(call).empty()) return NotFound();
  const Json& entries = Member(call.body, "tree");
  if (!entries.is_array()) return Error(422, "Invalid request.\n\n\"tree\" wasn't supplied.");
  std::string base = StringOr(call.body, "base_tree");
  // GitHub takes a commit's sha for base_tree, too.
  if (git_.TypeOf(base) == "commit") base = TreeOfCommit(base);
  if (!base.empty() && git_.TypeOf(base) != "tree") return NotFound();
  TreeChanges changes;
  for (const Json& entry : entries) {
    const std::string path = StringOr(entry, "path");
    if (!IsPath(path)) return Error(422, "tree.path contains a malformed path component");
    const Json& sha = Member(entry, "sha");
    const Json& content = Member(entry, "content");
    if (entry.contains("sha") && sha.is_null()) {
      changes[path] = std::nullopt;
      continue;
    }
    const std::string mode = StringOr(entry, "mode", "100644");
    const std::string type = StringOr(entry, "type", mode == "040000" ? "tree" : "blob");
    if (!IsMode(mode)) return Error(422, "tree.mode " + mode + " is not a valid mode");
    if (sha.is_string() && content.is_string()) {
      return Error(422, "Must supply either tree.sha or tree.content, not both");
    }
    if (content.is_string()) {
      changes[path] = TreeEntry{mode, "blob", git_.PutBlob(content.get_ref<const std::string&>())};
    } else if (sha.is_string() && git_.TypeOf(sha) == type) {
      changes[path] = TreeEntry{mode, type, sha};
    } else {
      return Error(422, "tree.sha " + StringOr(entry, "sha", "(none)") + " is not a valid " + type);
    }
  }
  const std::string sha = git_.UpdateTree(base, changes);
  Json listing = Json::array();
  const std::shared_ptr<const Tree> tree = git_.ReadTree(sha);
  for (const auto& [name, entry] : *tree) {
    listing.push_back(EntryJson(name, entry, ApiUrl(call)));
  }
  return JsonResponse(201, {{"sha", sha},
                            {"url", ApiUrl(call, "/git/trees/" + sha)},
                            {"tree", listing},
                            {"truncated", false}});
}

Response GitHub::GetTree(Call& call) {
  const std::string repo = RepoOf(call);
  if (repo.empty()) return NotFound();
  std::string sha = call.Param("sha");
  if (const Resource* ref = FindRef(repo, "heads/" + sha)) sha = StringOr(ref->doc, "sha");
  if (git_.TypeOf(sha) == "commit") sha = TreeOfCommit(sha);
  const std::shared_ptr<const Tree> tree = git_.ReadTree(sha);
  if (tree == nullptr) return NotFound();
  const Tree entries = call.request.HasQuery("recursive") ? git_.ListFiles(sha) : *tree;
  Json listing = Json::array();
  for (const auto& [name, entry] : entries) {
    if (listing.size() < kTreeListingMax) listing.push_back(EntryJson(name, entry, ApiUrl(call)));
  }
  return JsonResponse(200, {{"sha", sha},
                            {"url", ApiUrl(call, "/git/trees/" + sha)},
                            {"tree", listing},
                            {"truncated", entries.size() > kTreeListingMax}});
}

Response GitHub::CreateCommit(Call& call) {
  if (RepoOf(call).empty()) return NotFound();
  const Json& message = Member(call.body, "message");
  if (!message.is_string()) return Invalid(FieldError("Commit", "message", "missing_field"));
  GitCommit commit;
  commit.message = message;
  commit.tree = StringOr(call.body, "tree");
  if (git_.TypeOf(commit.tree) != "tree") return Error(422, "Tree SHA does not exist");
  for (const Json& parent : Member(call.body, "parents")) {
    if (!parent.is_string() || git_.TypeOf(parent) != "commit") {
      return Error(422, "Parent SHA does not exist or is not a commit object");
    }
    commit.parents.push_back(parent);
  }
  for (const char* who : {"author", "committer"}) {
    const Json& date = Member(Member(call.body, who), "date");
    if (date.is_string() && !ParseIso(date.get_ref<const std::string&>())) {
      return Invalid(FieldError("Commit", std::string(who) + ".date", "invalid"));
    }
  }
  const Json& author = Member(call.body, "author");
  const Json& committer = Member(call.body, "committer");
  commit.author = PersonOf(call, author);
  commit.committer = committer.is_object() ? PersonOf(call, committer) : commit.author;
  const std::string sha = git_.PutCommit(std::move(commit));
  return JsonResponse(201, CommitJson(call, sha))
      .With("Location", ApiUrl(call, "/git/commits/" + sha));
}

Response GitHub::GetGitCommit(Call& call) {
  if (RepoOf(call).empty() || git_.TypeOf(call.Param("sha")) != "commit") return NotFound();
  return JsonResponse(200, CommitJson(call, call.Param("sha")));
}

Json GitHub::CommitJson(const Call& call, const std::string& sha) {
  const GitCommit commit = *git_.ReadCommit(sha);
  Json parents = Json::array();
  for (const std::string& parent : commit.parents) {
    parents.push_back({{"sha", parent},
                       {"url", ApiUrl(call, "/git/commits/" + parent)},
                       {"html_url", HtmlUrl(call, "/commit/" + parent)}});
  }
  return {{"sha", sha},
          {"node_id", "C_" + sha.substr(0, 12)},
          {"url", ApiUrl(call, "/git/commits/" + sha)},
          {"html_url", HtmlUrl(call, "/commit/" + sha)},
          {"author", PersonJson(commit.author)},
          {"committer", PersonJson(commit.committer)},
          {"tree", {{"sha", commit.tree}, {"url", ApiUrl(call, "/git/trees/" + commit.tree)}}},
          {"message", commit.message},
          {"parents", parents},
          {"verification", {{"verified", false}, {"reason", "unsigned"}}}};
}

Json GitHub::RefJson(const Call& call, const Resource& ref) {
  const std::string name = StringOr(ref.doc, "ref");
  const std::string sha = StringOr(ref.doc, "sha");
  return {
      {"ref", name},
      {"node_id", "REF_" + Hex(HashOf(ref.id), 12)},
      {"url", ApiUrl(call, "/git/" + name)},
      {"object", {{"type", "commit"}, {"sha", sha}, {"url", ApiUrl(call, "/git/commits/" + sha)}}}};
}

Response GitHub::GetRef(Call& call) {
  const std::string repo = RepoOf(call);
  const Resource* ref = repo.empty() ? nullptr : FindRef(repo, call.Param("ref"));
  return ref == nullptr ? NotFound() : JsonResponse(200, RefJson(call, *ref));
}

Response GitHub::MatchingRefs(Call& call) {
  const std::string repo = RepoOf(call);
  if (repo.empty()) return NotFound();
  Json out = Json::array();
  store_.Each("github", "branch", repo + ":" + call.Param("ref"), [&](Resource& ref) {
    if (ref.state == "exists") out.push_back(RefJson(call, ref));
    return true;
  });
  return JsonResponse(200, out);
}

Response GitHub::CreateRef(Call& call) {
  const std::string repo = RepoOf(call);
  if (repo.empty()) return NotFound();
  const std::string ref = StringOr(call.body, "ref");
  const std::string sha = StringOr(call.body, "sha");
  if (ref.empty() || sha.empty()) {
    return Error(422, std::string("Invalid request.\n\n\"") + (ref.empty() ? "ref" : "sha") +
                          "\" wasn't supplied.");
  }
  if (!ref.starts_with("refs/") || ref.find('/', 5) == std::string::npos || ref.ends_with('/') ||
      ref.find_first_of(" ~^:?*[\\") != std::string::npos || Contains(ref, "..") ||
      ref.ends_with(".lock")) {
    return Error(422, "Reference name must start with 'refs/' and have at least two slashes.");
  }
  const std::string name = ref.substr(5);
  if (FindRef(repo, name) != nullptr) return Error(422, "Reference already exists");
  if (git_.TypeOf(sha) != "commit") return Error(422, "Object does not exist");
  SetRef(call, repo, name, sha, call.workflow_id);
  return JsonResponse(201, RefJson(call, *FindRef(repo, name)))
      .With("Location", ApiUrl(call, "/git/" + ref));
}

Response GitHub::UpdateRef(Call& call) {
  const std::string repo = RepoOf(call);
  if (repo.empty()) return NotFound();
  const std::string name = call.Param("ref");
  const std::string sha = StringOr(call.body, "sha");
  const Resource* ref = FindRef(repo, name);
  if (ref == nullptr) return Error(422, "Reference does not exist");
  if (git_.TypeOf(sha) != "commit") return Error(422, "Object does not exist");
  if (!BoolOr(call.body, "force", false) && !IsAncestor(git_, StringOr(ref->doc, "sha"), sha)) {
    return Error(422, "Update is not a fast forward");
  }
  SetRef(call, repo, name, sha, call.workflow_id);
  return JsonResponse(200, RefJson(call, *FindRef(repo, name)));
}

Response GitHub::DeleteRef(Call& call) {
  const std::string repo = RepoOf(call);
  if (repo.empty()) return NotFound();
  const std::string name = call.Param("ref");
  Resource* ref = FindRef(repo, name);
  if (ref == nullptr) return Error(422, "Reference does not exist");
  if (name == "heads/main") return Error(422, "Cannot delete the default branch");
  if (name.starts_with("heads/")) CloseOrphanedPulls(call, name.substr(6));
  ref->state = "deleted";
  ref->alive = false;
  store_.Save(*ref);
  TellPush(call, repo, name, StringOr(ref->doc, "sha"), "");
  return EmptyResponse(204);
}

Response GitHub::GetBranch(Call& call) {
  const std::string repo = RepoOf(call);
  const Resource* ref = repo.empty() ? nullptr : FindRef(repo, "heads/" + call.Param("branch"));
  if (ref == nullptr) return Error(404, "Branch not found");
  const Json commit = CommitJson(call, StringOr(ref->doc, "sha"));
  return JsonResponse(200, {{"name", call.Param("branch")},
                            {"commit", {{"sha", commit["sha"]}, {"commit", commit}}},
                            {"protected", false}});
}

Response GitHub::ListBranches(Call& call) {
  const std::string repo = RepoOf(call);
  if (repo.empty()) return NotFound();
  Json out = Json::array();
  store_.Each("github", "branch", repo + ":heads/", [&](Resource& ref) {
    if (ref.state != "exists") return true;
    const std::string sha = StringOr(ref.doc, "sha");
    out.push_back({{"name", StringOr(ref.doc, "ref").substr(11)},
                   {"commit", {{"sha", sha}, {"url", ApiUrl(call, "/commits/" + sha)}}},
                   {"protected", false}});
    return true;
  });
  return Paged(call, out);
}

}  // namespace sandbox
