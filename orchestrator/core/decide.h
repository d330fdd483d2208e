// The decisions of the engine: (state, what happened, now) -> events. Pure: time and randomness
// come as arguments. Each function adds to the transition; a run with `task_pending` then needs a
// workflow task.
//
// Example:
//   core::ActivityOutcome outcome{.result = payload};
//   core::OnActivityOutcome(transition, scheduled_event_id, outcome, random);
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/base/random.h"
#include "orchestrator/core/transition.h"

namespace core {

// How an attempt ended. Neither result nor failure: the worker gave the attempt back unfinished
// (it is shutting down); it runs again without counting.
struct ActivityOutcome {
  std::optional<v1::Payload> result;
  std::optional<v1::Failure> failure;
  std::string identity;  // of the worker
};

// An attempt that is in flight and must be told to stop.
struct AttemptToStop {
  EventId scheduled_event_id = 0;
  std::string reason;
};

// activity.cc ------------------------------------------------------------------------------

// Closes the activity, or plans its next attempt.
void OnActivityOutcome(TransitionBuilder& transition, EventId scheduled_event_id,
                       const ActivityOutcome& outcome, base::Random& random);
// Records a heartbeat of the attempt in flight.
void OnHeartbeat(TransitionBuilder& transition, EventId scheduled_event_id, v1::Payload details);
// Closes activities that were asked to cancel and are not in flight.
void CloseCanceledActivities(TransitionBuilder& transition);
// Delay before the attempt after `attempt`, without a server's wish. `jitter` in [0, 1).
absl::Duration BackoffDelay(const v1::RetryPolicy& policy, int attempt, double jitter);

// due.cc -----------------------------------------------------------------------------------

// Fires timers and time-outs that are due at transition.now(); returns attempts to stop.
std::vector<AttemptToStop> OnTime(TransitionBuilder& transition, base::Random& random);
// The next moment at which OnTime has something to do, or an attempt becomes ready to dispatch.
absl::Time NextDue(const RunState& state);
// NextDue as it would be after a restart, with nothing in flight: what is stored.
absl::Time StoredWakeAt(const RunState& state);

// commands.cc ------------------------------------------------------------------------------

// Records the commands of a workflow task. `new_run_id` names the next run of continue-as-new.
// Returns attempts in flight that the workflow canceled.
std::vector<AttemptToStop> AddCommands(TransitionBuilder& transition,
                                       std::vector<v1::Command> commands,
                                       const std::string& new_run_id);

// lifecycle.cc -----------------------------------------------------------------------------

void Start(TransitionBuilder& transition, v1::WorkflowExecutionStarted started);
void Signal(TransitionBuilder& transition, v1::WorkflowExecutionSignaled signal);
// No effect when a cancellation was requested before.
void RequestCancel(TransitionBuilder& transition, const std::string& reason,
                   const std::string& identity);
// Returns the attempts in flight to stop.
std::vector<AttemptToStop> Terminate(TransitionBuilder& transition, const std::string& reason,
                                     const std::string& identity);
// Attempts in flight of a run; they are stopped when it closes.
std::vector<AttemptToStop> InFlight(const RunState& state, const std::string& reason);

}  // namespace core
