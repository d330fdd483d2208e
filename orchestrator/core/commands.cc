#include <utility>

#include "orchestrator/core/decide.h"

namespace core {
namespace {

using Event = v1::HistoryEvent;

// Fills in what only the engine knows: ids of the events that a command refers to.
void Complete(const RunState& state, const std::string& new_run_id, Event& event) {
  switch (event.attributes_case()) {
    case Event::kActivityTaskCancelRequested: {
      auto* request = event.mutable_activity_task_cancel_requested();
      const auto it = state.activity_ids.find(request->activity_id());
      if (it != state.activity_ids.end()) request->set_scheduled_event_id(it->second);
      return;
    }
    case Event::kTimerCanceled: {
      const auto it = state.timers.find(event.timer_canceled().timer_id());
      if (it != state.timers.end()) {
        event.mutable_timer_canceled()->set_started_event_id(it->second.started_event_id);
      }
      return;
    }
    case Event::kWorkflowExecutionUpdateCompleted: {
      auto* completed = event.mutable_workflow_execution_update_completed();
      const auto it = state.updates.find(completed->update_id());
      if (it != state.updates.end()) {
        completed->set_accepted_event_id(it->second.accepted_event_id);
      }
      return;
    }
    case Event::kStartChildWorkflowExecutionInitiated: {
      auto* child = event.mutable_start_child_workflow_execution_initiated();
      if (child->namespace_().empty()) child->set_namespace_(state.started.namespace_());
      if (child->task_queue().empty()) child->set_task_queue(state.started.task_queue());
      return;
    }
    case Event::kSignalExternalWorkflowExecutionInitiated: {
      auto* signal = event.mutable_signal_external_workflow_execution_initiated();
      if (signal->namespace_().empty()) signal->set_namespace_(state.started.namespace_());
      return;
    }
    case Event::kRequestCancelExternalWorkflowExecutionInitiated: {
      auto* cancel = event.mutable_request_cancel_external_workflow_execution_initiated();
      if (cancel->namespace_().empty()) cancel->set_namespace_(state.started.namespace_());
      for (const auto& [id, child] : state.children) {
        if (!cancel->child() || child.initiated->workflow_id() != cancel->workflow_id()) continue;
        cancel->set_run_id(child.run_id.empty() ? ChildRunId(state.started.run_id(), id).value()
                                                : child.run_id);
      }
      return;
    }
    case Event::kWorkflowExecutionContinuedAsNew:
      event.mutable_workflow_execution_continued_as_new()->set_new_run_id(new_run_id);
      return;
    case Event::kWorkflowExecutionCanceled:
      if (state.cancel_by_timeout) {
        v1::Failure failure = event.workflow_execution_canceled().failure();
        *event.mutable_workflow_execution_timed_out()->mutable_failure() = std::move(failure);
      }
      return;
    default:
      return;
  }
}

}  // namespace

std::vector<AttemptToStop> AddCommands(TransitionBuilder& transition,
                                       std::vector<v1::Command> commands,
                                       const std::string& new_run_id) {
  RunState& state = transition.state();
  std::vector<AttemptToStop> stop;
  for (v1::Command& command : commands) {
    Event event = std::move(*command.mutable_event());
    Complete(state, new_run_id, event);
    if (event.has_activity_task_cancel_requested()) {
      const EventId id = event.activity_task_cancel_requested().scheduled_event_id();
      const auto it = state.activities.find(id);
      if (it != state.activities.end() && it->second.in_flight) {
        stop.push_back({id, "canceled by the workflow"});
      }
    }
    const bool closes =
        event.has_workflow_execution_completed() || event.has_workflow_execution_failed() ||
        event.has_workflow_execution_canceled() || event.has_workflow_execution_timed_out() ||
        event.has_workflow_execution_continued_as_new();
    if (closes) {
      for (AttemptToStop& attempt : InFlight(state, "the workflow ended")) {
        stop.push_back(std::move(attempt));
      }
    }
    transition.Add(std::move(event));
  }
  if (!state.closed()) CloseCanceledActivities(transition);
  return stop;
}

}  // namespace core
