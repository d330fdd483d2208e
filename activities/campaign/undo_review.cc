// withdraw_review_activity: takes the pull request and the Slack message back. Right when the
// review was never asked for, and when its effects arrive late: the branch goes first, so that a
// late pull request has nothing to stand on, and an unknown outcome gets a second look.
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "activities/campaign/activity_set.h"
#include "activities/campaign/names.h"
#include "activities/campaign/review_text.h"
#include "activities/campaign/undo_report.h"
#include "orchestrator/history/time.h"

namespace campaign {
namespace {

// How far back a message is looked for when nothing says when it was posted.
constexpr absl::Duration kLookBack = absl::Hours(24);

std::string OutcomeOf(const std::string& reason) {
  return absl::StartsWith(reason, kRejectedBy) ? "rejected" : "withdrawn";
}

// "rejected by Ann: too long" -> rejected, Ann, "too long".
slack::ReviewEnd EndOf(const std::string& reason) {
  slack::ReviewEnd end{.outcome = OutcomeOf(reason), .reason = reason};
  if (end.outcome != "rejected") return end;
  const std::string who = reason.substr(std::string(kRejectedBy).size());
  const size_t colon = who.find(": ");
  end.decided_by = who.substr(0, colon);
  end.reason = colon == who.npos ? "" : who.substr(colon + 2);
  return end;
}

}  // namespace

base::Task<std::string> ActivitySet::WithdrawPull(std::string branch, std::string comment,
                                                  UndoReport* report,
                                                  outbound::CallContext call) const {
  const base::Outcome<bool> deleted = co_await connectors_.github.DeleteBranch(branch, call);
  report->Add(deleted, absl::StrCat("github: branch ", branch));
  base::Outcome<std::optional<github::PullRequest>> found =
      co_await connectors_.github.FindPullRequest(branch, call);
  if (!found.ok()) {
    report->AddFailure(found.failure(), absl::StrCat("github: pull request of ", branch));
    co_return std::string();
  }
  if (!found->has_value()) {
    report->AddGone(absl::StrCat("github: pull request of ", branch));
    co_return std::string();
  }
  const std::string url = (*found)->url;
  const int64_t number = (*found)->number;
  const std::string what = absl::StrCat("github: pull request #", number);
  const base::Outcome<base::Unit> said =
      co_await connectors_.github.EnsureComment(number, comment, kClosingCommentMarker, call);
  if (!said.ok()) report->AddFailure(said.failure(), absl::StrCat(what, ", comment"));
  if ((*found)->merged) {
    report->AddGone(absl::StrCat(what, " was merged by a reviewer; its commit stays"));
    co_return url;
  }
  // Closed even when the comment failed: what is visible counts more.
  const base::Outcome<bool> closed = co_await connectors_.github.ClosePullRequest(number, call);
  // GitHub closes a pull request together with its branch.
  const bool closed_with_branch = closed.ok() && deleted.ok() && *deleted;
  report->Add(closed_with_branch ? base::Outcome<bool>(true) : closed, what);
  co_return url;
}

base::Task<void> ActivitySet::WithdrawMessage(v1::ReviewInput input, slack::Posted posted,
                                              std::string reason, std::string pr_url,
                                              UndoReport* report,
                                              outbound::CallContext call) const {
  const slack::Review review =
      SlackReview(input.workflow_id(), input.campaign(), input.pieces(), pr_url);
  const slack::ReviewEnd end = EndOf(reason);
  const base::Outcome<bool> updated = co_await connectors_.slack.UpdateMessage(
      posted.channel, posted.ts, slack::ClosedReviewText(review, end),
      slack::ClosedReviewBlocks(review, end), call);
  report->Add(updated, absl::StrCat("slack: message ", posted.ts, " without buttons"));
}

base::Task<void> ActivitySet::FindAndWithdrawMessage(v1::ReviewInput input, absl::Time since,
                                                     std::string reason, std::string pr_url,
                                                     bool second_look, UndoReport* report,
                                                     outbound::CallContext call) const {
  base::Outcome<std::optional<slack::Posted>> found = co_await connectors_.slack.FindMessage(
      settings_.review.slack_channel, input.workflow_id(), since, call);
  if (!found.ok()) {
    report->AddFailure(found.failure(), "slack: message of the review");
  } else if (found->has_value()) {
    co_await WithdrawMessage(input, **found, reason, pr_url, report, call);
  } else if (!second_look) {
    report->AddGone("slack: message of the review");
  }
}

Result<v1::UndoOutput> ActivitySet::WithdrawReview(
    sdk::ActivityContext& ctx, UndoOf<v1::ReviewInput, v1::ReviewOutput> undo) const {
  const outbound::CallContext call = CallFor(ctx);
  const std::string branch = BranchName(undo.input.workflow_id());
  UndoReport report;
  const std::string comment =
      ClosingComment(OutcomeOf(undo.reason), v1::ApprovalDecision(), undo.reason);
  const std::string pr_url = co_await WithdrawPull(branch, comment, &report, call);

  const std::optional<v1::PhaseProgress> posting = undo.Checkpoint<v1::PhaseProgress>();
  const absl::Time since = posting.has_value() ? history::FromProto(posting->started_at())
                                               : ctx.info().scheduled_time - kLookBack;
  if (undo.result.has_value()) {
    const slack::Posted posted{.channel = undo.result->slack_channel(),
                               .ts = undo.result->slack_message_ts()};
    co_await WithdrawMessage(undo.input, posted, undo.reason, pr_url, &report, call);
    co_return std::move(report).Finish();
  }
  co_await FindAndWithdrawMessage(undo.input, since, undo.reason, pr_url, false, &report, call);

  co_await Settle(ctx);
  const base::Outcome<bool> late_branch = co_await connectors_.github.DeleteBranch(branch, call);
  report.AddSecondLook(late_branch, absl::StrCat("github: branch ", branch));
  const base::Outcome<std::vector<int64_t>> late_pulls =
      co_await connectors_.github.ClosePullRequestsOf(branch, call);
  if (!late_pulls.ok()) {
    report.AddFailure(late_pulls.failure(), absl::StrCat("github: pull requests of ", branch));
  } else {
    for (const int64_t number : *late_pulls) {
      report.AddUndone(absl::StrCat("github: pull request #", number, " (arrived late)"));
    }
  }
  co_await FindAndWithdrawMessage(undo.input, since, undo.reason, pr_url, true, &report, call);
  co_return std::move(report).Finish();
}

}  // namespace campaign
