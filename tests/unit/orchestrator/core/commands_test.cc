// Commands become events: what only the engine knows is filled in.
#include <gtest/gtest.h>

#include "tests/unit/orchestrator/core/model_run.h"

namespace core {
namespace {

TEST(Commands, CancelsAreGivenTheEventsTheyMean) {
  ModelRun run;
  run.Start();
  const EventId activity = run.Schedule({.id = "3"});
  run.Task({TimerCommand("9", absl::Hours(1))});
  const EventId timer = run.state.timers.at("9").started_event_id;
  v1::Command cancel_timer;
  cancel_timer.mutable_event()->mutable_timer_canceled()->set_timer_id("9");
  v1::Command cancel_activity;
  cancel_activity.mutable_event()->mutable_activity_task_cancel_requested()->set_activity_id("3");
  run.Dispatch(activity);
  run.Task({cancel_timer, cancel_activity});
  const std::vector<v1::HistoryEvent> events = run.History();
  EXPECT_EQ(events[events.size() - 2].timer_canceled().started_event_id(), timer);
  EXPECT_EQ(events.back().activity_task_cancel_requested().scheduled_event_id(), activity);
  EXPECT_TRUE(run.state.timers.empty());
}

TEST(Commands, UpdateCompletedNamesItsAcceptance) {
  ModelRun run;
  run.Start();
  v1::Command accepted;
  accepted.mutable_event()->mutable_workflow_execution_update_accepted()->set_update_id("u1");
  v1::Command completed;
  completed.mutable_event()->mutable_workflow_execution_update_completed()->set_update_id("u1");
  run.Task({accepted, completed});
  const UpdateRecord& record = run.state.updates.at("u1");
  EXPECT_TRUE(record.completed);
  EXPECT_EQ(run.Last().workflow_execution_update_completed().accepted_event_id(),
            record.accepted_event_id);
}

TEST(Commands, ContinueAsNewIsGivenTheNextRun) {
  ModelRun run;
  run.Start();
  v1::Command next;
  next.mutable_event()->mutable_workflow_execution_continued_as_new();
  run.Task({next});
  EXPECT_EQ(run.Last().workflow_execution_continued_as_new().new_run_id(), "run-2");
  EXPECT_EQ(run.state.closed_status, v1::RunStatus::CONTINUED_AS_NEW);
}

TEST(Commands, CanceledByItsOwnTimeoutIsTimedOut) {
  ModelRun run;
  run.Start(absl::Seconds(1));
  run.Advance(absl::Seconds(1));
  v1::Command canceled;
  canceled.mutable_event()->mutable_workflow_execution_canceled()->mutable_failure()->set_type(
      "Canceled");
  run.Task({canceled});
  EXPECT_TRUE(run.Last().has_workflow_execution_timed_out());
  EXPECT_EQ(run.state.closed_status, v1::RunStatus::TIMED_OUT);
}

TEST(Commands, ClosingStopsWhatIsInFlight) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({});
  run.Dispatch(id);
  v1::Command done;
  done.mutable_event()->mutable_workflow_execution_completed();
  const std::vector<AttemptToStop> stop = run.Task({done});
  ASSERT_EQ(stop.size(), 1u);
  EXPECT_EQ(stop[0].scheduled_event_id, id);
}

}  // namespace
}  // namespace core
