// RunState: what a run is. It is the fold of its history: Apply(event) is the only way to change
// it, apart from the attempts of pending activities (which are stored beside the history until
// the activity closes) and what is in flight right now.
//
// Pure data; externally synchronised (the run's partition).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "orchestrator/base/ids.h"
#include "orchestrator/v1/common.pb.h"
#include "orchestrator/v1/history.pb.h"

namespace core {

namespace v1 = ::orchestrator::v1;
using base::EventId;

struct PendingActivity {
  EventId scheduled_event_id = 0;
  std::shared_ptr<const v1::ActivityTaskScheduled> scheduled;
  absl::Time scheduled_time;

  // Stored beside the history when they differ from a fresh first attempt.
  int attempt = 1;
  absl::Time next_attempt_time;  // of the attempt that is not in flight
  std::optional<v1::Failure> last_failure;
  std::optional<v1::Payload> last_heartbeat;
  // An earlier attempt may have had its effect although it is not known to have succeeded.
  bool effect_unknown = false;
  bool paused = false;  // its attempts are used up, and an operator decides
  int postponed = 0;    // attempts in a row that did nothing and do not count

  bool attempt_stored = false;  // there is a row of it beside the history

  // Not stored: known only while this process works on the attempt.
  bool queued = false;  // waits in a task queue for a worker
  bool in_flight = false;
  absl::Time started_time;
  absl::Time heartbeat_time;

  bool cancel_requested = false;  // from the history
};

struct PendingTimer {
  EventId started_event_id = 0;
  absl::Time fire_at;
};

// A child whose end has not come back yet.
struct PendingChild {
  EventId initiated_event_id = 0;
  std::shared_ptr<const v1::StartChildWorkflowExecutionInitiated> initiated;
  std::string run_id;  // empty until it is known to have started
  EventId started_event_id = 0;
  bool in_flight = false;  // not stored: its start was sent out by this process
};

// A signal or cancel request to another run that has not been answered yet.
struct PendingExternal {
  EventId initiated_event_id = 0;
  // One of the two is set.
  std::shared_ptr<const v1::SignalExternalWorkflowExecutionInitiated> signal;
  std::shared_ptr<const v1::RequestCancelExternalWorkflowExecutionInitiated> cancel;
  bool in_flight = false;  // not stored
};

struct UpdateRecord {
  EventId accepted_event_id = 0;
  bool completed = false;
  v1::WorkflowExecutionUpdateCompleted outcome;  // when completed
};

struct SagaStep {
  v1::SagaStepRegistered registration;
  v1::StepOutcome::Value outcome = v1::StepOutcome::PENDING;
  std::string activity_type;
  std::optional<v1::Failure> failure;
  v1::CompensationState::Value compensation = v1::CompensationState::NONE;
  std::string compensation_activity_id;  // of the latest try
  int compensation_attempts_before = 0;  // of earlier tries that an operator repeated
  int compensation_attempts_closed = 0;  // of the latest try, once it closed
  std::optional<v1::Failure> compensation_failure;
  std::string compensation_reason;
  std::string decided_by;
};

// The failure's type of a run that a reset terminated: another run has gone on with its work.
inline constexpr char kReplacedByReset[] = "Reset";

struct RunState {
  // From WorkflowExecutionStarted.
  v1::WorkflowExecutionStarted started;
  absl::Time start_time;

  EventId next_event_id = 1;
  v1::RunStatus::Value closed_status = v1::RunStatus::UNSPECIFIED;  // UNSPECIFIED: open
  absl::Time close_time = absl::InfiniteFuture();
  v1::Payload result;
  std::optional<v1::Failure> failure;

  bool task_pending = false;  // events wait for a workflow task
  bool cancel_requested = false;
  bool cancel_by_timeout = false;

  std::map<EventId, PendingActivity> activities;  // by scheduled event id
  std::map<std::string, EventId> activity_ids;    // of the pending ones
  std::map<std::string, PendingTimer> timers;     // by timer id
  std::map<std::string, UpdateRecord> updates;    // by update id
  int updates_completed = 0;                      // of `updates`
  std::set<std::string> signal_request_ids;
  int signals_received = 0;                      // in the whole history
  int signals_waiting = 0;                       // that no workflow task has seen yet
  std::map<EventId, PendingChild> children;      // by initiated event id
  std::map<EventId, PendingExternal> externals;  // by initiated event id

  bool paused = false;  // by an operator
  std::string paused_reason;
  std::string paused_by;
  std::set<std::string> control_request_ids;  // of pauses and resumes
  // The code has not begun and begins at this moment; InfinitePast: it has begun, or may.
  absl::Time begins_at = absl::InfinitePast();
  int local_activities_pending = 0;  // of the last workflow task
  std::string build_id;              // of the code that ran the last workflow task
  std::set<std::string> patches;     // ids that the history has markers of
  v1::SearchAttributes search_attributes;
  v1::Memo memo;

  bool pivot_passed = false;
  std::vector<SagaStep> saga;  // in the order of registration

  // Not empty: the events do not make a history (the stored one is damaged). Nothing may be done
  // with such a state.
  std::string corruption;

  bool closed() const { return closed_status != v1::RunStatus::UNSPECIFIED; }
  // The moment at which the run, or its chain, is over; InfiniteFuture when it has no time-out.
  absl::Time deadline() const;
  // The moment at which it is asked to end: earlier, so that its undoing fits in.
  absl::Time execution_deadline() const;
  // A workflow task is owed, and may run now.
  bool wants_task() const { return task_pending && !paused && !closed(); }
  // The moment to begin has come: a workflow task is owed.
  void BeginIfDue(absl::Time now);
  // The activities that wait for an operator because their attempts are used up.
  std::vector<const PendingActivity*> PausedActivities() const;
  // A message does not begin a run that waits for its cron time.
  bool waits_for_cron() const {
    return begins_at != absl::InfinitePast() && !started.cron_schedule().empty();
  }
  // Notes what is wrong; the first finding stays.
  void Corrupt(const std::string& finding);

  v1::SagaState::Value saga_state() const;
  // Names of steps whose effect is there (or may be) and was not undone.
  std::vector<std::string> StepsLeftBehind() const;
  SagaStep* FindStep(const std::string& step);
  bool blocked() const { return saga_state() == v1::SagaState::COMPENSATION_BLOCKED; }
};

// Folds one event into the state: (state, event) -> state. Events come in order; `time` is the
// transition's. Ids are counted here, a folded workflow task as three.
void Apply(RunState& state, const v1::HistoryEvent& event, absl::Time time);

}  // namespace core
