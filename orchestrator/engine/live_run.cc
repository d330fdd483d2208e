#include "orchestrator/engine/live_run.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "orchestrator/core/decide.h"
#include "orchestrator/history/payload.h"
#include "orchestrator/history/time.h"

namespace engine {
namespace {

std::string BlockedReason(const core::RunState& state) {
  for (const core::SagaStep& step : state.saga) {
    if (step.compensation != v1::CompensationState::BLOCKED) continue;
    return absl::StrCat(
        "compensation_blocked: ", step.registration.compensation_type(), " of step ",
        step.registration.step(), " used up its retries: ",
        step.compensation_failure.has_value() ? step.compensation_failure->message() : "unknown",
        "; retry, skip or resolve it");
  }
  return "";
}

const core::PendingActivity* FindActivity(const core::RunState& state, const std::string& id) {
  const auto it = state.activity_ids.find(id);
  return it == state.activity_ids.end() ? nullptr : &state.activities.at(it->second);
}

void DescribeCompensation(const core::RunState& state, const core::SagaStep& step, absl::Time now,
                          v1::SagaStepInfo* info) {
  info->set_compensation_type(step.registration.compensation_type());
  info->set_compensation(step.compensation);
  info->set_compensation_reason(step.compensation_reason);
  info->set_decided_by(step.decided_by);
  if (step.compensation_failure.has_value()) {
    *info->mutable_compensation_failure() = *step.compensation_failure;
  }
  int attempts = step.compensation_attempts_before + step.compensation_attempts_closed;
  if (const core::PendingActivity* pending = FindActivity(state, step.compensation_activity_id)) {
    // The attempt that waits for its time has not been made yet.
    attempts += pending->in_flight ? pending->attempt : pending->attempt - 1;
    info->set_compensation_maximum_attempts(pending->scheduled->retry_policy().maximum_attempts());
    if (pending->last_failure.has_value()) {
      *info->mutable_compensation_failure() = *pending->last_failure;
    }
    if (!pending->in_flight && pending->next_attempt_time > now) {
      *info->mutable_compensation_next_attempt_time() =
          history::ToProto(pending->next_attempt_time);
    }
  }
  info->set_compensation_attempts(attempts);
}

}  // namespace

bool LiveRun::pinned() const {
  if (writes_pending > 0 || !update_waiters.empty()) return true;
  return std::any_of(state.activities.begin(), state.activities.end(), [](const auto& entry) {
    return entry.second.in_flight || entry.second.queued;
  });
}

void ProjectRow(LiveRun& run) {
  const core::RunState& state = run.state;
  store::RunRow& row = run.row;
  row.next_event_id = state.next_event_id;
  row.saga_state = state.saga_state();
  row.close_time = state.close_time;
  if (state.closed()) {
    row.status = state.closed_status;
    row.status_reason =
        state.failure.has_value() ? history::FromProto(*state.failure).ToString() : "";
    row.wake_at = absl::InfiniteFuture();
    return;
  }
  row.wake_at = core::StoredWakeAt(state);
  row.status = v1::RunStatus::RUNNING;
  row.status_reason = "";
  if (!run.stuck_reason.empty()) {
    row.status = v1::RunStatus::STUCK;
    row.status_reason = run.stuck_reason;
    row.wake_at = std::min(row.wake_at, run.stuck_retry_at);
  } else if (state.blocked()) {
    row.status = v1::RunStatus::STUCK;
    row.status_reason = BlockedReason(state);
  }
}

v1::WorkflowInfo DescribeRow(const store::RunRow& row) {
  v1::WorkflowInfo info;
  info.set_namespace_(row.ns.value());
  info.set_workflow_id(row.workflow_id.value());
  info.set_run_id(row.run_id.value());
  info.set_workflow_type(row.workflow_type);
  info.set_task_queue(row.task_queue);
  info.set_status(row.status);
  info.set_status_reason(row.status_reason);
  *info.mutable_start_time() = history::ToProto(row.start_time);
  if (row.close_time != absl::InfiniteFuture()) {
    *info.mutable_close_time() = history::ToProto(row.close_time);
  }
  info.set_history_length(row.next_event_id - 1);
  info.set_request_id(row.request_id);
  info.set_correlation_id(row.correlation_id);
  info.set_trace_id(row.trace_id);
  info.set_saga_state(row.saga_state);
  return info;
}

v1::WorkflowInfo DescribeRun(const LiveRun& run, absl::Time now) {
  v1::WorkflowInfo info = DescribeRow(run.row);
  for (const auto& [id, activity] : run.state.activities) {
    v1::PendingActivity* pending = info.add_pending_activities();
    pending->set_activity_id(activity.scheduled->activity_id());
    pending->set_activity_type(activity.scheduled->activity_type());
    pending->set_attempt(activity.attempt);
    pending->set_maximum_attempts(activity.scheduled->retry_policy().maximum_attempts());
    pending->set_state(activity.cancel_requested          ? "CANCEL_REQUESTED"
                       : activity.in_flight               ? "STARTED"
                       : activity.next_attempt_time > now ? "BACKING_OFF"
                                                          : "SCHEDULED");
    if (activity.last_failure.has_value())
      *pending->mutable_last_failure() = *activity.last_failure;
    if (!activity.in_flight) {
      *pending->mutable_next_attempt_time() = history::ToProto(activity.next_attempt_time);
    }
  }
  return info;
}

v1::SagaInfo DescribeSaga(const core::RunState& state, absl::Time now) {
  v1::SagaInfo info;
  info.set_workflow_id(state.started.workflow_id());
  info.set_run_id(state.started.run_id());
  info.set_state(state.saga_state());
  for (const core::SagaStep& step : state.saga) {
    v1::SagaStepInfo* line = info.add_steps();
    line->set_step(step.registration.step());
    line->set_activity_id(step.registration.activity_id());
    line->set_activity_type(step.activity_type);
    line->set_group(step.registration.group());
    line->set_outcome(step.outcome);
    if (step.failure.has_value()) *line->mutable_failure() = *step.failure;
    DescribeCompensation(state, step, now, line);
  }
  return info;
}

}  // namespace engine
