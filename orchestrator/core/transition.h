// TransitionBuilder collects what one transition of a run adds: events, applied to the state as
// they are added, and changed attempts. It becomes one stored row.
//
// Pure; externally synchronised.
//
// Example:
//   core::TransitionBuilder transition(state, now);
//   core::Signal(transition, request);
//   if (state.task_pending) { transition.AddWorkflowTask(); core::AddCommands(transition,
//   commands); } write.transition = transition.Serialize();
#pragma once

#include <set>
#include <string>
#include <vector>

#include "orchestrator/core/run_state.h"

namespace core {

// What happened to an activity in a transition, for metrics and logs.
struct ActivityNote {
  enum class What { kCompleted, kFailed, kTimedOut, kCanceled, kRetried, kPaused };
  What what;
  std::string activity_type;
  std::string activity_id;
  int attempt = 1;
  std::string failure;  // type and message, when it did not complete
  absl::Time next_attempt_time = absl::InfiniteFuture();  // when retried
};

class TransitionBuilder {
 public:
  TransitionBuilder(RunState& state, absl::Time now);

  RunState& state() { return state_; }
  absl::Time now() const { return now_; }

  // Gives the event its place in the history and applies it. Returns its id.
  EventId Add(v1::HistoryEvent event);
  // The workflow-task triple. The build of the code is recorded when it is not that of the task
  // before; empty: not known.
  // `suggest` and `history_bytes`: whether the code was told to continue as new.
  // `local_activities_pending`: local activities that the task leaves without their ends.
  void AddWorkflowTask(const std::string& build_id = "", bool suggest = false,
                       int64_t history_bytes = 0, int local_activities_pending = 0);
  // The attempt of a pending activity changed: its row must be written.
  void TouchAttempt(EventId scheduled_event_id);
  // The attempt failed and the next one is planned; the activity holds why and when.
  void NoteRetry(EventId scheduled_event_id);
  // Its attempts are used up and an operator decides.
  void NotePaused(EventId scheduled_event_id);
  const std::vector<ActivityNote>& notes() const { return notes_; }

  EventId first_event_id() const { return first_event_id_; }
  // Entries so far, in stored form; pointers to them stay valid while the builder lives.
  const google::protobuf::RepeatedPtrField<v1::HistoryEvent>& events() const {
    return transition_.events();
  }
  bool has_events() const { return transition_.events_size() > 0; }
  // Nothing to store at all.
  bool empty() const { return !has_events() && touched_.empty() && removed_.empty(); }

  // `lease` under which it is written (v1::Transition).
  std::string Serialize(int64_t lease = 0);
  std::vector<v1::ActivityAttemptState> AttemptsPut() const;
  std::vector<EventId> AttemptsRemoved() const;

 private:
  void ForgetAttempt(EventId scheduled_event_id);
  void NoteClosed(const v1::HistoryEvent& event, EventId scheduled_event_id);

  RunState& state_;
  const absl::Time now_;
  const EventId first_event_id_;
  v1::Transition transition_;
  std::set<EventId> touched_;
  std::set<EventId> removed_;
  std::vector<ActivityNote> notes_;
};

}  // namespace core
