// The activities of schedules: calls to the engine that runs them, in the namespace of the
// schedule.
#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/schedules/schedule_workflow.h"

namespace schedules {
namespace {

using base::Task;
using sdk::Outcome;
using Slot = client::ClientSlot;

constexpr absl::Duration kPatience = absl::Hours(24);  // for a start that is refused for now
constexpr int kLongPollSeconds = 30;

sdk::Failure ToFailure(const absl::Status& status) {
  const std::string message(status.message());
  switch (status.code()) {
    case absl::StatusCode::kCancelled:
      return sdk::Failure::Canceled(message);
    case absl::StatusCode::kInvalidArgument:
      return sdk::Failure::Permanent("InvalidArgument", message);
    case absl::StatusCode::kAlreadyExists:
      return sdk::Failure::Permanent("AlreadyExists", message);
    case absl::StatusCode::kFailedPrecondition:
      return sdk::Failure::Permanent("FailedPrecondition", message);
    default:
      return sdk::Failure::Retryable(absl::StatusCodeToString(status.code()), message);
  }
}

Task<Outcome<v1::StartWorkflowResponse>> Start(Slot slot, sdk::ActivityContext& ctx,
                                               v1::StartWorkflowRequest request) {
  request.set_namespace_(ctx.info().ns);
  absl::StatusOr<v1::StartWorkflowResponse> response =
      co_await client::Call<v1::StartWorkflowResponse>(
          ctx.loop(), ctx.cancel(), slot, [&request](client::WorkflowClient& client, auto done) {
            client.StartWorkflow(std::move(request), std::move(done));
          });
  if (!response.ok()) co_return ToFailure(response.status());
  co_return *std::move(response);
}

// The status of the newest run; COMPLETED when there is none.
Task<absl::StatusOr<v1::RunStatus::Value>> StatusOf(Slot slot, sdk::ActivityContext& ctx,
                                                    std::string workflow_id, int wait_seconds) {
  v1::GetWorkflowResultRequest request;
  request.set_namespace_(ctx.info().ns);
  request.set_workflow_id(std::move(workflow_id));
  request.mutable_wait()->set_seconds(wait_seconds);
  absl::StatusOr<v1::GetWorkflowResultResponse> result =
      co_await client::Call<v1::GetWorkflowResultResponse>(
          ctx.loop(), ctx.cancel(), slot, [&request](client::WorkflowClient& client, auto done) {
            client.GetResult(std::move(request), std::move(done));
          });
  if (absl::IsNotFound(result.status())) co_return v1::RunStatus::COMPLETED;
  if (!result.ok()) co_return result.status();
  co_return result->status();
}

bool IsOpen(v1::RunStatus::Value status) {
  switch (status) {
    case v1::RunStatus::RUNNING:
    case v1::RunStatus::PAUSED:
    case v1::RunStatus::STUCK:
    case v1::RunStatus::CONTINUED_AS_NEW:  // another run goes on
      return true;
    default:
      return false;
  }
}

Task<Outcome<v1::ScheduledRuns>> Look(Slot slot, sdk::ActivityContext& ctx,
                                      v1::ScheduledRuns runs) {
  v1::ScheduledRuns open;
  for (const v1::ScheduledRun& run : runs.runs()) {
    const absl::StatusOr<v1::RunStatus::Value> status =
        co_await StatusOf(slot, ctx, run.workflow_id(), 0);
    if (!status.ok()) co_return ToFailure(status.status());
    if (IsOpen(*status)) *open.add_runs() = run;
  }
  co_return open;
}

Task<Outcome<v1::ScheduledRuns>> Watch(Slot slot, sdk::ActivityContext& ctx,
                                       v1::ScheduledRuns runs) {
  for (const v1::ScheduledRun& run : runs.runs()) {
    while (true) {
      const absl::StatusOr<v1::RunStatus::Value> status =
          co_await StatusOf(slot, ctx, run.workflow_id(), kLongPollSeconds);
      if (!status.ok()) co_return ToFailure(status.status());
      if (!IsOpen(*status)) break;
      const sdk::Done alive = co_await ctx.RecordHeartbeatRaw(v1::Payload());
      if (!alive.ok()) co_return alive.failure();
    }
  }
  co_return runs;
}

Task<absl::Status> StopOne(Slot slot, sdk::ActivityContext& ctx, std::string workflow_id,
                           bool terminate, std::string reason) {
  const std::string identity = ctx.info().workflow_id;
  if (terminate) {
    v1::TerminateWorkflowRequest request;
    request.set_namespace_(ctx.info().ns);
    request.set_workflow_id(workflow_id);
    request.set_reason(reason);
    request.set_identity(identity);
    const absl::StatusOr<v1::TerminateWorkflowResponse> response =
        co_await client::Call<v1::TerminateWorkflowResponse>(
            ctx.loop(), ctx.cancel(), slot, [&request](client::WorkflowClient& client, auto done) {
              client.Terminate(std::move(request), std::move(done));
            });
    co_return response.status();
  }
  v1::CancelWorkflowRequest request;
  request.set_namespace_(ctx.info().ns);
  request.set_workflow_id(workflow_id);
  request.set_reason(reason);
  request.set_identity(identity);
  const absl::StatusOr<v1::CancelWorkflowResponse> response =
      co_await client::Call<v1::CancelWorkflowResponse>(
          ctx.loop(), ctx.cancel(), slot, [&request](client::WorkflowClient& client, auto done) {
            client.Cancel(std::move(request), std::move(done));
          });
  co_return response.status();
}

Task<Outcome<v1::ScheduledRuns>> Stop(Slot slot, sdk::ActivityContext& ctx,
                                      v1::ScheduledRuns runs) {
  for (const v1::ScheduledRun& run : runs.runs()) {
    const absl::Status status =
        co_await StopOne(slot, ctx, run.workflow_id(), runs.terminate(), runs.reason());
    // Closed meanwhile, or gone: there is nothing to stop.
    if (status.ok() || absl::IsNotFound(status) || absl::IsFailedPrecondition(status)) continue;
    co_return ToFailure(status);
  }
  co_return runs;
}

}  // namespace

void Register(sdk::Registry& registry, client::ClientSlot slot) {
  registry.AddWorkflow<v1::ScheduleInput, v1::ScheduleInfo>(kScheduleType, &RunSchedule);
  const sdk::RetryPolicy retry = {.initial_interval = absl::Milliseconds(100),
                                  .maximum_interval = absl::Seconds(10)};
  registry.AddActivity(kStart,
                       [slot](sdk::ActivityContext& ctx, v1::StartWorkflowRequest request) {
                         return Start(slot, ctx, std::move(request));
                       },
                       {.start_to_close_timeout = absl::Minutes(1),
                        .schedule_to_close_timeout = kPatience,
                        .retry = retry});
  registry.AddActivity(kLook,
                       [slot](sdk::ActivityContext& ctx, v1::ScheduledRuns runs) {
                         return Look(slot, ctx, std::move(runs));
                       },
                       {.start_to_close_timeout = absl::Minutes(5), .retry = retry});
  registry.AddActivity(kStop,
                       [slot](sdk::ActivityContext& ctx, v1::ScheduledRuns runs) {
                         return Stop(slot, ctx, std::move(runs));
                       },
                       {.start_to_close_timeout = absl::Minutes(5), .retry = retry});
  registry.AddActivity(kWatch,
                       [slot](sdk::ActivityContext& ctx, v1::ScheduledRuns runs) {
                         return Watch(slot, ctx, std::move(runs));
                       },
                       {.start_to_close_timeout = absl::Hours(24 * 3650),
                        .heartbeat_timeout = absl::Minutes(2),
                        .retry = retry});
}

}  // namespace schedules
