// Tables of cron expressions: what is refused and why, and which times they have, over the
// changes of daylight saving too.
#include "orchestrator/cron/cron.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace cron {
namespace {

using ::testing::HasSubstr;

absl::TimeZone Zone(const char* name) {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone(name, &zone)) << name;
  return zone;
}

absl::Time At(const char* rfc3339) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, rfc3339, &time, &error)) << error;
  return time;
}

// The next `count` times, in UTC.
std::string Times(const std::string& text, const char* after, int count,
                  absl::TimeZone zone = absl::UTCTimeZone()) {
  const absl::StatusOr<Cron> cron = Cron::Parse(text);
  if (!cron.ok()) return std::string(cron.status().message());
  std::vector<std::string> times;
  absl::Time at = At(after);
  for (int i = 0; i < count; ++i) {
    at = cron->Next(at, zone);
    times.push_back(at == absl::InfiniteFuture()
                        ? "never"
                        : absl::FormatTime("%Y-%m-%dT%H:%M:%E*S", at, absl::UTCTimeZone()));
  }
  return absl::StrJoin(times, " ");
}

struct Case {
  const char* text;
  const char* after;
  int count;
  const char* times;
};

TEST(CronTest, HasTheTimesOfItsFields) {
  const Case cases[] = {
      {"* * * * *", "2026-03-01T10:00:00Z", 2, "2026-03-01T10:01:00 2026-03-01T10:02:00"},
      {"* * * * *", "2026-03-01T10:00:59.5Z", 1, "2026-03-01T10:01:00"},
      {"*/20 * * * *", "2026-03-01T10:00:01Z", 3,
       "2026-03-01T10:20:00 2026-03-01T10:40:00 2026-03-01T11:00:00"},
      {"5/25 9 * * *", "2026-03-01T00:00:00Z", 4,
       "2026-03-01T09:05:00 2026-03-01T09:30:00 2026-03-01T09:55:00 2026-03-02T09:05:00"},
      {"30 9 * * MON-FRI", "2026-11-20T09:30:00Z", 2, "2026-11-23T09:30:00 2026-11-24T09:30:00"},
      {"0 0 * * 7", "2026-11-21T00:00:00Z", 1, "2026-11-22T00:00:00"},
      {"0 0 * * sun", "2026-11-21T00:00:00Z", 1, "2026-11-22T00:00:00"},
      {"0 0 * * SAT-SUN", "2026-11-16T00:00:00Z", 3,
       "2026-11-21T00:00:00 2026-11-22T00:00:00 2026-11-28T00:00:00"},
      {"0 0 * * */6", "2026-11-16T00:00:00Z", 2, "2026-11-21T00:00:00 2026-11-22T00:00:00"},
      {"0 12 1,15 jan,JUL *", "2026-01-01T12:00:00Z", 3,
       "2026-01-15T12:00:00 2026-07-01T12:00:00 2026-07-15T12:00:00"},
      {"0 8-18/4 * * *", "2026-01-01T00:00:00Z", 3,
       "2026-01-01T08:00:00 2026-01-01T12:00:00 2026-01-01T16:00:00"},
      {"0 0 29 2 *", "2026-01-01T00:00:00Z", 2, "2028-02-29T00:00:00 2032-02-29T00:00:00"},
      {"0 0 29 2 *", "2097-01-01T00:00:00Z", 1, "2104-02-29T00:00:00"},
      {"0 0 31 * *", "2026-03-31T00:00:00Z", 2, "2026-05-31T00:00:00 2026-07-31T00:00:00"},
      {"  0   0 ? * ?  ", "2026-03-31T00:00:00Z", 1, "2026-04-01T00:00:00"},
      {"@yearly", "2026-03-31T00:00:00Z", 1, "2027-01-01T00:00:00"},
      {"@annually", "2026-03-31T00:00:00Z", 1, "2027-01-01T00:00:00"},
      {"@monthly", "2026-03-31T00:00:00Z", 1, "2026-04-01T00:00:00"},
      {"@weekly", "2026-11-21T00:00:00Z", 1, "2026-11-22T00:00:00"},
      {"@daily", "2026-11-21T00:00:00Z", 1, "2026-11-22T00:00:00"},
      {"@midnight", "2026-11-21T00:00:00Z", 1, "2026-11-22T00:00:00"},
      {"@HOURLY", "2026-11-21T00:00:00Z", 1, "2026-11-21T01:00:00"},
      {"CRON_TZ=Asia/Tokyo @daily", "2026-11-21T00:00:00Z", 1, "2026-11-21T15:00:00"},
      {"TZ=Asia/Kolkata 0 9 * * *", "2026-11-21T00:00:00Z", 1, "2026-11-21T03:30:00"},
      {"* * * * *", "1969-12-31T23:58:30Z", 2, "1969-12-31T23:59:00 1970-01-01T00:00:00"},
  };
  for (const Case& c : cases) EXPECT_EQ(Times(c.text, c.after, c.count), c.times) << c.text;
}

