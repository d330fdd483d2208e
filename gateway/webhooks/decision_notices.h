// DecisionNotices: shows every decision, wherever it was made, in the review's Slack message, in
// place of its buttons. What is announced is on the disk with the webhooks (inbox.h) and is done
// once Slack answers, also over restarts.
//
// Thread-safety: Announce on any thread; Work on the loop.
//
// Example:
//   DecisionNotices notices({inbox, decisions, slack, loop, clock});
//   inbox.Handle(kDecisionSource, [&](Delivery d, base::CancelToken c) {
//     return notices.Work(d, c);
//   });
//   notices.Announce("default", "spring", decision);
#pragma once

#include <string>

#include "activities/connectors/slack/slack_client.h"
#include "campaign/v1/campaign.pb.h"
#include "gateway/webhooks/decisions.h"
#include "gateway/webhooks/inbox.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/event_loop.h"

namespace webhooks {

inline constexpr char kDecisionSource[] = "decision";

class DecisionNotices {
 public:
  struct Parts {
    Inbox& inbox;
    Decisions& decisions;
    slack::SlackClient& slack;
    base::EventLoop& loop;  // of `slack`
    base::Clock& clock;
  };
  explicit DecisionNotices(Parts parts) : p_(parts) {}

  // The same decision again is shown once.
  void Announce(const std::string& ns, const std::string& workflow_id,
                const campaign::v1::ApprovalDecision& decision);
  base::Task<base::Outcome<std::string>> Work(Delivery delivery, base::CancelToken cancel);

 private:
  const Parts p_;
};

}  // namespace webhooks
