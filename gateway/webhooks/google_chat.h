// GoogleChat: the app in Google Chat.
//
//   POST /webhooks/google-chat   messages (ping, help, status, "start a campaign about ...") and
//                                buttons of cards (start or discard a draft, approve, reject)
//
// Google proves itself with a signed token for our audience; then the event says who writes, and
// that is believed. Only people of allowed domains are answered; who may start campaigns and who
// may decide is set by role. Every event is answered within two seconds: what takes longer goes on,
// and its outcome comes as a message (google_chat_notifier.h).
//
// Thread-safety: construct, Open, AddTo, Start and Stop from the owner's thread; Receive on any.
//
// Example:
//   ASSIGN_OR_RETURN(auto chat, GoogleChat::Make(options, data_dir + "/webhooks.db", parts));
//   chat->AddTo(rest_handler);
//   chat->Start();
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "activities/connectors/google_chat/google_chat_client.h"
#include "activities/outbound/call.h"
#include "gateway/auth/caller.h"
#include "gateway/auth/jwt_verifier.h"
#include "gateway/grpc/call_guard.h"
#include "gateway/grpc/campaign_service.h"
#include "gateway/rest/rest_handler.h"
#include "gateway/webhooks/decisions.h"
#include "gateway/webhooks/google_chat_cards.h"
#include "gateway/webhooks/google_chat_event.h"
#include "gateway/webhooks/google_chat_notifier.h"

namespace webhooks {

inline constexpr char kGoogleChatSource[] = "google_chat";
inline constexpr char kGoogleKeysUrl[] = "https://www.googleapis.com/oauth2/v3/certs";
inline constexpr char kGoogleChatKeysUrl[] =
    "https://www.googleapis.com/service_accounts/v1/jwk/chat@system.gserviceaccount.com";

struct GoogleChatOptions {
  // Of the tokens, as the app is configured at Google; empty: the address answers 404.
  std::string audience;
  bool audience_is_project = false;  // the project's number; else the address of this endpoint
  std::string keys_url;              // empty: Google's
  std::vector<std::string> allowed_domains;  // "example.com"; nobody else is answered
  std::vector<std::string> editors;          // may start and decide: addresses, "@example.com", "*"
  std::vector<std::string> approvers;        // may decide
  std::string ns = auth::kDefaultNamespace;
  // Of the campaigns that are drafted here.
  std::vector<std::string> channels = {"email", "social", "blog"};
  std::vector<std::string> research_sources = {"notion", "memory"};
  std::string tone = "professional";
  absl::Duration answer_within = absl::Milliseconds(1500);
  absl::Duration between_key_fetches = absl::Seconds(10);  // at least
};

class GoogleChat {
 public:
  struct Parts {
    client::WorkflowClient& client;
    gateway::CampaignServiceImpl& campaigns;
    Decisions& decisions;
    google_chat::GoogleChatClient& chat;
    outbound::Outbound& outbound;  // for the keys
    base::EventLoop& loop;         // of both
    base::Clock& clock;
    base::Metrics& metrics;
    // The role that a person has besides the lists above, by e-mail address; may be empty.
    std::function<auth::Role(const std::string& email)> role_of;
    gateway::CallGuard* guard = nullptr;  // limits and records what people change; may be null
  };
  // All parts outlive it. Codes as of GoogleChatStore.
  static absl::StatusOr<std::unique_ptr<GoogleChat>> Make(GoogleChatOptions options,
                                                          const std::string& path, Parts parts);

  void AddTo(gateway::RestHandler& handler);
  void Start();
  // After the last request, before the engine and the loop.
  void Stop() { notifier_->Stop(); }

  void Receive(gateway::RawRequest request, gateway::RawDone done);

 private:
  GoogleChat(GoogleChatOptions options, std::unique_ptr<GoogleChatNotifier> notifier, Parts parts);
  auth::Role RoleOf(const std::string& email) const;
  bool MayDecide(const std::string& email) const;
  bool IsAllowed(const std::string& email) const;
  void Believe(std::string body, gateway::CallInfo call, gateway::RawDone done);

  const GoogleChatOptions options_;
  const Parts p_;
  const std::unique_ptr<GoogleChatNotifier> notifier_;
  auth::JwtVerifier verifier_;
};

}  // namespace webhooks
