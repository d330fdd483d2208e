#include <algorithm>
#include <cmath>

#include "orchestrator/base/check.h"
#include "orchestrator/base/coverage.h"
#include "orchestrator/core/decide.h"
#include "orchestrator/history/time.h"

namespace core {
namespace {

constexpr char kCanceledType[] = "Canceled";

bool IsListed(const v1::RetryPolicy& policy, const std::string& type) {
  const auto& types = policy.non_retryable_error_types();
  return std::find(types.begin(), types.end(), type) != types.end();
}

// Started is written with the event that closes the activity, so that retries cost no events.
EventId AddStarted(TransitionBuilder& transition, const PendingActivity& activity,
                   const std::string& identity) {
  v1::HistoryEvent event;
  auto* started = event.mutable_activity_task_started();
  started->set_scheduled_event_id(activity.scheduled_event_id);
  // In backoff the last attempt is the one before the planned one.
  started->set_attempt(activity.in_flight ? activity.attempt : activity.attempt - 1);
  started->set_identity(identity);
  if (activity.in_flight) {
    *started->mutable_started_time() = history::ToProto(activity.started_time);
  }
  if (activity.last_failure.has_value()) *started->mutable_last_failure() = *activity.last_failure;
  return transition.Add(std::move(event));
}

void Complete(TransitionBuilder& transition, const PendingActivity& activity,
              const ActivityOutcome& outcome) {
  const EventId scheduled_id = activity.scheduled_event_id;
  const EventId started_id = AddStarted(transition, activity, outcome.identity);
  v1::HistoryEvent event;
  auto* completed = event.mutable_activity_task_completed();
  completed->set_scheduled_event_id(scheduled_id);
  completed->set_started_event_id(started_id);
  *completed->mutable_result() = *outcome.result;
  transition.Add(std::move(event));
}

void CloseCanceled(TransitionBuilder& transition, const PendingActivity& activity,
                   bool was_in_flight, const v1::Failure* cause, const std::string& identity) {
  const EventId scheduled_id = activity.scheduled_event_id;
  v1::HistoryEvent event;
  auto* canceled = event.mutable_activity_task_canceled();
  canceled->set_scheduled_event_id(scheduled_id);
  v1::Failure* failure = canceled->mutable_failure();
  failure->set_type(kCanceledType);
  failure->set_message("activity " + activity.scheduled->activity_type() + " was canceled");
  failure->set_non_retryable(true);
  failure->set_effect_unknown(was_in_flight || activity.effect_unknown);
  if (cause != nullptr && cause->type() != kCanceledType) *failure->mutable_cause() = *cause;
  if (activity.last_heartbeat.has_value()) {
    *canceled->mutable_last_heartbeat() = *activity.last_heartbeat;
  }
  if (was_in_flight || activity.attempt > 1) {
    canceled->set_started_event_id(AddStarted(transition, activity, identity));
  }
  transition.Add(std::move(event));
}

void CloseFailed(TransitionBuilder& transition, const PendingActivity& activity,
                 const v1::Failure& failure, const std::string& identity) {
  const EventId scheduled_id = activity.scheduled_event_id;
  v1::HistoryEvent event;
  auto* failed = event.mutable_activity_task_failed();
  failed->set_scheduled_event_id(scheduled_id);
  *failed->mutable_failure() = failure;
  if (activity.last_heartbeat.has_value()) {
    *failed->mutable_last_heartbeat() = *activity.last_heartbeat;
  }
  failed->set_started_event_id(AddStarted(transition, activity, identity));
  transition.Add(std::move(event));
}

// The attempt was put off (an earlier call of it may have had its effect): it does not count, and
// is made again later.
void Postpone(TransitionBuilder& transition, PendingActivity& activity, v1::Failure failure,
              const std::string& identity, base::Random& random) {
  REACHED("attempt put off");
  ++activity.postponed;
  activity.effect_unknown |= failure.effect_unknown();
  const v1::RetryPolicy& policy = activity.scheduled->retry_policy();
  absl::Duration delay = history::FromProto(failure.retry_after());
  if (delay <= absl::ZeroDuration()) {
    delay = BackoffDelay(policy, activity.postponed, random.NextDouble());
  }
  const absl::Duration to_close =
      history::FromProto(activity.scheduled->schedule_to_close_timeout());
  failure.clear_not_attempted();
  activity.effect_unknown |= failure.effect_unknown();
  failure.set_effect_unknown(activity.effect_unknown);
  if (to_close > absl::ZeroDuration() &&
      transition.now() + delay >= activity.scheduled_time + to_close) {
    return CloseFailed(transition, activity, failure, identity);
  }
  activity.in_flight = false;
  activity.next_attempt_time = transition.now() + delay;
  activity.last_failure = std::move(failure);
  transition.TouchAttempt(activity.scheduled_event_id);
}

}  // namespace

absl::Duration BackoffDelay(const v1::RetryPolicy& policy, int attempt, double jitter) {
  absl::Duration initial = history::FromProto(policy.initial_interval());
  if (initial <= absl::ZeroDuration()) initial = absl::Seconds(1);
  const double coefficient = policy.backoff_coefficient() >= 1 ? policy.backoff_coefficient() : 2.0;
  absl::Duration maximum = history::FromProto(policy.maximum_interval());
  if (maximum <= absl::ZeroDuration()) maximum = 100 * initial;
  const double factor = std::pow(coefficient, std::min(attempt - 1, 60));
  const absl::Duration delay =
      factor > absl::FDivDuration(maximum, initial) ? maximum : initial * factor;
  const double share = std::clamp(policy.jitter(), 0.0, 1.0);
  return std::min(delay * (1.0 - share / 2 + share * jitter), maximum);
}

void OnActivityOutcome(TransitionBuilder& transition, EventId scheduled_event_id,
                       const ActivityOutcome& outcome, base::Random& random) {
  RunState& state = transition.state();
  const auto it = state.activities.find(scheduled_event_id);
  CHECK(it != state.activities.end()) << "event " << scheduled_event_id;
  PendingActivity& activity = it->second;
  CHECK(activity.in_flight) << "event " << scheduled_event_id;

  if (outcome.result.has_value()) return Complete(transition, activity, outcome);

  if (!outcome.failure.has_value()) {  // given back unfinished
    REACHED("attempt given back");
    activity.in_flight = false;
    activity.effect_unknown = true;
    activity.next_attempt_time = transition.now();
    transition.TouchAttempt(scheduled_event_id);
    return;
  }

  v1::Failure failure = *outcome.failure;
  if (failure.not_attempted() && !activity.cancel_requested) {
    return Postpone(transition, activity, std::move(failure), outcome.identity, random);
  }
  failure.clear_not_attempted();
  activity.effect_unknown |= failure.effect_unknown();
  failure.set_effect_unknown(activity.effect_unknown);
  if (activity.cancel_requested) {
    REACHED("attempt failed after it was asked to cancel");
    return CloseCanceled(transition, activity, true, &failure, outcome.identity);
  }
  const v1::RetryPolicy& policy = activity.scheduled->retry_policy();
  const absl::Duration delay = std::max(BackoffDelay(policy, activity.attempt, random.NextDouble()),
                                        history::FromProto(failure.retry_after()));
  const absl::Time next = transition.now() + delay;
  const absl::Duration to_close =
      history::FromProto(activity.scheduled->schedule_to_close_timeout());
  const bool out_of_attempts =
      policy.maximum_attempts() > 0 && activity.attempt >= policy.maximum_attempts();
  const bool out_of_time =
      to_close > absl::ZeroDuration() && next >= activity.scheduled_time + to_close;
  const bool parks = out_of_attempts && policy.on_exhausted() == v1::OnExhausted::PAUSE;
  if (failure.non_retryable() || IsListed(policy, failure.type()) || (out_of_attempts && !parks) ||
      out_of_time) {
    if (out_of_attempts) REACHED("attempts used up");
    return CloseFailed(transition, activity, failure, outcome.identity);
  }
  activity.in_flight = false;
  ++activity.attempt;
  activity.postponed = 0;
  activity.paused = parks;
  activity.next_attempt_time = next;
  activity.last_failure = std::move(failure);
  transition.TouchAttempt(scheduled_event_id);
  if (parks) {
    transition.NotePaused(scheduled_event_id);
  } else {
    transition.NoteRetry(scheduled_event_id);
  }
}

std::vector<std::string> RetryActivitiesNow(TransitionBuilder& transition,
                                            const std::vector<std::string>& activity_ids) {
  std::vector<std::string> retried;
  for (auto& [id, activity] : transition.state().activities) {
    const std::string& name = activity.scheduled->activity_id();
    const bool wanted = activity_ids.empty() || std::find(activity_ids.begin(), activity_ids.end(),
                                                          name) != activity_ids.end();
    const bool waits = activity.paused || activity.next_attempt_time > transition.now();
    if (!wanted || !waits || activity.in_flight || activity.cancel_requested) continue;
    activity.paused = false;
    activity.next_attempt_time = transition.now();
    transition.TouchAttempt(id);
    retried.push_back(name);
  }
  return retried;
}

void OnHeartbeat(TransitionBuilder& transition, EventId scheduled_event_id, v1::Payload details) {
  PendingActivity& activity = transition.state().activities.at(scheduled_event_id);
  activity.last_heartbeat = std::move(details);
  activity.heartbeat_time = transition.now();
  transition.TouchAttempt(scheduled_event_id);
}

void CloseCanceledActivities(TransitionBuilder& transition) {
  std::vector<EventId> canceled;
  for (const auto& [id, activity] : transition.state().activities) {
    if (activity.cancel_requested && !activity.in_flight) canceled.push_back(id);
  }
  for (const EventId id : canceled) {
    const PendingActivity activity = transition.state().activities.at(id);
    CloseCanceled(transition, activity, false, nullptr, "");
  }
}

}  // namespace core
