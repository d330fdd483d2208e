// Runs that are paused, delayed, or whose activities used up their attempts: when they are due, and
// what a restart would store.
#include <gtest/gtest.h>

#include "orchestrator/history/time.h"
#include "tests/unit/orchestrator/core/model_run.h"

namespace core {
namespace {

void PauseRun(ModelRun& run) {
  run.Do([](TransitionBuilder& transition) {
    v1::WorkflowExecutionPaused pause;
    pause.set_identity("ann");
    Pause(transition, pause);
  });
}

void ResumeRun(ModelRun& run) {
  run.Do([](TransitionBuilder& transition) { Resume(transition, {}); });
}

v1::Command PausingActivity(int attempts_max) {
  v1::Command command = ScheduleCommand({.attempts_max = attempts_max});
  command.mutable_event()
      ->mutable_activity_task_scheduled()
      ->mutable_retry_policy()
      ->set_on_exhausted(v1::OnExhausted::PAUSE);
  return command;
}

TEST(PausedRun, IsDueForItsTimersOnly) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({});
  run.Task({TimerCommand("7", absl::Seconds(9))});
  EXPECT_EQ(StoredWakeAt(run.state), absl::InfinitePast()) << "an activity is to be sent out";
  PauseRun(run);
  EXPECT_EQ(StoredWakeAt(run.state), run.now + absl::Seconds(9));
  EXPECT_EQ(NextDue(run.state), run.now + absl::Seconds(9));
  run.Advance(absl::Seconds(9));
  EXPECT_TRUE(run.Last().has_timer_fired());
  EXPECT_TRUE(run.state.task_pending);
  EXPECT_FALSE(run.state.wants_task());
  EXPECT_EQ(StoredWakeAt(run.state), absl::InfiniteFuture()) << "the task waits, too";
  ResumeRun(run);
  EXPECT_TRUE(run.state.wants_task());
  EXPECT_TRUE(run.state.activities.contains(id));
}

TEST(PausedRun, PausingTwiceIsOnce) {
  ModelRun run;
  run.Start();
  PauseRun(run);
  const EventId next = run.state.next_event_id;
  run.Do([](TransitionBuilder& transition) {
    Pause(transition, {});
    EXPECT_TRUE(transition.empty());
  });
  ResumeRun(run);
  run.Do([](TransitionBuilder& transition) {
    Resume(transition, {});
    EXPECT_TRUE(transition.empty());
  });
  EXPECT_EQ(run.state.next_event_id, next + 1);
}

TEST(Exhausted, PausesTheActivityAndItsLastFailureStays) {
  ModelRun run;
  run.Start();
  run.Task({PausingActivity(2)});
  const EventId id = run.state.activities.begin()->first;
  run.Dispatch(id);
  run.Fail(id, RetryableFailure("Down"));
  EXPECT_FALSE(run.state.activities.at(id).paused);
  run.Advance(absl::Seconds(10));
  run.Dispatch(id);
  run.Fail(id, RetryableFailure("Down"));
  ASSERT_TRUE(run.state.activities.contains(id)) << "it is not closed";
  EXPECT_TRUE(run.state.activities.at(id).paused);
  EXPECT_TRUE(run.attempts.at(id).paused()) << "stored beside the history";
  EXPECT_EQ(NextDue(run.state), absl::InfiniteFuture());
  EXPECT_EQ(StoredWakeAt(run.state), absl::InfiniteFuture());
  ASSERT_EQ(run.state.PausedActivities().size(), 1u);
  run.Advance(absl::Hours(100));
  EXPECT_TRUE(run.state.activities.at(id).paused);

  run.Do([&](TransitionBuilder& transition) {
    EXPECT_TRUE(RetryActivitiesNow(transition, {"other"}).empty());
    EXPECT_EQ(RetryActivitiesNow(transition, {}), std::vector<std::string>{"1"});
  });
  EXPECT_EQ(NextDue(run.state), run.now);
  run.Dispatch(id);
  run.Fail(id, RetryableFailure("Down"));
  EXPECT_TRUE(run.state.activities.at(id).paused) << "one more attempt, not a new round";
  EXPECT_EQ(run.state.activities.at(id).attempt, 4);
}

TEST(Exhausted, AnAttemptThatTimesOutPausesToo) {
  ModelRun run;
  run.Start();
  run.Task({PausingActivity(1)});
  const EventId id = run.state.activities.begin()->first;
  run.Dispatch(id);
  run.Advance(absl::Minutes(10));
  ASSERT_TRUE(run.state.activities.contains(id));
  EXPECT_TRUE(run.state.activities.at(id).paused);
  EXPECT_TRUE(run.state.activities.at(id).effect_unknown);
}

TEST(Exhausted, ANonRetryableFailureEndsItAsEver) {
  ModelRun run;
  run.Start();
  run.Task({PausingActivity(3)});
  const EventId id = run.state.activities.begin()->first;
  run.Dispatch(id);
  v1::Failure failure = RetryableFailure("Declined");
  failure.set_non_retryable(true);
  run.Fail(id, failure);
  EXPECT_FALSE(run.state.activities.contains(id));
}

TEST(RetryNow, DoesNotTouchWhatRunsOrIsReady) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({});
  run.Do([&](TransitionBuilder& transition) {
    EXPECT_TRUE(RetryActivitiesNow(transition, {}).empty()) << "it is ready";
  });
  run.Dispatch(id);
  run.Do([&](TransitionBuilder& transition) {
    EXPECT_TRUE(RetryActivitiesNow(transition, {}).empty()) << "it runs";
  });
}

