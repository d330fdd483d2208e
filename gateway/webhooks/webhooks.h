// Webhooks: what the server makes of this folder: the inbox, Slack, GitHub, the door for their
// decisions, and who is told of decisions.
//
// Thread-safety: construct, AddTo, Start and Stop from the owner's thread.
//
// Example:
//   ASSIGN_OR_RETURN(auto webhooks, Webhooks::Make(options, data_dir + "/webhooks.db", parts));
//   webhooks->AddTo(rest_handler);
//   webhooks->Start();          // before the first request
//   webhooks->Stop();           // after the last one, before the engine and the loop
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "gateway/rest/rest_handler.h"
#include "gateway/webhooks/decision_notices.h"
#include "gateway/webhooks/decisions.h"
#include "gateway/webhooks/github_hooks.h"
#include "gateway/webhooks/inbox.h"
#include "gateway/webhooks/slack_hooks.h"

namespace webhooks {

struct WebhooksOptions {
  SlackOptions slack;
  GithubOptions github;
  InboxOptions inbox;
};

class Webhooks {
 public:
  struct Parts {
    client::WorkflowClient& client;
    slack::SlackClient& slack;
    github::GithubClient& github;
    base::EventLoop& loop;  // of both
    base::Clock& clock;
    base::Metrics& metrics;
  };
  // All parts outlive it. Codes as of DeliveryStore.
  static absl::StatusOr<std::unique_ptr<Webhooks>> Make(WebhooksOptions options,
                                                        const std::string& path, Parts parts,
                                                        Decisions::Recorder recorder = nullptr);

  void AddTo(gateway::RestHandler& handler);
  void Start() { inbox_->Start(); }
  void Stop() { inbox_->Stop(); }

  Decisions& decisions() { return decisions_; }
  // For decisions that do not go through decisions().
  DecisionNotices& notices() { return notices_; }

 private:
  Webhooks(WebhooksOptions options, std::unique_ptr<Inbox> inbox, Parts parts,
           Decisions::Recorder recorder);

  Decisions decisions_;
  std::unique_ptr<Inbox> inbox_;
  DecisionNotices notices_;
  SlackHooks slack_;
  GithubHooks github_;
};

}  // namespace webhooks
