// Timers and time-outs: which fires, in which order, never early; and when a run is due.
#include <gtest/gtest.h>

#include "tests/unit/orchestrator/core/model_run.h"

namespace core {
namespace {

std::vector<std::string> FiredTimers(const ModelRun& run) {
  std::vector<std::string> fired;
  for (const v1::HistoryEvent& event : run.History()) {
    if (event.has_timer_fired()) fired.push_back(event.timer_fired().timer_id());
  }
  return fired;
}

TEST(Timers, FireInTheOrderOfTheirTimesThenOfTheirStarts) {
  ModelRun run;
  run.Start();
  run.Task({TimerCommand("10", absl::Seconds(2)), TimerCommand("9", absl::Seconds(1)),
            TimerCommand("8", absl::Seconds(2)), TimerCommand("7", absl::Seconds(3))});
  run.Advance(absl::Seconds(2));
  EXPECT_EQ(FiredTimers(run), (std::vector<std::string>{"9", "10", "8"}));
  EXPECT_TRUE(run.state.timers.contains("7"));
}

TEST(Timers, AreNeverEarly) {
  ModelRun run;
  run.Start();
  run.Task({TimerCommand("1", absl::Seconds(10))});
  run.Advance(absl::Seconds(10) - absl::Nanoseconds(1));
  EXPECT_TRUE(FiredTimers(run).empty());
  EXPECT_EQ(NextDue(run.state), run.now + absl::Nanoseconds(1));
  run.Advance(absl::Nanoseconds(1));
  EXPECT_EQ(FiredTimers(run).size(), 1u);
}

TEST(TimeOuts, ScheduleToStart) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({.schedule_to_start = absl::Seconds(5)});
  run.Advance(absl::Seconds(4));
  EXPECT_TRUE(run.state.activities.contains(id));
  EXPECT_TRUE(run.Advance(absl::Seconds(1)).empty());
  const auto& timed_out = run.Last().activity_task_timed_out();
  EXPECT_EQ(timed_out.timeout_type(), v1::TimeoutType::SCHEDULE_TO_START);
  EXPECT_EQ(timed_out.started_event_id(), 0);
  EXPECT_FALSE(timed_out.failure().effect_unknown()) << "it never ran";
}

TEST(TimeOuts, ScheduleToStartDoesNotHitARunningAttempt) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({.schedule_to_start = absl::Seconds(5)});
  run.Dispatch(id);
  run.Advance(absl::Seconds(60));
  EXPECT_TRUE(run.state.activities.contains(id));
}

TEST(TimeOuts, StartToCloseIsRetriedWhileAttemptsAreLeft) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({.start_to_close = absl::Seconds(5), .attempts_max = 2});
  run.Dispatch(id);
  ASSERT_EQ(run.Advance(absl::Seconds(5)).size(), 1u) << "the attempt is told to stop";
  EXPECT_EQ(run.state.activities.at(id).attempt, 2);
  EXPECT_TRUE(run.state.activities.at(id).last_failure->effect_unknown());
  run.now += absl::Minutes(1);
  run.Dispatch(id);
  run.Advance(absl::Seconds(5));
  const auto& timed_out = run.Last().activity_task_timed_out();
  EXPECT_EQ(timed_out.timeout_type(), v1::TimeoutType::START_TO_CLOSE);
  EXPECT_TRUE(timed_out.failure().effect_unknown());
  EXPECT_EQ(timed_out.failure().cause().type(), "TimedOut") << "of the attempt before";
}

// A chain with a link for each attempt outgrew what protobuf reads (100 levels): the row was lost.
TEST(TimeOuts, ManyAttemptsLeaveAFailureThatCanBeRead) {
  ModelRun run;
  run.Start();
  constexpr int kAttempts = 300;
  const EventId id = run.Schedule({.start_to_close = absl::Seconds(5), .attempts_max = kAttempts});
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    run.Dispatch(id);
    run.Advance(absl::Seconds(5));
    run.now += absl::Hours(1);
  }
  const v1::Failure& failure = run.Last().activity_task_timed_out().failure();
  EXPECT_EQ(failure.cause().type(), "TimedOut");
  EXPECT_FALSE(failure.cause().has_cause());
  v1::HistoryEvent read;
  EXPECT_TRUE(read.ParseFromString(run.Last().SerializeAsString()));
}

TEST(TimeOuts, HeartbeatIsPutOffByEachHeartbeat) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({.heartbeat = absl::Seconds(10), .attempts_max = 1});
  run.Dispatch(id);
  for (int i = 0; i < 3; ++i) {
    run.Advance(absl::Seconds(9));
    run.Heartbeat(id, "alive");
  }
  EXPECT_TRUE(run.state.activities.contains(id));
  run.Advance(absl::Seconds(10));
  EXPECT_EQ(run.Last().activity_task_timed_out().timeout_type(), v1::TimeoutType::HEARTBEAT);
  EXPECT_EQ(run.Last().activity_task_timed_out().last_heartbeat().data(), "alive");
}

