// Goal: 20 starts an hour and 50 posts a day (row R3), over restarts, counted once. Method: a real
// file, a clock that is moved.
#include "gateway/auth/user_quotas.h"

#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "gateway/auth/limit_status.h"
#include "orchestrator/base/metrics.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_folder.h"

namespace auth {
namespace {

class UserQuotasTest : public testing::Test {
 protected:
  UserQuotasTest() { Open(); }
  void Open(UserQuotas::Options options = {}) {
    quotas_.reset();
    auto opened =
        UserQuotas::Open(folder_.File("quotas.db"), std::move(options), clock_, &metrics_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    quotas_ = *std::move(opened);
  }
  absl::StatusOr<bool> Reserve(const std::string& user, const std::string& campaign,
                               int posts = 0) {
    absl::StatusOr<bool> result = false;
    absl::Notification done;
    quotas_->Reserve(user, campaign, posts, [&](absl::StatusOr<bool> counted) {
      result = std::move(counted);
      done.Notify();
    });
    done.WaitForNotification();
    return result;
  }

  test::TemporaryFolder folder_;
  test::ManualClock clock_;
  base::Metrics metrics_;
  std::unique_ptr<UserQuotas> quotas_;
};

TEST_F(UserQuotasTest, RefusesTheTwentyFirstStartOfAnHourAndSaysWhenItMay) {
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(Reserve("ann", absl::StrCat("c", i)).ok()) << i;
    clock_.Advance(absl::Minutes(1));
  }
  const absl::Status refused = Reserve("ann", "c20").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(refused.message(),
            "ann has started 20 campaigns within the last hour (limit 20); the next may be "
            "started at 2026-09-21T15:13:20Z (in 40m)");
  EXPECT_EQ(RetryAfterOf(refused), absl::Minutes(40));
  EXPECT_TRUE(Reserve("bob", "b1").ok());
  clock_.Advance(absl::Minutes(40) - absl::Seconds(1));
  EXPECT_FALSE(Reserve("ann", "c20").ok());
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(Reserve("ann", "c20").ok()) << "when it was told";
  EXPECT_FALSE(Reserve("ann", "c21").ok());
  EXPECT_TRUE(absl::StrContains(metrics_.Expose(), "calls_limited_total{group=\"quota\"} 3"));
}

TEST_F(UserQuotasTest, ARestartForgetsNothing) {
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Reserve("ann", absl::StrCat("c", i)).ok());
  Open();
  EXPECT_FALSE(Reserve("ann", "c20").ok());
}

TEST_F(UserQuotasTest, ARepeatedStartCountsOnce) {
  Open({.starts_per_hour = 2});
  EXPECT_TRUE(*Reserve("ann", "c1"));
  EXPECT_FALSE(*Reserve("ann", "c1"));
  EXPECT_TRUE(*Reserve("ann", "c2"));
  EXPECT_FALSE(*Reserve("ann", "c1")) << "what was counted is let through, at the limit too";
  EXPECT_FALSE(Reserve("ann", "c3").ok());
}

TEST_F(UserQuotasTest, AStartThatDidNotHappenIsGivenBack) {
  Open({.starts_per_hour = 1});
  EXPECT_TRUE(*Reserve("ann", "c1"));
  quotas_->Release("ann", "c1");
  EXPECT_TRUE(*Reserve("ann", "c2"));
}

TEST_F(UserQuotasTest, CountsThePostsOfADay) {
  Open({.starts_per_hour = 0, .posts_per_day = 50});
  EXPECT_TRUE(Reserve("ann", "c1", 30).ok());
  clock_.Advance(absl::Hours(1));
  EXPECT_TRUE(Reserve("ann", "c2", 15).ok());
  clock_.Advance(absl::Hours(1));
  const absl::Status refused = Reserve("ann", "c3", 6).status();
  EXPECT_TRUE(absl::StrContains(refused.message(), "has planned 45 posts")) << refused;
  EXPECT_EQ(RetryAfterOf(refused), absl::Hours(22)) << "when the first ones are a day old";
  EXPECT_TRUE(Reserve("ann", "c4", 5).ok());
  EXPECT_TRUE(Reserve("ann", "c5", 0).ok()) << "without posts";
  clock_.Advance(absl::Hours(22));
  EXPECT_TRUE(Reserve("ann", "c3", 6).ok());
}

TEST_F(UserQuotasTest, MoreThanADayAllowsIsSaidAtOnce) {
  const absl::Status refused = Reserve("ann", "c1", 51).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_FALSE(RetryAfterOf(refused).has_value()) << "waiting does not help";
}

TEST_F(UserQuotasTest, ExemptCallersAreNotCounted) {
  Open({.starts_per_hour = 1, .exempt = {"key:ci"}});
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(Reserve("key:ci", absl::StrCat("c", i), 100).ok());
}

TEST_F(UserQuotasTest, RefusesAfterClose) {
  quotas_->Close();
  EXPECT_EQ(Reserve("ann", "c1").status().code(), absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace auth
