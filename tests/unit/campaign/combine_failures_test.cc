#include "activities/campaign/combine_failures.h"

#include <gtest/gtest.h>

namespace campaign {
namespace {

base::Failure Busy(absl::Duration after) {
  base::Failure failure = base::Failure::Retryable("Busy", "busy");
  failure.retry_after = after;
  return failure;
}
const base::Failure kWrong = base::Failure::Permanent("Wrong", "wrong");
base::Failure PutOff(absl::Duration after) {
  return base::Failure::NotAttempted("CircuitOpen", "open", after);
}

TEST(CombineFailures, OnePartThatMayYetSucceedIsEnoughOrNot) {
  EXPECT_TRUE(CombineFailures("F", "", {kWrong, Busy({})}, RetryWhen::kAnyMay).retryable);
  EXPECT_FALSE(CombineFailures("F", "", {kWrong, Busy({})}, RetryWhen::kAllMay).retryable);
  EXPECT_FALSE(CombineFailures("F", "", {kWrong, kWrong}, RetryWhen::kAnyMay).retryable);
}

TEST(CombineFailures, TheLongestWishCounts) {
  const base::Failure failure = CombineFailures(
      "F", "m", {Busy(absl::Seconds(3)), Busy(absl::Seconds(9))}, RetryWhen::kAllMay);
  EXPECT_EQ(failure.retry_after, absl::Seconds(9));
  EXPECT_EQ(failure.cause->type, "Busy");
  EXPECT_FALSE(failure.not_attempted);
}

TEST(CombineFailures, APartThatWasPutOffPutsTheWholeOff) {
  const base::Failure failure =
      CombineFailures("F", "m", {Busy({}), PutOff(absl::Minutes(5))}, RetryWhen::kAllMay);
  EXPECT_TRUE(failure.not_attempted);
  EXPECT_EQ(failure.retry_after, absl::Minutes(5));
}

TEST(CombineFailures, NothingIsPutOffThatCannotSucceed) {
  EXPECT_FALSE(CombineFailures("F", "m", {kWrong, PutOff(absl::Minutes(5))}, RetryWhen::kAllMay)
                   .not_attempted);
  EXPECT_TRUE(CombineFailures("F", "m", {kWrong, PutOff(absl::Minutes(5))}, RetryWhen::kAnyMay)
                  .not_attempted);
}

TEST(JoinFailures, SaysEachReasonOnceAndNamesAll) {
  const base::Failure no = base::Failure::Permanent("Forbidden", "no");
  const base::Failure busy = base::Failure::Retryable("RateLimited", "busy");
  EXPECT_EQ(JoinFailures({"draft a/x", "mail 7", "draft a/y", "post 1"}, {no, busy, no, no}),
            "draft a/x: no; the same for 2 more: y, post 1; mail 7: busy");
  EXPECT_EQ(JoinFailures({"twitter"}, {busy}), "twitter: busy");
  EXPECT_EQ(JoinFailures({"a b", "a b"}, {no, no}), "a b: no; the same for 1 more: b");
}

}  // namespace
}  // namespace campaign
