// Shows a decision in the review's Slack message, in place of its buttons. For the work of
// webhooks, on the Slack client's loop.
//
// Example:
//   base::Outcome<bool> shown =
//       co_await ShowDecision(slack, progress, decision, {.channel = "C1", .ts = "5.5"}, call);
#pragma once

#include "activities/connectors/slack/slack_client.h"
#include "campaign/v1/campaign.pb.h"

namespace webhooks {

// What the campaign's own closing of the review will say, so that it does not matter which comes
// last. False when it cannot be shown: that is logged, and no reason to try again. Failures are
// retryable ones. `call.workflow_id` is the campaign's key.
base::Task<base::Outcome<bool>> ShowDecision(slack::SlackClient& slack,
                                             campaign::v1::CampaignProgress progress,
                                             campaign::v1::ApprovalDecision decision,
                                             slack::Posted message, outbound::CallContext call);

}  // namespace webhooks
