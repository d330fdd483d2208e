#include "gateway/audit/refusals.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/unit/audit/trail.h"

namespace audit {
namespace {

Event Failed(const std::string& address) {
  return {.action = "sign-in.failed",
          .outcome = "UNAUTHENTICATED",
          .detail = "KEY_UNKNOWN",
          .address = address};
}

TEST(Refusals, RecordsTheFirstAndSumsUpTheRest) {
  Refusals refusals;
  absl::Time now = TestTime();
  EXPECT_TRUE(refusals.Add(Failed("10.0.0.1"), now).has_value());
  for (int i = 0; i < 1000; ++i) {
    now += absl::Milliseconds(10);
    EXPECT_FALSE(refusals.Add(Failed("10.0.0.1"), now).has_value());
  }
  EXPECT_TRUE(refusals.Sweep(now).empty());
  now = TestTime() + absl::Minutes(1);
  const std::vector<Event> events = refusals.Sweep(now);
  ASSERT_EQ(events.size(), 1);
  EXPECT_EQ(events[0].detail, "1000 more within 1m; the last: KEY_UNKNOWN");
  EXPECT_EQ(events[0].address, "10.0.0.1");
  EXPECT_EQ(events[0].action, "sign-in.failed");
}

TEST(Refusals, ACallerWhoGoesOnIsReportedEverMoreRarely) {
  Refusals refusals;
  absl::Time now = TestTime();
  size_t recorded = 0;
  int64_t refused = 0;
  while (now < TestTime() + absl::Hours(24)) {
    for (int i = 0; i < 10; ++i, ++refused) {
      if (refusals.Add(Failed("10.0.0.1"), now).has_value()) ++recorded;
    }
    now += absl::Seconds(10);
    recorded += refusals.Sweep(now).size();
  }
  EXPECT_EQ(refused, 86'400);
  EXPECT_LE(recorded, 32) << "a day of refusals";
}

TEST(Refusals, AQuietCallerIsForgottenAndRecordedAnew) {
  Refusals refusals;
  EXPECT_TRUE(refusals.Add(Failed("10.0.0.1"), TestTime()).has_value());
  EXPECT_TRUE(refusals.Sweep(TestTime() + absl::Minutes(2)).empty());
  EXPECT_TRUE(refusals.Add(Failed("10.0.0.1"), TestTime() + absl::Minutes(3)).has_value());
}

TEST(Refusals, AFloodFromEverywhereWritesLittle) {
  Refusals refusals;
  absl::Time now = TestTime();
  int64_t recorded = 0;
  int64_t counted = 0;
  for (int i = 0; i < 200'000; ++i) {  // an hour, each from another address
    if (refusals.Add(Failed(absl::StrCat("10.", i)), now).has_value()) {
      ++recorded;
      ++counted;
    }
    now += absl::Milliseconds(18);
    if (i % 500 != 0) continue;
    for (const Event& event : refusals.Sweep(now)) {
      ++recorded;
      counted += std::stoll(event.detail);
      EXPECT_TRUE(event.address.empty()) << "of many callers";
    }
  }
  for (const Event& event : refusals.Sweep(now, true)) counted += std::stoll(event.detail);
  EXPECT_LE(recorded, Refusals::kCallersAtOnce + 60 + 70);
  EXPECT_EQ(counted, 200'000) << "each is counted once";
}

}  // namespace
}  // namespace audit
