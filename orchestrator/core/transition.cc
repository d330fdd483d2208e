#include "orchestrator/core/transition.h"

#include "orchestrator/base/check.h"
#include "orchestrator/history/time.h"

namespace core {
namespace {

using Event = v1::HistoryEvent;

// The activity that the event closes, or 0.
EventId ClosedActivity(const Event& event) {
  switch (event.attributes_case()) {
    case Event::kActivityTaskCompleted:
      return event.activity_task_completed().scheduled_event_id();
    case Event::kActivityTaskFailed:
      return event.activity_task_failed().scheduled_event_id();
    case Event::kActivityTaskTimedOut:
      return event.activity_task_timed_out().scheduled_event_id();
    case Event::kActivityTaskCanceled:
      return event.activity_task_canceled().scheduled_event_id();
    default:
      return 0;
  }
}

bool ClosesRun(const Event& event) {
  switch (event.attributes_case()) {
    case Event::kWorkflowExecutionCompleted:
    case Event::kWorkflowExecutionFailed:
    case Event::kWorkflowExecutionTimedOut:
    case Event::kWorkflowExecutionCanceled:
    case Event::kWorkflowExecutionTerminated:
    case Event::kWorkflowExecutionContinuedAsNew:
      return true;
    default:
      return false;
  }
}

}  // namespace

TransitionBuilder::TransitionBuilder(RunState& state, absl::Time now)
    : state_(state), now_(now), first_event_id_(state.next_event_id) {
  transition_.set_first_event_id(first_event_id_);
  *transition_.mutable_time() = history::ToProto(now_);
}

EventId TransitionBuilder::Add(Event event) {
  if (const EventId closed = ClosedActivity(event); closed != 0) {
    ForgetAttempt(closed);
    NoteClosed(event, closed);
  }
  if (ClosesRun(event)) {
    for (const auto& [id, activity] : state_.activities) ForgetAttempt(id);
  }
  const EventId id = state_.next_event_id;
  event.clear_event_id();
  event.clear_event_time();
  Apply(state_, event, now_);
  CHECK(state_.corruption.empty())
      << "run=" << state_.started.run_id() << " event=" << id << ": " << state_.corruption;
  *transition_.add_events() = std::move(event);
  return id;
}

void TransitionBuilder::AddWorkflowTask(const std::string& build_id, bool suggest,
                                        int64_t history_bytes, int local_activities_pending) {
  Event event;
  v1::WorkflowTaskTriple* task = event.mutable_workflow_task();
  if (build_id != state_.build_id) task->set_build_id(build_id);
  if (suggest) {
    task->set_continue_as_new_suggested(true);
    task->set_history_bytes(history_bytes);
  }
  task->set_local_activities_pending(local_activities_pending);
  Add(std::move(event));
}

void TransitionBuilder::TouchAttempt(EventId scheduled_event_id) {
  state_.activities.at(scheduled_event_id).attempt_stored = true;
  touched_.insert(scheduled_event_id);
}

void TransitionBuilder::ForgetAttempt(EventId scheduled_event_id) {
  const auto it = state_.activities.find(scheduled_event_id);
  if (it == state_.activities.end() || !it->second.attempt_stored) return;
  touched_.erase(scheduled_event_id);
  removed_.insert(scheduled_event_id);
}

void TransitionBuilder::NoteClosed(const Event& event, EventId scheduled_event_id) {
  const auto it = state_.activities.find(scheduled_event_id);
  if (it == state_.activities.end()) return;
  ActivityNote note{.what = ActivityNote::What::kCompleted,
                    .activity_type = it->second.scheduled->activity_type(),
                    .activity_id = it->second.scheduled->activity_id(),
                    .attempt = it->second.attempt};
  const auto failed = [&note](ActivityNote::What what, const v1::Failure& failure) {
    note.what = what;
    note.failure = failure.type() + ": " + failure.message();
  };
  if (event.has_activity_task_failed()) {
    failed(ActivityNote::What::kFailed, event.activity_task_failed().failure());
  } else if (event.has_activity_task_timed_out()) {
    failed(ActivityNote::What::kTimedOut, event.activity_task_timed_out().failure());
  } else if (event.has_activity_task_canceled()) {
    failed(ActivityNote::What::kCanceled, event.activity_task_canceled().failure());
  }
  notes_.push_back(std::move(note));
}

void TransitionBuilder::NoteRetry(EventId scheduled_event_id) {
  const PendingActivity& activity = state_.activities.at(scheduled_event_id);
  ActivityNote note{.what = ActivityNote::What::kRetried,
                    .activity_type = activity.scheduled->activity_type(),
                    .activity_id = activity.scheduled->activity_id(),
                    .attempt = activity.attempt - 1,
                    .next_attempt_time = activity.next_attempt_time};
  if (activity.last_failure.has_value()) {
    note.failure = activity.last_failure->type() + ": " + activity.last_failure->message();
  }
  notes_.push_back(std::move(note));
}

void TransitionBuilder::NotePaused(EventId scheduled_event_id) {
  NoteRetry(scheduled_event_id);
  notes_.back().what = ActivityNote::What::kPaused;
  notes_.back().next_attempt_time = absl::InfiniteFuture();
}

std::string TransitionBuilder::Serialize(int64_t lease) {
  transition_.set_lease(lease);
  return has_events() ? transition_.SerializeAsString() : "";
}

std::vector<v1::ActivityAttemptState> TransitionBuilder::AttemptsPut() const {
  std::vector<v1::ActivityAttemptState> rows;
  for (const EventId id : touched_) {
    const PendingActivity& activity = state_.activities.at(id);
    v1::ActivityAttemptState& row = rows.emplace_back();
    row.set_scheduled_event_id(id);
    row.set_attempt(activity.attempt);
    *row.mutable_next_attempt_time() = history::ToProto(activity.next_attempt_time);
    if (activity.last_failure.has_value()) *row.mutable_last_failure() = *activity.last_failure;
    if (activity.last_heartbeat.has_value()) {
      *row.mutable_last_heartbeat() = *activity.last_heartbeat;
    }
    row.set_effect_unknown(activity.effect_unknown);
    row.set_paused(activity.paused);
    row.set_postponed(activity.postponed);
  }
  return rows;
}

std::vector<EventId> TransitionBuilder::AttemptsRemoved() const {
  return {removed_.begin(), removed_.end()};
}

}  // namespace core
