#include "orchestrator/core/apply.h"

namespace core {

void ApplyChildInitiated(RunState& state, EventId id,
                         const v1::StartChildWorkflowExecutionInitiated& event) {
  PendingChild& child = state.children[id];
  child.initiated_event_id = id;
  child.initiated = std::make_shared<v1::StartChildWorkflowExecutionInitiated>(event);
}

void ApplyChildStarted(RunState& state, EventId id,
                       const v1::ChildWorkflowExecutionStarted& event) {
  const auto it = state.children.find(event.initiated_event_id());
  if (it == state.children.end()) return;
  it->second.run_id = event.run_id();
  it->second.started_event_id = id;
  it->second.in_flight = false;
  state.task_pending = true;
}

void ApplyChildClosed(RunState& state, EventId initiated_event_id) {
  if (state.children.erase(initiated_event_id) > 0) state.task_pending = true;
}

void ApplySignalExternalInitiated(RunState& state, EventId id,
                                  const v1::SignalExternalWorkflowExecutionInitiated& event) {
  PendingExternal& external = state.externals[id];
  external.initiated_event_id = id;
  external.signal = std::make_shared<v1::SignalExternalWorkflowExecutionInitiated>(event);
}

void ApplyCancelExternalInitiated(
    RunState& state, EventId id, const v1::RequestCancelExternalWorkflowExecutionInitiated& event) {
  PendingExternal& external = state.externals[id];
  external.initiated_event_id = id;
  external.cancel = std::make_shared<v1::RequestCancelExternalWorkflowExecutionInitiated>(event);
}

void ApplyExternalAnswered(RunState& state, EventId initiated_event_id) {
  if (state.externals.erase(initiated_event_id) > 0) state.task_pending = true;
}

}  // namespace core
