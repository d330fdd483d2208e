// Future<T>: a result that a workflow waits for. It is resolved by an event of the history, so
// awaiting it is deterministic. Copies share the state; any number of coroutines may await it, and
// they go on in the order in which they began to. To wait for several see when.h.
// Thread-safety: belongs to its workflow's thread.
//
// Example:
//   sdk::Future<Quote> a = ctx.Execute(kQuote, first);    // both run at once
//   sdk::Future<Quote> b = ctx.Execute(kQuote, second);
//   sdk::Outcome<Quote> quote_a = co_await a;
//   sdk::Outcome<Quote> quote_b = co_await b;
#pragma once

#include <coroutine>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "orchestrator/history/payload.h"
#include "orchestrator/sdk/activity_type.h"

namespace sdk {

class Instance;

namespace internal {

// One coroutine that waits for whichever of several futures is ready first.
struct Selection {
  std::coroutine_handle<> waiting;  // null once it was woken
};

struct FutureState {
  Instance* instance = nullptr;
  std::optional<Outcome<v1::Payload>> outcome;
  uint64_t resolved = 0;  // place among the futures of the run that became ready, from 1
  std::coroutine_handle<> waiting;
  std::vector<std::coroutine_handle<>> also_waiting;  // after `waiting`, in order
  std::vector<std::shared_ptr<Selection>> selections;
  std::optional<v1::Payload> checkpoint;  // the activity's last heartbeat, when it did not succeed
  std::string id;                         // activity or timer id
  OnExhausted on_exhausted = OnExhausted::kFail;  // of an activity's retry policy
};
using FutureStatePtr = std::shared_ptr<FutureState>;

inline void AwaitFuture(FutureState& state, std::coroutine_handle<> handle) {
  if (state.waiting) {
    state.also_waiting.push_back(handle);
  } else {
    state.waiting = handle;
  }
}

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
  // For libraries.
  const internal::FutureStatePtr& state() const { return state_; }

  auto operator co_await() const {
    struct Awaiter {
      internal::FutureStatePtr state;
      bool await_ready() const { return state->outcome.has_value(); }
      void await_suspend(std::coroutine_handle<> handle) { internal::AwaitFuture(*state, handle); }
      Outcome<T> await_resume() const { return internal::Decode<T>(*state->outcome); }
    };
    return Awaiter{state_};
  }

 private:
  internal::FutureStatePtr state_;
};

}  // namespace sdk
