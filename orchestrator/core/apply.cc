// The switch that dispatches events to their folds; each family has its own file.
#include "orchestrator/core/apply.h"

#include "absl/strings/str_cat.h"
#include "orchestrator/history/codec.h"

namespace core {

void Apply(RunState& state, const v1::HistoryEvent& event, absl::Time time) {
  using Event = v1::HistoryEvent;
  const EventId id = state.next_event_id;
  state.next_event_id += history::IdsOf(event);
  switch (event.attributes_case()) {
    case Event::kWorkflowExecutionStarted:
      return ApplyStarted(state, event.workflow_execution_started(), time);
    case Event::kWorkflowExecutionCompleted:
      state.result = event.workflow_execution_completed().result();
      return ApplyClosed(state, v1::RunStatus::COMPLETED, time);
    case Event::kWorkflowExecutionFailed:
      state.failure = event.workflow_execution_failed().failure();
      return ApplyClosed(state, v1::RunStatus::FAILED, time);
    case Event::kWorkflowExecutionTimedOut:
      state.failure = event.workflow_execution_timed_out().failure();
      return ApplyClosed(state, v1::RunStatus::TIMED_OUT, time);
    case Event::kWorkflowExecutionCanceled:
      state.failure = event.workflow_execution_canceled().failure();
      return ApplyClosed(state, v1::RunStatus::CANCELED, time);
    case Event::kWorkflowExecutionTerminated:
      return ApplyTerminated(state, event.workflow_execution_terminated(), time);
    case Event::kWorkflowExecutionContinuedAsNew:
      return ApplyClosed(state, v1::RunStatus::CONTINUED_AS_NEW, time);
    case Event::kWorkflowExecutionCancelRequested:
      return ApplyCancelRequested(state, event.workflow_execution_cancel_requested());
    case Event::kWorkflowExecutionSignaled:
      return ApplySignaled(state, event.workflow_execution_signaled());
    case Event::kWorkflowTask:
      return ApplyWorkflowTask(state, event.workflow_task().build_id(),
                               event.workflow_task().local_activities_pending());
    case Event::kWorkflowTaskCompleted:
      return ApplyWorkflowTask(state, event.workflow_task_completed().build_id(),
                               event.workflow_task_completed().local_activities_pending());
    case Event::kActivityTaskScheduled:
      return ApplyActivityScheduled(state, id, event.activity_task_scheduled(), time);
    case Event::kActivityTaskStarted:
      return ApplyActivityStarted(state, event.activity_task_started());
    case Event::kActivityTaskCompleted:
      return ApplyActivityClosed(state, event.activity_task_completed().scheduled_event_id(),
                                 v1::StepOutcome::SUCCEEDED, nullptr);
    case Event::kActivityTaskFailed:
      return ApplyActivityClosed(state, event.activity_task_failed().scheduled_event_id(),
                                 event.activity_task_failed().failure().effect_unknown()
                                     ? v1::StepOutcome::UNKNOWN
                                     : v1::StepOutcome::FAILED,
                                 &event.activity_task_failed().failure());
    case Event::kActivityTaskTimedOut:
      return ApplyActivityClosed(state, event.activity_task_timed_out().scheduled_event_id(),
                                 event.activity_task_timed_out().failure().effect_unknown()
                                     ? v1::StepOutcome::UNKNOWN
                                     : v1::StepOutcome::FAILED,
                                 &event.activity_task_timed_out().failure());
    case Event::kActivityTaskCanceled:
      return ApplyActivityClosed(state, event.activity_task_canceled().scheduled_event_id(),
                                 event.activity_task_canceled().failure().effect_unknown()
                                     ? v1::StepOutcome::UNKNOWN
                                     : v1::StepOutcome::FAILED,
                                 &event.activity_task_canceled().failure());
    case Event::kActivityTaskCancelRequested:
      return ApplyActivityCancelRequested(
          state, event.activity_task_cancel_requested().scheduled_event_id());
    case Event::kTimerStarted:
      return ApplyTimerStarted(state, id, event.timer_started(), time);
    case Event::kTimerFired:
      return ApplyTimerFired(state, event.timer_fired());
    case Event::kTimerCanceled:
      state.timers.erase(event.timer_canceled().timer_id());
      return;
    case Event::kWorkflowExecutionUpdateAccepted:
      state.updates[event.workflow_execution_update_accepted().update_id()].accepted_event_id = id;
      return;
    case Event::kWorkflowExecutionUpdateCompleted:
      return ApplyUpdateCompleted(state, event.workflow_execution_update_completed());
    case Event::kSagaStepRegistered:
      return ApplyStepRegistered(state, event.saga_step_registered());
    case Event::kSagaPivotPassed:
      state.pivot_passed = true;
      return;
    case Event::kSagaCompensationStarted:
      return ApplyCompensationStarted(state, event.saga_compensation_started());
    case Event::kSagaCompensationCompleted:
      return ApplyCompensationCompleted(state, event.saga_compensation_completed());
    case Event::kSagaCompensationFailed:
      return ApplyCompensationFailed(state, event.saga_compensation_failed());
    case Event::kSagaCompensationSkipped:
      return ApplyCompensationSkipped(state, event.saga_compensation_skipped());
    case Event::kSagaCompensationResolved:
      return ApplyCompensationResolved(state, event.saga_compensation_resolved());
    case Event::kStartChildWorkflowExecutionInitiated:
      return ApplyChildInitiated(state, id, event.start_child_workflow_execution_initiated());
    case Event::kStartChildWorkflowExecutionFailed:
      return ApplyChildClosed(state,
                              event.start_child_workflow_execution_failed().initiated_event_id());
    case Event::kChildWorkflowExecutionStarted:
      return ApplyChildStarted(state, id, event.child_workflow_execution_started());
    case Event::kChildWorkflowExecutionCompleted:
      return ApplyChildClosed(state,
                              event.child_workflow_execution_completed().initiated_event_id());
    case Event::kChildWorkflowExecutionFailed:
      return ApplyChildClosed(state, event.child_workflow_execution_failed().initiated_event_id());
    case Event::kChildWorkflowExecutionCanceled:
      return ApplyChildClosed(state,
                              event.child_workflow_execution_canceled().initiated_event_id());
    case Event::kChildWorkflowExecutionTimedOut:
      return ApplyChildClosed(state,
                              event.child_workflow_execution_timed_out().initiated_event_id());
    case Event::kChildWorkflowExecutionTerminated:
      return ApplyChildClosed(state,
                              event.child_workflow_execution_terminated().initiated_event_id());
    case Event::kSignalExternalWorkflowExecutionInitiated:
      return ApplySignalExternalInitiated(state, id,
                                          event.signal_external_workflow_execution_initiated());
    case Event::kSignalExternalWorkflowExecutionFailed:
      return ApplyExternalAnswered(
          state, event.signal_external_workflow_execution_failed().initiated_event_id());
    case Event::kExternalWorkflowExecutionSignaled:
      return ApplyExternalAnswered(
          state, event.external_workflow_execution_signaled().initiated_event_id());
    case Event::kRequestCancelExternalWorkflowExecutionInitiated:
      return ApplyCancelExternalInitiated(
          state, id, event.request_cancel_external_workflow_execution_initiated());
    case Event::kRequestCancelExternalWorkflowExecutionFailed:
      return ApplyExternalAnswered(
          state, event.request_cancel_external_workflow_execution_failed().initiated_event_id());
    case Event::kExternalWorkflowExecutionCancelRequested:
      return ApplyExternalAnswered(
          state, event.external_workflow_execution_cancel_requested().initiated_event_id());
    case Event::kUpsertWorkflowSearchAttributes:
      return ApplySearchAttributes(state,
                                   event.upsert_workflow_search_attributes().search_attributes());
    case Event::kWorkflowPropertiesModified:
      return ApplyMemo(state, event.workflow_properties_modified().upserted_memo());
    case Event::kWorkflowExecutionPaused:
      return ApplyPaused(state, event.workflow_execution_paused());
    case Event::kWorkflowExecutionResumed:
      return ApplyResumed(state, event.workflow_execution_resumed());
    case Event::kWorkflowExecutionReset:
      return ApplyReset(state, event.workflow_execution_reset(), time);
    case Event::kMarkerRecorded:
      return ApplyMarker(state, event.marker_recorded());
    case Event::kWorkflowTaskScheduled:
    case Event::kWorkflowTaskStarted:
      return;
    case Event::ATTRIBUTES_NOT_SET:
      break;
  }
  state.Corrupt(absl::StrCat("event ", id, " has no attributes"));
}

}  // namespace core