TEST(Delay, BeginsAtItsTimeOrByAMessage) {
  v1::WorkflowExecutionStarted started;
  *started.mutable_first_workflow_task_delay() = history::ToProto(absl::Seconds(60));
  for (const bool by_signal : {false, true}) {
    ModelRun run;
    run.Do([&](TransitionBuilder& transition) { Start(transition, started); });
    EXPECT_FALSE(run.state.task_pending);
    EXPECT_EQ(NextDue(run.state), run.now + absl::Seconds(60));
    EXPECT_EQ(StoredWakeAt(run.state), run.now + absl::Seconds(60));
    if (by_signal) {
      run.Do([](TransitionBuilder& transition) { Signal(transition, {}); });
      EXPECT_TRUE(run.state.task_pending);
      EXPECT_EQ(NextDue(run.state), absl::InfiniteFuture());
      continue;
    }
    run.state.BeginIfDue(run.now + absl::Seconds(60) - absl::Nanoseconds(1));
    EXPECT_FALSE(run.state.task_pending) << "never early";
    run.state.BeginIfDue(run.now + absl::Seconds(60));
    EXPECT_TRUE(run.state.task_pending);
  }
}

TEST(Delay, OfACronRunASignalWaits) {
  v1::WorkflowExecutionStarted started;
  *started.mutable_first_workflow_task_delay() = history::ToProto(absl::Seconds(60));
  started.set_cron_schedule("* * * * *");
  ModelRun run;
  run.Do([&](TransitionBuilder& transition) { Start(transition, started); });
  run.Do([](TransitionBuilder& transition) { Signal(transition, {}); });
  EXPECT_FALSE(run.state.task_pending);
  EXPECT_EQ(run.state.signals_waiting, 1);
  run.Do([](TransitionBuilder& transition) { RequestCancel(transition, "enough", "ann"); });
  EXPECT_EQ(run.state.closed_status, v1::RunStatus::CANCELED) << "its code had not begun";
}

TEST(Delay, ARunWhoseTimeIsOverBeforeItBeginsTimesOut) {
  v1::WorkflowExecutionStarted started;
  *started.mutable_first_workflow_task_delay() = history::ToProto(absl::Seconds(60));
  *started.mutable_execution_timeout() = history::ToProto(absl::Seconds(30));
  ModelRun run;
  run.Do([&](TransitionBuilder& transition) { Start(transition, started); });
  run.Advance(absl::Seconds(30));
  EXPECT_EQ(run.state.closed_status, v1::RunStatus::TIMED_OUT);
}

TEST(Deadline, IsTheEarlierOfRunAndChainMinusTheReserve) {
  v1::WorkflowExecutionStarted started;
  RunState state;
  state.start_time = absl::FromUnixSeconds(1000);
  EXPECT_EQ(state.execution_deadline(), absl::InfiniteFuture());
  *state.started.mutable_execution_timeout() = history::ToProto(absl::Seconds(100));
  EXPECT_EQ(state.deadline(), absl::FromUnixSeconds(1100)) << "an old history: no chain_start_time";
  *state.started.mutable_chain_start_time() = history::ToProto(absl::FromUnixSeconds(950));
  EXPECT_EQ(state.deadline(), absl::FromUnixSeconds(1050));
  *state.started.mutable_run_timeout() = history::ToProto(absl::Seconds(20));
  EXPECT_EQ(state.deadline(), absl::FromUnixSeconds(1020));
  *state.started.mutable_first_workflow_task_delay() = history::ToProto(absl::Seconds(5));
  EXPECT_EQ(state.deadline(), absl::FromUnixSeconds(1025)) << "it counts from its beginning";
  *state.started.mutable_compensation_reserve() = history::ToProto(absl::Seconds(10));
  EXPECT_EQ(state.execution_deadline(), absl::FromUnixSeconds(1015));
}

}  // namespace
}  // namespace core
