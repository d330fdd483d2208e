#include "orchestrator/sdk/replay_check.h"

#include <gtest/gtest.h>

namespace sdk {
namespace {

v1::HistoryEvent Scheduled(int64_t event_id, const std::string& id, const std::string& type) {
  v1::HistoryEvent event;
  event.set_event_id(event_id);
  event.mutable_activity_task_scheduled()->set_activity_id(id);
  event.mutable_activity_task_scheduled()->set_activity_type(type);
  return event;
}

v1::Command CommandOf(const v1::HistoryEvent& event, const std::string& source) {
  v1::Command command;
  *command.mutable_event() = event;
  command.set_source(source);
  return command;
}

v1::Command Timer(const std::string& id, const std::string& source) {
  v1::HistoryEvent event;
  event.mutable_timer_started()->set_timer_id(id);
  return CommandOf(event, source);
}

TEST(CheckCommands, EqualCommandsAgree) {
  const v1::HistoryEvent recorded = Scheduled(5, "1", "charge");
  EXPECT_FALSE(CheckCommands({&recorded}, {CommandOf(Scheduled(0, "1", "charge"), "a.cc:1")}, 6)
                   .has_value());
  EXPECT_FALSE(CheckCommands({}, {}, 6).has_value());
}

TEST(CheckCommands, NamesEventExpectedFoundAndSource) {
  const v1::HistoryEvent recorded = Scheduled(12, "3", "charge");
  const auto mismatch = CheckCommands({&recorded}, {Timer("3", "order.cc:40")}, 13);
  ASSERT_TRUE(mismatch.has_value());
  EXPECT_EQ(mismatch->ToString(),
            "workflow code does not match the history at event 12: expected "
            "ActivityTaskScheduled id=3 type=charge, found TimerStarted id=3 at order.cc:40. "
            "Nothing was recorded; put the old code back, or guard the change, and the run goes "
            "on");
}

TEST(CheckCommands, ACommandTooManyOrTooFewIsFound) {
  const v1::HistoryEvent recorded = Scheduled(5, "1", "charge");
  const auto missing = CheckCommands({&recorded}, {}, 6);
  ASSERT_TRUE(missing.has_value());
  EXPECT_EQ(missing->event_id, 5);
  EXPECT_EQ(missing->found, "no command");
  const auto extra = CheckCommands({}, {Timer("1", "a.cc:1")}, 6);
  ASSERT_TRUE(extra.has_value());
  EXPECT_EQ(extra->event_id, 6);
  EXPECT_EQ(extra->expected, "no command");
}

TEST(CheckCommands, ARunCanceledByItsTimeoutIsRecordedAsTimedOut) {
  v1::HistoryEvent recorded;
  recorded.mutable_workflow_execution_timed_out();
  v1::Command canceled;
  canceled.mutable_event()->mutable_workflow_execution_canceled();
  EXPECT_FALSE(CheckCommands({&recorded}, {canceled}, 9).has_value());
}

TEST(IsCommandEvent, TellsCommandsFromWhatComesFromOutside) {
  EXPECT_TRUE(IsCommandEvent(Scheduled(1, "1", "a")));
  v1::HistoryEvent update;
  update.mutable_workflow_execution_update_accepted();
  EXPECT_TRUE(IsCommandEvent(update));
  v1::HistoryEvent signaled;
  signaled.mutable_workflow_execution_signaled();
  EXPECT_FALSE(IsCommandEvent(signaled));
  v1::HistoryEvent terminated;
  terminated.mutable_workflow_execution_terminated();
  EXPECT_FALSE(IsCommandEvent(terminated));
}

}  // namespace
}  // namespace sdk
