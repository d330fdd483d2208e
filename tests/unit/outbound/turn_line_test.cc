#include "activities/outbound/turn_line.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace outbound {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1000);
constexpr absl::Duration kGap = absl::Seconds(1);

TEST(TurnLine, WhoGotACallThroughIsInForAWhile) {
  TurnLine line;
  EXPECT_FALSE(line.IsIn(kStart, "a"));
  line.Take(kStart, kStart, "a");
  EXPECT_TRUE(line.IsIn(kStart + absl::Minutes(9), "a"));
  EXPECT_FALSE(line.IsIn(kStart + absl::Minutes(9), "b"));
  EXPECT_FALSE(line.IsIn(kStart + absl::Minutes(10), "a"));
}

TEST(TurnLine, WhoIsSentAwayAmidstComesFirst) {
  TurnLine line;
  for (int i = 0; i < 5; ++i) (void)line.ComeBackAfter(kStart, absl::StrCat(i), kGap, 0);
  line.Take(kStart, kStart, "a");
  EXPECT_EQ(line.ComeBackAfter(kStart, "a", kGap, 0), absl::ZeroDuration());
  EXPECT_FALSE(line.IsIn(kStart, "a"));  // it begins again, when there is room
  EXPECT_EQ(line.Amidst(kStart), 0);
  EXPECT_EQ(line.ComeBackAfter(kStart + kGap, "a", kGap, 0), absl::ZeroDuration());
  EXPECT_EQ(line.ComeBackAfter(kStart, "4", kGap, 0), 0.8 * 4 * kGap);
}

TEST(TurnLine, CountsThoseThatAreAmidstTheirCallsOnceEach) {
  TurnLine line;
  for (int i = 0; i < 3; ++i) {
    line.Take(kStart, kStart + i * kGap, "a");
    line.Take(kStart, kStart, "b");
    line.Take(kStart, kStart, "");
  }
  EXPECT_EQ(line.Amidst(kStart), 2);
  EXPECT_EQ(line.Amidst(kStart + 2 * kGap + absl::Milliseconds(1)), 1);  // "a" had a turn later
  EXPECT_EQ(line.Amidst(kStart + 4 * kGap), 1);
  EXPECT_EQ(line.Amidst(kStart + 5 * kGap), 0);
  line.Take(kStart + 6 * kGap, kStart + 6 * kGap, "a");
  EXPECT_EQ(line.Amidst(kStart + 6 * kGap), 1);
}

TEST(TurnLine, ThePlaceInTheLineIsKept) {
  TurnLine line;
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(line.ComeBackAfter(kStart, absl::StrCat(i), kGap, 0), 0.8 * i * kGap) << i;
  }
  EXPECT_EQ(line.ComeBackAfter(kStart + kGap, "2", kGap, 0), 0.8 * 2 * kGap);
  line.Take(kStart, kStart, "0");
  EXPECT_EQ(line.ComeBackAfter(kStart + kGap, "2", kGap, 0), 0.8 * 1 * kGap);
  EXPECT_EQ(line.ComeBackAfter(kStart + kGap, "5", kGap, 0), 0.8 * 4 * kGap);  // the last of 5
}

TEST(TurnLine, LearnsHowManyCallsACallerMakes) {
  TurnLine line;
  const auto run = [&line](absl::Time at, const char* caller, int calls) {
    for (int call = 0; call < calls; ++call) line.Take(at, at, caller);
  };
  run(kStart, "a", 7);
  run(kStart, "b", 2);
  EXPECT_EQ(line.CallsToCome(kStart), 2);  // nothing is known yet: one each
  const absl::Time later = kStart + absl::Minutes(1);
  run(later, "c", 3);
  EXPECT_EQ(line.CallsToCome(later), 4);
  (void)line.ComeBackAfter(later, "x", kGap, 0);
  EXPECT_NEAR(absl::ToDoubleSeconds(*line.ComeBackAfter(later, "y", kGap, 0)), 0.8 * 7, 0.3);
  for (int i = 0; i < 100; ++i) run(later + absl::Minutes(i), "d", 2);
  EXPECT_EQ(line.ComeBackAfter(later + absl::Hours(3), "z", kGap, 0), absl::ZeroDuration());
  EXPECT_NEAR(absl::ToDoubleSeconds(*line.ComeBackAfter(later + absl::Hours(3), "zz", kGap, 0)),
              0.8 * 2, 0.2);
}

TEST(TurnLine, ForgetsThoseThatDoNotComeBackAndIsBounded) {
  TurnLine line(/*callers_max=*/100);
  for (int i = 0; i < 300; ++i) {
    (void)line.ComeBackAfter(kStart, absl::StrCat(i), kGap, 0);
    line.Take(kStart, kStart, absl::StrCat("in ", i));
  }
  EXPECT_EQ(line.ComeBackAfter(kStart, "one more", kGap, 0), std::nullopt);
  EXPECT_EQ(line.ComeBackAfter(kStart, "", kGap, 0), std::nullopt);
  const absl::Time later = kStart + absl::Minutes(21);
  EXPECT_EQ(line.ComeBackAfter(later, "new", kGap, 0), absl::ZeroDuration());  // the first in line
  EXPECT_EQ(line.Amidst(later), 0);
  for (int i = 1; i < 100; ++i) {
    ASSERT_NE(line.ComeBackAfter(later, absl::StrCat("new ", i), kGap, 0), std::nullopt) << i;
  }
  EXPECT_EQ(line.ComeBackAfter(later, "one more", kGap, 0), std::nullopt);
}

}  // namespace
}  // namespace outbound
