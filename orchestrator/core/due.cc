#include <algorithm>
#include <utility>

#include "orchestrator/core/decide.h"
#include "orchestrator/core/failure_cause.h"
#include "orchestrator/history/time.h"

namespace core {
namespace {

// `base` + `timeout`, or InfiniteFuture when there is no time-out.
absl::Time Deadline(absl::Time base, const google::protobuf::Duration& timeout) {
  const absl::Duration duration = history::FromProto(timeout);
  return duration > absl::ZeroDuration() ? base + duration : absl::InfiniteFuture();
}

struct TimeoutFound {
  EventId scheduled_event_id;
  v1::TimeoutType::Value type;
  bool in_flight;
};

// `held`: nothing is dispatched, the run is paused.
absl::Time ActivityDue(const PendingActivity& activity, bool held) {
  const v1::ActivityTaskScheduled& scheduled = *activity.scheduled;
  absl::Time due = Deadline(activity.scheduled_time, scheduled.schedule_to_close_timeout());
  if (activity.in_flight) {
    due = std::min(due, Deadline(activity.started_time, scheduled.start_to_close_timeout()));
    due = std::min(due, Deadline(activity.heartbeat_time, scheduled.heartbeat_timeout()));
    return due;
  }
  if (activity.paused) return due;
  due = std::min(due, Deadline(activity.next_attempt_time, scheduled.schedule_to_start_timeout()));
  return activity.queued || held ? due : std::min(due, activity.next_attempt_time);
}

std::vector<TimeoutFound> FindTimeouts(const RunState& state, absl::Time now) {
  std::vector<TimeoutFound> found;
  for (const auto& [id, activity] : state.activities) {
    const v1::ActivityTaskScheduled& scheduled = *activity.scheduled;
    const auto due = [&](absl::Time base, const google::protobuf::Duration& timeout) {
      return Deadline(base, timeout) <= now;
    };
    if (due(activity.scheduled_time, scheduled.schedule_to_close_timeout())) {
      found.push_back({id, v1::TimeoutType::SCHEDULE_TO_CLOSE, activity.in_flight});
    } else if (activity.in_flight) {
      if (due(activity.started_time, scheduled.start_to_close_timeout())) {
        found.push_back({id, v1::TimeoutType::START_TO_CLOSE, true});
      } else if (due(activity.heartbeat_time, scheduled.heartbeat_timeout())) {
        found.push_back({id, v1::TimeoutType::HEARTBEAT, true});
      }
    } else if (!activity.paused &&
               due(activity.next_attempt_time, scheduled.schedule_to_start_timeout())) {
      found.push_back({id, v1::TimeoutType::SCHEDULE_TO_START, false});
    }
  }
  return found;
}

v1::Failure TimeoutFailure(const PendingActivity& activity, v1::TimeoutType::Value type,
                           bool in_flight) {
  v1::Failure failure;
  failure.set_type("TimedOut");
  failure.set_message("activity " + activity.scheduled->activity_type() + " exceeded its " +
                      v1::TimeoutType::Value_Name(type) + " time-out on attempt " +
                      std::to_string(activity.attempt));
  failure.set_effect_unknown(in_flight || activity.effect_unknown);
  if (activity.last_failure.has_value()) SetCause(*activity.last_failure, &failure);
  return failure;
}

void CloseTimedOut(TransitionBuilder& transition, const TimeoutFound& timeout) {
  const PendingActivity activity = transition.state().activities.at(timeout.scheduled_event_id);
  v1::HistoryEvent event;
  auto* timed_out = event.mutable_activity_task_timed_out();
  timed_out->set_scheduled_event_id(timeout.scheduled_event_id);
  timed_out->set_timeout_type(timeout.type);
  *timed_out->mutable_failure() = TimeoutFailure(activity, timeout.type, timeout.in_flight);
  if (activity.last_heartbeat.has_value()) {
    *timed_out->mutable_last_heartbeat() = *activity.last_heartbeat;
  }
  // In backoff the last attempt is the one before; the history must say how many there were.
  const int attempts_made = timeout.in_flight ? activity.attempt : activity.attempt - 1;
  if (attempts_made > 0) {
    v1::HistoryEvent started;
    started.mutable_activity_task_started()->set_scheduled_event_id(timeout.scheduled_event_id);
    started.mutable_activity_task_started()->set_attempt(attempts_made);
    if (timeout.in_flight) {
      *started.mutable_activity_task_started()->mutable_started_time() =
          history::ToProto(activity.started_time);
    }
    timed_out->set_started_event_id(transition.Add(std::move(started)));
  }
  transition.Add(std::move(event));
}

// The attempt, not the activity, is over: it may be tried again.
bool AttemptMayRepeat(const PendingActivity& activity, v1::TimeoutType::Value type) {
  const int attempts_max = activity.scheduled->retry_policy().maximum_attempts();
  const bool of_attempt =
      type == v1::TimeoutType::START_TO_CLOSE || type == v1::TimeoutType::HEARTBEAT;
  // With PAUSE the attempts that are used up do not end it.
  const bool any_left = attempts_max == 0 || activity.attempt < attempts_max ||
                        activity.scheduled->retry_policy().on_exhausted() == v1::OnExhausted::PAUSE;
  return of_attempt && !activity.cancel_requested && any_left;
}

// Which time-out asks the run to end; both, when both do.
std::string TimeoutReason(const RunState& state) {
  const absl::Duration of_chain = history::FromProto(state.started.execution_timeout());
  const absl::Duration of_run = history::FromProto(state.started.run_timeout());
  std::string reason;
  if (of_chain > absl::ZeroDuration()) {
    reason = "execution time-out of " + absl::FormatDuration(of_chain);
  }
  if (of_run > absl::ZeroDuration()) {
    reason +=
        std::string(reason.empty() ? "" : ", ") + "run time-out of " + absl::FormatDuration(of_run);
  }
  const absl::Duration reserve = history::FromProto(state.started.compensation_reserve());
  if (reserve <= absl::ZeroDuration()) return reason + " exceeded";
  return reason + " is near: " + absl::FormatDuration(reserve) + " are kept for compensations";
}

void FireTimers(TransitionBuilder& transition) {
  std::vector<std::pair<std::string, EventId>> fired;
  for (const auto& [id, timer] : transition.state().timers) {
    if (timer.fire_at <= transition.now()) fired.emplace_back(id, timer.started_event_id);
  }
  std::sort(fired.begin(), fired.end(), [&](const auto& a, const auto& b) {
    const absl::Time at_a = transition.state().timers.at(a.first).fire_at;
    const absl::Time at_b = transition.state().timers.at(b.first).fire_at;
    return std::make_pair(at_a, a.second) < std::make_pair(at_b, b.second);
  });
  for (const auto& [id, started_event_id] : fired) {
    v1::HistoryEvent event;
    event.mutable_timer_fired()->set_timer_id(id);
    event.mutable_timer_fired()->set_started_event_id(started_event_id);
    transition.Add(std::move(event));
  }
}

}  // namespace

std::vector<AttemptToStop> OnTime(TransitionBuilder& transition, base::Random& random) {
  RunState& state = transition.state();
  std::vector<AttemptToStop> stop;
  if (state.closed()) return stop;
  FireTimers(transition);
  if (!state.cancel_requested && state.execution_deadline() <= transition.now()) {
    const bool begun = state.begins_at == absl::InfinitePast();
    const std::string reason = TimeoutReason(state);
    v1::HistoryEvent event;
    auto* request = event.mutable_workflow_execution_cancel_requested();
    request->set_reason(reason);
    request->set_execution_timeout(true);
    transition.Add(std::move(event));
    if (!begun) {
      v1::HistoryEvent closing;
      *closing.mutable_workflow_execution_timed_out()->mutable_failure() = CanceledFailure(reason);
      transition.Add(std::move(closing));
      return stop;
    }
  }
  for (const TimeoutFound& timeout : FindTimeouts(state, transition.now())) {
    PendingActivity& activity = state.activities.at(timeout.scheduled_event_id);
    if (timeout.in_flight) {
      stop.push_back(
          {timeout.scheduled_event_id, v1::TimeoutType::Value_Name(timeout.type) + " time-out"});
    }
    if (AttemptMayRepeat(activity, timeout.type)) {
      ActivityOutcome outcome;
      outcome.failure = TimeoutFailure(activity, timeout.type, true);
      OnActivityOutcome(transition, timeout.scheduled_event_id, outcome, random);
    } else {
      CloseTimedOut(transition, timeout);
    }
  }
  return stop;
}

absl::Time NextDue(const RunState& state) {
  if (state.closed()) return absl::InfiniteFuture();
  absl::Time due = state.cancel_requested ? absl::InfiniteFuture() : state.execution_deadline();
  for (const auto& [id, timer] : state.timers) due = std::min(due, timer.fire_at);
  if (state.begins_at != absl::InfinitePast() && !state.paused) {
    due = std::min(due, state.begins_at);
  }
  for (const auto& [id, activity] : state.activities) {
    due = std::min(due, ActivityDue(activity, state.paused));
  }
  return due;
}

absl::Time StoredWakeAt(const RunState& state) {
  if (state.closed()) return absl::InfiniteFuture();
  absl::Time due = state.cancel_requested ? absl::InfiniteFuture() : state.execution_deadline();
  // InfinitePast rather than the moment: a value that stays the same costs no index update.
  if (state.wants_task() || (HasMessages(state) && !state.paused)) return absl::InfinitePast();
  // They are known only while a process works on them.
  if (state.local_activities_pending > 0 && !state.paused) return absl::InfinitePast();
  if (state.begins_at != absl::InfinitePast() && !state.paused) {
    due = std::min(due, state.begins_at);
  }
  for (const auto& [id, timer] : state.timers) due = std::min(due, timer.fire_at);
  for (const auto& [id, activity] : state.activities) {
    due = std::min(
        due, Deadline(activity.scheduled_time, activity.scheduled->schedule_to_close_timeout()));
    if (activity.paused) continue;
    if (state.paused) {
      // Nothing is dispatched, but its wait for a worker may time out.
      due = std::min(due, Deadline(activity.next_attempt_time,
                                   activity.scheduled->schedule_to_start_timeout()));
      continue;
    }
    const bool at_once = activity.attempt == 1 && activity.postponed == 0;
    due = std::min(due, at_once ? absl::InfinitePast() : activity.next_attempt_time);
  }
  return due;
}

}  // namespace core
