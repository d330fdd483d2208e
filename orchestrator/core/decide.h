// The decisions of the engine: (state, what happened, now) -> events. Pure: time and randomness
// come as arguments. Each function adds to the transition; a run with `task_pending` then needs a
// workflow task.
//
// Example:
//   core::ActivityOutcome outcome{.result = payload};
//   core::OnActivityOutcome(transition, scheduled_event_id, outcome, random);
#pragma once

#include <optional>
#include <set>
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
// Makes the attempts that are backing off, or paused with their attempts used up, ready at once;
// those with the ids, empty: all. Returns the ids of the ones that are tried now.
std::vector<std::string> RetryActivitiesNow(TransitionBuilder& transition,
                                            const std::vector<std::string>& activity_ids);
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

// children.cc ------------------------------------------------------------------------------

// How a child ended, as its parent is told.
struct ChildEnd {
  v1::ParentWorkflow parent;
  std::string workflow_id;
  std::string run_id;  // of the first run of the child's chain
  v1::RunStatus::Value status = v1::RunStatus::UNSPECIFIED;
  v1::Payload result;
  std::optional<v1::Failure> failure;
};

// The run id that a child gets. It follows from the order to start it, so that a start that is
// repeated is known again.
base::RunId ChildRunId(const std::string& parent_run_id, EventId initiated_event_id);
// Names a message of one run to another, so that it is taken once.
std::string MessageId(const std::string& run_id, EventId initiated_event_id);
// The link that a child keeps to its parent.
v1::ParentWorkflow ParentLink(const RunState& parent, const PendingChild& child);
// A message to a child waits until the child was started, or is one of `settled`.
bool MayBeSent(const RunState& state, const PendingExternal& external,
               const std::set<EventId>& settled);
// Something that the run ordered has not gone out to other runs yet.
bool HasMessages(const RunState& state);
// A closed run has to tell its parent, or to see to its children.
bool OwesAfterClose(const RunState& state);
// A reset closed it: its parent is not told, the new run will tell it.
bool ReplacedByReset(const RunState& state);
// Of a closed run that has a parent.
ChildEnd EndOfChild(const RunState& child);

// The answers become events. Those that are recorded already change nothing.
void OnChildStarted(TransitionBuilder& transition, EventId initiated_event_id,
                    const std::string& run_id);
void OnChildNotStarted(TransitionBuilder& transition, EventId initiated_event_id,
                       v1::Failure failure);
void OnChildEnd(TransitionBuilder& transition, const ChildEnd& end);
void OnExternalAnswer(TransitionBuilder& transition, EventId initiated_event_id,
                      const std::optional<v1::Failure>& failure);

// commands.cc ------------------------------------------------------------------------------

// Records the commands of a workflow task. `new_run_id` names the next run of continue-as-new.
// Returns attempts in flight that the workflow canceled.
std::vector<AttemptToStop> AddCommands(TransitionBuilder& transition,
                                       std::vector<v1::Command> commands,
                                       const std::string& new_run_id);

// lifecycle.cc -----------------------------------------------------------------------------

void Start(TransitionBuilder& transition, v1::WorkflowExecutionStarted started);
void Signal(TransitionBuilder& transition, v1::WorkflowExecutionSignaled signal);
v1::Failure CanceledFailure(const std::string& reason);
// No effect when a cancellation was requested before. A run whose code has not begun closes at
// once.
void RequestCancel(TransitionBuilder& transition, const std::string& reason,
                   const std::string& identity, const std::string& request_id = "");
// Returns the attempts in flight to stop.
std::vector<AttemptToStop> Terminate(TransitionBuilder& transition, const std::string& reason,
                                     const std::string& identity);
// No effect when it is paused, or not paused.
void Pause(TransitionBuilder& transition, v1::WorkflowExecutionPaused pause);
void Resume(TransitionBuilder& transition, v1::WorkflowExecutionResumed resume);
// Attempts in flight of a run; they are stopped when it closes.
std::vector<AttemptToStop> InFlight(const RunState& state, const std::string& reason);

}  // namespace core
