// Gather: several calls at once, one answer when all have answered.
//
// Thread-safety: the answers may come on any threads; `done` is called on the last one's.
//
// Example:
//   Gather<v1::WorkflowInfo>(ids.size(),
//       [&](size_t i, Callback<v1::WorkflowInfo> each) { client.GetWorkflow(of(ids[i]), each); },
//       [](std::vector<absl::StatusOr<v1::WorkflowInfo>> all) { ... });
#pragma once

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "orchestrator/client/client.h"

namespace gateway {

// `call(i, callback)` is called for 0 to count - 1, before Gather returns.
template <typename T, typename Call>
void Gather(size_t count, Call call,
            absl::AnyInvocable<void(std::vector<absl::StatusOr<T>>)> done) {
  struct State {
    std::vector<absl::StatusOr<T>> answers;  // each written by one callback
    std::atomic<size_t> missing;
    absl::AnyInvocable<void(std::vector<absl::StatusOr<T>>)> done;
  };
  if (count == 0) return done({});
  auto state = std::make_shared<State>();
  state->answers.resize(count, absl::UnknownError("no answer"));
  state->missing = count;
  state->done = std::move(done);
  for (size_t i = 0; i < count; ++i) {
    call(i, client::Callback<T>([state, i](absl::StatusOr<T> answer) {
           state->answers[i] = std::move(answer);
           if (--state->missing == 0) state->done(std::move(state->answers));
         }));
  }
}

}  // namespace gateway
