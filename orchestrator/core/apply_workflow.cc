#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "orchestrator/core/apply.h"
#include "orchestrator/history/time.h"

namespace core {

void ApplyStarted(RunState& state, const v1::WorkflowExecutionStarted& event, absl::Time time) {
  if (state.next_event_id != 2) return state.Corrupt("WorkflowExecutionStarted is not event 1");
  state.started = event;
  state.start_time = time;
  const absl::Duration delay = history::FromProto(event.first_workflow_task_delay());
  if (delay > absl::ZeroDuration()) state.begins_at = time + delay;
  state.task_pending = delay <= absl::ZeroDuration();
  ApplySearchAttributes(state, event.search_attributes());
  ApplyMemo(state, event.memo());
  ApplyCarriedSaga(state, event.carried_saga());
}

void ApplyClosed(RunState& state, v1::RunStatus::Value status, absl::Time time) {
  if (state.closed()) return state.Corrupt("the run closes twice");
  state.closed_status = status;
  state.close_time = time;
  state.task_pending = false;
  state.begins_at = absl::InfinitePast();
  state.activities.clear();
  state.activity_ids.clear();
  state.timers.clear();
  state.local_activities_pending = 0;
  ApplyResumed(state, {});
}

void ApplyTerminated(RunState& state, const v1::WorkflowExecutionTerminated& event,
                     absl::Time time) {
  v1::Failure failure;
  failure.set_type(event.reset_event_id() > 0 ? kReplacedByReset : "Terminated");
  failure.set_message(event.reason().empty() ? "terminated" : event.reason());
  failure.set_non_retryable(true);
  if (event.reset_event_id() == 0 && event.steps_left_behind_size() > 0) {
    absl::StrAppend(failure.mutable_message(),
                    "; not undone: ", absl::StrJoin(event.steps_left_behind(), ", "));
  }
  state.failure = failure;
  // Nobody will hear how these steps end.
  for (SagaStep& step : state.saga) {
    if (step.outcome == v1::StepOutcome::PENDING) step.outcome = v1::StepOutcome::UNKNOWN;
  }
  if (event.reset_event_id() > 0) {
    for (auto& [id, child] : state.children) {
      if (id <= event.reset_event_id()) continue;
      auto initiated = std::make_shared<v1::StartChildWorkflowExecutionInitiated>(*child.initiated);
      initiated->set_parent_close_policy(event.reset_children());
      child.initiated = std::move(initiated);
    }
  }
  ApplyClosed(state, v1::RunStatus::TERMINATED, time);
}

void ApplyCancelRequested(RunState& state, const v1::WorkflowExecutionCancelRequested& event) {
  state.cancel_requested = true;
  state.cancel_by_timeout = event.execution_timeout();
  state.begins_at = absl::InfinitePast();
  state.task_pending = true;
}

void ApplyReset(RunState& state, const v1::WorkflowExecutionReset& event, absl::Time time) {
  if (!event.request_id().empty()) state.control_request_ids.insert(event.request_id());
  // Time-outs count from here; timers are as they were recorded.
  state.start_time = time;
  ApplyResumed(state, {});
  state.begins_at = absl::InfinitePast();
  state.task_pending = true;
  for (auto& [id, activity] : state.activities) {
    activity.scheduled_time = time;
    activity.next_attempt_time = time;
    activity.effect_unknown = true;  // the run that was copied may have made attempts
  }
}

void ApplySignaled(RunState& state, const v1::WorkflowExecutionSignaled& event) {
  if (!event.request_id().empty()) state.signal_request_ids.insert(event.request_id());
  ++state.signals_received;
  ++state.signals_waiting;
  if (state.waits_for_cron()) return;
  state.begins_at = absl::InfinitePast();
  state.task_pending = true;
}

void ApplyUpdateCompleted(RunState& state, const v1::WorkflowExecutionUpdateCompleted& event) {
  UpdateRecord& record = state.updates[event.update_id()];
  if (!record.completed) ++state.updates_completed;
  record.completed = true;
  record.outcome = event;
}

}  // namespace core
