// refresh_review_activity: the texts were changed during the review, so its pull request and its
// Slack message show the new ones.
// close_review_activity: the campaign is out, so its pull request is merged (or closed when it
// cannot be), its branch deleted, and the Slack message says who approved it.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "activities/campaign/activity_set.h"
#include "activities/campaign/names.h"
#include "activities/campaign/review_text.h"

namespace campaign {
namespace {

bool CannotBeMerged(const base::Failure& failure) {
  return failure.type == "NotMergeable" || failure.type == "HeadChanged";
}

}  // namespace

// The campaign's images that are in our store.
Result<Assets> ActivitySet::StoredAssets(std::string workflow_id, v1::CampaignSpec spec) const {
  base::Outcome<std::vector<std::string>> keys =
      co_await connectors_.assets.List(AssetPrefix(workflow_id));
  if (!keys.ok()) co_return keys.failure();
  Assets assets;
  for (const std::string& channel : spec.channels()) {
    const std::string key = AssetKey(workflow_id, AssetType(channel), settings_.figma.format);
    if (std::find(keys->begin(), keys->end(), key) == keys->end()) continue;
    v1::Asset* asset = assets.Add();
    asset->set_type(AssetType(channel));
    asset->set_channel(channel);
    asset->set_asset_key(key);
    asset->set_url(connectors_.assets.UrlOf(key));
  }
  co_return assets;
}

// Puts the input's pieces into the files and the description of an open pull request.
Result<base::Unit> ActivitySet::ShowPieces(v1::CloseReviewInput input, absl::Time date,
                                           outbound::CallContext call) const {
  base::Outcome<Assets> assets = co_await StoredAssets(input.workflow_id(), input.campaign());
  if (!assets.ok()) co_return assets.failure();
  base::Outcome<github::Branch> updated = co_await connectors_.github.EnsureBranchWithFiles(
      input.review().branch(),
      ReviewFiles(input.workflow_id(), input.campaign(), input.pieces(), *assets,
                  settings_.review.content_dir),
      CommitMessage(input.campaign()), date, call);
  if (!updated.ok()) co_return updated.failure();
  base::Outcome<bool> described = co_await connectors_.github.UpdatePullRequestBody(
      input.review().github_pr_number(),
      PullRequestBody(input.workflow_id(), input.campaign(), input.pieces(), *assets,
                      input.moderation()),
      call);
  if (!described.ok()) co_return described.failure();
  co_return base::Unit{};
}

Result<v1::CloseReviewOutput> ActivitySet::RefreshReview(sdk::ActivityContext& ctx,
                                                         v1::CloseReviewInput input) const {
  const outbound::CallContext call = CallFor(ctx);
  v1::CloseReviewOutput output;
  base::Outcome<github::PullRequest> pull =
      co_await connectors_.github.GetPullRequest(input.review().github_pr_number(), call);
  if (!pull.ok() && pull.failure().type != "NotFound") co_return pull.failure();
  if (pull.ok() && pull->open) {
    base::Outcome<base::Unit> shown = co_await ShowPieces(input, ctx.info().scheduled_time, call);
    if (!shown.ok()) co_return shown.failure();
  }
  const slack::Review review = SlackReview(input.workflow_id(), input.campaign(), input.pieces(),
                                           input.review().github_pr_url());
  base::Outcome<bool> told = co_await connectors_.slack.UpdateMessage(
      input.review().slack_channel(), input.review().slack_message_ts(), slack::ReviewText(review),
      slack::ReviewBlocks(review), call);
  if (!told.ok()) co_return told.failure();
  output.set_message_updated(*told);
  co_return output;
}

// Brings the pull request up to date and ends it. True when it was merged, false when closed.
Result<bool> ActivitySet::EndPull(v1::CloseReviewInput input, absl::Time date,
                                  outbound::CallContext call) const {
  const int64_t number = input.review().github_pr_number();
  const bool approved = input.outcome() == "approved";
  base::Outcome<github::PullRequest> pull =
      co_await connectors_.github.GetPullRequest(number, call);
  if (!pull.ok() && pull.failure().type == "NotFound") co_return false;
  if (!pull.ok()) co_return pull.failure();
  if (!input.pieces().empty() && pull->open && approved) {
    base::Outcome<base::Unit> shown = co_await ShowPieces(input, date, call);
    if (!shown.ok()) co_return shown.failure();
  }
  base::Outcome<base::Unit> said = co_await connectors_.github.EnsureComment(
      number, ClosingComment(input.outcome(), input.decision(), input.reason()),
      kClosingCommentMarker, call);
  if (!said.ok()) co_return said.failure();
  if (pull->merged) co_return true;
  if (approved && pull->open) {
    base::Outcome<bool> merged = co_await connectors_.github.MergePullRequest(
        number, PullRequestTitle(input.campaign()), "", call);
    if (merged.ok()) co_return true;
    if (!CannotBeMerged(merged.failure())) co_return merged.failure();
  }
  base::Outcome<bool> closed = co_await connectors_.github.ClosePullRequest(number, call);
  if (!closed.ok()) co_return closed.failure();
  co_return false;
}

Result<v1::CloseReviewOutput> ActivitySet::CloseReview(sdk::ActivityContext& ctx,
                                                       v1::CloseReviewInput input) const {
  const outbound::CallContext call = CallFor(ctx);
  v1::CloseReviewOutput output;
  base::Outcome<bool> merged = co_await EndPull(input, ctx.info().scheduled_time, call);
  if (merged.ok()) {
    output.set_merged(*merged);
    output.set_closed(!*merged);
  }
  base::Outcome<bool> deleted = false;
  if (merged.ok()) {
    deleted = co_await connectors_.github.DeleteBranch(input.review().branch(), call);
  }

  const slack::Review review = SlackReview(input.workflow_id(), input.campaign(), input.pieces(),
                                           input.review().github_pr_url());
  const slack::ReviewEnd end{
      .outcome = input.outcome(),
      .decided_by = input.decision().decided_by(),
      .reason = input.outcome() == "approved" ? input.decision().comment() : input.reason()};
  base::Outcome<bool> told = co_await connectors_.slack.UpdateMessage(
      input.review().slack_channel(), input.review().slack_message_ts(),
      slack::ClosedReviewText(review, end), slack::ClosedReviewBlocks(review, end), call);
  if (told.ok()) output.set_message_updated(*told);
  if (!merged.ok()) co_return merged.failure();
  if (!deleted.ok()) co_return deleted.failure();
  if (!told.ok()) co_return told.failure();
  co_return output;
}

}  // namespace campaign
