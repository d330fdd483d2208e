// The breaker's state machine: each case is a list of things that happen and the state after each.
#include "activities/outbound/circuit_breaker.h"

#include <map>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "orchestrator/base/random.h"

namespace outbound {
namespace {

const absl::Time kStart = absl::FromUnixSeconds(1'790'000'000);
constexpr BreakerState kClosed = BreakerState::kClosed;
constexpr BreakerState kOpen = BreakerState::kOpen;
constexpr BreakerState kHalfOpen = BreakerState::kHalfOpen;

struct Step {
  enum What {
    kOk,       // a call goes and succeeds
    kFail,     // a call goes and fails
    kDoubt,    // a call goes and fails in a way that may be its own fault
    kAway,     // a call goes; the vendor says it is away for `time`
    kQuota,    // a call goes; the vendor will serve nobody for `time`
    kRefused,  // a call asks and does not go
    kGo,       // a call goes and stays on its way
    kGoOk,     // the oldest call on its way succeeds
    kGoFail,   // ... fails
    kGoEnd,    // ... ends without saying anything
    kPass,     // `time` passes
    kForceOpen,
    kForceClosed,
    kReset,
  } what;
  BreakerState after;
  absl::Duration time = absl::ZeroDuration();
  std::string caller = "one";
};

struct Case {
  std::string name;
  std::vector<Step> steps;
};

std::vector<Step> operator+(std::vector<Step> a, const std::vector<Step>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
std::vector<Step> Times(int count, Step step) { return std::vector<Step>(count, step); }
Step Pass(absl::Duration time, BreakerState after) {
  return {.what = Step::kPass, .after = after, .time = time};
}

const std::vector<Step> kOpened =
    Times(4, {Step::kFail, kClosed}) + std::vector<Step>{{Step::kFail, kOpen}};

const Case kCases[] = {
    {"OpensOnFailuresInARow", kOpened + std::vector<Step>{{Step::kRefused, kOpen}}},
    {"ASuccessStartsTheRowAnew",
     Times(4, {Step::kFail, kClosed}) + std::vector<Step>{{Step::kOk, kClosed}} +
         Times(4, {Step::kFail, kClosed}) + std::vector<Step>{{Step::kFail, kOpen}}},
    {"OpensOnTheFailureRate",
     Times(2, {Step::kOk, kClosed}) + Times(4, {Step::kFail, kClosed}) +
         Times(4, {Step::kOk, kClosed}) + Times(4, {Step::kFail, kClosed}) +
         Times(4, {Step::kOk, kClosed}) + Times(1, {Step::kFail, kClosed}) +
         std::vector<Step>{{Step::kFail, kOpen}}},
    {"OldFailuresLeaveTheWindow",
     Times(4, {Step::kFail, kClosed}) + Times(2, {Step::kOk, kClosed}) +
         Times(4, {Step::kFail, kClosed}) + std::vector<Step>{Pass(absl::Minutes(2), kClosed)} +
         Times(6, {Step::kOk, kClosed}) + Times(4, {Step::kFail, kClosed})},
    {"OneCallersDoubtfulFailuresAreItsOwn", Times(30, {Step::kDoubt, kClosed})},
    {"TwoCallersDoubtfulFailuresAreTheVendors",
     Times(4, {Step::kDoubt, kClosed}) +
         std::vector<Step>{{Step::kDoubt, kOpen, absl::ZeroDuration(), "two"}}},
    {"ProbesAfterItsTime", kOpened + std::vector<Step>{Pass(absl::Seconds(9), kOpen),
                                                       {Step::kRefused, kOpen},
                                                       Pass(absl::Seconds(1), kOpen),
                                                       {Step::kOk, kClosed},
                                                       {Step::kOk, kClosed}}},
    {"OneProbeOnly", kOpened + std::vector<Step>{Pass(absl::Seconds(10), kOpen),
                                                 {Step::kGo, kHalfOpen},
                                                 {Step::kRefused, kHalfOpen},
                                                 {Step::kRefused, kHalfOpen},
                                                 {Step::kGoOk, kClosed},
                                                 {Step::kOk, kClosed}}},
    {"AFailedProbeOpensItForTwiceAsLong",
     kOpened + std::vector<Step>{Pass(absl::Seconds(10), kOpen),
                                 {Step::kFail, kOpen},
                                 Pass(absl::Seconds(19), kOpen),
                                 {Step::kRefused, kOpen},
                                 Pass(absl::Seconds(1), kOpen),
                                 {Step::kOk, kClosed}}},
    {"ACanceledProbeMakesRoomForAnother",
     kOpened + std::vector<Step>{Pass(absl::Seconds(10), kOpen),
                                 {Step::kGo, kHalfOpen},
                                 {Step::kRefused, kHalfOpen},
                                 {Step::kGoEnd, kHalfOpen},
                                 {Step::kOk, kClosed}}},
    {"ALostProbeIsGivenUp", kOpened + std::vector<Step>{Pass(absl::Seconds(10), kOpen),
                                                        {Step::kGo, kHalfOpen},
                                                        Pass(absl::Minutes(11), kHalfOpen),
                                                        {Step::kOk, kClosed}}},
    {"LateResultsDecideNothing",
     std::vector<Step>{{Step::kGo, kClosed}, {Step::kGo, kClosed}} + kOpened +
         std::vector<Step>{{Step::kGoOk, kOpen}, {Step::kGoFail, kOpen}, {Step::kRefused, kOpen}}},
    {"ALongRetryAfterOpensAtOnce",
     {{Step::kAway, kOpen, absl::Hours(72)},
      Pass(absl::Hours(71), kOpen),
      {Step::kRefused, kOpen},
      Pass(absl::Hours(1), kOpen),
      {Step::kOk, kClosed}}},
    {"AShortRetryAfterIsAFailureLikeOthers", {{Step::kAway, kClosed, absl::Seconds(5)}}},
    {"UsedUpQuotaOpensAtOnce",
     {{Step::kQuota, kOpen, absl::Minutes(15)},
      Pass(absl::Minutes(14), kOpen),
      {Step::kRefused, kOpen}}},
    {"ForcedOpenStaysOpen",
     {{Step::kForceOpen, kOpen},
      Pass(absl::Hours(5), kOpen),
      {Step::kRefused, kOpen},
      {Step::kReset, kClosed},
      {Step::kOk, kClosed}}},
    {"ForcedClosedStaysClosed", std::vector<Step>{{Step::kForceClosed, kClosed}} +
                                    Times(20, {Step::kFail, kClosed}) +
                                    std::vector<Step>{{Step::kReset, kClosed}} + kOpened},
    {"ForcedClosedLetsAnOpenOneGo",
     kOpened + std::vector<Step>{{Step::kForceClosed, kClosed}, {Step::kOk, kClosed}}},
};

class CircuitBreakerTable : public testing::TestWithParam<Case> {};

TEST_P(CircuitBreakerTable, Runs) {
  CircuitBreaker breaker({});
  absl::Time now = kStart;
  std::vector<CircuitBreaker::Ticket> on_their_way;
  const auto oldest = [&] {
    const CircuitBreaker::Ticket ticket = on_their_way.front();
    on_their_way.erase(on_their_way.begin());
    return ticket;
  };
  const auto fail = [&](CircuitBreaker::Ticket ticket, const Step& step) {
    breaker.Failed(ticket, now,
                   {.reason = "down",
                    .retry_after = step.time,
                    .opens = step.what == Step::kQuota,
                    .doubtful = step.what == Step::kDoubt,
                    .caller = step.caller});
  };
  for (size_t i = 0; i < GetParam().steps.size(); ++i) {
    const Step& step = GetParam().steps[i];
    const bool asks = step.what <= Step::kGo;
    CircuitBreaker::Admission admission;
    if (asks) {
      ASSERT_EQ(breaker.WouldGo(now), step.what != Step::kRefused) << "step " << i;
      admission = breaker.Ask(now, 0.5);
      ASSERT_EQ(admission.go, step.what != Step::kRefused) << "step " << i;
    }
    switch (step.what) {
      case Step::kOk:
        breaker.Succeeded(admission.ticket, now);
        break;
      case Step::kFail:
      case Step::kDoubt:
      case Step::kAway:
      case Step::kQuota:
        fail(admission.ticket, step);
        break;
      case Step::kRefused:
        EXPECT_GT(admission.come_back_after, absl::ZeroDuration()) << "step " << i;
        EXPECT_LE(admission.come_back_after, kComeBackMax) << "step " << i;
        break;
      case Step::kGo:
        on_their_way.push_back(admission.ticket);
        break;
      case Step::kGoOk:
        breaker.Succeeded(oldest(), now);
        break;
      case Step::kGoFail:
        fail(oldest(), step);
        break;
      case Step::kGoEnd:
        breaker.Ended(oldest());
        break;
      case Step::kPass:
        now += step.time;
        break;
      case Step::kForceOpen:
        breaker.Force(BreakerForce::kOpen, "ann", "maintenance", now);
        break;
      case Step::kForceClosed:
        breaker.Force(BreakerForce::kClosed, "ann", "false alarm", now);
        break;
      case Step::kReset:
        breaker.Reset(now);
        break;
    }
    ASSERT_EQ(breaker.state(), step.after) << "step " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, CircuitBreakerTable, testing::ValuesIn(kCases),
                         [](const auto& info) { return info.param.name; });

// Fails `count` calls, then returns the time of the opening.
void OpenIt(CircuitBreaker& breaker, absl::Time now) {
  while (breaker.state() != kOpen) {
    breaker.Failed(breaker.Ask(now, 0).ticket, now, {.reason = "down"});
  }
}

TEST(CircuitBreaker, TheTimeToTheNextProbeIsBounded) {
  CircuitBreaker breaker({});
  absl::Time now = kStart;
  OpenIt(breaker, now);
  int probes = 0;
  for (; now < kStart + absl::Hours(1); now += absl::Seconds(1)) {
    const CircuitBreaker::Admission admission = breaker.Ask(now, 0.3);
    if (!admission.go) continue;
    ASSERT_TRUE(admission.ticket.probe);
    ++probes;
    breaker.Failed(admission.ticket, now, {.reason = "down"});
    EXPECT_LE(breaker.probe_at() - now, absl::Minutes(5));
  }
  // 10 s, 20 s, 40 s, 80 s, 160 s, then every 5 minutes.
  EXPECT_EQ(probes, 5 + 10);
}

// 1,000 callers that come back when they are told to: the one that probes, and then no more than
// the pace in any second.
TEST(CircuitBreaker, TheBacklogDrainsAtItsPace) {
  CircuitBreaker breaker({.drain_per_second = 20});
  OpenIt(breaker, kStart);
  base::SeededRandom random(5);
  std::multimap<absl::Time, int> callers;
  for (int i = 0; i < 1000; ++i) {
    callers.emplace(kStart + breaker.Ask(kStart, random.NextDouble()).come_back_after, i);
  }
  std::map<int64_t, int> passed_in;  // by second
  absl::Time last;
  int asked = 0;
  while (!callers.empty()) {
    const absl::Time now = callers.begin()->first;
    callers.erase(callers.begin());
    ++asked;
    const CircuitBreaker::Admission admission = breaker.Ask(now, random.NextDouble());
    if (!admission.go) {
      callers.emplace(now + admission.come_back_after, 0);
      continue;
    }
    ++passed_in[absl::ToUnixSeconds(now)];
    last = now;
    breaker.Succeeded(admission.ticket, now);
  }
  for (const auto& [second, passed] : passed_in) EXPECT_LE(passed, 20 + 3) << second;
  EXPECT_GE(last - kStart, absl::Seconds(10 + 45));
  EXPECT_LE(last - kStart, absl::Seconds(10 + 75));
  EXPECT_LE(asked, 1500);
}

// Found by a flaky run: activities that make several calls took each other's turns, and none ended.
TEST(CircuitBreaker, ACallerOfSeveralCallsGetsThroughWithAllOfThem) {
  constexpr int kCallers = 100;
  constexpr int kCallsOfEach = 6;
  CircuitBreaker breaker({.drain_per_second = 20});
  OpenIt(breaker, kStart);
  base::SeededRandom random(5);
  std::multimap<absl::Time, int> callers;
  for (int i = 0; i < kCallers; ++i) {
    callers.emplace(
        kStart + breaker.Ask(kStart, random.NextDouble(), std::to_string(i)).come_back_after, i);
  }
  int attempts = 0;
  int done = 0;
  std::map<int64_t, int> begun_in;  // by second
  while (!callers.empty() && ++attempts < 10 * kCallers) {
    const auto [now, caller] = *callers.begin();
    callers.erase(callers.begin());
    bool through = true;
    for (int call = 0; call < kCallsOfEach && through; ++call) {
      const CircuitBreaker::Admission admission =
          breaker.Ask(now, random.NextDouble(), std::to_string(caller));
      through = admission.go;
      if (!through) callers.emplace(now + admission.come_back_after, caller);
      if (through) breaker.Succeeded(admission.ticket, now);
    }
    if (!through) continue;
    ++done;
    ++begun_in[absl::ToUnixSeconds(now)];
  }
  EXPECT_EQ(done, kCallers);
  EXPECT_LE(attempts, 2 * kCallers);
  for (const auto& [second, begun] : begun_in) EXPECT_LE(begun, 20 + 4) << second;
}

TEST(CircuitBreaker, TellsWhatItKnows) {
  CircuitBreaker breaker({});
  OpenIt(breaker, kStart);
  EXPECT_EQ(breaker.reason(), "down");
  EXPECT_EQ(breaker.opened_at(), kStart);
  EXPECT_EQ(breaker.probe_at(), kStart + absl::Seconds(10));
  EXPECT_EQ(breaker.failures(), 5);
  EXPECT_EQ(breaker.consecutive_failures(), 5);
  breaker.Ask(kStart, 0);
  EXPECT_EQ(breaker.calls_held(), 1);
  breaker.Force(BreakerForce::kOpen, "ann", "maintenance", kStart);
  EXPECT_EQ(breaker.forced(), BreakerForce::kOpen);
  EXPECT_EQ(breaker.forced_by(), "ann");
  EXPECT_EQ(breaker.reason(), "maintenance");
  breaker.Reset(kStart);
  EXPECT_EQ(breaker.forced(), BreakerForce::kNone);
  EXPECT_EQ(breaker.reason(), "");
  EXPECT_EQ(breaker.failures(), 5);
}

}  // namespace
}  // namespace outbound
