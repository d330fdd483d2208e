#include <gtest/gtest.h>

#include "orchestrator/core/decide.h"
#include "orchestrator/history/time.h"
#include "tests/unit/orchestrator/core/model_run.h"

namespace core {
namespace {

v1::RetryPolicy Policy(absl::Duration initial, double coefficient, absl::Duration maximum,
                       double jitter = 0) {
  v1::RetryPolicy policy;
  *policy.mutable_initial_interval() = history::ToProto(initial);
  policy.set_backoff_coefficient(coefficient);
  *policy.mutable_maximum_interval() = history::ToProto(maximum);
  policy.set_jitter(jitter);
  return policy;
}

TEST(BackoffDelay, DoublesUntilItsMaximum) {
  const v1::RetryPolicy policy = Policy(absl::Seconds(1), 2, absl::Seconds(10));
  EXPECT_EQ(BackoffDelay(policy, 1, 0.5), absl::Seconds(1));
  EXPECT_EQ(BackoffDelay(policy, 2, 0.5), absl::Seconds(2));
  EXPECT_EQ(BackoffDelay(policy, 4, 0.5), absl::Seconds(8));
  EXPECT_EQ(BackoffDelay(policy, 5, 0.5), absl::Seconds(10));
  EXPECT_EQ(BackoffDelay(policy, 1'000'000, 0.5), absl::Seconds(10)) << "no overflow";
}

TEST(BackoffDelay, UnsetFieldsHaveTheDocumentedDefaults) {
  v1::RetryPolicy policy;
  EXPECT_EQ(BackoffDelay(policy, 1, 0.5), absl::Seconds(1));
  EXPECT_EQ(BackoffDelay(policy, 2, 0.5), absl::Seconds(2));
  EXPECT_EQ(BackoffDelay(policy, 60, 0.5), absl::Seconds(100)) << "100 times the initial one";
}

TEST(BackoffDelay, JitterSpreadsAroundTheDelay) {
  const v1::RetryPolicy policy = Policy(absl::Seconds(10), 1, absl::Seconds(10), 0.2);
  EXPECT_EQ(BackoffDelay(policy, 1, 0.0), absl::Seconds(9));
  EXPECT_EQ(BackoffDelay(policy, 1, 0.5), absl::Seconds(10));
  EXPECT_LT(BackoffDelay(policy, 1, 0.999999), absl::Seconds(11));
}

TEST(BackoffDelay, JitterOutsideItsRangeIsCut) {
  EXPECT_EQ(BackoffDelay(Policy(absl::Seconds(10), 1, absl::Seconds(10), 5), 1, 0.0),
            absl::Seconds(5));
  EXPECT_EQ(BackoffDelay(Policy(absl::Seconds(10), 1, absl::Seconds(10), -1), 1, 0.0),
            absl::Seconds(10));
}

TEST(Backoff, AServersWishWinsOverAShorterDelay) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({});
  run.Dispatch(id);
  v1::Failure failure = RetryableFailure("RateLimited");
  *failure.mutable_retry_after() = history::ToProto(absl::Seconds(90));
  run.Fail(id, failure);
  EXPECT_EQ(run.state.activities.at(id).next_attempt_time, run.now + absl::Seconds(90));
  EXPECT_EQ(run.state.activities.at(id).attempt, 2);
}

TEST(Backoff, AServersWishDoesNotShortenTheDelay) {
  ModelRun run;
  run.Start();
  const EventId id = run.Schedule({.initial = absl::Seconds(60)});
  run.Dispatch(id);
  v1::Failure failure = RetryableFailure("RateLimited");
  *failure.mutable_retry_after() = history::ToProto(absl::Seconds(1));
  run.Fail(id, failure);
  EXPECT_EQ(run.state.activities.at(id).next_attempt_time, run.now + absl::Seconds(60));
}

}  // namespace
}  // namespace core
