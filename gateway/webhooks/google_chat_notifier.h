// GoogleChatNotifier: tells spaces what happens later: that a campaign waits for its review, what
// came of that, and how the campaign ended; and answers that took too long to be given at once.
//
// What is promised is on the disk first and is kept over a crash; each message is made once (its
// request id follows from what it is about). Vendors' outages are waited for.
//
// Thread-safety: thread-safe. It has one thread, which waits for the disk.
//
// Example:
//   ASSIGN_OR_RETURN(auto notifier, GoogleChatNotifier::Open(path, parts));
//   notifier->Start();
//   notifier->Watch({.workflow_id = id, .space = space, .thread = thread}, [](absl::Status) {});
#pragma once

#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "activities/connectors/google_chat/google_chat_client.h"
#include "gateway/webhooks/google_chat_store.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/client/client.h"

namespace webhooks {

inline constexpr int kChatWatchesMax = 10'000;
inline constexpr int kChatMessagesMax = 1'000;

class GoogleChatNotifier {
 public:
  struct Parts {
    client::WorkflowClient& client;
    google_chat::GoogleChatClient& chat;
    base::EventLoop& loop;  // of `chat`
    base::Clock& clock;
    base::Metrics& metrics;
  };
  // All parts outlive it. Codes as of GoogleChatStore.
  static absl::StatusOr<std::unique_ptr<GoogleChatNotifier>> Open(const std::string& path,
                                                                  Parts parts);
  ~GoogleChatNotifier();  // calls Stop

  // Goes on with what was promised before.
  void Start();
  // The space hears of the campaign from now on; durable when `done` says OK. The campaign may
  // start a little later. RESOURCE_EXHAUSTED beyond kChatWatchesMax. `done` runs on the notifier's
  // thread and must not block; UNAVAILABLE after Stop.
  void Watch(ChatWatch watch, absl::AnyInvocable<void(absl::Status)> done);
  // The campaign will not start after all.
  void Forget(ChatWatch watch);
  // Says it once, as soon as that is possible. While kChatMessagesMax others wait it is dropped,
  // which is logged and counted.
  void Say(ChatMessage message);
  // What is under way is given up; it goes on at the next start. Idempotent.
  void Stop();

 private:
  struct State;
  explicit GoogleChatNotifier(std::shared_ptr<State> state) : state_(std::move(state)) {}
  const std::shared_ptr<State> state_;
};

}  // namespace webhooks
