#include "activities/outbound/rate_limits.h"

#include "gtest/gtest.h"

namespace outbound {
namespace {

TEST(ParseRateLimits, ReadsEveryKind) {
  const auto limits = ParseRateLimits("900/1m, writes:80/1m,operation:50/1m, scope:1/1s");
  ASSERT_TRUE(limits.ok()) << limits.status();
  ASSERT_EQ(limits->size(), 4u);
  EXPECT_EQ((*limits)[0].kind, RateLimit::Kind::kAll);
  EXPECT_EQ((*limits)[0].calls, 900);
  EXPECT_EQ((*limits)[0].per, absl::Minutes(1));
  EXPECT_EQ((*limits)[1].kind, RateLimit::Kind::kWrites);
  EXPECT_EQ((*limits)[2].kind, RateLimit::Kind::kOperation);
  EXPECT_EQ((*limits)[3].kind, RateLimit::Kind::kScope);
  EXPECT_TRUE(ParseRateLimits("")->empty());
  EXPECT_EQ(ParseRateLimits("all:5/720h")->front().per, absl::Hours(720));
}

TEST(ParseRateLimits, SaysWhichElementIsWrong) {
  for (const char* text :
       {"5", "5/", "/1m", "0/1m", "-1/1m", "5/0s", "5/1", "posts:5/1m", "5/1m/2", "5/1000h"}) {
    const auto limits = ParseRateLimits(std::string("9/1s,") + text);
    ASSERT_FALSE(limits.ok()) << text;
    EXPECT_NE(limits.status().message().find(text), absl::string_view::npos) << limits.status();
  }
}

}  // namespace
}  // namespace outbound
