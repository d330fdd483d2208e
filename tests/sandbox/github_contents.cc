// Files on branches by the contents API, and the Pages site that shows them.

#include "tests/sandbox/github.h"
#include "tests/sandbox/text.h"

namespace sandbox {
namespace {

bool IsPage(const std::string& path) {
  return path.starts_with("campaigns/") || path.starts_with("docs/");
}

Json FileJson(const std::string& path, const TreeEntry& entry, const std::string& url,
              const std::string& html_url) {
  const size_t slash = path.rfind('/');
  const bool is_tree = entry.type == "tree";
  const std::string repo_url = url.substr(0, url.find("/contents"));
  return {{"name", slash == std::string::npos ? path : path.substr(slash + 1)},
          {"path", path},
          {"sha", entry.sha},
          {"type", is_tree ? "dir" : "file"},
          {"url", url},
          {"html_url", html_url},
          {"git_url", repo_url + (is_tree ? "/git/trees/" : "/git/blobs/") + entry.sha},
          {"download_url", is_tree ? Json() : Json(html_url + "?raw=true")}};
}

// The path of `name` in the folder `path`; "" is the root.
std::string Below(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "/" + name;
}

// The natural key of a published page.
std::string PageKey(const std::string& repo, const std::string& path) { return repo + ":" + path; }

}  // namespace

Response GitHub::GetContents(Call& call) {
  const std::string repo = RepoOf(call);
  if (repo.empty()) return NotFound();
  std::string ref = call.request.QueryParam("ref");
  if (ref.empty()) ref = "main";
  if (ref.starts_with("refs/heads/")) ref = ref.substr(11);
  const Resource* branch = FindRef(repo, "heads/" + ref);
  const std::string commit = branch != nullptr ? StringOr(branch->doc, "sha") : ref;
  if (git_.TypeOf(commit) != "commit") return Error(404, "No commit found for the ref " + ref);
  const std::string path = call.Param("path");
  const std::optional<TreeEntry> entry = git_.FindPath(TreeOfCommit(commit), path);
  if (!entry) return NotFound();
  const auto file = [&](const std::string& at, const TreeEntry& what) {
    return FileJson(at, what, ApiUrl(call, "/contents/" + at + "?ref=" + ref),
                    HtmlUrl(call, "/blob/" + ref + "/" + at));
  };
  if (entry->type == "tree") {
    Json out = Json::array();
    const std::shared_ptr<const Tree> tree = git_.ReadTree(entry->sha);
    for (const auto& [name, child] : *tree) {
      out.push_back(file(Below(path, name), child));
    }
    return JsonResponse(200, out);
  }
  const std::string bytes = git_.ReadBlob(entry->sha).value_or("");
  if (Contains(call.request.Header("accept"), "raw")) {
    return TextResponse(200, "application/vnd.github.raw; charset=utf-8", bytes);
  }
  Json json = file(path, *entry);
  json["size"] = bytes.size();
  json["encoding"] = "base64";
  json["content"] = Base64Encode(bytes);
  return JsonResponse(200, json);
}

Response GitHub::PutContents(Call& call) {
  const std::string repo = RepoOf(call);
  if (repo.empty()) return NotFound();
  const std::string path = call.Param("path");
  const std::string branch = StringOr(call.body, "branch", "main");
  const Resource* ref = FindRef(repo, "heads/" + branch);
  if (ref == nullptr) return Error(404, "Branch " + branch + " not found");
  const Json& content = Member(call.body, "content");
  if (StringOr(call.body, "message").empty() || !content.is_string()) {
    return Error(422, std::string("Invalid request.\n\n\"") +
                          (content.is_string() ? "message" : "content") + "\" wasn't supplied.");
  }
  const std::optional<std::string> bytes = Base64Decode(content.get_ref<const std::string&>());
  if (!bytes) return Error(422, "content is not valid Base64");
  const std::string old_commit = StringOr(ref->doc, "sha");
  const std::string old_tree = TreeOfCommit(old_commit);
  const std::optional<TreeEntry> old = git_.FindPath(old_tree, path);
  const std::string wanted = StringOr(call.body, "sha");
  if (old && wanted.empty()) return Error(422, "Invalid request.\n\n\"sha\" wasn't supplied.");
  if (!wanted.empty() && (!old || old->sha != wanted)) {
    return Error(409, path + " does not match " + wanted);
  }
  const std::string blob = git_.PutBlob(*bytes);
  GitCommit commit;
  commit.tree = git_.UpdateTree(old_tree, {{path, TreeEntry{"100644", "blob", blob}}});
  commit.parents = {old_commit};
  commit.committer = PersonOf(call, Member(call.body, "committer"));
  const Json& author = Member(call.body, "author");
  commit.author = author.is_object() ? PersonOf(call, author) : commit.committer;
  commit.message = StringOr(call.body, "message");
  const std::string sha = git_.PutCommit(std::move(commit));
  SetRef(call, repo, "heads/" + branch, sha, call.workflow_id);
  Json file = FileJson(path, {"100644", "blob", blob}, ApiUrl(call, "/contents/" + path),
                       HtmlUrl(call, "/blob/" + branch + "/" + path));
  file["size"] = bytes->size();
  return JsonResponse(old ? 200 : 201, {{"content", file}, {"commit", CommitJson(call, sha)}});
}

Response GitHub::DeleteContents(Call& call) {
  const std::string repo = RepoOf(call);
  if (repo.empty()) return NotFound();
  // The arguments may come as a body or in the query.
  const auto argument = [&call](const char* name) {
    return StringOr(call.body, name, call.request.QueryParam(name));
  };
  const std::string path = call.Param("path");
  std::string branch = argument("branch");
  if (branch.empty()) branch = "main";
  const Resource* ref = FindRef(repo, "heads/" + branch);
  if (ref == nullptr) return Error(404, "Branch " + branch + " not found");
  for (const char* name : {"sha", "message"}) {
    if (argument(name).empty()) {
      return Error(422, std::string("Invalid request.\n\n\"") + name + "\" wasn't supplied.");
    }
  }
  const std::string old_commit = StringOr(ref->doc, "sha");
  const std::string old_tree = TreeOfCommit(old_commit);
  const std::optional<TreeEntry> old = git_.FindPath(old_tree, path);
  if (!old || old->type != "blob") return NotFound();
  if (old->sha != argument("sha")) {
    return Error(409, path + " does not match " + argument("sha"));
  }
  GitCommit commit;
  commit.tree = git_.UpdateTree(old_tree, {{path, std::nullopt}});
  commit.parents = {old_commit};
  commit.committer = PersonOf(call, Member(call.body, "committer"));
  commit.author = commit.committer;
  commit.message = argument("message");
  const std::string sha = git_.PutCommit(std::move(commit));
  SetRef(call, repo, "heads/" + branch, sha, call.workflow_id);
  return JsonResponse(200, {{"content", nullptr}, {"commit", CommitJson(call, sha)}});
}

void GitHub::TrackPages(const Call& call, const std::string& workflow_id,
                        const std::string& old_commit, const std::string& new_commit) {
  const std::string repo = call.Param("owner") + "/" + call.Param("repo");
  for (const auto& [path, entry] : git_.Diff(TreeOfCommit(old_commit), TreeOfCommit(new_commit))) {
    if (!IsPage(path)) continue;
    Resource* page = store_.Find("github", "page", PageKey(repo, path));
    if (page != nullptr && page->state == "published") {
      page->state = entry ? "published" : "deleted";
      page->alive = entry.has_value();
      if (entry) {
        page->doc["sha"] = entry->sha;
        page->natural_key = repo + ":" + entry->sha;
      }
      store_.Save(*page);
    } else if (entry) {
      Resource made = call.Make("github", "page", PageKey(repo, path));
      made.workflow_id = workflow_id;
      made.state = "published";
      made.alive = true;
      made.natural_key = repo + ":" + entry->sha;
      made.doc = {{"repo", repo}, {"path", path}, {"sha", entry->sha}};
      store_.Insert(std::move(made));
    }
  }
}

Response GitHub::GetPages(Call& call) {
  const std::string repo = RepoOf(call);
  const Resource* site = store_.Find("github", "pages_site", repo);
  if (site == nullptr || site->state != "active") return NotFound();
  return JsonResponse(200, site->doc);
}

Response GitHub::CreatePages(Call& call) {
  const std::string repo = RepoOf(call);
  if (repo.empty()) return NotFound();
  const Resource* old = store_.Find("github", "pages_site", repo);
  if (old != nullptr && old->state == "active") {
    return Error(409, "GitHub Pages is already enabled.");
  }
  const Json& source = Member(call.body, "source");
  const std::string branch = StringOr(source, "branch", "main");
  const std::string path = StringOr(source, "path", "/");
  if (path != "/" && path != "/docs") return Error(422, "source.path must be / or /docs");
  if (FindRef(repo, "heads/" + branch) == nullptr) {
    return Error(422, "The " + branch + " branch must exist before GitHub Pages can be built.");
  }
  Resource site = call.Make("github", "pages_site", repo);
  site.state = "active";
  site.doc = {{"url", ApiUrl(call, "/pages")},
              {"status", "built"},
              {"cname", nullptr},
              {"custom_404", false},
              {"html_url", call.request.Origin() + "/site/pages/" + repo + "/"},
              {"build_type", StringOr(call.body, "build_type", "legacy")},
              {"source", {{"branch", branch}, {"path", path}}},
              {"public", true},
              {"https_enforced", false}};
  return JsonResponse(201, store_.Insert(std::move(site)).doc);
}

Response GitHub::DeletePages(Call& call) {
  Resource* site = store_.Find("github", "pages_site", RepoOf(call));
  if (site == nullptr || site->state != "active") return NotFound();
  site->state = "deleted";
  store_.Save(*site);
  return EmptyResponse(204);
}

Response GitHub::LatestBuild(Call& call) {
  const std::string repo = RepoOf(call);
  const Resource* site = store_.Find("github", "pages_site", repo);
  if (site == nullptr || site->state != "active") return NotFound();
  const Resource* ref =
      FindRef(repo, "heads/" + StringOr(Member(site->doc, "source"), "branch", "main"));
  const std::string sha = ref == nullptr ? "" : StringOr(ref->doc, "sha");
  const std::optional<GitCommit> commit = git_.ReadCommit(sha);
  const std::string when = IsoSeconds(commit ? commit->committer.time_ms : site->created_ms);
  return JsonResponse(200, {{"url", ApiUrl(call, "/pages/builds/" + Hex(HashOf(sha) >> 36, 7))},
                            {"status", "built"},
                            {"error", {{"message", nullptr}}},
                            {"pusher", UserJson(LoginOf(call))},
                            {"commit", sha},
                            {"duration", 1200},
                            {"created_at", when},
                            {"updated_at", when}});
}

Response GitHub::RequestBuild(Call& call) {
  const Resource* site = store_.Find("github", "pages_site", RepoOf(call));
  if (site == nullptr || site->state != "active") return NotFound();
  return JsonResponse(201, {{"url", ApiUrl(call, "/pages/builds/latest")}, {"status", "queued"}});
}

}  // namespace sandbox
