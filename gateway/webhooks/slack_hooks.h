// SlackHooks: buttons, dialogs and the command /campaign of Slack.
//
//   POST /webhooks/slack/interactions   approve and reject of the review message, and the dialog
//                                       that asks why
//   POST /webhooks/slack/commands       /campaign status [ID], /campaign help
//
// A press is stored, answered, and then worked on (inbox.h): who pressed may decide (the campaign
// names them as a reviewer, or the settings do), the decision goes to the campaign, and its message
// shows it. Everybody else is told, where only they see it, why nothing happened.
//
// Thread-safety: Interaction and Command on any thread; Work on the loop.
//
// Example:
//   SlackHooks hooks({.signing_secret = secret, .approvers = {"ann@example.com"}}, parts);
//   inbox.Handle("slack", [&](Delivery d, base::CancelToken c) { return hooks.Work(d, c); });
//   handler.AddRaw("POST", "/webhooks/slack/interactions",
//                  [&](auto request, auto done) { hooks.Interaction(request, std::move(done)); });
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "activities/connectors/slack/slack_client.h"
#include "gateway/rest/rest_handler.h"
#include "gateway/webhooks/decisions.h"
#include "gateway/webhooks/inbox.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/base/secret.h"

namespace webhooks {

inline constexpr char kSlackSource[] = "slack";

struct SlackOptions {
  base::Secret signing_secret;         // empty: the addresses answer 404
  std::vector<std::string> approvers;  // approvers.h; besides a campaign's own reviewers
  // Whether whoever has this address may decide in the namespace by their role; null: roles are
  // not asked. Any thread, must not block.
  std::function<bool(const std::string& ns, const std::string& email)> may_by_role;
};

class SlackHooks {
 public:
  struct Parts {
    Inbox& inbox;
    Decisions& decisions;
    slack::SlackClient& slack;
    base::EventLoop& loop;  // of `slack`
    base::Clock& clock;
    base::Metrics& metrics;
  };
  SlackHooks(SlackOptions options, Parts parts) : options_(std::move(options)), p_(parts) {}

  void Interaction(gateway::RawRequest request, gateway::RawDone done);
  void Command(gateway::RawRequest request, gateway::RawDone done);
  base::Task<base::Outcome<std::string>> Work(Delivery delivery, base::CancelToken cancel);

  // Somebody pressed a button or sent the dialog.
  struct Press {
    std::string delivery_id;
    std::string key;  // of the campaign (names.h)
    bool approve = false;
    bool from_dialog = false;
    std::string user_id;
    std::string user_name;
    std::string reason;
    std::string channel;
    std::string message_ts;
    std::string response_url;
    std::string trigger_id;
    absl::Time at;
  };
  // Nothing for a body that is neither.
  static std::optional<Press> ReadPress(const Delivery& delivery);

 private:
  // False: it has answered `done`.
  bool Check(const gateway::RawRequest& request, gateway::RawDone& done) const;
  base::Task<base::Outcome<std::string>> WhyNot(Press press,
                                                campaign::v1::CampaignProgress progress,
                                                outbound::CallContext call) const;
  base::Task<base::Outcome<std::string>> DecideFor(Press press,
                                                   campaign::v1::CampaignProgress progress,
                                                   outbound::CallContext call);
  base::Task<base::Outcome<std::string>> AskWhy(Press press,
                                                campaign::v1::CampaignProgress progress,
                                                outbound::CallContext call);
  base::Task<base::Outcome<std::string>> Tell(Press press, std::string text, std::string note,
                                              outbound::CallContext call) const;
  const SlackOptions options_;
  const Parts p_;
};

}  // namespace webhooks
