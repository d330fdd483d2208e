#include "orchestrator/history/codec.h"

#include <gtest/gtest.h>

#include <functional>

#include "orchestrator/history/time.h"

namespace history {
namespace {

std::string Stored(int64_t first_id, int64_t seconds,
                   const std::function<void(v1::Transition&)>& fill) {
  v1::Transition transition;
  transition.set_first_event_id(first_id);
  *transition.mutable_time() = ToProto(absl::FromUnixSeconds(seconds));
  fill(transition);
  return transition.SerializeAsString();
}

std::string StartedRow() {
  return Stored(1, 100, [](v1::Transition& t) {
    t.add_events()->mutable_workflow_execution_started();
    t.add_events()->mutable_workflow_task();
    t.add_events()->mutable_timer_started()->set_timer_id("1");
  });
}

TEST(Expand, UnfoldsTheTripleAndGivesIdsAndTimes) {
  std::vector<v1::HistoryEvent> events;
  ASSERT_TRUE(Expand(StartedRow(), &events).ok());
  ASSERT_EQ(events.size(), 5u);
  for (size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].event_id(), int64_t(i) + 1);
    EXPECT_EQ(events[i].event_time().seconds(), 100);
  }
  EXPECT_TRUE(events[1].has_workflow_task_scheduled());
  EXPECT_EQ(events[2].workflow_task_started().scheduled_event_id(), 2);
  EXPECT_EQ(events[3].workflow_task_completed().scheduled_event_id(), 2);
  EXPECT_EQ(events[3].workflow_task_completed().started_event_id(), 3);
  EXPECT_TRUE(events[4].has_timer_started());
}

TEST(Expand, GoesOnWhereTheRowBeforeEnded) {
  std::vector<v1::HistoryEvent> events;
  ASSERT_TRUE(Expand(StartedRow(), &events).ok());
  ASSERT_TRUE(Expand(Stored(6, 200,
                            [](v1::Transition& t) {
                              t.add_events()->mutable_timer_fired()->set_timer_id("1");
                            }),
                     &events)
                  .ok());
  EXPECT_EQ(events.back().event_id(), 6);
  EXPECT_EQ(events.back().event_time().seconds(), 200);
}

TEST(Expand, AGapOrAnOverlapIsDataLoss) {
  for (const int64_t first : {5, 7}) {
    std::vector<v1::HistoryEvent> events;
    ASSERT_TRUE(Expand(StartedRow(), &events).ok());
    const absl::Status status =
        Expand(Stored(first, 200, [](v1::Transition& t) { t.add_events()->mutable_timer_fired(); }),
               &events);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_NE(status.message().find("expected event 6"), std::string::npos) << status;
    EXPECT_EQ(events.size(), 5u) << "nothing is added";
  }
}

TEST(Expand, AnEventOfANewerVersionIsDataLoss) {
  std::vector<v1::HistoryEvent> events;
  const std::string row = Stored(1, 100, [](v1::Transition& t) { t.add_events(); });
  EXPECT_EQ(Expand(row, &events).code(), absl::StatusCode::kDataLoss);
}

TEST(Expand, AReadFromTheMiddleBeginsWhereItsFirstRowBegins) {
  std::vector<v1::HistoryEvent> events;
  ASSERT_TRUE(
      Expand(Stored(41, 200, [](v1::Transition& t) { t.add_events()->mutable_timer_fired(); }),
             &events)
          .ok());
  EXPECT_EQ(events.front().event_id(), 41);
}

TEST(Expand, BrokenBytesAreDataLoss) {
  std::vector<v1::HistoryEvent> events;
  EXPECT_EQ(Expand("\xff\xff\xff", &events).code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace history
