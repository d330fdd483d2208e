// The folds of each event family into the run state; Apply (run_state.h) dispatches to them.
// Pure; internal to core.
#pragma once

#include "orchestrator/core/run_state.h"

namespace core {

// apply_workflow.cc
void ApplyStarted(RunState& state, const v1::WorkflowExecutionStarted& event, absl::Time time);
void ApplyClosed(RunState& state, v1::RunStatus::Value status, absl::Time time);
void ApplyTerminated(RunState& state, const v1::WorkflowExecutionTerminated& event,
                     absl::Time time);
void ApplyCancelRequested(RunState& state, const v1::WorkflowExecutionCancelRequested& event);
void ApplyReset(RunState& state, const v1::WorkflowExecutionReset& event, absl::Time time);
void ApplySignaled(RunState& state, const v1::WorkflowExecutionSignaled& event);
void ApplyUpdateCompleted(RunState& state, const v1::WorkflowExecutionUpdateCompleted& event);

// apply_activity.cc
void ApplyActivityScheduled(RunState& state, EventId id, const v1::ActivityTaskScheduled& event,
                            absl::Time time);
void ApplyActivityStarted(RunState& state, const v1::ActivityTaskStarted& event);
void ApplyActivityClosed(RunState& state, EventId scheduled_event_id,
                         v1::StepOutcome::Value outcome, const v1::Failure* failure);
void ApplyActivityCancelRequested(RunState& state, EventId scheduled_event_id);

// apply_children.cc
void ApplyChildInitiated(RunState& state, EventId id,
                         const v1::StartChildWorkflowExecutionInitiated& event);
void ApplyChildStarted(RunState& state, EventId id, const v1::ChildWorkflowExecutionStarted& event);
void ApplyChildClosed(RunState& state, EventId initiated_event_id);
void ApplySignalExternalInitiated(RunState& state, EventId id,
                                  const v1::SignalExternalWorkflowExecutionInitiated& event);
void ApplyCancelExternalInitiated(RunState& state, EventId id,
                                  const v1::RequestCancelExternalWorkflowExecutionInitiated& event);
void ApplyExternalAnswered(RunState& state, EventId initiated_event_id);

// apply_properties.cc
void ApplyWorkflowTask(RunState& state, const std::string& build_id, int local_activities_pending);
void ApplyMarker(RunState& state, const v1::MarkerRecorded& event);
void ApplySearchAttributes(RunState& state, const v1::SearchAttributes& attributes);
void ApplyMemo(RunState& state, const v1::Memo& memo);
void ApplyPaused(RunState& state, const v1::WorkflowExecutionPaused& event);
void ApplyResumed(RunState& state, const v1::WorkflowExecutionResumed& event);

// apply_timer.cc
void ApplyTimerStarted(RunState& state, EventId id, const v1::TimerStarted& event, absl::Time time);
void ApplyTimerFired(RunState& state, const v1::TimerFired& event);

// apply_saga.cc
void ApplyStepRegistered(RunState& state, const v1::SagaStepRegistered& event);
void ApplyCompensationStarted(RunState& state, const v1::SagaCompensationStarted& event);
void ApplyCompensationCompleted(RunState& state, const v1::SagaCompensationCompleted& event);
void ApplyCompensationFailed(RunState& state, const v1::SagaCompensationFailed& event);
void ApplyCompensationSkipped(RunState& state, const v1::SagaCompensationSkipped& event);
void ApplyCompensationResolved(RunState& state, const v1::SagaCompensationResolved& event);
void ApplyCarriedSaga(RunState& state, const v1::CarriedSaga& carried);

}  // namespace core
