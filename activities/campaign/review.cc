// review_approval_activity (requirement O6): a pull request with the content, and a Slack message
// with buttons. The pull request is found again by its branch; before the message is posted the
// attempt records that it will, so that later attempts and the compensation know to look for it.
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "activities/campaign/activity_set.h"
#include "activities/campaign/names.h"
#include "activities/campaign/review_text.h"
#include "orchestrator/history/time.h"

namespace campaign {
namespace {

// Part of the result, so that the workflow's code waits as the history says, whatever the settings
// say when it is replayed.
v1::ApprovalPolicy PolicyOf(const ApprovalSettings& settings) {
  v1::ApprovalPolicy policy;
  if (settings.remind_after > absl::ZeroDuration()) {
    *policy.mutable_remind_after() = history::ToProto(settings.remind_after);
  }
  *policy.mutable_expire_after() = history::ToProto(settings.expire_after);
  policy.set_on_expiry(settings.on_expiry);
  return policy;
}

}  // namespace

Result<github::PullRequest> ActivitySet::EnsureReviewPull(v1::ReviewInput input, absl::Time date,
                                                          outbound::CallContext call) const {
  github::PullRequestSpec spec;
  spec.branch = BranchName(input.workflow_id());
  spec.title = PullRequestTitle(input.campaign());
  spec.body = PullRequestBody(input.workflow_id(), input.campaign(), input.pieces(), input.assets(),
                              input.moderation());
  spec.commit_message = CommitMessage(input.campaign());
  spec.files = ReviewFiles(input.workflow_id(), input.campaign(), input.pieces(), input.assets(),
                           settings_.review.content_dir);
  spec.date = date;
  base::Outcome<github::PullRequest> pull =
      co_await connectors_.github.EnsurePullRequest(std::move(spec), call);
  co_return pull;
}

Result<slack::Posted> ActivitySet::EnsureReviewMessage(sdk::ActivityContext& ctx,
                                                       v1::ReviewInput input, std::string pr_url,
                                                       outbound::CallContext call) const {
  std::optional<v1::PhaseProgress> posting = ctx.last_heartbeat<v1::PhaseProgress>();
  const bool first_try = !posting.has_value();
  if (first_try) {
    posting.emplace();
    posting->set_phase("review");
    posting->set_state("posting");
    *posting->mutable_started_at() = history::ToProto(ctx.loop().clock().Now());
    const base::Done recorded = co_await ctx.RecordHeartbeat(*posting);
    if (!recorded.ok()) co_return recorded.failure();
  }
  const slack::Review review = SlackReview(input.workflow_id(), input.campaign(), input.pieces(),
                                           pr_url, input.moderation());
  slack::Message message;
  message.channel = settings_.review.slack_channel;
  message.text = slack::ReviewText(review);
  message.blocks_json = slack::ReviewBlocks(review);
  message.marker = input.workflow_id();
  message.since = history::FromProto(posting->started_at());
  base::Outcome<slack::Posted> posted =
      co_await connectors_.slack.EnsureMessage(std::move(message), first_try, call);
  co_return posted;
}

Result<v1::ReviewOutput> ActivitySet::RequestReview(sdk::ActivityContext& ctx,
                                                    v1::ReviewInput input) const {
  if (settings_.review.slack_channel.empty()) {
    co_return base::Failure::Permanent(
        "SlackNotConfigured",
        "no Slack channel is set for reviews (settings: campaign.review.slack_channel)");
  }
  const outbound::CallContext call = CallFor(ctx);
  // The commit's date: the same on every attempt, so that all of them make the same commit.
  base::Outcome<github::PullRequest> pull =
      co_await EnsureReviewPull(input, ctx.info().scheduled_time, call);
  if (!pull.ok()) co_return MayHaveHappened(pull.failure());
  base::Outcome<slack::Posted> posted = co_await EnsureReviewMessage(ctx, input, pull->url, call);
  if (!posted.ok()) co_return MayHaveHappened(posted.failure());

  v1::ReviewOutput output;
  output.set_github_pr_url(pull->url);
  output.set_github_pr_number(static_cast<int32_t>(pull->number));
  output.set_branch(pull->branch);
  output.set_slack_channel(posted->channel);
  output.set_slack_message_ts(posted->ts);
  *output.mutable_reviewers_notified() = input.campaign().reviewers();
  *output.mutable_approval() = PolicyOf(settings_.approval);
  co_return output;
}

}  // namespace campaign
