#include "orchestrator/cron/interval.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace cron {
namespace {

using ::testing::HasSubstr;

TEST(IntervalTest, CountsFromTheEpochAndItsOffset) {
  const Interval quarter_past = {absl::Hours(1), absl::Minutes(15)};
  const absl::Time ten = absl::FromUnixSeconds(36000);
  EXPECT_EQ(quarter_past.Next(ten), ten + absl::Minutes(15));
  EXPECT_EQ(quarter_past.Next(ten + absl::Minutes(15)), ten + absl::Minutes(75));
  EXPECT_EQ(quarter_past.Next(ten + absl::Minutes(15) - absl::Nanoseconds(1)),
            ten + absl::Minutes(15));
  const Interval seven = {absl::Seconds(7), absl::ZeroDuration()};
  EXPECT_EQ(seven.Next(absl::UnixEpoch()), absl::FromUnixSeconds(7));
  EXPECT_EQ(seven.Next(absl::FromUnixSeconds(-8)), absl::FromUnixSeconds(-7));
  EXPECT_EQ(seven.Next(absl::FromUnixSeconds(-7)), absl::UnixEpoch());
}

TEST(IntervalTest, SaysWhatIsWrong) {
  EXPECT_TRUE((Interval{absl::Seconds(1), absl::ZeroDuration()}).Validate().ok());
  EXPECT_THAT(std::string((Interval{absl::Milliseconds(999), {}}).Validate().message()),
              HasSubstr("at least 1s, it is 999ms"));
  EXPECT_THAT(std::string((Interval{absl::Hours(1), absl::Hours(1)}).Validate().message()),
              HasSubstr("below the interval of 1h, it is 1h"));
  EXPECT_FALSE((Interval{absl::Hours(1), -absl::Seconds(1)}).Validate().ok());
}

TEST(JitterTest, FollowsFromTheKeyAndSpreads) {
  EXPECT_EQ(Jitter("a", absl::Minutes(1)), Jitter("a", absl::Minutes(1)));
  EXPECT_EQ(Jitter("a", absl::ZeroDuration()), absl::ZeroDuration());
  EXPECT_EQ(Jitter("a", -absl::Seconds(1)), absl::ZeroDuration());
  int tenths[10] = {};
  for (int i = 0; i < 10000; ++i) {
    const absl::Duration delay = Jitter(absl::StrCat("report/2026-11-", i), absl::Seconds(10));
    ASSERT_GE(delay, absl::ZeroDuration());
    ASSERT_LT(delay, absl::Seconds(10));
    ++tenths[absl::ToInt64Seconds(delay)];
  }
  for (const int count : tenths) EXPECT_NEAR(count, 1000, 150);
}

}  // namespace
}  // namespace cron
