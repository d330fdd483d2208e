#include "orchestrator/schedules/timetable.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "orchestrator/history/time.h"

namespace schedules {
namespace {

absl::Time At(const char* text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error)) << error;
  return time;
}

std::string Text(absl::Time time) {
  return time == absl::InfiniteFuture()
             ? "never"
             : absl::FormatTime("%m-%dT%H:%M:%S", time, absl::UTCTimeZone());
}

std::string Times(const v1::ScheduleSpec& spec, const char* after, int count) {
  const absl::StatusOr<Timetable> table = Timetable::Make("s", spec);
  EXPECT_TRUE(table.ok()) << table.status();
  std::vector<std::string> times;
  absl::Time at = At(after);
  for (int i = 0; i < count; ++i) {
    at = table->Next(at);
    times.push_back(Text(at));
  }
  return absl::StrJoin(times, " ");
}

v1::ScheduleSpec Crons(std::vector<std::string> crons) {
  v1::ScheduleSpec spec;
  for (const std::string& cron : crons) spec.add_crons(cron);
  return spec;
}

TEST(TimetableTest, MergesCronsAndIntervals) {
  v1::ScheduleSpec spec = Crons({"0 9 * * *", "0 12 * * *", "0 12 * * *"});
  v1::ScheduleInterval* interval = spec.add_intervals();
  interval->mutable_every()->set_seconds(8 * 3600);
  interval->mutable_offset()->set_seconds(3600);
  EXPECT_EQ(Times(spec, "2026-11-21T00:00:00Z", 6),
            "11-21T01:00:00 11-21T09:00:00 11-21T12:00:00 11-21T17:00:00 11-22T01:00:00 "
            "11-22T09:00:00");
}

TEST(TimetableTest, LeavesOutExclusionsAndWhatIsOutsideOfItsBounds) {
  v1::ScheduleSpec spec = Crons({"0 9 * * *"});
  spec.add_exclusions("* * 22,23 11 *");
  *spec.mutable_start_time() = history::ToProto(At("2026-11-20T09:00:00Z"));
  *spec.mutable_end_time() = history::ToProto(At("2026-11-24T09:00:00Z"));
  EXPECT_EQ(Times(spec, "2026-11-01T00:00:00Z", 4),
            "11-20T09:00:00 11-21T09:00:00 11-24T09:00:00 never");
  spec.add_exclusions("* * * * *");
  EXPECT_EQ(Times(spec, "2026-11-01T00:00:00Z", 1), "never");
}

TEST(TimetableTest, TheZoneIsForCronsWithoutTheirOwn) {
  v1::ScheduleSpec spec = Crons({"0 9 * * *", "CRON_TZ=Asia/Tokyo 0 9 * * *"});
  spec.set_time_zone("America/New_York");
  EXPECT_EQ(Times(spec, "2026-11-21T00:00:00Z", 3), "11-21T14:00:00 11-22T00:00:00 11-22T14:00:00");
}

TEST(TimetableTest, JitterIsAlwaysTheSameAndStaysBeforeTheNextTime) {
  v1::ScheduleSpec spec = Crons({"* * * * *"});
  spec.mutable_jitter()->set_seconds(3600);
  const absl::StatusOr<Timetable> table = Timetable::Make("s", spec);
  const absl::StatusOr<Timetable> other = Timetable::Make("t", spec);
  ASSERT_TRUE(table.ok() && other.ok());
  absl::Time at = At("2026-11-21T00:00:00Z");
  int same = 0;
  for (int i = 0; i < 100; ++i) {
    at = table->Next(at);
    const absl::Time late = table->WithJitter(at);
    EXPECT_EQ(late, table->WithJitter(at));
    EXPECT_GE(late, at);
    EXPECT_LT(late, at + absl::Minutes(1));
    if (late == other->WithJitter(at)) ++same;
  }
  EXPECT_LT(same, 5);  // two schedules do not start all at the same moment
}

TEST(TimetableTest, DueTellsWhatIsDueMissedAndNext) {
  const absl::StatusOr<Timetable> table = Timetable::Make("s", Crons({"0 * * * *"}));
  ASSERT_TRUE(table.ok());
  const absl::Time now = At("2026-11-21T12:30:00Z");
  v1::DueTimes due = table->Due(At("2026-11-21T03:00:00Z"), now, absl::Hours(3), 10);
  EXPECT_EQ(due.missed(), 6);  // 4 to 9 o'clock
  ASSERT_EQ(due.due_size(), 3);
  EXPECT_EQ(Text(history::FromProto(due.due(0))), "11-21T10:00:00");
  EXPECT_EQ(Text(history::FromProto(due.cursor())), "11-21T12:00:00");
  EXPECT_EQ(Text(history::FromProto(due.next())), "11-21T13:00:00");
  EXPECT_FALSE(due.more());

  due = table->Due(At("2026-11-21T03:00:00Z"), now, absl::Hours(3), 2);
  EXPECT_EQ(due.due_size(), 2);
  EXPECT_TRUE(due.more());
  EXPECT_EQ(Text(history::FromProto(due.cursor())), "11-21T11:00:00");

  // A clock that went back: nothing is due, and the cursor stays.
  due = table->Due(At("2026-11-21T12:00:00Z"), At("2026-11-21T08:00:00Z"), absl::Hours(3), 10);
  EXPECT_EQ(due.due_size(), 0);
  EXPECT_EQ(Text(history::FromProto(due.cursor())), "11-21T12:00:00");
}

TEST(TimetableTest, AClockThatStepsOverYearsIsCheap) {
  v1::ScheduleSpec spec;
  spec.add_intervals()->mutable_every()->set_seconds(1);
  const absl::StatusOr<Timetable> table = Timetable::Make("s", spec);
  ASSERT_TRUE(table.ok());
  const absl::Time now = At("2046-11-21T00:00:00Z");
  const v1::DueTimes due = table->Due(At("2026-11-21T00:00:00Z"), now, absl::Seconds(10), 100);
  EXPECT_EQ(due.missed(), 10000);
  EXPECT_EQ(due.due_size(), 11);
  EXPECT_EQ(history::FromProto(due.cursor()), now);
}

}  // namespace
}  // namespace schedules
