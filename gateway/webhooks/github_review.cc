// What an event of GitHub asks for, done: texts taken over, decisions made, people told.
#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "activities/campaign/names.h"
#include "activities/campaign/review_files.h"
#include "activities/campaign/review_text.h"
#include "gateway/webhooks/decision_tasks.h"
#include "gateway/webhooks/github_hooks.h"
#include "orchestrator/base/log.h"

namespace webhooks {
namespace {

namespace cv1 = ::campaign::v1;
using Kind = GithubEvent::Kind;

std::string IdentityOf(const std::string& login) { return absl::StrCat("github:", login); }

std::string ShortSha(const std::string& sha) { return sha.substr(0, 7); }

// The branch's newest commit whose texts the campaign has.
std::string KnownFact(const std::string& branch) { return absl::StrCat("github.known/", branch); }

std::string TextOf(const cv1::CampaignProgress& progress, const std::string& content_id) {
  for (const cv1::ContentPiece& piece : progress.content()) {
    if (piece.content_id() == content_id) return piece.text();
  }
  return "";
}

const char* WordOf(Kind kind) {
  switch (kind) {
    case Kind::kApprove:
      return "approval";
    case Kind::kReject:
      return "request for changes";
    case Kind::kMerge:
      return "merge";
    case Kind::kClose:
      return "closing";
    case Kind::kPush:
      return "push";
  }
  return "";
}

}  // namespace

base::Task<base::Outcome<std::optional<GithubHooks::Review>>> GithubHooks::FindReview(
    GithubEvent event, outbound::CallContext call) const {
  Review review;
  if (event.kind == Kind::kPush) {
    base::Outcome<std::optional<github::PullRequest>> found =
        co_await p_.github.FindPullRequest(event.branch, call);
    if (!found.ok()) co_return found.failure();
    // No pull request yet: the push is our own first one.
    if (!found->has_value()) co_return std::optional<Review>();
    review.pull = **found;
  } else {
    base::Outcome<github::PullRequest> pull =
        co_await p_.github.GetPullRequest(event.pull_number, call);
    if (!pull.ok() && pull.failure().type == "NotFound") co_return std::optional<Review>();
    if (!pull.ok()) co_return pull.failure();
    review.pull = *pull;
  }
  const std::optional<std::string> key =
      campaign::CampaignOfPull(review.pull.body, review.pull.branch);
  if (!key.has_value()) co_return std::optional<Review>();
  review.key = *key;
  std::tie(review.ns, review.workflow_id) = campaign::SplitCampaignKey(*key);
  co_return std::optional<Review>(std::move(review));
}

base::Task<base::Outcome<bool>> GithubHooks::MayDecide(std::string login,
                                                       outbound::CallContext call) const {
  if (!options_.approvers.empty()) {
    co_return std::any_of(
        options_.approvers.begin(), options_.approvers.end(),
        [&login](const std::string& each) { return absl::EqualsIgnoreCase(each, login); });
  }
  base::Outcome<bool> may = co_await p_.github.MayWrite(login, call);
  co_return may;
}

// The newest commit of the branch that holds nothing new: the last one that we made or read.
base::Task<base::Outcome<std::string>> GithubHooks::LastKnownCommit(Review review,
                                                                    outbound::CallContext call) {
  base::Outcome<std::string> read = co_await p_.inbox.Fact(KnownFact(review.pull.branch));
  if (!read.ok()) co_return read.failure();
  if (*read == review.pull.head_sha) co_return *read;
  base::Outcome<std::vector<github::PullCommit>> commits =
      co_await p_.github.ListPullCommits(review.pull.number, call);
  if (!commits.ok()) co_return commits.failure();
  std::string known;
  for (const github::PullCommit& commit : *commits) {
    if (commit.ours || commit.sha == *read) known = commit.sha;
  }
  co_return known;
}

base::Task<GithubHooks::Note> GithubHooks::TakeOverTexts(Review review, std::string login,
                                                         outbound::CallContext call) {
  const std::string head = review.pull.head_sha;
  base::Outcome<std::string> known = co_await LastKnownCommit(review, call);
  if (!known.ok()) co_return known.failure();
  if (*known == head) co_return std::string("no new texts");
  if (known->empty()) {
    // Somebody rewrote the branch: nothing says what is theirs.
    Note said = co_await Comment(
        review,
        "The history of this branch was rewritten, so its texts are not taken over. "
        "Please edit the files in a new commit.",
        absl::StrCat("rewritten-", ShortSha(head)), "the branch was rewritten", call);
    co_return said;
  }
  base::Outcome<std::vector<github::ChangedFile>> files =
      co_await p_.github.ChangedFiles(*known, head, call);
  if (!files.ok()) co_return files.failure();
  std::string note;
  for (const github::ChangedFile& file : *files) {
    const std::string id = campaign::ContentIdOfPath(options_.content_dir, review.key, file.path);
    if (id.empty() || file.removed) continue;
    Note taken = co_await TakeOverText(review, id, file.path, login, *known, call);
    if (!taken.ok()) co_return taken;
    absl::StrAppend(&note, note.empty() ? "" : "; ", *taken);
  }
  base::Done recorded = co_await p_.inbox.SetFact(KnownFact(review.pull.branch), head);
  if (!recorded.ok()) co_return recorded.failure();
  co_return note.empty() ? std::string("no texts changed") : note;
}

base::Task<GithubHooks::Note> GithubHooks::TakeOverText(Review review, std::string content_id,
                                                        std::string path, std::string login,
                                                        std::string known,
                                                        outbound::CallContext call) {
  const std::string head = review.pull.head_sha;
  base::Outcome<std::optional<std::string>> file = co_await p_.github.ReadFile(path, head, call);
  if (!file.ok()) co_return file.failure();
  if (!file->has_value()) co_return absl::StrCat(content_id, " is gone");
  const std::string text = campaign::TextOfContentFile(**file);
  absl::StatusOr<cv1::CampaignProgress> progress =
      co_await GetProgress(p_.loop, p_.decisions, review.ns, review.workflow_id);
  if (absl::IsNotFound(progress.status())) co_return std::string("there is no such campaign");
  if (!progress.ok()) co_return FailureOf(progress.status());
  if (TextOf(*progress, content_id) == text) co_return absl::StrCat(content_id, " is the same");
  absl::StatusOr<cv1::UpdateContentOutput> updated = co_await UpdateContent(
      p_.loop, p_.decisions,
      ContentChange{.ns = review.ns,
                    .workflow_id = review.workflow_id,
                    .content_id = content_id,
                    .text = text,
                    .who = IdentityOf(login),
                    .via = kGithubSource,
                    .key = absl::StrCat("github/", known, "/", head, "/", content_id)});
  if (updated.ok()) co_return absl::StrCat(content_id, " was taken over");
  if (!absl::IsInvalidArgument(updated.status()) && !absl::IsFailedPrecondition(updated.status())) {
    co_return FailureOf(updated.status());
  }
  Note said = co_await Comment(
      review,
      absl::StrCat("The edit of `", path, "` in ", ShortSha(head), " is not taken over: ",
                   campaign::EscapeMarkdown(std::string(updated.status().message()))),
      absl::StrCat("edit-", ShortSha(head), "-", content_id), "told that the edit does not count",
      call);
  co_return said;
}

base::Task<GithubHooks::Note> GithubHooks::Decide(Review review, GithubEvent event, std::string key,
                                                  outbound::CallContext call) {
  // What we did ourselves at a campaign's end comes back as an event, too.
  const bool own = absl::EqualsIgnoreCase(event.login, review.pull.author);
  if (own) {
    absl::StatusOr<cv1::CampaignProgress> progress =
        co_await GetProgress(p_.loop, p_.decisions, review.ns, review.workflow_id);
    if (absl::IsNotFound(progress.status())) co_return std::string("there is no such campaign");
    if (!progress.ok()) co_return FailureOf(progress.status());
    if (!progress->waiting_for_approval()) co_return std::string("our own");
  }
  base::Outcome<bool> may = co_await MayDecide(event.login, call);
  if (!may.ok()) co_return may.failure();
  if (!*may) {
    if (own) co_return std::string("our own");
    Note said = co_await Comment(
        review,
        absl::StrCat("The ", WordOf(event.kind), " by ", campaign::EscapeMarkdown(event.login),
                     " does not decide on the campaign: they are not among those who may."),
        absl::StrCat("refused-", event.id, "-", event.login), "may not decide", call);
    co_return said;
  }
  const bool approves = event.kind == Kind::kApprove || event.kind == Kind::kMerge;
  if (event.kind == Kind::kApprove && event.commit != review.pull.head_sha) {
    Note said = co_await Comment(
        review,
        absl::StrCat("The approval by ", campaign::EscapeMarkdown(event.login), " is of ",
                     ShortSha(event.commit), "; the branch has changed since. Please look at ",
                     ShortSha(review.pull.head_sha), " and approve that."),
        absl::StrCat("stale-", event.id), "an approval of an older commit", call);
    co_return said;
  }
  if (approves) {
    // What is approved is what the branch says, also when the push's own event is late.
    Note taken = co_await TakeOverTexts(review, event.login, call);
    if (!taken.ok()) co_return taken;
  }
  DecisionRequest request{.ns = review.ns,
                          .workflow_id = review.workflow_id,
                          .verdict = approves ? Verdict::kApprove : Verdict::kReject,
                          .who = IdentityOf(event.login),
                          .via = kGithubSource,
                          .comment = event.comment,
                          .key = std::move(key)};
  const DecisionAnswer answer =
      co_await webhooks::Decide(p_.loop, p_.decisions, std::move(request));
  switch (answer.outcome) {
    case DecisionAnswer::Outcome::kTryAgain:
      co_return base::Failure::Retryable("TryAgain", answer.text);
    case DecisionAnswer::Outcome::kDecided:
      co_return answer.text;
    case DecisionAnswer::Outcome::kRefused:
    case DecisionAnswer::Outcome::kTooLate:
      break;
  }
  const bool same = answer.decision.decided_by() == IdentityOf(event.login) &&
                    (answer.decision.decision() == "approved") == approves;
  if (own || same) co_return answer.text;  // who approved and then merged knows
  Note said = co_await Comment(
      review,
      absl::StrCat("The ", WordOf(event.kind), " by ", campaign::EscapeMarkdown(event.login),
                   " changes nothing: ", campaign::EscapeMarkdown(answer.text), "."),
      absl::StrCat("late-", event.id, "-", event.login), answer.text, call);
  co_return said;
}

// Once, however often the event is worked on. A pull request that is gone takes no comments.
base::Task<GithubHooks::Note> GithubHooks::Comment(Review review, std::string text,
                                                   std::string marker, std::string note,
                                                   outbound::CallContext call) const {
  base::Outcome<base::Unit> said = co_await p_.github.EnsureComment(
      review.pull.number, std::move(text), std::move(marker), call);
  if (!said.ok() && said.failure().retryable) co_return said.failure();
  if (!said.ok()) {
    base::Log(base::LogLevel::kWarning, "a comment could not be made on GitHub",
              {.workflow_id = review.key}, {{"error", said.failure().ToString()}});
  }
  co_return note;
}

}  // namespace webhooks
