// Pull requests, reviews, reviewers, comments.

#include <algorithm>

#include "tests/sandbox/git_merge.h"
#include "tests/sandbox/github.h"
#include "tests/sandbox/text.h"

namespace sandbox {
namespace {

constexpr size_t kTitleMax = 256;
constexpr size_t kBodyMax = 65'536;

// The rest of a contents address.
std::string ContentsPath(const std::string& path, const std::string& ref) {
  return "/contents/" + path + "?ref=" + ref;
}

// "owner:branch" or "branch" -> "branch".
std::string BranchOf(const std::string& head) {
  const size_t colon = head.find(':');
  return colon == std::string::npos ? head : head.substr(colon + 1);
}

// Sorts by number as text: "o/r#0000000012".
std::string PullId(const std::string& repo, std::string_view number) {
  std::string digits(number);
  if (digits.size() < 10) digits.insert(0, 10 - digits.size(), '0');
  return repo + "#" + digits;
}

bool IsNumber(std::string_view text) {
  return !text.empty() && text.size() <= 10 &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

Json Custom(const std::string& message) {
  return {{"resource", "PullRequest"}, {"code", "custom"}, {"message", message}};
}

}  // namespace

Resource* GitHub::FindPull(const Call& call, std::string_view number) {
  const std::string repo = RepoOf(call);
  if (repo.empty() || !IsNumber(number)) return nullptr;
  return store_.Find("github", "pull", PullId(repo, number));
}

Resource* GitHub::OpenPullOf(const std::string& repo, const std::string& head,
                             const std::string& base) {
  const std::string key = repo + ":" + head;
  for (Resource* pull : store_.Lookup("github", "pull", key)) {
    if (pull->state == "open" && StringOr(pull->doc, "base") == base) return pull;
  }
  return nullptr;
}

Json GitHub::PullJson(const Call& call, const Resource& pull) {
  const Json& doc = pull.doc;
  const std::string repo = call.Param("owner") + "/" + call.Param("repo");
  const std::string number = std::to_string(IntOr(doc, "number", 0));
  const auto side = [&](const char* which) {
    const std::string branch = StringOr(doc, which);
    std::string sha = StringOr(doc, std::string(which) + "_sha");
    const Resource* ref = pull.state == "open" ? FindRef(repo, "heads/" + branch) : nullptr;
    if (ref != nullptr) sha = StringOr(ref->doc, "sha");
    return Json{{"label", call.Param("owner") + ":" + branch},
                {"ref", branch},
                {"sha", sha},
                {"user", UserJson(call.Param("owner"))},
                {"repo", {{"name", call.Param("repo")}, {"full_name", repo}}}};
  };
  Json reviewers = Json::array();
  for (const Json& login : Member(doc, "reviewers")) reviewers.push_back(UserJson(login));
  Json teams = Json::array();
  for (const Json& slug : Member(doc, "teams")) teams.push_back({{"slug", slug}, {"name", slug}});
  const bool merged = pull.state == "merged";
  return {{"id", HashOf(pull.id) >> 34},
          {"node_id", "PR_" + Hex(HashOf(pull.id), 12)},
          {"number", IntOr(doc, "number", 0)},
          {"url", ApiUrl(call, "/pulls/" + number)},
          {"issue_url", ApiUrl(call, "/issues/" + number)},
          {"html_url", HtmlUrl(call, "/pull/" + number)},
          {"state", pull.state == "open" ? "open" : "closed"},
          {"locked", false},
          {"title", Member(doc, "title")},
          {"body", Member(doc, "body")},
          {"user", UserJson(StringOr(doc, "user"))},
          {"draft", BoolOr(doc, "draft", false)},
          {"head", side("head")},
          {"base", side("base")},
          {"merged", merged},
          {"mergeable", pull.state == "open" ? Json(true) : Json()},
          {"mergeable_state", pull.state == "open" ? "clean" : "unknown"},
          {"merge_commit_sha", Member(doc, "merge_commit_sha")},
          {"merged_at", Member(doc, "merged_at")},
          {"merged_by", merged ? UserJson(StringOr(doc, "merged_by")) : Json()},
          {"created_at", IsoSeconds(pull.created_ms)},
          {"updated_at", Member(doc, "updated_at")},
          {"closed_at", Member(doc, "closed_at")},
          {"requested_reviewers", reviewers},
          {"requested_teams", teams},
          {"comments", IntOr(doc, "comments", 0)},
          {"maintainer_can_modify", BoolOr(doc, "maintainer_can_modify", false)}};
}

Response GitHub::CreatePull(Call& call) {
  const std::string repo = RepoOf(call);
  if (repo.empty()) return NotFound();
  const std::string title = StringOr(call.body, "title");
  const std::string head = BranchOf(StringOr(call.body, "head"));
  const std::string base = StringOr(call.body, "base");
  Json errors = Json::array();
  if (title.empty()) errors.push_back(FieldError("PullRequest", "title", "missing_field"));
  if (head.empty()) errors.push_back(FieldError("PullRequest", "head", "missing_field"));
  if (base.empty()) errors.push_back(FieldError("PullRequest", "base", "missing_field"));
  if (title.size() > kTitleMax) errors.push_back(Custom("title is too long (maximum is 256)"));
  if (StringOr(call.body, "body").size() > kBodyMax) {
    errors.push_back(Custom("body is too long (maximum is 65536 characters)"));
  }
  if (!errors.empty()) return Invalid(errors);
  const Resource* head_ref = FindRef(repo, "heads/" + head);
  const Resource* base_ref = FindRef(repo, "heads/" + base);
  if (head_ref == nullptr) errors.push_back(FieldError("PullRequest", "head", "invalid"));
  if (base_ref == nullptr) errors.push_back(FieldError("PullRequest", "base", "invalid"));
  if (!errors.empty()) return Invalid(errors);
  if (OpenPullOf(repo, head, base) != nullptr) {
    return Invalid(
        Custom("A pull request already exists for " + call.Param("owner") + ":" + head + "."));
  }
  const std::string head_sha = StringOr(head_ref->doc, "sha");
  const std::string base_sha = StringOr(base_ref->doc, "sha");
  if (IsAncestor(git_, head_sha, base_sha)) {
    return Invalid(Custom("No commits between " + base + " and " + head));
  }
  const uint64_t number = store_.NextNumber("github/" + repo + "/issue");
  Resource pull = call.Make("github", "pull", PullId(repo, std::to_string(number)));
  pull.state = "open";
  pull.alive = true;
  pull.lookup = repo + ":" + head;
  pull.natural_key = repo + ":" + head;
  pull.doc = {{"repo", repo},
              {"number", number},
              {"title", title},
              {"body", Member(call.body, "body")},
              {"head", head},
              {"head_sha", head_sha},
              {"base", base},
              {"base_sha", base_sha},
              {"draft", BoolOr(call.body, "draft", false)},
              {"user", LoginOf(call)},
              {"reviewers", Json::array()},
              {"teams", Json::array()},
              {"updated_at", IsoSeconds(call.now_ms)},
              {"html_url", HtmlUrl(call, "/pull/" + std::to_string(number))},
              {"maintainer_can_modify", BoolOr(call.body, "maintainer_can_modify", true)}};
  const Resource& made = store_.Insert(std::move(pull));
  const Json json = PullJson(call, made);
  TellPull(call, "opened", made);
  return JsonResponse(201, json).With("Location", json["url"]);
}

Response GitHub::ListPulls(Call& call) {
  const std::string repo = RepoOf(call);
  if (repo.empty()) return NotFound();
  const Request& request = call.request;
  const std::string head = request.QueryParam("head");
  const std::string base = request.QueryParam("base");
  const std::string state = request.HasQuery("state") ? request.QueryParam("state") : "open";
  std::vector<Resource*> pulls;
  // As on GitHub, a head that does not name its owner filters nothing.
  if (Contains(head, ":")) {
    pulls = store_.Lookup("github", "pull", repo + ":" + BranchOf(head));
  } else {
    store_.Each("github", "pull", repo + "#", [&pulls](Resource& pull) {
      pulls.push_back(&pull);
      return true;
    });
  }
  if (request.QueryParam("direction") != "asc") std::reverse(pulls.begin(), pulls.end());
  Json out = Json::array();
  for (const Resource* pull : pulls) {
    const bool is_open = pull->state == "open";
    if (state != "all" && is_open != (state == "open")) continue;
    if (!base.empty() && StringOr(pull->doc, "base") != base) continue;
    out.push_back(PullJson(call, *pull));
  }
  return Paged(call, out);
}

Response GitHub::GetPull(Call& call) {
  const Resource* pull = FindPull(call, call.Param("number"));
  return pull == nullptr ? NotFound() : JsonResponse(200, PullJson(call, *pull));
}

void GitHub::ClosePull(const Call& call, Resource& pull) {
  const std::string repo = StringOr(pull.doc, "repo");
  for (const char* side : {"head", "base"}) {
    const Resource* ref = FindRef(repo, "heads/" + StringOr(pull.doc, side));
    if (ref != nullptr) pull.doc[std::string(side) + "_sha"] = StringOr(ref->doc, "sha");
  }
  pull.state = "closed";
  pull.alive = false;
  pull.doc["closed_at"] = IsoSeconds(call.now_ms);
  pull.doc["updated_at"] = IsoSeconds(call.now_ms);
  store_.Save(pull);
}

void GitHub::CloseOrphanedPulls(const Call& call, const std::string& branch) {
  for (Resource* pull : store_.Lookup("github", "pull", RepoOf(call) + ":" + branch)) {
    if (pull->state != "open") continue;
    ClosePull(call, *pull);
    TellPull(call, "closed", *pull);
  }
}

Response GitHub::UpdatePull(Call& call) {
  Resource* pull = FindPull(call, call.Param("number"));
  if (pull == nullptr) return NotFound();
  const std::string state = StringOr(call.body, "state");
  if (call.body.contains("state") && state != "open" && state != "closed") {
    return Invalid(FieldError("PullRequest", "state", "invalid"));
  }
  if (call.body.contains("title") && StringOr(call.body, "title").empty()) {
    return Invalid(FieldError("PullRequest", "title", "missing_field"));
  }
  if (state == "open" && pull->state != "open") {
    const std::string repo = StringOr(pull->doc, "repo");
    const std::string head = StringOr(pull->doc, "head");
    if (pull->state == "merged" || FindRef(repo, "heads/" + head) == nullptr) {
      return Invalid(Custom("state cannot be changed. The " + head + " branch was " +
                            (pull->state == "merged" ? "merged." : "deleted.")));
    }
    if (OpenPullOf(repo, head, StringOr(pull->doc, "base")) != nullptr) {
      return Invalid(Custom("state cannot be changed. There is already an open pull request for " +
                            call.Param("owner") + ":" + head + "."));
    }
    pull->state = "open";
    pull->alive = true;
    pull->doc["closed_at"] = nullptr;
  } else if (state == "closed" && pull->state == "open") {
    ClosePull(call, *pull);
    TellPull(call, "closed", *pull);
  }
  for (const char* field : {"title", "body"}) {
    if (call.body.contains(field)) pull->doc[field] = call.body[field];
  }
  pull->doc["updated_at"] = IsoSeconds(call.now_ms);
  store_.Save(*pull);
  return JsonResponse(200, PullJson(call, *pull));
}

Response GitHub::MergePull(Call& call) {
  Resource* pull = FindPull(call, call.Param("number"));
  if (pull == nullptr) return NotFound();
  const std::string repo = StringOr(pull->doc, "repo");
  const std::string method = StringOr(call.body, "merge_method", "merge");
  if (method != "merge" && method != "squash" && method != "rebase") {
    return Invalid(FieldError("PullRequest", "merge_method", "invalid"));
  }
  const std::string base = StringOr(pull->doc, "base");
  const Resource* head_ref = FindRef(repo, "heads/" + StringOr(pull->doc, "head"));
  const Resource* base_ref = FindRef(repo, "heads/" + base);
  if (pull->state != "open" || BoolOr(pull->doc, "draft", false) || head_ref == nullptr ||
      base_ref == nullptr) {
    return Error(405, "Pull Request is not mergeable");
  }
  const std::string head_sha = StringOr(head_ref->doc, "sha");
  const std::string base_sha = StringOr(base_ref->doc, "sha");
  const std::string wanted = StringOr(call.body, "sha");
  if (!wanted.empty() && wanted != head_sha) {
    return Error(409, "Head branch was modified. Review and try the merge again.");
  }
  const std::optional<std::string> tree =
      MergeTrees(git_, MergeBase(git_, base_sha, head_sha), base_sha, head_sha);
  if (!tree) return Error(405, "Pull Request is not mergeable");
  const std::string number = std::to_string(IntOr(pull->doc, "number", 0));
  const std::string title = StringOr(pull->doc, "title");
  GitCommit commit;
  commit.tree = *tree;
  commit.parents = {base_sha};
  if (method == "merge") commit.parents.push_back(head_sha);
  commit.author = PersonOf(call, Json());
  commit.committer = commit.author;
  const std::string subject = method == "merge"
                                  ? "Merge pull request #" + number + " from " +
                                        call.Param("owner") + "/" + StringOr(pull->doc, "head")
                                  : title + " (#" + number + ")";
  commit.message = StringOr(call.body, "commit_title", subject) + "\n\n" +
                   StringOr(call.body, "commit_message", method == "merge" ? title : "");
  const std::string sha = git_.PutCommit(std::move(commit));
  ClosePull(call, *pull);
  SetRef(call, repo, "heads/" + base, sha, pull->workflow_id);
  pull->state = "merged";
  pull->doc["merge_commit_sha"] = sha;
  pull->doc["merged_at"] = IsoSeconds(call.now_ms);
  pull->doc["merged_by"] = LoginOf(call);
  store_.Save(*pull);
  TellPull(call, "closed", *pull);
  return JsonResponse(
      200, {{"sha", sha}, {"merged", true}, {"message", "Pull Request successfully merged"}});
}

Response GitHub::IsMerged(Call& call) {
  const Resource* pull = FindPull(call, call.Param("number"));
  return pull != nullptr && pull->state == "merged" ? EmptyResponse(204) : NotFound();
}

Response GitHub::PullFiles(Call& call) {
  const Resource* pull = FindPull(call, call.Param("number"));
  if (pull == nullptr) return NotFound();
  const Json json = PullJson(call, *pull);
  const std::string head = json["head"]["sha"];
  const std::string base = MergeBase(git_, StringOr(pull->doc, "base_sha"), head);
  Json out = Json::array();
  for (const auto& [path, entry] : git_.Diff(TreeOfCommit(base), TreeOfCommit(head))) {
    const bool existed = git_.FindPath(TreeOfCommit(base), path).has_value();
    out.push_back({{"filename", path},
                   {"sha", entry ? Json(entry->sha) : Json()},
                   {"status", !entry    ? "removed"
                              : existed ? "modified"
                                        : "added"},
                   {"contents_url", ApiUrl(call, ContentsPath(path, head))}});
  }
  return Paged(call, out);
}

Response GitHub::CreateReview(Call& call) {
  Resource* pull = FindPull(call, call.Param("number"));
  if (pull == nullptr) return NotFound();
  const std::string event = StringOr(call.body, "event", "PENDING");
  std::string state;
  if (event == "APPROVE") state = "APPROVED";
  if (event == "REQUEST_CHANGES") state = "CHANGES_REQUESTED";
  if (event == "COMMENT") state = "COMMENTED";
  if (event == "PENDING") state = "PENDING";
  if (state.empty()) return Invalid(FieldError("PullRequestReview", "event", "invalid"));
  const bool is_own = LoginOf(call) == StringOr(pull->doc, "user");
  if (is_own && state == "APPROVED") {
    return Error(422, "Review Can not approve your own pull request");
  }
  if (is_own && state == "CHANGES_REQUESTED") {
    return Error(422, "Review Can not request changes on your own pull request");
  }
  if ((state == "COMMENTED" || state == "CHANGES_REQUESTED") &&
      StringOr(call.body, "body").empty()) {
    return Error(422, "Review body can't be blank");
  }
  const uint64_t id = store_.NextNumber("github/review");
  Resource review = call.Make("github", "review", std::to_string(id));
  review.state = state;
  review.lookup = pull->id;
  review.doc = {{"id", id},
                {"node_id", "PRR_" + std::to_string(id)},
                {"user", UserJson(LoginOf(call))},
                {"body", StringOr(call.body, "body")},
                {"state", state},
                {"commit_id", StringOr(call.body, "commit_id",
                                       PullJson(call, *pull)["head"]["sha"].get<std::string>())},
                {"html_url", StringOr(pull->doc, "html_url") + "#review-" + std::to_string(id)},
                {"submitted_at", IsoSeconds(call.now_ms)}};
  const Json json = store_.Insert(std::move(review)).doc;
  if (state != "PENDING") TellReview(call, *pull, json);
  return JsonResponse(200, json);
}

Response GitHub::ListReviews(Call& call) {
  const Resource* pull = FindPull(call, call.Param("number"));
  if (pull == nullptr) return NotFound();
  Json out = Json::array();
  for (const Resource* review : store_.Lookup("github", "review", pull->id)) {
    out.push_back(review->doc);
  }
  return Paged(call, out);
}

Response GitHub::DismissReview(Call& call) {
  const Resource* pull = FindPull(call, call.Param("number"));
  Resource* review = store_.Find("github", "review", call.Param("review"));
  if (pull == nullptr || review == nullptr || review->lookup != pull->id) return NotFound();
  if (StringOr(call.body, "message").empty()) {
    return Invalid(FieldError("PullRequestReview", "message", "missing_field"));
  }
  review->state = "DISMISSED";
  review->doc["state"] = "DISMISSED";
  store_.Save(*review);
  return JsonResponse(200, review->doc);
}

Response GitHub::RequestReviewers(Call& call) {
  Resource* pull = FindPull(call, call.Param("number"));
  if (pull == nullptr) return NotFound();
  const auto add = [](const Json& from, Json* to) {
    for (const Json& name : from) {
      if (name.is_string() && std::find(to->begin(), to->end(), name) == to->end()) {
        to->push_back(name);
      }
    }
  };
  for (const Json& login : Member(call.body, "reviewers")) {
    if (login == StringOr(pull->doc, "user")) {
      return Error(422, "Review cannot be requested from pull request author.");
    }
    if (!login.is_string() || Contains(login.get_ref<const std::string&>(), "missing")) {
      return Error(422,
                   "Reviews may only be requested from collaborators. One or more of the users or "
                   "teams you specified is not a collaborator of the repository.");
    }
  }
  add(Member(call.body, "reviewers"), &pull->doc["reviewers"]);
  add(Member(call.body, "team_reviewers"), &pull->doc["teams"]);
  store_.Save(*pull);
  return JsonResponse(201, PullJson(call, *pull));
}

Response GitHub::RemoveReviewers(Call& call) {
  Resource* pull = FindPull(call, call.Param("number"));
  if (pull == nullptr) return NotFound();
  for (const auto& [from, field] :
       {std::pair{"reviewers", "reviewers"}, std::pair{"team_reviewers", "teams"}}) {
    const Json& gone = Member(call.body, from);
    Json kept = Json::array();
    for (const Json& name : pull->doc[field]) {
      if (std::find(gone.begin(), gone.end(), name) == gone.end()) kept.push_back(name);
    }
    pull->doc[field] = kept;
  }
  store_.Save(*pull);
  return JsonResponse(200, PullJson(call, *pull));
}

Response GitHub::GetReviewers(Call& call) {
  const Resource* pull = FindPull(call, call.Param("number"));
  if (pull == nullptr) return NotFound();
  const Json json = PullJson(call, *pull);
  return JsonResponse(200,
                      {{"users", json["requested_reviewers"]}, {"teams", json["requested_teams"]}});
}

Response GitHub::CreateComment(Call& call) {
  Resource* pull = FindPull(call, call.Param("number"));
  if (pull == nullptr) return NotFound();
  const std::string body = StringOr(call.body, "body");
  if (body.empty()) return Invalid(FieldError("IssueComment", "body", "missing_field"));
  if (body.size() > kBodyMax) return Invalid(FieldError("IssueComment", "body", "too_long"));
  const uint64_t id = store_.NextNumber("github/comment");
  Resource comment = call.Make("github", "comment", std::to_string(id));
  comment.state = "posted";
  comment.lookup = pull->id;
  comment.natural_key = pull->id + ":" + Hex(HashOf(body), 16);
  comment.doc = {
      {"id", id},
      {"node_id", "IC_" + std::to_string(id)},
      {"url", ApiUrl(call, "/issues/comments/" + std::to_string(id))},
      {"html_url", StringOr(pull->doc, "html_url") + "#issuecomment-" + std::to_string(id)},
      {"issue_url", ApiUrl(call, "/issues/" + call.Param("number"))},
      {"user", UserJson(LoginOf(call))},
      {"body", body},
      {"created_at", IsoSeconds(call.now_ms)},
      {"updated_at", IsoSeconds(call.now_ms)}};
  pull->doc["comments"] = IntOr(pull->doc, "comments", 0) + 1;
  store_.Save(*pull);
  return JsonResponse(201, store_.Insert(std::move(comment)).doc);
}

Response GitHub::ListComments(Call& call) {
  const Resource* pull = FindPull(call, call.Param("number"));
  if (pull == nullptr) return NotFound();
  const int64_t since = ParseIso(call.request.QueryParam("since")).value_or(0);
  Json out = Json::array();
  for (const Resource* comment : store_.Lookup("github", "comment", pull->id)) {
    if (comment->state == "posted" && comment->created_ms >= since) out.push_back(comment->doc);
  }
  return Paged(call, out);
}

Response GitHub::UpdateComment(Call& call) {
  Resource* comment = store_.Find("github", "comment", call.Param("comment"));
  if (comment == nullptr || comment->state != "posted") return NotFound();
  const std::string body = StringOr(call.body, "body");
  if (body.empty()) return Invalid(FieldError("IssueComment", "body", "missing_field"));
  comment->doc["body"] = body;
  comment->doc["updated_at"] = IsoSeconds(call.now_ms);
  store_.Save(*comment);
  return JsonResponse(200, comment->doc);
}

Response GitHub::DeleteComment(Call& call) {
  Resource* comment = store_.Find("github", "comment", call.Param("comment"));
  if (comment == nullptr || comment->state != "posted") return NotFound();
  comment->state = "deleted";
  store_.Save(*comment);
  return EmptyResponse(204);
}

}  // namespace sandbox
