#include "activities/outbound/breakers.h"

#include "gmock/gmock.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/random.h"
#include "tests/support/manual_loop.h"

namespace outbound_test {
namespace {

using outbound::BreakerForce;
using outbound::BreakerState;
using outbound::BreakerStatus;
using testing::HasSubstr;

class BreakersTest : public testing::Test {
 protected:
  void Fail(const std::string& vendor, const std::string& host, int count) {
    for (int i = 0; i < count; ++i) {
      breakers_.Failed(vendor, host, breakers_.Ask(vendor, host).ticket, {.reason = "refused"});
    }
  }
  std::string State(const std::string& vendor) {
    const std::string line = "circuit_breaker_state{service=\"" + vendor + "\"} ";
    const std::string exposed = metrics_.Expose();
    const size_t at = exposed.find(line);
    return at == std::string::npos ? "none" : exposed.substr(at + line.size(), 1);
  }
  test::ManualClock clock_;
  base::SeededRandom random_{3};
  base::Metrics metrics_;
  outbound::Breakers breakers_{clock_, random_, metrics_, {}};
};

TEST_F(BreakersTest, EveryRegisteredVendorIsInTheMetricsFromTheStart) {
  breakers_.Register("github");
  breakers_.Register("slack");
  for (const char* vendor : {"github", "slack"}) {
    EXPECT_EQ(State(vendor), "0");
    EXPECT_THAT(
        metrics_.Expose(),
        HasSubstr(std::string("circuit_breaker_failures_total{service=\"") + vendor + "\"} 0"));
  }
  EXPECT_EQ(breakers_.List().size(), 2u);
}

TEST_F(BreakersTest, ShowsTheStateAndCountsFailures) {
  Fail("github", "", 5);
  EXPECT_EQ(State("github"), "1");
  EXPECT_THAT(metrics_.Expose(), HasSubstr("circuit_breaker_failures_total{service=\"github\"} 5"));
  clock_.Advance(absl::Seconds(10));
  const auto probe = breakers_.Ask("github", "");
  ASSERT_TRUE(probe.go);
  EXPECT_EQ(State("github"), "2");
  breakers_.Succeeded("github", "", probe.ticket);
  EXPECT_EQ(State("github"), "0");
}

TEST_F(BreakersTest, OneVendorsBreakerHoldsUpNobodyElse) {
  Fail("github", "", 5);
  EXPECT_FALSE(breakers_.Ask("github", "").go);
  EXPECT_TRUE(breakers_.Ask("slack", "").go);
}

TEST_F(BreakersTest, HostsHaveBreakersOfTheirOwnAndTheVendorShowsTheWorst) {
  Fail("images", "a:443", 5);
  EXPECT_FALSE(breakers_.WouldGo("images", "a:443"));
  EXPECT_TRUE(breakers_.WouldGo("images", "b:443"));
  EXPECT_EQ(State("images"), "1");
  breakers_.Succeeded("images", "b:443", breakers_.Ask("images", "b:443").ticket);
  EXPECT_EQ(State("images"), "1");
  const auto status = breakers_.Get("images@a:443");
  ASSERT_TRUE(status.ok());
  EXPECT_EQ(status->state, BreakerState::kOpen);
}

TEST_F(BreakersTest, AWallClockThatStepsOpensNothingAndClosesNothing) {
  Fail("github", "", 5);
  clock_.Step(absl::Hours(5));
  EXPECT_FALSE(breakers_.WouldGo("github", ""));
  clock_.Step(-absl::Hours(10));
  clock_.Advance(absl::Seconds(10));
  EXPECT_TRUE(breakers_.WouldGo("github", ""));
  EXPECT_EQ(breakers_.Get("github")->next_probe_at, clock_.Now());
}

TEST_F(BreakersTest, AnOperatorForcesAndReleases) {
  breakers_.Register("github");
  const auto forced = breakers_.Force("github", BreakerForce::kOpen, "ann", "maintenance");
  ASSERT_TRUE(forced.ok());
  EXPECT_EQ(forced->state, BreakerState::kOpen);
  EXPECT_EQ(forced->forced, BreakerForce::kOpen);
  EXPECT_EQ(forced->forced_by, "ann");
  EXPECT_EQ(forced->reason, "maintenance");
  EXPECT_EQ(State("github"), "1");
  clock_.Advance(absl::Hours(1));
  EXPECT_FALSE(breakers_.Ask("github", "").go);
  const auto released = breakers_.Force("github", BreakerForce::kNone, "ann", "done");
  EXPECT_EQ(released->state, BreakerState::kClosed);
  EXPECT_TRUE(breakers_.Ask("github", "").go);
  EXPECT_EQ(breakers_.Force("githup", BreakerForce::kOpen, "ann", "").status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(BreakersTest, HostsAreNotKeptForEver) {
  breakers_.Register("images");
  Fail("images", "down:443", 5);
  for (int i = 0; i < 2000; ++i) breakers_.Ask("images", "host" + std::to_string(i));
  EXPECT_LE(breakers_.List().size(), 513u);
  EXPECT_TRUE(breakers_.Get("images").ok());
  EXPECT_TRUE(breakers_.Get("images@down:443").ok());
}

TEST_F(BreakersTest, HostsThatAreDownAreNotKeptForEverEither) {
  base::SetLogLevel(base::LogLevel::kOff);
  breakers_.Register("images");
  Fail("images", "held:443", 5);
  ASSERT_TRUE(breakers_.Force("images@held:443", BreakerForce::kOpen, "ann", "moves").ok());
  for (int i = 0; i < 1000; ++i) {
    Fail("images", "host" + std::to_string(i), 5);
    clock_.Advance(absl::Milliseconds(1));
  }
  EXPECT_LE(breakers_.List().size(), 512u);
  for (const char* stays : {"images", "images@held:443", "images@host999", "images@host800"}) {
    EXPECT_TRUE(breakers_.Get(stays).ok()) << stays;
  }
  for (const char* goes : {"images@host0", "images@host400"}) {
    EXPECT_FALSE(breakers_.Get(goes).ok()) << goes;
  }
  EXPECT_EQ(State("images"), "1");
}

}  // namespace
}  // namespace outbound_test
