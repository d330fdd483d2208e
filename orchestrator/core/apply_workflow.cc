#include "orchestrator/base/check.h"
#include "orchestrator/core/apply.h"

namespace core {

void ApplyStarted(RunState& state, const v1::WorkflowExecutionStarted& event, absl::Time time) {
  CHECK(state.next_event_id == 2) << "a history begins with WorkflowExecutionStarted";
  state.started = event;
  state.start_time = time;
  state.task_pending = true;
  ApplySearchAttributes(state, event.search_attributes());
  ApplyMemo(state, event.memo());
  ApplyCarriedSaga(state, event.carried_saga());
}

void ApplyClosed(RunState& state, v1::RunStatus::Value status, absl::Time time) {
  CHECK(!state.closed()) << "run=" << state.started.run_id() << " closed twice";
  state.closed_status = status;
  state.close_time = time;
  state.task_pending = false;
  state.activities.clear();
  state.activity_ids.clear();
  state.timers.clear();
  state.externals.clear();
  state.local_activities_pending = 0;
  ApplyResumed(state);
}

void ApplyTerminated(RunState& state, const v1::WorkflowExecutionTerminated& event,
                     absl::Time time) {
  v1::Failure failure;
  failure.set_type("Terminated");
  failure.set_message(event.reason().empty() ? "terminated" : event.reason());
  failure.set_non_retryable(true);
  state.failure = failure;
  ApplyClosed(state, v1::RunStatus::TERMINATED, time);
}

void ApplyCancelRequested(RunState& state, const v1::WorkflowExecutionCancelRequested& event) {
  state.cancel_requested = true;
  state.cancel_by_timeout = event.execution_timeout();
  state.task_pending = true;
}

void ApplySignaled(RunState& state, const v1::WorkflowExecutionSignaled& event) {
  if (!event.request_id().empty()) state.signal_request_ids.insert(event.request_id());
  state.task_pending = true;
}

void ApplyUpdateCompleted(RunState& state, const v1::WorkflowExecutionUpdateCompleted& event) {
  UpdateRecord& record = state.updates[event.update_id()];
  record.completed = true;
  record.outcome = event;
}

}  // namespace core
