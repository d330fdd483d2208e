#include "orchestrator/schedules/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace schedules {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Fields(const std::vector<Problem>& problems) {
  std::vector<std::string> fields;
  for (const Problem& p : problems) fields.push_back(p.field);
  return fields;
}

TEST(CheckTest, NamesEveryWrongField) {
  v1::Schedule schedule;
  schedule.mutable_spec()->add_crons("0 9 * * *");
  schedule.mutable_spec()->add_crons("0 25 * * *");
  schedule.mutable_spec()->add_exclusions("nonsense");
  schedule.mutable_spec()->add_intervals();
  schedule.mutable_spec()->set_time_zone("Mars/Olympus");
  schedule.mutable_spec()->mutable_jitter()->set_seconds(-1);
  schedule.mutable_spec()->mutable_start_time()->set_seconds(10);
  schedule.mutable_spec()->mutable_end_time()->set_seconds(5);
  schedule.mutable_action()->set_workflow_type("system.batch");
  schedule.mutable_action()->set_workflow_id_prefix("a b");
  schedule.mutable_policies()->set_overlap(static_cast<v1::OverlapPolicy::Value>(99));
  schedule.mutable_policies()->mutable_catch_up_window()->set_seconds(1);
  EXPECT_THAT(Fields(CheckSchedule(schedule, "schedule")),
              ElementsAre("schedule.spec.crons[1]", "schedule.spec.exclusions[0]",
                          "schedule.spec.intervals[0]", "schedule.spec.time_zone",
                          "schedule.spec.jitter", "schedule.spec.end_time",
                          "schedule.action.workflow_type", "schedule.action.workflow_id_prefix",
                          "schedule.policies.overlap", "schedule.policies.catch_up_window"));
  EXPECT_THAT(Fields(CheckSchedule(v1::Schedule(), "schedule")),
              ElementsAre("schedule.spec.crons", "schedule.action.workflow_type"));
}

TEST(CheckTest, BackfillsAreBounded) {
  v1::ScheduleSpec spec;
  spec.add_crons("* * * * *");
  v1::ScheduleBackfill backfill;
  EXPECT_THAT(Fields(CheckBackfill("s", spec, backfill, "b")),
              ElementsAre("b.start_time", "b.end_time"));
  backfill.mutable_start_time()->set_seconds(1'800'000'000);
  backfill.mutable_end_time()->set_seconds(1'800'000'000 + 60 * 9999);
  EXPECT_THAT(Fields(CheckBackfill("s", spec, backfill, "b")), ElementsAre());
  backfill.mutable_end_time()->set_seconds(1'800'000'000 + 60 * 10000);
  EXPECT_THAT(Fields(CheckBackfill("s", spec, backfill, "b")), ElementsAre("b.end_time"));
  backfill.mutable_end_time()->set_seconds(1'700'000'000);
  EXPECT_THAT(Fields(CheckBackfill("s", spec, backfill, "b")), ElementsAre("b.end_time"));
  backfill.set_overlap(v1::OverlapPolicy::SKIP);
  EXPECT_THAT(Fields(CheckBackfill("s", spec, backfill, "b")), ElementsAre("b.overlap"));
  backfill.clear_overlap();
  backfill.mutable_start_time()->set_seconds(1'800'000'001);
  backfill.mutable_end_time()->set_seconds(1'800'000'059);
  EXPECT_THAT(Fields(CheckBackfill("s", spec, backfill, "b")), ElementsAre("b.end_time"));
}

}  // namespace
}  // namespace schedules
