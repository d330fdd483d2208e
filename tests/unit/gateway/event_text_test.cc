#include "gateway/cli/event_text.h"

#include <gtest/gtest.h>

namespace cli {
namespace {

TEST(EventText, NamesTheEventAndItsDetail) {
  orchestrator::v1::HistoryEvent event;
  event.mutable_activity_task_failed()->set_scheduled_event_id(5);
  event.mutable_activity_task_failed()->mutable_failure()->set_type("VendorUnavailable");
  event.mutable_activity_task_failed()->mutable_failure()->set_message("503");
  EXPECT_EQ(EventName(event), "ActivityTaskFailed");
  EXPECT_EQ(EventDetail(event), "VendorUnavailable: 503, of event 5");
  event.mutable_saga_step_registered()->set_step("design#2");
  event.mutable_saga_step_registered()->set_compensation_type("delete_assets");
  EXPECT_EQ(EventDetail(event), "design#2, delete_assets");
  event.mutable_timer_started()->set_timer_id("1");
  event.mutable_timer_started()->mutable_start_to_fire_timeout()->set_seconds(90);
  EXPECT_EQ(EventDetail(event), "1, 90s");
  EXPECT_EQ(EventName({}), "?");
}

}  // namespace
}  // namespace cli
