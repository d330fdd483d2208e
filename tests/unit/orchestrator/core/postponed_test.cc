// An attempt that did nothing (open breaker, full limiter, kill switch) waits and does not count.
#include <gtest/gtest.h>

#include "orchestrator/history/time.h"
#include "tests/unit/orchestrator/core/model_run.h"

namespace core {
namespace {

v1::Failure BreakerOpen(absl::Duration retry_after) {
  v1::Failure failure = RetryableFailure("CircuitOpen");
  failure.set_not_attempted(true);
  if (retry_after > absl::ZeroDuration()) {
    *failure.mutable_retry_after() = history::ToProto(retry_after);
  }
  return failure;
}

TEST(PostponedAttempt, DoesNotCountHoweverOften) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({.attempts_max = 2});
  for (int i = 0; i < 50; ++i) {
    run.Dispatch(id);
    const absl::Time before = run.now;
    run.Fail(id, BreakerOpen(absl::Minutes(2)));
    const PendingActivity& activity = run.state.activities.at(id);
    EXPECT_EQ(activity.attempt, 1);
    EXPECT_EQ(activity.postponed, i + 1);
    EXPECT_EQ(activity.next_attempt_time, before + absl::Minutes(2));
    EXPECT_FALSE(activity.effect_unknown);
    run.now = activity.next_attempt_time;
  }
  EXPECT_EQ(run.attempts.at(id).postponed(), 50) << "it is stored, so that a restart knows it";
  run.Dispatch(id);
  run.Complete(id);
  EXPECT_TRUE(run.Last().has_activity_task_completed());
}

TEST(PostponedAttempt, TheRealAttemptsStillCount) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({.attempts_max = 2});
  run.Dispatch(id);
  run.Fail(id, BreakerOpen(absl::Seconds(5)));
  run.Dispatch(id);
  run.Fail(id, RetryableFailure("Busy"));
  EXPECT_EQ(run.state.activities.at(id).attempt, 2);
  EXPECT_EQ(run.state.activities.at(id).postponed, 0);
  run.Dispatch(id);
  run.Fail(id, RetryableFailure("Busy"));
  EXPECT_EQ(run.Last().activity_task_failed().failure().type(), "Busy");
}

TEST(PostponedAttempt, WakesTheRunWhenItsTimeHasCome) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({});
  run.Dispatch(id);
  run.Fail(id, BreakerOpen(absl::Hours(1)));
  EXPECT_EQ(StoredWakeAt(run.state), run.now + absl::Hours(1)) << "not at once after a restart";
  EXPECT_EQ(NextDue(run.state), run.now + absl::Hours(1));
}

TEST(PostponedAttempt, BacksOffWhenTheFailureSaysNoTime) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({.initial = absl::Seconds(1)});
  absl::Duration last = absl::ZeroDuration();
  for (int i = 0; i < 5; ++i) {
    run.Dispatch(id);
    run.Fail(id, BreakerOpen(absl::ZeroDuration()));
    const absl::Duration delay = run.state.activities.at(id).next_attempt_time - run.now;
    EXPECT_GT(delay, last);
    last = delay;
  }
}

TEST(PostponedAttempt, ScheduleToCloseStillEndsTheActivity) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({.schedule_to_close = absl::Minutes(10)});
  run.Dispatch(id);
  run.Fail(id, BreakerOpen(absl::Minutes(11)));
  EXPECT_EQ(run.Last().activity_task_failed().failure().type(), "CircuitOpen");
  EXPECT_FALSE(run.Last().activity_task_failed().failure().effect_unknown());
  EXPECT_FALSE(run.Last().activity_task_failed().failure().not_attempted());
}

TEST(PostponedAttempt, WhatItDidBeforeItWasPutOffIsNotForgotten) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({});
  run.Dispatch(id);
  v1::Failure failure = BreakerOpen(absl::Minutes(1));
  failure.set_effect_unknown(true);  // its first call went through, its second one was put off
  run.Fail(id, failure);
  EXPECT_TRUE(run.attempts.at(id).effect_unknown());
  v1::Command cancel;
  cancel.mutable_event()->mutable_activity_task_cancel_requested()->set_activity_id("1");
  run.Task({cancel});
  ASSERT_TRUE(run.Last().has_activity_task_canceled());
  EXPECT_TRUE(run.Last().activity_task_canceled().failure().effect_unknown());
}

TEST(PostponedAttempt, ACanceledOneCloses) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({});
  run.Dispatch(id);
  v1::Command cancel;
  cancel.mutable_event()->mutable_activity_task_cancel_requested()->set_activity_id("1");
  run.Task({cancel});
  run.Fail(id, BreakerOpen(absl::Minutes(1)));
  EXPECT_TRUE(run.Last().has_activity_task_canceled());
}

}  // namespace
}  // namespace core
