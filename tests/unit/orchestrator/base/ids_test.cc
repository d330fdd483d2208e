#include "orchestrator/base/ids.h"

#include <gtest/gtest.h>

#include "orchestrator/base/outcome.h"
#include "orchestrator/base/random.h"

namespace base {
namespace {

TEST(NewRunId, IsAUuidVersion7ThatSortsByTime) {
  SeededRandom random(1);
  const RunId a = NewRunId(absl::FromUnixMillis(1'800'000'000'000), random);
  const RunId b = NewRunId(absl::FromUnixMillis(1'800'000'000'001), random);
  EXPECT_EQ(a.value().size(), 36u);
  EXPECT_EQ(a.value()[14], '7');
  EXPECT_NE(std::string("89ab").find(a.value()[19]), std::string::npos);
  EXPECT_LT(a, b);
  EXPECT_NE(a, NewRunId(absl::FromUnixMillis(1'800'000'000'000), random));
}

TEST(SeededRandom, RepeatsItselfAndStaysInItsRange) {
  SeededRandom a(5);
  SeededRandom b(5);
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(a.Next(), b.Next());
    const double x = a.NextDouble();
    EXPECT_TRUE(x >= 0 && x < 1) << x;
    b.Next();
  }
}

TEST(Outcome, ValueOfAFailureThrowsIt) {
  const Outcome<int> outcome = Failure::Permanent("Declined", "no");
  EXPECT_FALSE(outcome.ok());
  try {
    (void)outcome.value();
    FAIL();
  } catch (const FailureException& e) {
    EXPECT_EQ(e.failure().type, "Declined");
    EXPECT_STREQ(e.what(), "Declined: no");
  }
}

}  // namespace
}  // namespace base
