// What becomes of an attempt: closed, tried again, canceled; and what is known of its effect.
#include <gtest/gtest.h>

#include "tests/unit/orchestrator/core/model_run.h"

namespace core {
namespace {

TEST(Activity, CompletionWritesStartedWithTheClosingEvent) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({});
  EXPECT_EQ(id, 8) << "1 started, 2-4 task, 5-7 task";
  run.Dispatch(id);
  run.Complete(id);
  const std::vector<v1::HistoryEvent> events = run.History();
  ASSERT_EQ(events.size(), 10u);
  EXPECT_EQ(events[8].activity_task_started().scheduled_event_id(), id);
  EXPECT_EQ(events[8].activity_task_started().attempt(), 1);
  EXPECT_EQ(events[9].activity_task_completed().started_event_id(), 9);
  EXPECT_TRUE(run.state.task_pending);
  EXPECT_TRUE(run.state.activities.empty());
}

TEST(Activity, RetriesCostNoEvents) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({});
  const EventId before = run.state.next_event_id;
  for (int attempt = 1; attempt <= 3; ++attempt) {
    run.Dispatch(id);
    run.Fail(id, RetryableFailure("Busy"));
    run.now = run.state.activities.at(id).next_attempt_time;
  }
  EXPECT_EQ(run.state.next_event_id, before);
  EXPECT_EQ(run.attempts.at(id).attempt(), 4);
  EXPECT_EQ(run.attempts.at(id).last_failure().type(), "Busy");
  run.Dispatch(id);
  run.Complete(id);
  const std::vector<v1::HistoryEvent> events = run.History();
  EXPECT_EQ(events[events.size() - 2].activity_task_started().attempt(), 4);
  EXPECT_EQ(events[events.size() - 2].activity_task_started().last_failure().type(), "Busy");
  EXPECT_TRUE(run.attempts.empty()) << "the row beside the history is gone";
}

TEST(Activity, EndsWhenTheAttemptsAreUsedUp) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({.attempts_max = 2});
  run.Dispatch(id);
  run.Fail(id, RetryableFailure("Busy"));
  run.Dispatch(id);
  run.Fail(id, RetryableFailure("Busy"));
  EXPECT_EQ(run.Last().activity_task_failed().failure().type(), "Busy");
}

TEST(Activity, NonRetryableFailuresEndAtOnce) {
  for (const bool listed : {false, true}) {
    ModelRun run;
    run.Start();
    const EventId id = run.Schedule({.non_retryable = {"Declined"}});
    run.Dispatch(id);
    v1::Failure failure = RetryableFailure(listed ? "Declined" : "Wrong");
    failure.set_non_retryable(!listed);
    run.Fail(id, failure);
    EXPECT_TRUE(run.Last().has_activity_task_failed()) << "listed: " << listed;
  }
}

TEST(Activity, NoAttemptBeginsAfterScheduleToClose) {
  ModelRun run;
  run.Start();
  const EventId id =
      run.Schedule({.schedule_to_close = absl::Seconds(30), .initial = absl::Seconds(31)});
  run.Dispatch(id);
  run.Fail(id, RetryableFailure("Busy"));
  EXPECT_EQ(run.Last().activity_task_failed().failure().type(), "Busy")
      << "the next attempt would be too late, so the failure is final now";
}

TEST(Activity, EffectUnknownIsSticky) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({.attempts_max = 2});
  run.Dispatch(id);
  v1::Failure lost = RetryableFailure("LostResponse");
  lost.set_effect_unknown(true);
  run.Fail(id, lost);
  run.now += absl::Minutes(1);
  run.Dispatch(id);
  run.Fail(id, RetryableFailure("Refused"));  // this attempt surely had none
  EXPECT_TRUE(run.Last().activity_task_failed().failure().effect_unknown());
}

TEST(Activity, GivenBackRunsAgainWithoutCounting) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({.attempts_max = 1});
  run.Dispatch(id);
  run.GiveBack(id);
  const PendingActivity& activity = run.state.activities.at(id);
  EXPECT_EQ(activity.attempt, 1);
  EXPECT_FALSE(activity.in_flight);
  EXPECT_EQ(activity.next_attempt_time, run.now);
  EXPECT_TRUE(activity.effect_unknown);
}

TEST(Activity, HeartbeatIsKeptOverAttemptsAndGivenToWhoUndoes) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({.attempts_max = 2});
  run.Dispatch(id);
  run.Heartbeat(id, "step 7");
  run.Fail(id, RetryableFailure("Busy"));
  EXPECT_EQ(run.attempts.at(id).last_heartbeat().data(), "step 7");
  run.Dispatch(id);
  run.Fail(id, RetryableFailure("Busy"));
  EXPECT_EQ(run.Last().activity_task_failed().last_heartbeat().data(), "step 7");
}

v1::Command CancelCommand(const std::string& id) {
  v1::Command command;
  command.mutable_event()->mutable_activity_task_cancel_requested()->set_activity_id(id);
  return command;
}

TEST(ActivityCancel, InBackoffClosesAtOnce) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({});
  run.Dispatch(id);
  run.Fail(id, RetryableFailure("Busy"));
  EXPECT_TRUE(run.Task({CancelCommand("1")}).empty()) << "no attempt to stop";
  EXPECT_TRUE(run.Last().has_activity_task_canceled());
  EXPECT_FALSE(run.Last().activity_task_canceled().failure().effect_unknown());
  EXPECT_TRUE(run.state.task_pending) << "the workflow must hear it";
}

TEST(ActivityCancel, InFlightIsToldAndClosesWhenItAnswers) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({});
  run.Dispatch(id);
  const std::vector<AttemptToStop> stop = run.Task({CancelCommand("1")});
  ASSERT_EQ(stop.size(), 1u);
  EXPECT_EQ(stop[0].scheduled_event_id, id);
  EXPECT_TRUE(run.state.activities.contains(id));
  run.Fail(id, RetryableFailure("Busy"));
  EXPECT_TRUE(run.Last().has_activity_task_canceled()) << "no further attempt";
  EXPECT_TRUE(run.Last().activity_task_canceled().failure().effect_unknown());
  EXPECT_EQ(run.Last().activity_task_canceled().failure().cause().type(), "Busy");
}

TEST(ActivityCancel, AResultThatCameFirstWins) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({});
  run.Dispatch(id);
  run.Task({CancelCommand("1")});
  run.Complete(id);
  EXPECT_TRUE(run.Last().has_activity_task_completed());
}

}  // namespace
}  // namespace core
