// The fold of single events into the run state.
#include <gtest/gtest.h>

#include "tests/unit/orchestrator/core/model_run.h"

namespace core {
namespace {

TEST(Apply, AFoldedWorkflowTaskCountsThreeIds) {
  RunState state;
  v1::HistoryEvent started;
  started.mutable_workflow_execution_started()->set_run_id("run-1");
  Apply(state, started, absl::UnixEpoch());
  EXPECT_EQ(state.next_event_id, 2);
  EXPECT_TRUE(state.task_pending);
  v1::HistoryEvent task;
  task.mutable_workflow_task();
  Apply(state, task, absl::UnixEpoch());
  EXPECT_EQ(state.next_event_id, 5);
  EXPECT_FALSE(state.task_pending);
}

TEST(Apply, SignalsAndCancelRequestsOweATask) {
  ModelRun run;
  run.Start();
  run.Do([](TransitionBuilder& transition) {
    v1::WorkflowExecutionSignaled signal;
    signal.set_signal_name("go");
    signal.set_request_id("r1");
    Signal(transition, signal);
  });
  EXPECT_TRUE(run.state.task_pending);
  EXPECT_TRUE(run.state.signal_request_ids.contains("r1"));
  run.Task({});
  EXPECT_FALSE(run.state.task_pending);
  run.Do([](TransitionBuilder& transition) { RequestCancel(transition, "enough", "ann"); });
  EXPECT_TRUE(run.state.task_pending);
  EXPECT_TRUE(run.state.cancel_requested);
  EXPECT_FALSE(run.state.cancel_by_timeout);
}

TEST(Apply, ASecondCancelRequestChangesNothing) {
  ModelRun run;
  run.Start();
  run.Do([](TransitionBuilder& transition) { RequestCancel(transition, "enough", "ann"); });
  const EventId next = run.state.next_event_id;
  run.Do([](TransitionBuilder& transition) { RequestCancel(transition, "again", "bob"); });
  EXPECT_EQ(run.state.next_event_id, next);
}

TEST(Apply, ClosingForgetsWhatIsPendingAndTheAttemptsBesideIt) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({});
  run.Task({TimerCommand("9", absl::Hours(1))});
  run.Dispatch(id);
  run.Fail(id, RetryableFailure("Busy"));
  ASSERT_EQ(run.attempts.size(), 1u);
  v1::Command done;
  done.mutable_event()->mutable_workflow_execution_completed()->mutable_result()->set_data("r");
  run.Task({done});
  EXPECT_TRUE(run.state.closed());
  EXPECT_EQ(run.state.result.data(), "r");
  EXPECT_TRUE(run.state.activities.empty());
  EXPECT_TRUE(run.state.timers.empty());
  EXPECT_TRUE(run.attempts.empty());
}

TEST(Apply, TerminateClosesAtOnceWithItsReason) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({});
  run.Dispatch(id);
  std::vector<AttemptToStop> stop;
  run.Do([&](TransitionBuilder& transition) { stop = Terminate(transition, "enough", "ann"); });
  EXPECT_EQ(stop.size(), 1u);
  EXPECT_EQ(run.state.closed_status, v1::RunStatus::TERMINATED);
  EXPECT_EQ(run.state.failure->message(), "enough");
}

// A damaged history is noted; it must not end the process, which holds other runs.
TEST(DamagedHistory, ARunThatClosesTwice) {
  ModelRun run;
  run.Start();
  v1::Command done;
  done.mutable_event()->mutable_workflow_execution_completed();
  run.Task({done});
  v1::HistoryEvent again;
  again.mutable_workflow_execution_failed();
  Apply(run.state, again, run.now);
  EXPECT_EQ(run.state.corruption, "the run closes twice");
  EXPECT_EQ(run.state.closed_status, v1::RunStatus::COMPLETED);
}

TEST(DamagedHistory, AResultWithoutItsActivity) {
  ModelRun run;
  run.Start();
  v1::HistoryEvent stray;
  stray.mutable_activity_task_completed()->set_scheduled_event_id(77);
  Apply(run.state, stray, run.now);
  EXPECT_EQ(run.state.corruption,
            "activity 77 is closed and was not scheduled, or is closed twice");
  v1::HistoryEvent empty;
  Apply(run.state, empty, run.now);
  EXPECT_NE(run.state.corruption.find("activity 77"), std::string::npos)
      << "the first finding stays";
}

TEST(DamagedHistoryDeathTest, OurOwnEventsMustMakeAHistory) {
  ModelRun run;
  run.Start();
  v1::HistoryEvent stray;
  stray.mutable_activity_task_completed()->set_scheduled_event_id(77);
  TransitionBuilder transition(run.state, run.now);
  EXPECT_DEATH(transition.Add(stray), "activity 77");
}

}  // namespace
}  // namespace core
