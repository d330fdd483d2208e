#include "tests/unit/orchestrator/core/model_run.h"

#include <gtest/gtest.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/check.h"
#include "orchestrator/history/codec.h"
#include "orchestrator/history/time.h"

namespace core {

v1::Command ScheduleCommand(const ActivitySpec& spec) {
  v1::Command command;
  auto* scheduled = command.mutable_event()->mutable_activity_task_scheduled();
  scheduled->set_activity_id(spec.id);
  scheduled->set_activity_type(spec.type);
  const auto put = [](absl::Duration value, google::protobuf::Duration* target) {
    *target = history::ToProto(value);
  };
  put(spec.schedule_to_start, scheduled->mutable_schedule_to_start_timeout());
  put(spec.start_to_close, scheduled->mutable_start_to_close_timeout());
  put(spec.schedule_to_close, scheduled->mutable_schedule_to_close_timeout());
  put(spec.heartbeat, scheduled->mutable_heartbeat_timeout());
  put(spec.initial, scheduled->mutable_retry_policy()->mutable_initial_interval());
  scheduled->mutable_retry_policy()->set_maximum_attempts(spec.attempts_max);
  for (const std::string& type : spec.non_retryable) {
    scheduled->mutable_retry_policy()->add_non_retryable_error_types(type);
  }
  return command;
}

v1::Command TimerCommand(const std::string& id, absl::Duration delay) {
  v1::Command command;
  command.mutable_event()->mutable_timer_started()->set_timer_id(id);
  *command.mutable_event()->mutable_timer_started()->mutable_start_to_fire_timeout() =
      history::ToProto(delay);
  return command;
}

v1::Failure RetryableFailure(const std::string& type) {
  v1::Failure failure;
  failure.set_type(type);
  failure.set_message("it failed");
  return failure;
}

void ModelRun::Do(const std::function<void(TransitionBuilder&)>& fn) {
  TransitionBuilder transition(state, now);
  fn(transition);
  if (transition.has_events()) {
    rows.push_back(transition.Serialize());
    last_ = *transition.events().rbegin();
  }
  for (const v1::ActivityAttemptState& row : transition.AttemptsPut()) {
    attempts[row.scheduled_event_id()] = row;
  }
  for (const EventId id : transition.AttemptsRemoved()) attempts.erase(id);
  CheckFold();
}

void ModelRun::Start(absl::Duration execution_timeout) {
  Do([&](TransitionBuilder& transition) {
    v1::WorkflowExecutionStarted started;
    started.set_run_id("run-1");
    started.set_workflow_id("workflow-1");
    if (execution_timeout > absl::ZeroDuration()) {
      *started.mutable_execution_timeout() = history::ToProto(execution_timeout);
    }
    core::Start(transition, started);
    transition.AddWorkflowTask();
  });
}

std::vector<AttemptToStop> ModelRun::Task(std::vector<v1::Command> commands) {
  std::vector<AttemptToStop> stop;
  Do([&](TransitionBuilder& transition) {
    transition.AddWorkflowTask();
    stop = AddCommands(transition, std::move(commands), "run-2");
  });
  return stop;
}

EventId ModelRun::Schedule(const ActivitySpec& spec) {
  Task({ScheduleCommand(spec)});
  return state.activity_ids.at(spec.id);
}

void ModelRun::Dispatch(EventId id) {
  PendingActivity& activity = state.activities.at(id);
  activity.in_flight = true;
  activity.started_time = now;
  activity.heartbeat_time = now;
}

void ModelRun::Complete(EventId id) {
  Do([&](TransitionBuilder& transition) {
    OnActivityOutcome(transition, id, {.result = v1::Payload(), .identity = "worker"}, random);
  });
}

void ModelRun::Fail(EventId id, v1::Failure failure) {
  Do([&](TransitionBuilder& transition) {
    OnActivityOutcome(transition, id, {.failure = std::move(failure), .identity = "worker"},
                      random);
    CloseCanceledActivities(transition);
  });
}

void ModelRun::GiveBack(EventId id) {
  Do([&](TransitionBuilder& transition) { OnActivityOutcome(transition, id, {}, random); });
}

void ModelRun::Heartbeat(EventId id, const std::string& details) {
  Do([&](TransitionBuilder& transition) {
    v1::Payload payload;
    payload.set_data(details);
    OnHeartbeat(transition, id, payload);
  });
}

std::vector<AttemptToStop> ModelRun::Advance(absl::Duration by) {
  now += by;
  std::vector<AttemptToStop> stop;
  Do([&](TransitionBuilder& transition) { stop = OnTime(transition, random); });
  return stop;
}

std::vector<v1::HistoryEvent> ModelRun::History() const {
  std::vector<v1::HistoryEvent> events;
  for (const std::string& row : rows) {
    const absl::Status expanded = history::Expand(row, &events);
    CHECK(expanded.ok()) << expanded;
  }
  return events;
}

void ModelRun::CheckFold() {
  RunState folded;
  for (const v1::HistoryEvent& event : History()) {
    Apply(folded, event, history::FromProto(event.event_time()));
  }
  for (const auto& [id, row] : attempts) {
    const auto it = folded.activities.find(id);
    ASSERT_NE(it, folded.activities.end()) << "a stored attempt without its activity: " << id;
    it->second.attempt_stored = true;
    it->second.attempt = row.attempt();
    it->second.next_attempt_time = history::FromProto(row.next_attempt_time());
    if (row.has_last_failure()) it->second.last_failure = row.last_failure();
    if (row.has_last_heartbeat()) it->second.last_heartbeat = row.last_heartbeat();
  }
  EXPECT_EQ(Describe(folded), Describe(state)) << "replay(history) is not the live state";
}

std::string Describe(const RunState& state) {
  std::string text = absl::StrCat(
      "next ", state.next_event_id, " status ", state.closed_status, " close ",
      absl::FormatTime(state.close_time), " started ", state.started.ShortDebugString(), " result ",
      state.result.ShortDebugString(), " failure ",
      state.failure.has_value() ? state.failure->ShortDebugString() : "none", " task ",
      state.task_pending, " cancel ", state.cancel_requested, state.cancel_by_timeout, " pivot ",
      state.pivot_passed, "\n");
  for (const auto& [id, activity] : state.activities) {
    absl::StrAppend(&text, "activity ", id, " ", activity.scheduled->ShortDebugString(), " at ",
                    absl::FormatTime(activity.scheduled_time), " cancel ",
                    activity.cancel_requested);
    if (activity.attempt_stored) {
      absl::StrAppend(
          &text, " attempt ", activity.attempt, " next ",
          absl::FormatTime(activity.next_attempt_time), " failure ",
          activity.last_failure.has_value() ? activity.last_failure->ShortDebugString() : "none",
          " heartbeat ",
          activity.last_heartbeat.has_value() ? activity.last_heartbeat->data() : "none");
    }
    absl::StrAppend(&text, "\n");
  }
  for (const auto& [id, timer] : state.timers) {
    absl::StrAppend(&text, "timer ", id, " ", timer.started_event_id, " ",
                    absl::FormatTime(timer.fire_at), "\n");
  }
  for (const auto& [id, update] : state.updates) {
    absl::StrAppend(&text, "update ", id, " ", update.accepted_event_id, " ",
                    update.outcome.ShortDebugString(), "\n");
  }
  for (const std::string& id : state.signal_request_ids)
    absl::StrAppend(&text, "signal ", id, "\n");
  for (const SagaStep& step : state.saga) {
    absl::StrAppend(&text, "step ", step.registration.ShortDebugString(), " ", step.outcome, " ",
                    step.activity_type, " undo ", step.compensation, " ",
                    step.compensation_activity_id, " attempts ", step.compensation_attempts_before,
                    "+", step.compensation_attempts_closed, " ", step.compensation_reason, " ",
                    step.decided_by, "\n");
  }
  return text;
}

}  // namespace core