// crontab, POSIX: "if both fields are restricted, the command runs when either matches".
TEST(CronTest, EitherDayFieldIsEnoughWhenBothAreRestricted) {
  EXPECT_EQ(Times("0 0 13 * FRI", "2026-11-01T00:00:00Z", 4),
            "2026-11-06T00:00:00 2026-11-13T00:00:00 2026-11-20T00:00:00 2026-11-27T00:00:00");
  EXPECT_EQ(Times("0 0 10 * FRI", "2026-11-06T00:00:00Z", 2),
            "2026-11-10T00:00:00 2026-11-13T00:00:00");
  EXPECT_EQ(Times("0 0 10 * *", "2026-11-06T00:00:00Z", 2),
            "2026-11-10T00:00:00 2026-12-10T00:00:00");
  // 31 February never comes, but a Monday in February does.
  EXPECT_EQ(Times("0 0 31 2 MON", "2026-01-01T00:00:00Z", 1), "2026-02-02T00:00:00");
}

TEST(CronTest, AFixedLocalTimeInTheGapMovesToTheGapsEnd) {
  const absl::TimeZone berlin = Zone("Europe/Berlin");  // 2026-03-29 02:00 -> 03:00 (01:00 UTC)
  EXPECT_EQ(Times("30 2 * * *", "2026-03-28T00:00:00Z", 3, berlin),
            "2026-03-28T01:30:00 2026-03-29T01:00:00 2026-03-30T00:30:00");
  EXPECT_EQ(Times("0,15,30 2 * * *", "2026-03-29T00:00:00Z", 2, berlin),
            "2026-03-29T01:00:00 2026-03-30T00:00:00");
  EXPECT_EQ(Times("30 2 * * *", "2026-03-29T01:10:00Z", 1, berlin), "2026-03-30T00:30:00");
  // The day's other times are where they are.
  EXPECT_EQ(Times("0 1-4 * * *", "2026-03-28T23:30:00Z", 4, berlin),
            "2026-03-29T00:00:00 2026-03-29T01:00:00 2026-03-29T02:00:00 2026-03-29T23:00:00");
}

TEST(CronTest, AFixedLocalTimeInTheOverlapIsThereOnce) {
  const absl::TimeZone berlin = Zone("Europe/Berlin");  // 2026-10-25 03:00 -> 02:00 (01:00 UTC)
  EXPECT_EQ(Times("30 2 * * *", "2026-10-24T12:00:00Z", 2, berlin),
            "2026-10-25T00:30:00 2026-10-26T01:30:00");
  // Asked within the second of the two hours.
  EXPECT_EQ(Times("30 2 * * *", "2026-10-25T01:10:00Z", 1, berlin), "2026-10-26T01:30:00");
  EXPECT_EQ(Times("0,30 2,3 * * *", "2026-10-24T23:00:00Z", 5, berlin),
            "2026-10-25T00:00:00 2026-10-25T00:30:00 2026-10-25T02:00:00 2026-10-25T02:30:00 "
            "2026-10-26T01:00:00");
}

TEST(CronTest, EveryHourCountsRealHours) {
  const absl::TimeZone berlin = Zone("Europe/Berlin");
  EXPECT_EQ(Times("30 * * * *", "2026-03-29T00:00:00Z", 3, berlin),
            "2026-03-29T00:30:00 2026-03-29T01:30:00 2026-03-29T02:30:00");
  EXPECT_EQ(Times("30 * * * *", "2026-10-25T00:00:00Z", 4, berlin),
            "2026-10-25T00:30:00 2026-10-25T01:30:00 2026-10-25T02:30:00 2026-10-25T03:30:00");
  EXPECT_EQ(Times("0 * * * *", "2026-10-24T23:59:00Z", 4, berlin),
            "2026-10-25T00:00:00 2026-10-25T01:00:00 2026-10-25T02:00:00 2026-10-25T03:00:00");
  // A day that is months away, behind both changes.
  EXPECT_EQ(Times("0 * 25 12 *", "2026-03-01T00:00:00Z", 1, berlin), "2026-12-24T23:00:00");
}

