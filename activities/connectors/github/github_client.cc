// Pull requests: made, found, brought up to date, merged, closed.
#include "activities/connectors/github/github_client.h"

#include <utility>

#include "activities/connectors/github/api.h"
#include "activities/connectors/wire/text.h"

namespace github {
namespace {

using base::Outcome;
using base::Task;
using base::Unit;
using outbound::CallContext;
using wire::Json;

constexpr int kCreateRoundsMax = 4;
constexpr int kCommentPagesMax = 20;
constexpr int kMergeRoundsMax = 6;

PullRequest ReadPull(const Json& body) {
  PullRequest pull;
  pull.number = wire::IntAt(body, "number");
  pull.url = wire::StringAt(body, "html_url");
  pull.branch = wire::StringAt(wire::At(body, "head"), "ref");
  pull.head_sha = wire::StringAt(wire::At(body, "head"), "sha");
  pull.open = wire::StringAt(body, "state") == "open";
  pull.merged = wire::BoolAt(body, "merged") || wire::At(body, "merged_at").is_string();
  pull.body = wire::StringAt(body, "body");
  pull.author = wire::StringAt(wire::At(body, "user"), "login");
  return pull;
}

std::string PullPath(int64_t number) { return wire::Cat("/pulls/", number); }

}  // namespace

GithubClient::GithubClient(outbound::Outbound& outbound, Options options)
    : options_(std::move(options)),
      api_(std::make_unique<Api>(outbound, options_.base_url, options_.token.value(),
                                 options_.owner, options_.repo)) {}

GithubClient::~GithubClient() = default;

Task<Outcome<std::optional<PullRequest>>> GithubClient::FindPullRequest(std::string branch,
                                                                        CallContext context) {
  const std::string query =
      wire::Cat("/pulls?head=", wire::PercentEncode(options_.owner + ":" + branch),
                "&base=", wire::PercentEncode(options_.base_branch), "&state=all&per_page=100");
  Outcome<Answer> answer = co_await api_->Call("GET", query, nullptr, "pulls.list", context);
  if (!answer.ok()) co_return answer.failure();
  if (!answer->ok()) co_return Refused("looking for the pull request of " + branch, *answer);
  if (!answer->body.is_array()) co_return wire::Malformed("github", "pulls.list", false);
  std::optional<PullRequest> found;
  for (const Json& entry : answer->body) {
    const PullRequest pull = ReadPull(entry);
    const bool better = !found.has_value() || (pull.open && !found->open) ||
                        (pull.open == found->open && pull.number > found->number);
    if (pull.number > 0 && pull.branch == branch && better) found = pull;
  }
  co_return found;
}

Task<Outcome<PullRequest>> GithubClient::EnsurePullRequest(PullRequestSpec spec,
                                                           CallContext context) {
  for (int round = 1;; ++round) {
    Outcome<std::optional<PullRequest>> found = co_await FindPullRequest(spec.branch, context);
    if (!found.ok()) co_return found.failure();
    if (found->has_value()) co_return **found;
    Outcome<PullRequest> created = co_await CreatePullRequest(spec, context);
    if (created.ok()) co_return created;
    // "AlreadyExists", or an answer that was lost: look again.
    const bool look = created.failure().effect_unknown || created.failure().type == "AlreadyExists";
    if (!look || round >= kCreateRoundsMax) co_return created.failure();
  }
}

Task<Outcome<PullRequest>> GithubClient::CreatePullRequest(PullRequestSpec spec,
                                                           CallContext context) {
  const std::string message = spec.commit_message.empty() ? spec.title : spec.commit_message;
  Outcome<Branch> branch =
      co_await EnsureBranchWithFiles(spec.branch, spec.files, message, spec.date, context);
  if (!branch.ok()) {
    base::Failure failure = branch.failure();
    failure.effect_unknown = false;  // of the pull request: it was not asked for
    co_return failure;
  }
  Json body = {{"title", wire::Truncate(spec.title, 250)},
               {"head", spec.branch},
               {"base", options_.base_branch},
               {"body", spec.body},
               {"maintainer_can_modify", true}};
  Outcome<Answer> answer = co_await api_->Call("POST", "/pulls", std::move(body), "pulls.create",
                                               context, outbound::Repeat::kUnsafe);
  if (!answer.ok()) co_return answer.failure();
  if (!answer->ok()) {
    base::Failure failure = Refused("opening a pull request for " + spec.branch, *answer);
    if (answer->Words().find("already exists") != std::string::npos) failure.type = "AlreadyExists";
    co_return failure;
  }
  PullRequest pull = ReadPull(answer->body);
  if (pull.number == 0) co_return wire::Malformed("github", "pulls.create", true);
  co_return pull;
}

Task<Outcome<PullRequest>> GithubClient::GetPullRequest(int64_t number, CallContext context) {
  Outcome<Answer> answer =
      co_await api_->Call("GET", PullPath(number), nullptr, "pulls.get", context);
  if (!answer.ok()) co_return answer.failure();
  if (!answer->ok()) co_return Refused(wire::Cat("reading pull request #", number), *answer);
  PullRequest pull = ReadPull(answer->body);
  if (pull.number == 0) co_return wire::Malformed("github", "pulls.get", false);
  co_return pull;
}

Task<Outcome<bool>> GithubClient::UpdatePullRequestBody(int64_t number, std::string body,
                                                        CallContext context) {
  Json patch = {{"body", std::move(body)}};
  Outcome<Answer> answer =
      co_await api_->Call("PATCH", PullPath(number), std::move(patch), "pulls.update", context);
  if (!answer.ok()) co_return answer.failure();
  if (answer->status == 404 || answer->status == 410) co_return false;
  if (!answer->ok()) co_return Refused(wire::Cat("updating pull request #", number), *answer);
  co_return true;
}

Task<Outcome<bool>> GithubClient::HasComment(int64_t number, std::string marker,
                                             CallContext context) {
  for (int page = 1; page <= kCommentPagesMax; ++page) {
    Outcome<Answer> answer = co_await api_->Call(
        "GET", wire::Cat("/issues/", number, "/comments?per_page=100&page=", page), nullptr,
        "issues.listComments", context);
    if (!answer.ok()) co_return answer.failure();
    if (!answer->ok()) co_return Refused(wire::Cat("reading comments of #", number), *answer);
    if (!answer->body.is_array()) co_return wire::Malformed("github", "issues.listComments", false);
    for (const Json& comment : answer->body) {
      if (wire::StringAt(comment, "body").find(marker) != std::string::npos) co_return true;
    }
    if (answer->body.size() < 100) co_return false;
  }
  co_return base::Failure::Permanent(
      "LookupIncomplete", wire::Cat("github: #", number, " has too many comments to look through"));
}

Task<Outcome<Unit>> GithubClient::EnsureComment(int64_t number, std::string text,
                                                std::string marker, CallContext context) {
  const std::string hidden = wire::Cat("<!-- campaignd:", marker, " -->");
  for (int round = 1;; ++round) {
    Outcome<bool> there = co_await HasComment(number, hidden, context);
    if (!there.ok()) co_return there.failure();
    if (*there) co_return Unit{};
    Json body = {{"body", wire::Cat(text, "\n\n", hidden)}};
    Outcome<Answer> answer =
        co_await api_->Call("POST", wire::Cat("/issues/", number, "/comments"), std::move(body),
                            "issues.createComment", context, outbound::Repeat::kUnsafe);
    if (answer.ok() && answer->ok()) co_return Unit{};
    if (answer.ok()) co_return Refused(wire::Cat("commenting on #", number), *answer);
    if (!answer.failure().effect_unknown || round >= kCreateRoundsMax) co_return answer.failure();
  }
}

Task<Outcome<bool>> GithubClient::ClosePullRequest(int64_t number, CallContext context) {
  Outcome<PullRequest> pull = co_await GetPullRequest(number, context);
  if (!pull.ok()) {
    if (pull.failure().type == "NotFound") co_return false;
    co_return pull.failure();
  }
  if (!pull->open) co_return false;
  Json patch = {{"state", "closed"}};
  Outcome<Answer> answer =
      co_await api_->Call("PATCH", PullPath(number), std::move(patch), "pulls.update", context);
  if (!answer.ok()) co_return answer.failure();
  if (answer->status == 404 || answer->status == 410) co_return false;
  if (!answer->ok()) co_return Refused(wire::Cat("closing pull request #", number), *answer);
  co_return true;
}

Task<Outcome<std::vector<int64_t>>> GithubClient::ClosePullRequestsOf(std::string branch,
                                                                      CallContext context) {
  std::vector<int64_t> closed;
  for (int round = 0; round < 10; ++round) {
    Outcome<std::optional<PullRequest>> found = co_await FindPullRequest(branch, context);
    if (!found.ok()) co_return found.failure();
    if (!found->has_value() || !(*found)->open) co_return closed;
    const int64_t number = (*found)->number;
    Outcome<bool> done = co_await ClosePullRequest(number, context);
    if (!done.ok()) co_return done.failure();
    closed.push_back(number);
  }
  co_return base::Failure::Retryable(
      "StillListed", wire::Cat("github: pull requests of ", branch, " are still listed as open"));
}

Task<Outcome<bool>> GithubClient::MergePullRequest(int64_t number, std::string commit_title,
                                                   std::string head_sha, CallContext context) {
  const base::Semaphore::Permit permit = co_await base_writes_.Acquire(context.cancel);
  if (!permit.held()) co_return base::Failure::Canceled(context.cancel.reason());
  Outcome<bool> merged = co_await Merge(number, commit_title, head_sha, context);
  co_return merged;
}

Task<Outcome<bool>> GithubClient::Merge(int64_t number, std::string commit_title,
                                        std::string head_sha, CallContext context) {
  for (int round = 1;; ++round) {
    Outcome<PullRequest> pull = co_await GetPullRequest(number, context);
    if (!pull.ok()) co_return pull.failure();
    if (pull->merged) co_return true;
    if (!pull->open) {
      co_return base::Failure::Permanent("NotMergeable",
                                         wire::Cat("github: pull request #", number, " is closed"));
    }
    if (!head_sha.empty() && pull->head_sha != head_sha) {
      co_return base::Failure::Permanent(
          "HeadChanged", wire::Cat("github: pull request #", number, " has newer commits"));
    }
    Json body = {{"merge_method", "squash"}, {"sha", pull->head_sha}};
    if (!commit_title.empty()) body["commit_title"] = commit_title;
    Outcome<Answer> answer = co_await api_->Call("PUT", PullPath(number) + "/merge",
                                                 std::move(body), "pulls.merge", context);
    if (!answer.ok()) co_return answer.failure();
    if (answer->ok()) co_return true;
    if (answer->status != 405 && answer->status != 409) {
      co_return Refused(wire::Cat("merging pull request #", number), *answer);
    }
    // "Base branch was modified" and a mergeability that is still being computed pass; the merge
    // may also have happened although its first answer was lost, which the next look shows.
    if (round >= kMergeRoundsMax) {
      base::Failure failure = Refused(wire::Cat("merging pull request #", number), *answer);
      failure.type = answer->status == 409 ? "HeadChanged" : "NotMergeable";
      co_return failure;
    }
    const bool elapsed =
        co_await base::Sleep(api_->loop(), absl::Milliseconds(50) * (1 << round), context.cancel);
    if (!elapsed) co_return base::Failure::Canceled(context.cancel.reason());
  }
}

}  // namespace github
