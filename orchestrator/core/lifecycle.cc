#include <utility>

#include "orchestrator/core/decide.h"

namespace core {

v1::Failure CanceledFailure(const std::string& reason) {
  v1::Failure failure;
  failure.set_type("Canceled");
  failure.set_message(reason.empty() ? "canceled" : reason);
  failure.set_non_retryable(true);
  return failure;
}

void Start(TransitionBuilder& transition, v1::WorkflowExecutionStarted started) {
  v1::HistoryEvent event;
  *event.mutable_workflow_execution_started() = std::move(started);
  transition.Add(std::move(event));
}

void Signal(TransitionBuilder& transition, v1::WorkflowExecutionSignaled signal) {
  v1::HistoryEvent event;
  *event.mutable_workflow_execution_signaled() = std::move(signal);
  transition.Add(std::move(event));
}

void RequestCancel(TransitionBuilder& transition, const std::string& reason,
                   const std::string& identity, const std::string& request_id) {
  if (transition.state().cancel_requested) return;
  const bool begun = transition.state().begins_at == absl::InfinitePast();
  v1::HistoryEvent event;
  auto* request = event.mutable_workflow_execution_cancel_requested();
  request->set_reason(reason);
  request->set_identity(identity);
  request->set_request_id(request_id);
  transition.Add(std::move(event));
  if (begun) return;
  // Its code has not begun: there is nothing to ask it, and nothing to undo.
  v1::HistoryEvent closing;
  *closing.mutable_workflow_execution_canceled()->mutable_failure() = CanceledFailure(reason);
  transition.Add(std::move(closing));
}

void Pause(TransitionBuilder& transition, v1::WorkflowExecutionPaused pause) {
  if (transition.state().paused) return;
  v1::HistoryEvent event;
  *event.mutable_workflow_execution_paused() = std::move(pause);
  transition.Add(std::move(event));
}

void Resume(TransitionBuilder& transition, v1::WorkflowExecutionResumed resume) {
  if (!transition.state().paused) return;
  v1::HistoryEvent event;
  *event.mutable_workflow_execution_resumed() = std::move(resume);
  transition.Add(std::move(event));
}

std::vector<AttemptToStop> Terminate(TransitionBuilder& transition, const std::string& reason,
                                     const std::string& identity) {
  std::vector<AttemptToStop> stop = InFlight(transition.state(), "the workflow was terminated");
  v1::HistoryEvent event;
  auto* terminated = event.mutable_workflow_execution_terminated();
  terminated->set_reason(reason);
  terminated->set_identity(identity);
  for (std::string& step : transition.state().StepsLeftBehind()) {
    terminated->add_steps_left_behind(std::move(step));
  }
  transition.Add(std::move(event));
  return stop;
}

std::vector<AttemptToStop> InFlight(const RunState& state, const std::string& reason) {
  std::vector<AttemptToStop> stop;
  for (const auto& [id, activity] : state.activities) {
    if (activity.in_flight) stop.push_back({id, reason});
  }
  return stop;
}

}  // namespace core