TEST(CronTest, ZonesWithOddRules) {
  // Lord Howe: half an hour. 2026-10-04 02:00 -> 02:30 (2026-10-03T15:30Z).
  EXPECT_EQ(Times("15 2 * * *", "2026-10-03T00:00:00Z", 2, Zone("Australia/Lord_Howe")),
            "2026-10-03T15:30:00 2026-10-04T15:15:00");
  // Apia left out 2011-12-30 altogether: its time is the first moment after.
  EXPECT_EQ(Times("0 12 30 12 *", "2011-12-01T00:00:00Z", 1, Zone("Pacific/Apia")),
            "2011-12-30T10:00:00");
  EXPECT_EQ(Times("45 5 * * *", "2026-01-01T00:00:00Z", 1, Zone("Asia/Kathmandu")),
            "2026-01-02T00:00:00");
}

// Every cron time of a year, against a walk over all minutes of the year.
TEST(CronTest, AgreesWithAWalkOverAllMinutesOfAYear) {
  const absl::TimeZone zone = Zone("America/New_York");
  const absl::StatusOr<Cron> cron = Cron::Parse("*/7 * 1-20/3 * TUE");
  ASSERT_TRUE(cron.ok()) << cron.status();
  absl::Time next = cron->Next(At("2026-01-01T00:00:00Z"), zone);
  int found = 0;
  for (absl::Time at = At("2026-01-01T00:01:00Z"); at < At("2027-01-01T00:00:00Z");
       at += absl::Minutes(1)) {
    const absl::TimeZone::CivilInfo local = zone.At(at);
    const bool day = (local.cs.day() <= 20 && (local.cs.day() - 1) % 3 == 0) ||
                     absl::GetWeekday(local.cs) == absl::Weekday::tuesday;
    if (!day || local.cs.minute() % 7 != 0) continue;
    ASSERT_EQ(absl::FormatTime(next), absl::FormatTime(at));
    next = cron->Next(next, zone);
    ++found;
  }
  EXPECT_GT(found, 20000);
}

TEST(CronTest, SaysWhatIsWrongWithAField) {
  const struct {
    const char* text;
    const char* message;
  } cases[] = {
      {"", "\"\" has 0 fields, it must have 5"},
      {"* * * *", "\"* * * *\" has 4 fields"},
      {"0 * * * * *", "has 6 fields"},
      {"60 * * * *", "cron field minute: 60 is not from 0 to 59"},
      {"* 24 * * *", "cron field hour: 24 is not from 0 to 23"},
      {"* * 0 * *", "cron field day of month: 0 is not from 1 to 31"},
      {"* * * 13 *", "cron field month: 13 is not from 1 to 12"},
      {"* * * JUM *", "cron field month: \"JUM\" is not a number from 1 to 12 or JAN to DEC"},
      {"* * * * 8", "cron field day of week: 8 is not from 0 to 7"},
      {"-5 * * * *", "cron field minute: \"\" is not a number"},
      {"+5 * * * *", "cron field minute: \"+5\" is not a number"},
      {"1,,2 * * * *", "cron field minute: \"1,,2\" has an empty element"},
      {"30-10 * * * *", "cron field minute: the range \"30-10\" runs backwards"},
      {"1-2-3 * * * *", "cron field minute: \"1-2-3\" is not a range"},
      {"*/0 * * * *", "cron field minute: the step \"0\" is not from 1 to 59"},
      {"*/x * * * *", "cron field minute: the step \"x\""},
      {"*/2/3 * * * *", "cron field minute: \"*/2/3\" has two steps"},
      {"99999999999999999999 * * * *", "cron field minute: \"99999999999999999999\" is not"},
      {"0 0 30 2 *", "cron field day of month: no month of \"0 0 30 2 *\" has such a day"},
      {"0 0 31 4,6,9,11 *", "has such a day"},
      {"@evry", "\"@evry\" is not known"},
      {"CRON_TZ=Mars/Olympus @daily", "cron time zone: \"Mars/Olympus\" is not known"},
      {"CRON_TZ= @daily", "cron time zone: \"\" is not known"},
      {"CRON_TZ=UTC", "has 0 fields"},
  };
  for (const auto& c : cases) {
    const absl::StatusOr<Cron> cron = Cron::Parse(c.text);
    ASSERT_FALSE(cron.ok()) << c.text;
    EXPECT_EQ(cron.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(cron.status().message()), HasSubstr(c.message)) << c.text;
  }
  EXPECT_FALSE(Cron::Parse(std::string(1001, '*')).ok());
}

TEST(CronTest, HasNoTimeAfterForever) {
  const absl::StatusOr<Cron> cron = Cron::Parse("@daily");
  ASSERT_TRUE(cron.ok());
  EXPECT_EQ(cron->Next(absl::InfiniteFuture()), absl::InfiniteFuture());
}

}  // namespace
}  // namespace cron
