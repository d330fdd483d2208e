#include <memory>

#include "absl/strings/str_cat.h"
#include "orchestrator/core/apply.h"

namespace core {

void ApplyActivityScheduled(RunState& state, EventId id, const v1::ActivityTaskScheduled& event,
                            absl::Time time) {
  PendingActivity& activity = state.activities[id];
  activity.scheduled_event_id = id;
  activity.scheduled = std::make_shared<const v1::ActivityTaskScheduled>(event);
  activity.scheduled_time = time;
  activity.next_attempt_time = time;
  state.activity_ids[event.activity_id()] = id;
}

void ApplyActivityStarted(RunState& state, const v1::ActivityTaskStarted& event) {
  const auto it = state.activities.find(event.scheduled_event_id());
  if (it == state.activities.end()) {
    return state.Corrupt(absl::StrCat("activity ", event.scheduled_event_id(),
                                      " is started and was not scheduled, or is closed"));
  }
  it->second.attempt = event.attempt();
}

void ApplyActivityClosed(RunState& state, EventId scheduled_event_id,
                         v1::StepOutcome::Value outcome, const v1::Failure* failure) {
  const auto it = state.activities.find(scheduled_event_id);
  if (it == state.activities.end()) {
    return state.Corrupt(absl::StrCat("activity ", scheduled_event_id,
                                      " is closed and was not scheduled, or is closed twice"));
  }
  const std::string activity_id = it->second.scheduled->activity_id();
  for (SagaStep& step : state.saga) {
    if (step.registration.activity_id() == activity_id &&
        step.outcome == v1::StepOutcome::PENDING) {
      step.outcome = outcome;
      if (failure != nullptr) step.failure = *failure;
    }
    if (step.compensation_activity_id == activity_id) {
      step.compensation_attempts_closed = it->second.attempt;
    }
  }
  state.activity_ids.erase(activity_id);
  state.activities.erase(it);
  state.task_pending = true;
}

void ApplyActivityCancelRequested(RunState& state, EventId scheduled_event_id) {
  const auto it = state.activities.find(scheduled_event_id);
  if (it != state.activities.end()) it->second.cancel_requested = true;
}

}  // namespace core
