// Future<T>: a result that a workflow waits for. It is resolved by an event of the history, so
// awaiting it is deterministic. Copies share the state; one coroutine awaits it at a time.
// Thread-safety: belongs to its workflow's thread.
//
// Example:
//   sdk::Future<Quote> a = ctx.Execute(kQuote, first);    // both run at once
//   sdk::Future<Quote> b = ctx.Execute(kQuote, second);
//   sdk::Outcome<Quote> quote_a = co_await a;
//   sdk::Outcome<Quote> quote_b = co_await b;
#pragma once

#include <coroutine>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "orchestrator/history/payload.h"
#include "orchestrator/sdk/activity_type.h"

namespace sdk {

class Instance;

namespace internal {

struct FutureState {
  Instance* instance = nullptr;
  std::optional<Outcome<v1::Payload>> outcome;
  std::coroutine_handle<> waiting;
  std::optional<v1::Payload> checkpoint;  // the activity's last heartbeat, when it did not succeed
  std::string id;                         // activity or timer id
};
using FutureStatePtr = std::shared_ptr<FutureState>;

template <typename T>
Outcome<T> Decode(const Outcome<v1::Payload>& outcome) {
  if (!outcome.ok()) return outcome.failure();
  if constexpr (std::is_same_v<T, Unit>) {
    return Unit{};
  } else if constexpr (std::is_same_v<T, v1::Payload>) {
    return *outcome;
  } else {
    absl::StatusOr<T> value = history::FromPayload<T>(*outcome);
    if (!value.ok()) {
      return Failure::Permanent("PayloadMismatch", std::string(value.status().message()));
    }
    return *std::move(value);
  }
}

}  // namespace internal

template <typename T>
class [[nodiscard]] Future {
 public:
  explicit Future(internal::FutureStatePtr state) : state_(std::move(state)) {}
  bool is_ready() const { return state_->outcome.has_value(); }
  // Id of the activity or timer behind it.
  const std::string& id() const { return state_->id; }
  // What the activity last recorded by RecordHeartbeat, when it failed, timed out or was canceled.
  const std::optional<v1::Payload>& checkpoint() const { return state_->checkpoint; }
  // The encoded result; only when ready.
  const Outcome<v1::Payload>& raw() const { return *state_->outcome; }

  auto operator co_await() const {
    struct Awaiter {
      internal::FutureStatePtr state;
      bool await_ready() const { return state->outcome.has_value(); }
      void await_suspend(std::coroutine_handle<> handle) { state->waiting = handle; }
      Outcome<T> await_resume() const { return internal::Decode<T>(*state->outcome); }
    };
    return Awaiter{state_};
  }

 private:
  internal::FutureStatePtr state_;
};

}  // namespace sdk
