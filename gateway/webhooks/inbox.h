// Inbox: takes webhooks in and works on them later. One that was accepted is on the disk before
// its sender is answered, is worked on until that succeeds (also over restarts), and is worked on
// once, however often it is sent.
//
// Work runs as coroutines on the given loop, some at once, with growing pauses between its tries.
// It may still run twice when the process ends in the middle: what it does must bear that.
//
// Thread-safety: Handle before Start; Accept on any thread; Stop from the owner's.
//
// Example:
//   ASSIGN_OR_RETURN(auto inbox, Inbox::Open(path, vendors.loop(), clock, metrics, {}));
//   inbox->Handle("github", [&](Delivery delivery, base::CancelToken cancel) {
//     return hooks.Work(std::move(delivery), std::move(cancel));
//   });
//   inbox->Start();
//   inbox->Accept({.source = "github", .id = guid, .body = body}, [](absl::StatusOr<bool> is_new) {
//     Answer(is_new.ok() ? 200 : 503);
//   });
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/webhooks/delivery_store.h"
#include "orchestrator/base/cancel.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/task.h"

namespace webhooks {

struct InboxOptions {
  int waiting_max = 10'000;  // accepted and not done; more are refused
  int at_once_max = 16;
  absl::Duration pause_first = absl::Milliseconds(500);
  absl::Duration pause_max = absl::Minutes(1);
  absl::Duration give_up_after = absl::Hours(24);  // a delivery that never succeeds
  absl::Duration keep = absl::Hours(7 * 24);       // ids of what is done
};

class Inbox {
 public:
  // The value says how it ended, for people who look into the file. A retryable failure is tried
  // again, a permanent one is given up.
  using Work = std::function<base::Task<base::Outcome<std::string>>(Delivery, base::CancelToken)>;

  // `loop`, `clock` and `metrics` outlive it. Codes as of DeliveryStore.
  static absl::StatusOr<std::unique_ptr<Inbox>> Open(const std::string& path, base::EventLoop& loop,
                                                     base::Clock& clock, base::Metrics& metrics,
                                                     InboxOptions options);
  ~Inbox();  // calls Stop

  void Handle(std::string source, Work work);
  // Goes on with what was accepted before.
  void Start();
  // `done(true)`: new, and durable; `done(false)`: it was accepted before. RESOURCE_EXHAUSTED when
  // too many wait, UNAVAILABLE when it cannot be stored or the inbox has stopped. `done` runs on
  // the inbox's thread or the caller's. `id`, `digest` and `body` are the caller's to fill.
  void Accept(Delivery delivery, absl::AnyInvocable<void(absl::StatusOr<bool>)> done);
  // Lets the work under way end, for `limit`, while the loop runs; what is not done stays for the
  // next start. Idempotent.
  void Stop(absl::Duration limit = absl::Seconds(2));

  // Facts that must outlive a restart (DeliveryStore). For work, on the loop.
  base::Task<base::Outcome<std::string>> Fact(std::string name);
  base::Task<base::Done> SetFact(std::string name, std::string value);

 private:
  struct State;
  explicit Inbox(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace webhooks
