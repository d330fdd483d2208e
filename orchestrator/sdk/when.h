// WhenAll, WhenAny, Select: waiting for several futures of a workflow.
//
// WhenAll ends with all outcomes, in the order of its arguments; a failure does not end it early.
// WhenAny and Select end with the index of the future that was ready first. "First" is the order
// of the history, not that of the arguments, so replay gives the same index. The others go on:
// await them later, or cancel them by Context::Cancel.
// Cancellation: the futures end with "Canceled" by the rules of the context that made them; the
// wait itself adds nothing to that.
//
// Thread-safety: belongs to its workflow's thread.
//
// Example:
//   sdk::Future<Quote> quote = ctx.Execute(kQuote, input);
//   sdk::Future<sdk::Unit> patience = ctx.Sleep(absl::Minutes(5));
//   const size_t first = co_await sdk::Select(quote, patience);
//   if (first == 1) ctx.Cancel(quote); else ctx.CancelTimer(patience);
//
//   auto [stock, price] = co_await sdk::WhenAll(ctx.Execute(kStock, id), ctx.Execute(kPrice, id));
//   if (!stock.ok()) co_return stock.failure();
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "orchestrator/base/task.h"
#include "orchestrator/sdk/future.h"

namespace sdk {

namespace internal {

// The index of the future that was ready first; empty when none is ready.
inline std::optional<size_t> FirstReady(const std::vector<FutureStatePtr>& states) {
  std::optional<size_t> first;
  for (size_t i = 0; i < states.size(); ++i) {
    if (!states[i]->outcome.has_value()) continue;
    if (!first.has_value() || states[i]->resolved < states[*first]->resolved) first = i;
  }
  return first;
}

// Suspends until one of `states` is ready.
struct AnyReady {
  const std::vector<FutureStatePtr>& states;
  bool await_ready() const { return FirstReady(states).has_value(); }
  void await_suspend(std::coroutine_handle<> handle) const {
    auto selection = std::make_shared<Selection>();
    selection->waiting = handle;
    for (const FutureStatePtr& state : states) {
      // A loop that selects again and again must not pile up what its earlier rounds left.
      std::erase_if(state->selections, [](const auto& old) { return old->waiting == nullptr; });
      state->selections.push_back(selection);
    }
  }
  void await_resume() const {}
};

inline base::Task<size_t> SelectStates(std::vector<FutureStatePtr> states) {
  if (states.empty()) {
    throw base::FailureException(Failure::Permanent(
        "InvalidArgument", "WhenAny of no futures never ends; give it at least one"));
  }
  co_await AnyReady{states};
  co_return *FirstReady(states);
}

}  // namespace internal

// The index of the first of futures of different types.
template <typename... Ts>
base::Task<size_t> Select(Future<Ts>... futures) {
  return internal::SelectStates({futures.state()...});
}

// The same under Temporal's name.
template <typename... Ts>
base::Task<size_t> WhenAny(Future<Ts>... futures) {
  return internal::SelectStates({futures.state()...});
}

// The index of the first in a list. It fails with "InvalidArgument" when the list is empty.
template <typename T>
base::Task<size_t> WhenAny(std::vector<Future<T>> futures) {
  std::vector<internal::FutureStatePtr> states;
  for (const Future<T>& future : futures) states.push_back(future.state());
  return internal::SelectStates(std::move(states));
}

template <typename... Ts>
base::Task<std::tuple<Outcome<Ts>...>> WhenAll(Future<Ts>... futures) {
  const std::vector<internal::FutureStatePtr> states = {futures.state()...};
  for (const internal::FutureStatePtr& state : states) {
    const Outcome<v1::Payload> ended = co_await Future<v1::Payload>(state);
  }
  co_return std::tuple<Outcome<Ts>...>(internal::Decode<Ts>(*futures.state()->outcome)...);
}

template <typename T>
base::Task<std::vector<Outcome<T>>> WhenAll(std::vector<Future<T>> futures) {
  std::vector<Outcome<T>> outcomes;
  for (const Future<T>& future : futures) {
    Outcome<T> outcome = co_await future;
    outcomes.push_back(std::move(outcome));
  }
  co_return outcomes;
}

}  // namespace sdk
