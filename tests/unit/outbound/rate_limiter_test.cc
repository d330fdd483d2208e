#include "activities/outbound/rate_limiter.h"

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/support/manual_loop.h"

namespace outbound_test {
namespace {

using outbound::Classification;
using outbound::HttpRequest;
using outbound::HttpResponse;
using outbound::RateLimiter;
using outbound::Vendor;

outbound::RateLimits Limits(const char* text) { return *outbound::ParseRateLimits(text); }

const Vendor kVendor{.name = "acme"};
const Vendor kByOperation{.name = "slack", .limited_by_operation = true};

HttpRequest Get(std::string credential = "Bearer one") {
  HttpRequest request{.method = "GET", .url = "http://acme/", .operation = "get"};
  request.headers = {{"Authorization", std::move(credential)}};
  return request;
}
HttpRequest Post(std::string scope = "") {
  HttpRequest request = Get();
  request.method = "POST";
  request.operation = "post";
  request.limit_scope = std::move(scope);
  return request;
}

class RateLimiterTest : public testing::Test {
 protected:
  RateLimiter Make(const char* limits, absl::Duration wait_max = absl::Seconds(5)) {
    return RateLimiter(
        clock_, random_,
        {.limits = {{"acme", Limits(limits)}, {"slack", Limits(limits)}}, .wait_max = wait_max});
  }
  // How many calls are granted now, without a wait.
  int Granted(RateLimiter& limiter, const HttpRequest& request, int asked,
              const Vendor& vendor = kVendor) {
    int granted = 0;
    for (int i = 0; i < asked; ++i) {
      granted += limiter.Take(vendor, request, absl::ZeroDuration()).granted ? 1 : 0;
    }
    return granted;
  }
  HttpResponse Response(std::vector<std::pair<std::string, std::string>> headers) {
    return {.status = 200, .headers = std::move(headers), .received_at = clock_.Now()};
  }
  test::ManualClock clock_;
  base::SeededRandom random_{1};
};

TEST_F(RateLimiterTest, NoWindowSeesMoreCallsThanTheLimit) {
  for (const char* text : {"50/1m", "1/1s", "100/15m", "7/10s"}) {
    RateLimiter limiter = Make(text, absl::ZeroDuration());
    const outbound::RateLimit limit = Limits(text).front();
    std::deque<absl::Duration> passed;
    const absl::Duration step = limit.per / 200;
    int most = 0;
    for (int i = 0; i < 1000; ++i) {
      if (limiter.Take(kVendor, Get(), absl::ZeroDuration()).granted) {
        passed.push_back(clock_.Monotonic());
      }
      while (!passed.empty() && passed.front() <= clock_.Monotonic() - limit.per) {
        passed.pop_front();
      }
      most = std::max(most, static_cast<int>(passed.size()));
      clock_.Advance(step);
    }
    EXPECT_LE(most, limit.calls) << text;
    EXPECT_GE(most, limit.calls * 9 / 10) << text;
  }
}

TEST_F(RateLimiterTest, ShortWaitsAreGrantedLongOnesAreSentAway) {
  RateLimiter limiter = Make("1/2s");
  EXPECT_EQ(limiter.Take(kVendor, Get(), absl::Minutes(1)).wait, absl::ZeroDuration());
  EXPECT_EQ(limiter.Take(kVendor, Get(), absl::Minutes(1)).wait, absl::Seconds(2));
  EXPECT_EQ(limiter.Take(kVendor, Get(), absl::Minutes(1)).wait, absl::Seconds(4));
  absl::Duration last = absl::ZeroDuration();
  for (int i = 0; i < 10; ++i) {
    const RateLimiter::Turn turn = limiter.Take(kVendor, Get(), absl::Minutes(1));
    ASSERT_FALSE(turn.granted);
    EXPECT_GT(turn.wait, last);  // one after another
    last = turn.wait;
  }
  EXPECT_GE(last, absl::Seconds(6 + 2 * 9));
  EXPECT_LE(last, absl::Seconds(6 + 2 * 10));
}

TEST_F(RateLimiterTest, TheCallersOwnPatienceCounts) {
  RateLimiter limiter = Make("1/2s");
  limiter.Take(kVendor, Get(), absl::Seconds(1));
  EXPECT_FALSE(limiter.Take(kVendor, Get(), absl::Seconds(1)).granted);
}

TEST_F(RateLimiterTest, CredentialsAreCountedApart) {
  RateLimiter limiter = Make("5/1m");
  EXPECT_EQ(Granted(limiter, Get("Bearer one"), 3), 1);
  EXPECT_EQ(Granted(limiter, Get("Bearer two"), 3), 1);
}

TEST_F(RateLimiterTest, WritesOperationsAndScopesAreCountedByThemselves) {
  RateLimiter writes = Make("writes:2/1h");
  EXPECT_EQ(Granted(writes, Post(), 5), 2);
  EXPECT_EQ(Granted(writes, Get(), 5), 5);
  RateLimiter operations = Make("operation:2/1h");
  EXPECT_EQ(Granted(operations, Post(), 5), 2);
  EXPECT_EQ(Granted(operations, Get(), 5), 2);
  RateLimiter scopes = Make("scope:1/1s");
  EXPECT_EQ(Granted(scopes, Post("C1"), 3), 1);
  EXPECT_EQ(Granted(scopes, Post("C2"), 3), 1);
  EXPECT_EQ(Granted(scopes, Post(""), 3), 3);
}

TEST_F(RateLimiterTest, NothingLeftHoldsBackUntilTheReset) {
  RateLimiter limiter = Make("");
  const std::string reset = absl::StrCat(absl::ToUnixSeconds(clock_.Now() + absl::Seconds(90)));
  limiter.Observe(kVendor, Get(),
                  Response({{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", reset}}), {});
  EXPECT_EQ(Granted(limiter, Get(), 1), 0);
  EXPECT_EQ(Granted(limiter, Get("Bearer two"), 1), 1);
  clock_.Advance(absl::Seconds(89));
  EXPECT_EQ(Granted(limiter, Get(), 1), 0);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Granted(limiter, Get(), 1), 1);
}

TEST_F(RateLimiterTest, ARefusalHoldsBackAsLongAsItSaysAndLongerEachTime) {
  RateLimiter limiter = Make("");
  const Classification refused = outbound::RateLimited(absl::Minutes(1), "secondary rate limit");
  limiter.Observe(kVendor, Get(), Response({}), refused);
  limiter.Observe(kVendor, Get(), Response({}), refused);  // was on its way already
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(Granted(limiter, Get(), 1), 1);
  limiter.Observe(kVendor, Get(), Response({}), refused);
  clock_.Advance(absl::Seconds(119));
  EXPECT_EQ(Granted(limiter, Get(), 1), 0);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Granted(limiter, Get(), 1), 1);
  limiter.Observe(kVendor, Get(), Response({}), {});  // a good answer: back to the first wait
  limiter.Observe(kVendor, Get(), Response({}), refused);
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(Granted(limiter, Get(), 1), 1);
}

TEST_F(RateLimiterTest, ARefusalOfOneOperationHoldsUpNoOther) {
  RateLimiter limiter = Make("");
  limiter.Observe(kByOperation, Post("C1"), Response({}),
                  outbound::RateLimited(absl::Minutes(1), "ratelimited"));
  EXPECT_EQ(Granted(limiter, Post("C1"), 1, kByOperation), 0);
  EXPECT_EQ(Granted(limiter, Post("C2"), 1, kByOperation), 1);
  EXPECT_EQ(Granted(limiter, Get(), 1, kByOperation), 1);
}

TEST_F(RateLimiterTest, OneShortRefusalAmongAcceptedCallsHoldsUpNobodyElse) {
  RateLimiter limiter = Make("");
  const Classification refused = outbound::RateLimited(absl::Seconds(1), "slow down");
  for (int i = 0; i < 10; ++i) {
    limiter.Observe(kVendor, Get(), Response({}), refused);
    EXPECT_EQ(Granted(limiter, Get(), 1), 1) << i;
    for (int ok = 0; ok < 4; ++ok) limiter.Observe(kVendor, Get(), Response({}), {});
  }
  limiter.Observe(kVendor, Get(), Response({}), refused);
  limiter.Observe(kVendor, Get(), Response({}), refused);  // no accepted call in between
  EXPECT_EQ(Granted(limiter, Get(), 1), 0);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Granted(limiter, Get(), 1), 1);
}

// Activities of several calls at a limit that they fill: who is sent away by the limiter begins
// again with the first call. A small simulation: each activity is woken at its time.
struct Ended {
  absl::Duration first;
  absl::Duration last;
  int calls;  // that went out
  int turned_away_amidst;
  int activities;
  int asked;
  std::vector<absl::Duration> at;  // by activity
};
Ended RunActivities(RateLimiter& limiter, test::ManualClock& clock, int activities, int calls_each,
                    absl::Duration patience) {
  struct Activity {
    int number;
    int done;
  };
  std::multimap<absl::Duration, Activity> woken;
  for (int i = 0; i < activities; ++i) woken.insert({clock.Monotonic(), {i, 0}});
  Ended ended{.at = std::vector<absl::Duration>(activities)};
  while (!woken.empty() && woken.begin()->first < absl::Hours(100)) {
    const auto [at, activity] = *woken.begin();
    woken.erase(woken.begin());
    clock.Advance(at - clock.Monotonic());
    ++ended.asked;
    const RateLimiter::Turn turn =
        limiter.Take(kVendor, Post(), patience, absl::StrCat("activity ", activity.number));
    if (!turn.granted) {
      ended.turned_away_amidst += activity.done > 0 ? 1 : 0;
      woken.insert({at + turn.wait, {activity.number, 0}});
      continue;
    }
    ++ended.calls;
    const absl::Duration answered = at + turn.wait + absl::Milliseconds(50);
    if (activity.done + 1 < calls_each) {
      woken.insert({answered, {activity.number, activity.done + 1}});
      continue;
    }
    ++ended.activities;
    ended.at[activity.number] = answered;
    ended.last = std::max(ended.last, answered);
  }
  ended.first = *std::min_element(ended.at.begin(), ended.at.end());
  return ended;
}

struct Load {
  const char* limit;
  int activities;
  int calls_each;
  absl::Duration patience = absl::Seconds(150);  // half of an attempt's five minutes
};

TEST_F(RateLimiterTest, ActivitiesOfSeveralCallsDoNotStarveEachOther) {
  for (const Load& load :
       {Load{"60/1m", 100, 7}, Load{"writes:300/1m", 200, 7}, Load{"600/1m, writes:80/1m", 100, 7},
        Load{"10/1m", 30, 3}, Load{"1/1s", 50, 2}, Load{"6000/1m", 2000, 7}}) {
    SCOPED_TRACE(absl::StrCat(load.limit, ", ", load.activities));
    RateLimiter limiter = Make(load.limit);
    const outbound::RateLimit limit = Limits(load.limit).back();
    const absl::Duration begin = clock_.Monotonic();
    const Ended ended =
        RunActivities(limiter, clock_, load.activities, load.calls_each, load.patience);
    EXPECT_EQ(ended.activities, load.activities) << "the others starve";
    const int calls = load.activities * load.calls_each;
    EXPECT_LE(ended.calls, calls * 1.02);
    EXPECT_LE(ended.turned_away_amidst, load.activities / 50);
    const absl::Duration ideal = limit.per / limit.calls * calls;
    EXPECT_LE(ended.last - begin, ideal * 1.15 + absl::Seconds(30))
        << "ideal " << ideal << ", took " << ended.last - begin;
    // Whoever came first is served first, about.
    const absl::Duration tenth = ended.at[load.activities / 10] - begin;
    EXPECT_LE(tenth, ideal * 0.5 + absl::Seconds(30)) << ideal << " " << tenth;
  }
}

TEST_F(RateLimiterTest, ACrowdLargerThanIsKnownByNameComesBackInTurnToo) {
  RateLimiter limiter = Make("6000/1m");
  const Ended ended = RunActivities(limiter, clock_, 15'000, 1, absl::Seconds(150));
  EXPECT_EQ(ended.activities, 15'000);
  EXPECT_LE(ended.asked, 15'000 * 6);  // nobody asks again and again
  EXPECT_LE(ended.last, absl::Minutes(2.5) * 1.5 + absl::Minutes(1));
}

TEST_F(RateLimiterTest, AWindowOfManyMinutesLosesFewCallsToBeginnings) {
  RateLimiter limiter = Make("100/15m");
  const absl::Duration begin = clock_.Monotonic();
  const Ended ended = RunActivities(limiter, clock_, 60, 7, absl::Seconds(150));
  // Nothing is known of the first ones: they may take the whole first window in vain.
  EXPECT_LE(ended.calls, 60 * 7 + 100 + 20);
  EXPECT_LE(ended.last - begin, absl::Minutes(15) * 7);
}

struct HeaderCase {
  std::vector<std::pair<std::string, std::string>> headers;
  absl::Duration hold;
};

TEST(HoldFromHeaders, KnowsTheVendorsForms) {
  const absl::Time now = absl::FromUnixSeconds(1'790'000'000);
  const HeaderCase cases[] = {
      {{}, absl::ZeroDuration()},
      {{{"x-ratelimit-remaining", "5"}, {"x-ratelimit-reset", "1790000060"}}, absl::ZeroDuration()},
      {{{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "1790000060"}}, absl::Minutes(1)},
      {{{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "1789999999"}}, absl::ZeroDuration()},
      {{{"x-ratelimit-remaining", "0"}, {"x-ratelimit-reset", "17"}}, absl::Seconds(17)},
      {{{"x-ratelimit-remaining", "0"}}, absl::ZeroDuration()},
      {{{"x-ratelimit-remaining-requests", "0"}, {"x-ratelimit-reset-requests", "6m0s"}},
       absl::Minutes(6)},
      {{{"x-ratelimit-remaining-tokens", "-1"}, {"x-ratelimit-reset-tokens", "0"}},
       absl::ZeroDuration()},
      {{{"ratelimit", "\"100-in-15min\";r=98;t=897"}}, absl::ZeroDuration()},
      {{{"ratelimit", "\"100-in-15min\";r=0;t=897"}}, absl::Seconds(897)},
      {{{"ratelimit", "\"100-in-15min\";r=0;t=10, \"250-in-24h\"; r=0; t=4000"}},
       absl::Seconds(4000)},
      {{{"ratelimit", "nonsense"}}, absl::ZeroDuration()},
  };
  for (const HeaderCase& each : cases) {
    EXPECT_EQ(outbound::HoldFromHeaders({.headers = each.headers, .received_at = now}), each.hold)
        << (each.headers.empty() ? "no headers" : each.headers.back().second);
  }
}

}  // namespace
}  // namespace outbound_test
