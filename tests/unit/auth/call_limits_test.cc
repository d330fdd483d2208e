#include "gateway/auth/call_limits.h"

#include <gtest/gtest.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "gateway/auth/limit_status.h"
#include "google/rpc/error_details.pb.h"

namespace auth {
namespace {

constexpr CallRate kTen{.calls = 10, .per = absl::Seconds(1)};

TEST(CallLimits, LetsTheBurstThroughAndThenTheRate) {
  CallLimits limits({.reads = kTen});
  absl::Duration now = absl::Seconds(100);
  for (int i = 9; i >= 0; --i) {
    const auto verdict = limits.Take(CallGroup::kReads, "ann", now);
    EXPECT_TRUE(verdict.allowed);
    EXPECT_EQ(verdict.remaining, i);
  }
  auto verdict = limits.Take(CallGroup::kReads, "ann", now);
  EXPECT_FALSE(verdict.allowed);
  EXPECT_EQ(verdict.retry_after, absl::Milliseconds(100));
  EXPECT_EQ(verdict.full_after, absl::Seconds(1));
  // Who comes back when told is let in, once.
  now += verdict.retry_after;
  EXPECT_TRUE(limits.Take(CallGroup::kReads, "ann", now).allowed);
  EXPECT_FALSE(limits.Take(CallGroup::kReads, "ann", now).allowed);
  // Refused calls cost nothing: the rate is kept.
  int let_in = 0;
  for (int i = 0; i < 10'000; ++i) {
    now += absl::Milliseconds(1);
    if (limits.Take(CallGroup::kReads, "ann", now).allowed) ++let_in;
  }
  EXPECT_EQ(let_in, 100);
  now += absl::Hours(5);
  EXPECT_EQ(limits.Take(CallGroup::kReads, "ann", now).remaining, 9) << "never more than a burst";
}

TEST(CallLimits, CallersAndGroupsDoNotShare) {
  CallLimits limits({.reads = kTen, .writes = kTen});
  for (int i = 0; i < 10; ++i) limits.Take(CallGroup::kReads, "ann", absl::ZeroDuration());
  EXPECT_FALSE(limits.Take(CallGroup::kReads, "ann", absl::ZeroDuration()).allowed);
  EXPECT_TRUE(limits.Take(CallGroup::kReads, "bob", absl::ZeroDuration()).allowed);
  EXPECT_TRUE(limits.Take(CallGroup::kWrites, "ann", absl::ZeroDuration()).allowed);
  const auto free = limits.Take(CallGroup::kAdmin, "ann", absl::ZeroDuration());
  EXPECT_TRUE(free.allowed);
  EXPECT_FALSE(free.limited);
  EXPECT_TRUE(RateLimitHeaders(free).empty());
}

TEST(CallLimits, AClockThatStandsOrGoesBackGivesNothing) {
  CallLimits limits({.reads = kTen});
  for (int i = 0; i < 10; ++i) limits.Take(CallGroup::kReads, "ann", absl::Seconds(50));
  EXPECT_FALSE(limits.Take(CallGroup::kReads, "ann", absl::Seconds(40)).allowed);
  EXPECT_FALSE(limits.Take(CallGroup::kReads, "ann", absl::Seconds(50)).allowed);
}

TEST(CallLimits, MemoryIsBoundedAndTheIdleGoFirst) {
  CallLimits limits({.reads = kTen, .callers_max = 1600});
  for (int i = 0; i < 10; ++i) limits.Take(CallGroup::kReads, "busy", absl::ZeroDuration());
  for (int i = 0; i < 100'000; ++i) {
    limits.Take(CallGroup::kReads, absl::StrCat("caller-", i), absl::ZeroDuration());
    if (i % 50 == 0) {
      ASSERT_FALSE(limits.Take(CallGroup::kReads, "busy", absl::ZeroDuration()).allowed) << i;
    }
  }
  // Whoever is forgotten has all ten calls again.
  const auto remaining = [&](int i) {
    return limits.Take(CallGroup::kReads, absl::StrCat("caller-", i), absl::ZeroDuration())
        .remaining;
  };
  EXPECT_EQ(remaining(99'999), 8);
  for (int i = 0; i < 90'000; i += 1'000) ASSERT_EQ(remaining(i), 9) << i;
}

TEST(RateLimitHeaders, SayWhatTheDraftSays) {
  CallLimits limits({.starts = {.calls = 2, .per = absl::Minutes(1)}});
  limits.Take(CallGroup::kStarts, "ann", absl::ZeroDuration());
  const auto list = RateLimitHeaders(limits.Take(CallGroup::kStarts, "ann", absl::ZeroDuration()));
  std::map<std::string, std::string> headers(list.begin(), list.end());
  EXPECT_EQ(headers["RateLimit-Limit"], "2");
  EXPECT_EQ(headers["RateLimit-Remaining"], "0");
  EXPECT_EQ(headers["RateLimit-Reset"], "60");
  EXPECT_EQ(headers["RateLimit-Policy"], "2;w=60");
  EXPECT_FALSE(headers.contains("Retry-After"));
  const auto refused =
      RateLimitHeaders(limits.Take(CallGroup::kStarts, "ann", absl::ZeroDuration()));
  headers = {refused.begin(), refused.end()};
  EXPECT_EQ(headers["Retry-After"], "30");
}

TEST(ParseCallRate, ReadsWhatAnOperatorWrites) {
  EXPECT_EQ(ParseCallRate("100/1s")->calls, 100);
  EXPECT_EQ(ParseCallRate("5/2m30s")->per, absl::Seconds(150));
  EXPECT_EQ(ParseCallRate("off")->calls, 0);
  for (const char* wrong : {"", "100", "0/1s", "-5/1s", "x/1s", "5/0s", "5/25h", "5/s", "1e9/1s"}) {
    EXPECT_FALSE(ParseCallRate(wrong).ok()) << wrong;
  }
}

TEST(AddressGroup, IsAnAddressOrANetworkOfIpv6) {
  EXPECT_EQ(AddressGroup("127.0.0.1:40112"), "127.0.0.1");
  EXPECT_EQ(AddressGroup("[2001:db8:1:2:3::4]:80"), "2001:db8:1:2");
  EXPECT_EQ(AddressGroup("2001:db8:1:2:ffff::1"), "2001:db8:1:2");
  EXPECT_EQ(AddressGroup("[::ffff:10.1.2.3]:80"), "10.1.2.3");
  EXPECT_EQ(AddressGroup("ipv4:127.0.0.1:5"), "127.0.0.1");
  EXPECT_EQ(AddressGroup("ipv6:%5B::1%5D:5"), "0:0:0:0");
  EXPECT_EQ(AddressGroup(""), "");
}

TEST(LimitExceeded, CarriesTheDetails) {
  const absl::Status status =
      LimitExceeded("RATE_LIMITED", "reads of ann", "too many", absl::Milliseconds(1500));
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(RetryAfterOf(status), absl::Milliseconds(1500));
  google::rpc::QuotaFailure failure;
  ASSERT_TRUE(failure.ParseFromString(std::string(*status.GetPayload(kQuotaFailureUrl))));
  EXPECT_EQ(failure.violations(0).subject(), "reads of ann");
  EXPECT_FALSE(RetryAfterOf(LimitExceeded("X", "s", "m", std::nullopt)).has_value());
}

}  // namespace
}  // namespace auth
