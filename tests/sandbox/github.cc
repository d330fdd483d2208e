#include "tests/sandbox/github.h"

#include <algorithm>

#include "tests/sandbox/text.h"
#include "tests/sandbox/vendors.h"

namespace sandbox {
namespace {

constexpr char kDocs[] = "https://docs.github.com/rest";
constexpr int64_t kHourlyLimit = 5000;
// The first commit of every repository is the same one, whenever the repository is made.
constexpr int64_t kGenesisMs = 1'767'225'600'000;

std::string TokenOf(const Request& request) {
  const std::string token = request.AuthToken("Bearer");
  return token.empty() ? request.AuthToken("token") : token;
}

}  // namespace

std::unique_ptr<Vendor> MakeGitHub(Store& store) { return std::make_unique<GitHub>(store); }

GitHub::GitHub(Store& store) : Vendor("github", "/github", store), git_(store), hooks_(store) {
  Add("GET", "/user", "users.getAuthenticated", &GitHub::GetUser);
  Add("GET", "/rate_limit", "rateLimit.get", &GitHub::GetRateLimit);
  Add("GET", "/repos/{owner}/{repo}", "repos.get", &GitHub::GetRepo);

  Add("POST", "/repos/{owner}/{repo}/git/blobs", "git.createBlob", &GitHub::CreateBlob);
  Add("GET", "/repos/{owner}/{repo}/git/blobs/{sha}", "git.getBlob", &GitHub::GetBlob);
  Add("POST", "/repos/{owner}/{repo}/git/trees", "git.createTree", &GitHub::CreateTree);
  Add("GET", "/repos/{owner}/{repo}/git/trees/{sha...}", "git.getTree", &GitHub::GetTree);
  Add("POST", "/repos/{owner}/{repo}/git/commits", "git.createCommit", &GitHub::CreateCommit);
  Add("GET", "/repos/{owner}/{repo}/git/commits/{sha}", "git.getCommit", &GitHub::GetGitCommit);
  Add("GET", "/repos/{owner}/{repo}/git/ref/{ref...}", "git.getRef", &GitHub::GetRef);
  Add("GET", "/repos/{owner}/{repo}/git/matching-refs/{ref...}", "git.listMatchingRefs",
      &GitHub::MatchingRefs);
  Add("POST", "/repos/{owner}/{repo}/git/refs", "git.createRef", &GitHub::CreateRef);
  Add("PATCH", "/repos/{owner}/{repo}/git/refs/{ref...}", "git.updateRef", &GitHub::UpdateRef);
  Add("DELETE", "/repos/{owner}/{repo}/git/refs/{ref...}", "git.deleteRef", &GitHub::DeleteRef);
  Add("GET", "/repos/{owner}/{repo}/branches", "repos.listBranches", &GitHub::ListBranches);
  Add("GET", "/repos/{owner}/{repo}/branches/{branch...}", "repos.getBranch", &GitHub::GetBranch);

  Add("POST", "/repos/{owner}/{repo}/pulls", "pulls.create", &GitHub::CreatePull);
  Add("GET", "/repos/{owner}/{repo}/pulls", "pulls.list", &GitHub::ListPulls);
  Add("GET", "/repos/{owner}/{repo}/pulls/{number}", "pulls.get", &GitHub::GetPull);
  Add("PATCH", "/repos/{owner}/{repo}/pulls/{number}", "pulls.update", &GitHub::UpdatePull);
  Add("PUT", "/repos/{owner}/{repo}/pulls/{number}/merge", "pulls.merge", &GitHub::MergePull);
  Add("GET", "/repos/{owner}/{repo}/pulls/{number}/merge", "pulls.checkIfMerged",
      &GitHub::IsMerged);
  Add("GET", "/repos/{owner}/{repo}/pulls/{number}/files", "pulls.listFiles", &GitHub::PullFiles);
  Add("GET", "/repos/{owner}/{repo}/pulls/{number}/commits", "pulls.listCommits",
      &GitHub::PullCommits);
  Add("GET", "/repos/{owner}/{repo}/compare/{basehead...}", "repos.compareCommits",
      &GitHub::Compare);
  Add("GET", "/repos/{owner}/{repo}/collaborators/{login}/permission",
      "repos.getCollaboratorPermissionLevel", &GitHub::GetPermission);
  Add("POST", "/repos/{owner}/{repo}/pulls/{number}/reviews", "pulls.createReview",
      &GitHub::CreateReview);
  Add("GET", "/repos/{owner}/{repo}/pulls/{number}/reviews", "pulls.listReviews",
      &GitHub::ListReviews);
  Add("PUT", "/repos/{owner}/{repo}/pulls/{number}/reviews/{review}/dismissals",
      "pulls.dismissReview", &GitHub::DismissReview);
  Add("POST", "/repos/{owner}/{repo}/pulls/{number}/requested_reviewers", "pulls.requestReviewers",
      &GitHub::RequestReviewers);
  Add("DELETE", "/repos/{owner}/{repo}/pulls/{number}/requested_reviewers",
      "pulls.removeRequestedReviewers", &GitHub::RemoveReviewers);
  Add("GET", "/repos/{owner}/{repo}/pulls/{number}/requested_reviewers",
      "pulls.listRequestedReviewers", &GitHub::GetReviewers);
  Add("POST", "/repos/{owner}/{repo}/issues/{number}/comments", "issues.createComment",
      &GitHub::CreateComment);
  Add("GET", "/repos/{owner}/{repo}/issues/{number}/comments", "issues.listComments",
      &GitHub::ListComments);
  Add("PATCH", "/repos/{owner}/{repo}/issues/comments/{comment}", "issues.updateComment",
      &GitHub::UpdateComment);
  Add("DELETE", "/repos/{owner}/{repo}/issues/comments/{comment}", "issues.deleteComment",
      &GitHub::DeleteComment);

  Add("GET", "/repos/{owner}/{repo}/contents", "repos.getContent", &GitHub::GetContents);
  Add("GET", "/repos/{owner}/{repo}/contents/{path...}", "repos.getContent", &GitHub::GetContents);
  Add("PUT", "/repos/{owner}/{repo}/contents/{path...}", "repos.createOrUpdateFileContents",
      &GitHub::PutContents);
  Add("DELETE", "/repos/{owner}/{repo}/contents/{path...}", "repos.deleteFile",
      &GitHub::DeleteContents);
  Add("GET", "/repos/{owner}/{repo}/pages", "repos.getPages", &GitHub::GetPages);
  Add("POST", "/repos/{owner}/{repo}/pages", "repos.createPagesSite", &GitHub::CreatePages);
  Add("DELETE", "/repos/{owner}/{repo}/pages", "repos.deletePagesSite", &GitHub::DeletePages);
  Add("GET", "/repos/{owner}/{repo}/pages/builds/latest", "repos.getLatestPagesBuild",
      &GitHub::LatestBuild);
  Add("POST", "/repos/{owner}/{repo}/pages/builds", "repos.requestPagesBuild",
      &GitHub::RequestBuild);
}

std::optional<Response> GitHub::Refuse(const Call& call) {
  if (call.request.Header("user-agent").empty()) {
    return TextResponse(403, "text/plain; charset=utf-8",
                        "Request forbidden by administrative rules. Please make sure your request "
                        "has a User-Agent header "
                        "(https://docs.github.com/en/rest/overview/resources-in-the-rest-api#"
                        "user-agent-required).\n");
  }
  const std::string token = TokenOf(call.request);
  if (token.empty()) return Error(401, "Requires authentication");
  if (IsBadToken(token)) return Error(401, "Bad credentials");
  return std::nullopt;
}

Response GitHub::NoSuchCall(const Call&) { return NotFound(); }

Response GitHub::BadBody(const Call&, const std::string&) {
  return Error(400, "Problems parsing JSON");
}

Response GitHub::ErrorAnswer(const FaultAnswer& fault) {
  const int status = fault.status.value_or(500);
  return Error(status, status == 503 ? "Service unavailable" : "Server Error");
}

Response GitHub::RateLimitAnswer(const FaultAnswer& fault) {
  const int status = fault.status.value_or(403);
  Response response = Error(status,
                            "You have exceeded a secondary rate limit. Please wait a few minutes "
                            "before you try again.");
  response.With("retry-after", std::to_string(fault.retry_after_s.value_or(1)));
  return response;
}

void GitHub::Finish(const Call& call, Response* response) {
  const int64_t used = ++calls_ % kHourlyLimit;
  response->With("x-ratelimit-limit", std::to_string(kHourlyLimit))
      .With("x-ratelimit-remaining", std::to_string(kHourlyLimit - used))
      .With("x-ratelimit-used", std::to_string(used))
      .With("x-ratelimit-reset", std::to_string(call.now_ms / 1000 / 3600 * 3600 + 3600))
      .With("x-ratelimit-resource", "core")
      .With("x-github-api-version-selected", "2022-11-28")
      .With("x-github-media-type", "github.v3; format=json")
      .With("x-github-request-id", "SBX:" + Hex(HashOf(std::to_string(call.now_ms)), 8) + ":" +
                                       Hex(static_cast<uint64_t>(calls_), 8));
}

Response GitHub::GetRepo(Call& call) {
  const std::string repo = RepoOf(call);
  if (repo.empty()) return NotFound();
  return JsonResponse(200, {{"id", HashOf(repo) >> 34},
                            {"node_id", "R_" + Hex(HashOf(repo), 12)},
                            {"name", call.Param("repo")},
                            {"full_name", repo},
                            {"private", false},
                            {"owner", UserJson(call.Param("owner"))},
                            {"html_url", HtmlUrl(call)},
                            {"url", ApiUrl(call)},
                            {"default_branch", "main"},
                            {"has_pages", store_.Find("github", "pages_site", repo) != nullptr},
                            {"archived", false},
                            {"disabled", false},
                            {"permissions", {{"admin", true}, {"push", true}, {"pull", true}}}});
}

Response GitHub::GetUser(Call& call) { return JsonResponse(200, UserJson(LoginOf(call))); }

Response GitHub::GetRateLimit(Call& call) {
  const Json core = {{"limit", kHourlyLimit},
                     {"remaining", kHourlyLimit - calls_ % kHourlyLimit},
                     {"used", calls_ % kHourlyLimit},
                     {"reset", call.now_ms / 1000 / 3600 * 3600 + 3600}};
  return JsonResponse(200, {{"resources", {{"core", core}}}, {"rate", core}});
}

std::string GitHub::RepoOf(const Call& call) {
  std::string repo = call.Param("owner") + "/" + call.Param("repo");
  if (Contains(repo, "missing")) return "";
  if (store_.Find("github", "repo", repo) != nullptr) return repo;
  const std::string blob = git_.PutBlob("# " + call.Param("repo") + "\n");
  const GitPerson author{"vendor-sandbox", "sandbox@example.com", kGenesisMs};
  const std::string commit = git_.PutCommit(
      {.tree = git_.UpdateTree("", {{"README.md", TreeEntry{"100644", "blob", blob}}}),
       .author = author,
       .committer = author,
       .message = "Initial commit"});
  Resource made;
  made.vendor = "github";
  made.kind = "repo";
  made.id = repo;
  made.state = "active";
  store_.Insert(std::move(made));
  SetRef(call, repo, "heads/main", commit, "");
  return repo;
}

Resource* GitHub::FindRef(const std::string& repo, const std::string& ref) {
  Resource* found = store_.Find("github", "branch", repo + ":" + ref);
  return found != nullptr && found->state == "exists" ? found : nullptr;
}

void GitHub::SetRef(const Call& call, const std::string& repo, const std::string& ref,
                    const std::string& sha, const std::string& workflow_id) {
  Resource* found = FindRef(repo, ref);
  std::string old;
  if (found != nullptr) {
    old = StringOr(found->doc, "sha");
    found->doc["sha"] = sha;
    store_.Save(*found);
  } else {
    Resource made = call.Make("github", "branch", repo + ":" + ref);
    made.workflow_id = workflow_id;
    if (workflow_id.empty()) made.idempotency_key.clear();
    made.state = "exists";
    made.alive = ref != "heads/main" && ref.starts_with("heads/");
    made.doc = {{"repo", repo}, {"ref", "refs/" + ref}, {"sha", sha}};
    store_.Insert(std::move(made));
  }
  if (ref == "heads/main") TrackPages(call, workflow_id, old, sha);
  if (old != sha) TellPush(call, repo, ref, old, sha);
}

std::string GitHub::TreeOfCommit(const std::string& commit_sha) {
  const std::optional<GitCommit> commit = git_.ReadCommit(commit_sha);
  return commit ? commit->tree : "";
}

GitPerson GitHub::PersonOf(const Call& call, const Json& person) const {
  const std::string login = LoginOf(call);
  return {StringOr(person, "name", login),
          StringOr(person, "email", login + "@users.noreply.github.com"),
          ParseIso(StringOr(person, "date")).value_or(call.now_ms)};
}

std::string GitHub::LoginOf(const Call& call) const {
  const std::string token = TokenOf(call.request);
  constexpr std::string_view kNamed = "sandbox-user-";  // "sandbox-user-ann" is ann's
  if (token.starts_with(kNamed)) return token.substr(kNamed.size());
  return "user-" + Hex(HashOf(token), 6);
}

Json GitHub::UserJson(const std::string& login) const {
  return {{"login", login},
          {"id", HashOf(login) >> 40},
          {"node_id", "U_" + Hex(HashOf(login), 12)},
          {"type", "User"},
          {"html_url", "https://github.com/" + login}};
}

std::string GitHub::ApiUrl(const Call& call, const std::string& rest) const {
  return call.request.Origin() + "/github/repos/" + call.Param("owner") + "/" + call.Param("repo") +
         rest;
}

std::string GitHub::HtmlUrl(const Call& call, const std::string& rest) const {
  return call.request.Origin() + "/site/github/" + call.Param("owner") + "/" + call.Param("repo") +
         rest;
}

Response GitHub::Paged(const Call& call, const Json& items) const {
  const auto number = [&call](std::string_view name, int64_t fallback, int64_t max) {
    const std::string text = call.request.QueryParam(name);
    if (text.empty() || text.size() > 9 ||
        text.find_first_not_of("0123456789") != std::string::npos) {
      return fallback;
    }
    return std::clamp<int64_t>(std::stoll(text), 1, max);
  };
  const int64_t per_page = number("per_page", 30, 100);
  const int64_t page = number("page", 1, 1'000'000);
  const auto total = static_cast<int64_t>(items.size());
  Json out = Json::array();
  for (int64_t i = (page - 1) * per_page; i < std::min(total, page * per_page); ++i) {
    out.push_back(items[i]);
  }
  Response response = JsonResponse(200, out);
  const auto link = [&](int64_t target, const char* relation) {
    std::string url = call.request.Origin() + call.request.path + "?";
    for (const auto& [name, value] : call.request.query) {
      if (name != "page") url += PercentEncode(name) + "=" + PercentEncode(value) + "&";
    }
    return "<" + url + "page=" + std::to_string(target) + ">; rel=\"" + relation + "\"";
  };
  const int64_t last = std::max<int64_t>(1, (total + per_page - 1) / per_page);
  std::string links;
  if (page > 1) links = link(page - 1, "prev") + ", " + link(1, "first");
  if (page < last) {
    links += (links.empty() ? "" : ", ") + link(page + 1, "next") + ", " + link(last, "last");
  }
  if (!links.empty()) response.With("Link", links);
  return response;
}

Response GitHub::Error(int status, const std::string& message) {
  return JsonResponse(
      status,
      {{"message", message}, {"documentation_url", kDocs}, {"status", std::to_string(status)}});
}

Response GitHub::Invalid(const Json& errors) {
  return JsonResponse(422, {{"message", "Validation Failed"},
                            {"errors", errors.is_array() ? errors : Json::array({errors})},
                            {"documentation_url", kDocs},
                            {"status", "422"}});
}

Json GitHub::FieldError(std::string_view resource, std::string_view field, std::string_view code) {
  return {{"resource", resource}, {"field", field}, {"code", code}};
}

}  // namespace sandbox
