#include "gateway/webhooks/show_decision.h"

#include "activities/connectors/slack/review_message.h"
#include "orchestrator/base/log.h"

namespace webhooks {

base::Task<base::Outcome<bool>> ShowDecision(slack::SlackClient& slack,
                                             campaign::v1::CampaignProgress progress,
                                             campaign::v1::ApprovalDecision decision,
                                             slack::Posted message, outbound::CallContext call) {
  if (message.channel.empty() || message.ts.empty()) co_return false;
  const slack::Review review{.workflow_id = call.workflow_id,
                             .campaign_name = progress.campaign_name(),
                             .pr_url = progress.github_pr_url()};
  const slack::ReviewEnd end{.outcome = decision.decision(),
                             .decided_by = decision.decided_by(),
                             .reason = decision.comment()};
  base::Outcome<bool> shown = co_await slack.UpdateMessage(
      message.channel, message.ts, slack::ClosedReviewText(review, end),
      slack::ClosedReviewBlocks(review, end), call);
  if (shown.ok() || shown.failure().retryable) co_return shown;
  base::Log(base::LogLevel::kWarning, "a decision could not be shown in Slack",
            {.workflow_id = call.workflow_id}, {{"error", shown.failure().ToString()}});
  co_return false;
}

}  // namespace webhooks
