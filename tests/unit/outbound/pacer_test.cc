#include "activities/outbound/pacer.h"

#include "gtest/gtest.h"

namespace outbound {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1000);
constexpr absl::Duration kGap = absl::Seconds(1);

TEST(Pacer, LetsABurstThroughAndPacesTheRest) {
  Pacer pacer(kGap, 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(pacer.WaitFor(kStart), absl::ZeroDuration()) << i;
    pacer.Take(kStart);
  }
  EXPECT_EQ(pacer.WaitFor(kStart), kGap);
  pacer.Take(kStart);
  EXPECT_EQ(pacer.WaitFor(kStart), 2 * kGap);
  EXPECT_EQ(pacer.WaitFor(kStart + absl::Minutes(1)), absl::ZeroDuration());
}

TEST(Pacer, NeverMoreThanTheBurstAndThePaceInAnyTime) {
  Pacer pacer(kGap, 5);
  absl::Time now = kStart;
  int passed = 0;
  for (; now < kStart + absl::Seconds(60); now += absl::Milliseconds(10)) {
    if (pacer.WaitFor(now) > absl::ZeroDuration()) continue;
    pacer.Take(now);
    ++passed;
  }
  EXPECT_EQ(passed, 5 + 59);
}

TEST(Pacer, HoldsUntil) {
  Pacer pacer(kGap, 5);
  pacer.HoldUntil(kStart + absl::Seconds(90));
  EXPECT_EQ(pacer.WaitFor(kStart), absl::Seconds(90));
  pacer.HoldUntil(kStart);  // never shortens
  EXPECT_EQ(pacer.WaitFor(kStart), absl::Seconds(90));
}

TEST(Pacer, SendsCallersAwayOneAfterAnother) {
  Pacer pacer(kGap, 1);
  const absl::Time earliest = kStart + absl::Seconds(10);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(pacer.ComeBackAfter(kStart, earliest, 0), absl::Seconds(10 + i));
  }
  EXPECT_EQ(pacer.queue_end(), earliest + 5 * kGap);
  const absl::Duration jittered = pacer.ComeBackAfter(kStart, earliest, 0.5);
  EXPECT_EQ(jittered, absl::Seconds(15) + kGap / 2);
}

TEST(Pacer, NobodyComesBackLaterThanTheMaximum) {
  Pacer pacer(kGap, 1);
  const absl::Time days = kStart + absl::Hours(100);
  for (double random : {0.0, 0.5, 0.99}) {
    const absl::Duration wait = pacer.ComeBackAfter(kStart, days, random);
    EXPECT_GE(wait, kComeBackMax / 2);
    EXPECT_LE(wait, kComeBackMax);
  }
}

}  // namespace
}  // namespace outbound
