#include "gateway/webhooks/decision_notices.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "activities/campaign/names.h"
#include "gateway/webhooks/decision_tasks.h"
#include "gateway/webhooks/show_decision.h"
#include "orchestrator/base/log.h"
#include "orchestrator/history/time.h"

namespace webhooks {

namespace cv1 = ::campaign::v1;

void DecisionNotices::Announce(const std::string& ns, const std::string& workflow_id,
                               const cv1::ApprovalDecision& decision) {
  const std::string key = campaign::CampaignKey(ns, workflow_id);
  const std::string id =
      absl::StrCat(key, "@", absl::ToUnixMicros(history::FromProto(decision.decided_at())));
  p_.inbox.Accept({.source = kDecisionSource, .id = id, .digest = id, .body = key},
                  [key](absl::StatusOr<bool> is_new) {
                    if (is_new.ok()) return;
                    base::Log(base::LogLevel::kWarning,
                              "Slack shows a decision only at the campaign's end",
                              {.workflow_id = key}, {{"error", is_new.status().ToString()}});
                  });
}

base::Task<base::Outcome<std::string>> DecisionNotices::Work(Delivery delivery,
                                                             base::CancelToken cancel) {
  const auto [ns, workflow_id] = campaign::SplitCampaignKey(delivery.body);
  const absl::StatusOr<cv1::CampaignProgress> progress =
      co_await GetProgress(p_.loop, p_.decisions, ns, workflow_id);
  if (!progress.ok()) co_return FailureOf(progress.status());
  if (!progress->has_decision()) co_return std::string("another run has the name now");
  if (progress->status() != "RUNNING" && progress->status() != "PAUSED") {
    co_return std::string("the campaign's end shows it");
  }
  outbound::CallContext call{.workflow_id = delivery.body,
                             .activity_name = "webhook",
                             .idempotency_key = absl::StrCat(delivery.source, "/", delivery.id),
                             .deadline = p_.clock.Now() + absl::Minutes(2),
                             .cancel = std::move(cancel)};
  const slack::Posted message{.channel = progress->review().slack_channel(),
                              .ts = progress->review().slack_message_ts()};
  base::Outcome<bool> shown =
      co_await ShowDecision(p_.slack, *progress, progress->decision(), message, std::move(call));
  if (!shown.ok()) co_return shown.failure();
  co_return std::string(*shown ? "shown" : "Slack has no message of it");
}

}  // namespace webhooks
