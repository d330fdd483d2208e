#include "orchestrator/batches/verbs.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"

namespace batches {
namespace {

using base::Task;

// What one verb needs.
struct Target {
  client::ClientSlot slot;
  sdk::ActivityContext* ctx;
  v1::BatchInput batch;
  v1::WorkflowInfo run;

  // The same for the same batch and run.
  std::string request_id() const {
    return absl::StrCat("batch:", batch.batch_id(), ":", run.run_id());
  }
  template <typename Request>
  Request NewRequest() const {
    Request request;
    request.set_namespace_(run.namespace_());
    request.set_workflow_id(run.workflow_id());
    request.set_run_id(run.run_id());
    request.set_identity(absl::StrCat(batch.identity(), batch.identity().empty() ? "" : " by ",
                                      "batch:", batch.batch_id()));
    return request;
  }
  template <typename Response, typename Request>
  Task<absl::StatusOr<Response>> Call(
      void (client::WorkflowClient::*verb)(Request, client::Callback<Response>),
      Request request) const {
    return client::Call<Response>(
        ctx->loop(), ctx->cancel(), slot,
        [verb, request = std::move(request)](client::WorkflowClient& client, auto done) mutable {
          (client.*verb)(std::move(request), std::move(done));
        });
  }
};

// The run is closed or gone: that is what was wanted.
bool Gone(const absl::Status& status) {
  return absl::IsNotFound(status) || absl::IsFailedPrecondition(status);
}

Applied Of(const absl::Status& status, bool already) {
  return {.status = already ? absl::OkStatus() : status, .already = already};
}

Task<Applied> Cancel(Target target) {
  auto request = target.NewRequest<v1::CancelWorkflowRequest>();
  request.set_reason(target.batch.batch().reason());
  const auto response = co_await target.Call(&client::WorkflowClient::Cancel, std::move(request));
  co_return Of(response.status(), Gone(response.status()));
}

Task<Applied> Terminate(Target target) {
  auto request = target.NewRequest<v1::TerminateWorkflowRequest>();
  request.set_reason(target.batch.batch().reason());
  const auto response =
      co_await target.Call(&client::WorkflowClient::Terminate, std::move(request));
  co_return Of(response.status(), Gone(response.status()));
}

Task<Applied> Signal(Target target) {
  auto request = target.NewRequest<v1::SignalWorkflowRequest>();
  request.set_signal_name(target.batch.batch().signal_name());
  *request.mutable_input() = target.batch.batch().signal_input();
  request.set_request_id(target.request_id());
  const auto response = co_await target.Call(&client::WorkflowClient::Signal, std::move(request));
  co_return Of(response.status(), false);
}

Task<Applied> Pause(Target target) {
  auto request = target.NewRequest<v1::PauseWorkflowRequest>();
  request.set_reason(target.batch.batch().reason());
  request.set_request_id(target.request_id());
  const auto response = co_await target.Call(&client::WorkflowClient::Pause, std::move(request));
  co_return Of(response.status(), response.ok() && response->already_paused());
}

Task<Applied> Resume(Target target) {
  auto request = target.NewRequest<v1::ResumeWorkflowRequest>();
  request.set_reason(target.batch.batch().reason());
  request.set_request_id(target.request_id());
  const auto response = co_await target.Call(&client::WorkflowClient::Resume, std::move(request));
  co_return Of(response.status(), response.ok() && response->was_running());
}

Task<Applied> RetryNow(Target target) {
  auto request = target.NewRequest<v1::RetryWorkflowNowRequest>();
  const auto response = co_await target.Call(&client::WorkflowClient::RetryNow, std::move(request));
  co_return Of(response.status(), false);
}

Task<Applied> Delete(Target target) {
  auto request = target.NewRequest<v1::DeleteWorkflowRequest>();
  request.set_reason(target.batch.batch().reason());
  const auto response =
      co_await target.Call(&client::WorkflowClient::DeleteWorkflow, std::move(request));
  co_return Of(response.status(), absl::IsNotFound(response.status()));
}

// The last event that a reset keeps.
int64_t ResetEventId(const v1::Batch& batch, const v1::WorkflowInfo& run) {
  constexpr int64_t kStarted = 1;
  switch (batch.reset_point()) {
    case v1::BatchResetPoint::LAST_TASK:
      return run.history_length();
    case v1::BatchResetPoint::EVENT:
      return batch.reset_event_id();
    default:
      return kStarted;  // all of its code runs again
  }
}

Task<Applied> Reset(Target target) {
  const v1::Batch& batch = target.batch.batch();
  auto request = target.NewRequest<v1::ResetWorkflowRequest>();
  request.set_event_id(ResetEventId(batch, target.run));
  request.set_reason(batch.reason());
  request.set_request_id(target.request_id());
  request.set_children(batch.reset_children());
  request.set_drop_signals(batch.reset_drop_signals());
  const auto response =
      co_await target.Call(&client::WorkflowClient::ResetWorkflow, std::move(request));
  co_return Of(response.status(), false);
}

Task<Applied> Unknown(Target target) {
  co_return Applied{absl::InvalidArgumentError("the batch has no such verb")};
}

}  // namespace

Task<Applied> Apply(client::ClientSlot slot, sdk::ActivityContext* ctx, v1::BatchInput batch,
                    v1::WorkflowInfo run) {
  Target target = {std::move(slot), ctx, std::move(batch), std::move(run)};
  switch (target.batch.batch().verb()) {
    case v1::BatchVerb::CANCEL:
      return Cancel(std::move(target));
    case v1::BatchVerb::TERMINATE:
      return Terminate(std::move(target));
    case v1::BatchVerb::SIGNAL:
      return Signal(std::move(target));
    case v1::BatchVerb::PAUSE:
      return Pause(std::move(target));
    case v1::BatchVerb::RESUME:
      return Resume(std::move(target));
    case v1::BatchVerb::RETRY_NOW:
      return RetryNow(std::move(target));
    case v1::BatchVerb::RESET:
      return Reset(std::move(target));
    case v1::BatchVerb::DELETE:
      return Delete(std::move(target));
    default:
      return Unknown(std::move(target));
  }
}

}  // namespace batches