TEST(TimeOuts, ScheduleToCloseEndsTheActivityWhateverIsLeft) {
  for (const bool in_flight : {false, true}) {
    ModelRun run;
    run.Start();
    const EventId id = run.Schedule({.schedule_to_close = absl::Seconds(20)});
    if (in_flight) run.Dispatch(id);
    EXPECT_EQ(run.Advance(absl::Seconds(20)).size(), in_flight ? 1u : 0u);
    const auto& timed_out = run.Last().activity_task_timed_out();
    EXPECT_EQ(timed_out.timeout_type(), v1::TimeoutType::SCHEDULE_TO_CLOSE);
    EXPECT_EQ(timed_out.failure().effect_unknown(), in_flight);
  }
}

TEST(TimeOuts, ScheduleToCloseInBackoffKeepsTheNumberOfAttempts) {
  ModelRun run;
  run.Start();
  const EventId id =
      run.Schedule({.schedule_to_close = absl::Seconds(20), .initial = absl::Seconds(15)});
  run.Dispatch(id);
  run.Fail(id, RetryableFailure("Busy"));
  run.Advance(absl::Seconds(10));
  run.now += absl::Seconds(9);
  run.Advance(absl::Seconds(1));
  const std::vector<v1::HistoryEvent> events = run.History();
  ASSERT_TRUE(events.back().has_activity_task_timed_out());
  const auto& started = events[events.size() - 2].activity_task_started();
  EXPECT_EQ(started.attempt(), 1) << "one was made, the second only planned";
  EXPECT_EQ(events.back().activity_task_timed_out().started_event_id(),
            events[events.size() - 2].event_id());
}

TEST(TimeOuts, AnAttemptThatIsBeingCanceledIsNotRetried) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({.start_to_close = absl::Seconds(5)});
  run.Dispatch(id);
  v1::Command cancel;
  cancel.mutable_event()->mutable_activity_task_cancel_requested()->set_activity_id("1");
  run.Task({cancel});
  run.Advance(absl::Seconds(5));
  EXPECT_FALSE(run.state.activities.contains(id));
}

TEST(ExecutionTimeout, AsksTheRunToCancelOnce) {
  ModelRun run;
  run.Start(absl::Seconds(30));
  EXPECT_EQ(NextDue(run.state), run.now + absl::Seconds(30));
  run.Advance(absl::Seconds(30));
  EXPECT_TRUE(run.Last().workflow_execution_cancel_requested().execution_timeout());
  EXPECT_TRUE(run.state.cancel_by_timeout);
  const size_t rows = run.rows.size();
  run.Advance(absl::Seconds(30));
  EXPECT_EQ(run.rows.size(), rows);
}

TEST(StoredWakeAt, FollowsWhatTheRunWaitsFor) {
  ModelRun run;
  run.Do([&](TransitionBuilder& transition) {
    v1::WorkflowExecutionStarted started;
    started.set_run_id("run-1");
    core::Start(transition, started);
  });
  EXPECT_EQ(StoredWakeAt(run.state), absl::InfinitePast()) << "a workflow task is owed";
  run.Task({});
  EXPECT_EQ(StoredWakeAt(run.state), absl::InfiniteFuture()) << "only messages wake it";
  run.Task({TimerCommand("9", absl::Hours(1))});
  EXPECT_EQ(StoredWakeAt(run.state), run.now + absl::Hours(1));
  const EventId id = run.Schedule({});
  EXPECT_EQ(StoredWakeAt(run.state), absl::InfinitePast()) << "an attempt to dispatch";
  run.Dispatch(id);
  EXPECT_EQ(StoredWakeAt(run.state), absl::InfinitePast()) << "in flight: lost by a crash";
  EXPECT_EQ(NextDue(run.state), run.now + absl::Minutes(10)) << "its start-to-close time-out";
  run.Fail(id, RetryableFailure("Busy"));
  EXPECT_EQ(StoredWakeAt(run.state), run.now + absl::Seconds(1)) << "in backoff";
  run.now += absl::Seconds(1);
  run.Dispatch(id);
  run.Complete(id);
  v1::Command done;
  done.mutable_event()->mutable_workflow_execution_completed();
  run.Task({done});
  EXPECT_EQ(StoredWakeAt(run.state), absl::InfiniteFuture());
  EXPECT_EQ(NextDue(run.state), absl::InfiniteFuture());
}

TEST(StoredWakeAt, IsAtOnceWhileLocalActivitiesArePending) {
  ModelRun run;
  run.Start();
  run.Do([](TransitionBuilder& transition) { transition.AddWorkflowTask("", false, 0, 1); });
  EXPECT_EQ(run.state.local_activities_pending, 1);
  EXPECT_EQ(StoredWakeAt(run.state), absl::InfinitePast()) << "only a process knows of them";
  run.state.paused = true;
  EXPECT_EQ(StoredWakeAt(run.state), absl::InfiniteFuture()) << "nothing runs while it is paused";
  run.state.paused = false;
  run.Do([](TransitionBuilder& transition) { transition.AddWorkflowTask(); });
  EXPECT_EQ(StoredWakeAt(run.state), absl::InfiniteFuture());
}

TEST(StoredWakeAt, HoldsTheExecutionDeadlineUntilItWasUsed) {
  ModelRun run;
  run.Start(absl::Hours(1));
  EXPECT_EQ(StoredWakeAt(run.state), run.now + absl::Hours(1));
  run.Do([](TransitionBuilder& transition) { RequestCancel(transition, "enough", "ann"); });
  run.Task({});
  EXPECT_EQ(StoredWakeAt(run.state), absl::InfiniteFuture());
}

}  // namespace
}  // namespace core
