// For activities that call the engine that runs them: where they find the client, and how they
// await its answer.
//
// Thread-safety: ClientSlot is thread-safe; Call is for the loop's thread.
//
// Example:
//   absl::StatusOr<v1::WorkflowInfo> info = co_await client::Call<v1::WorkflowInfo>(
//       ctx.loop(), ctx.cancel(), *slot, [&](client::WorkflowClient& client, auto done) {
//         client.GetWorkflow(request, std::move(done));
//       });
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "orchestrator/base/cancel.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/task.h"
#include "orchestrator/client/client.h"

namespace client {

// The client, once there is an engine: activities are registered before it is made.
using ClientSlot = std::shared_ptr<std::atomic<WorkflowClient*>>;
inline ClientSlot NewClientSlot() {
  return std::make_shared<std::atomic<WorkflowClient*>>(nullptr);
}

// Calls the client and waits for its answer. CANCELED when `cancel` comes first (the call goes on
// without a listener); UNAVAILABLE when there is no client yet. `call` runs before Call suspends.
template <typename T, typename Fn>
base::Task<absl::StatusOr<T>> Call(base::EventLoop& loop, base::CancelToken cancel, ClientSlot slot,
                                   Fn call) {
  WorkflowClient* client = slot->load();
  if (client == nullptr) co_return absl::UnavailableError("the engine is starting");
  if (cancel.canceled()) co_return absl::CancelledError("the activity was canceled");
  base::Completion<absl::StatusOr<T>> answered;
  const base::CancelToken::CallbackId callback = cancel.OnCancel(
      [answered] { answered.Set(absl::CancelledError("the activity was canceled")); });
  call(*client, Callback<T>([&loop, answered](absl::StatusOr<T> response) {
    loop.Post([answered, response = std::move(response)]() mutable {
      answered.Set(std::move(response));
    });
  }));
  absl::StatusOr<T> response = co_await answered;
  cancel.Forget(callback);
  co_return response;
}

}  // namespace client
