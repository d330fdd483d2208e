// The pipeline with its guards, over a scripted transport and a clock that the test moves.
#include <deque>

#include "activities/outbound/pipeline.h"
#include "gmock/gmock.h"
#include "tests/support/manual_loop.h"

namespace outbound_test {
namespace {

using base::Outcome;
using outbound::HttpRequest;
using outbound::HttpResponse;
using outbound::Repeat;
using outbound::Transfer;
using outbound::TransferEnd;
using testing::HasSubstr;

Transfer Answer(int status, std::string body = "",
                std::vector<std::pair<std::string, std::string>> headers = {}) {
  Transfer transfer{.end = TransferEnd::kAnswered, .sent = true};
  transfer.response = {.status = status, .headers = std::move(headers), .body = std::move(body)};
  return transfer;
}
Transfer Broken() { return {.end = TransferEnd::kBroken, .message = "reset", .sent = true}; }
Transfer Refused() { return {.end = TransferEnd::kNotSent, .message = "refused"}; }

class ScriptedTransport : public outbound::Transport {
 public:
  base::Task<Transfer> Send(HttpRequest request, outbound::TransferLimits,
                            base::CancelToken) override {
    urls.push_back(request.url);
    if (before != nullptr) before();
    Transfer next = script.front();
    if (script.size() > 1) script.pop_front();
    co_return next;
  }
  std::deque<Transfer> script{Answer(200)};
  std::vector<std::string> urls;
  std::function<void()> before;
};

const outbound::Vendor kGithub{.name = "github", .tries_max = 3};
const outbound::Vendor kSlack{.name = "slack"};

class GuardsTest : public testing::Test {
 protected:
  // Runs the call to its end; the clock moves as far as the call waits, a minute at most.
  Outcome<HttpResponse> Call(const outbound::Vendor& vendor, Repeat repeat = Repeat::kSafe,
                             std::string workflow_id = "wf", bool control = false) {
    std::optional<Outcome<HttpResponse>> result;
    outbound::CallContext context{.workflow_id = std::move(workflow_id),
                                  .deadline = loop_.clock().Now() + absl::Minutes(2)};
    base::Spawn(pipeline_.Call(vendor,
                               {.method = "POST",
                                .url = "http://x/" + vendor.name,
                                .repeat = repeat,
                                .control = control,
                                .operation = "op"},
                               context),
                [&result](std::exception_ptr, Outcome<HttpResponse>* value) { result = *value; });
    for (int i = 0; i < 60 && !result.has_value(); ++i) loop_.Advance(absl::Seconds(1));
    EXPECT_TRUE(result.has_value());
    return *result;
  }
  size_t sent() const { return transport_.urls.size(); }

  test::ManualLoop loop_;
  base::SeededRandom random_{7};
  base::Metrics metrics_;
  ScriptedTransport transport_;
  outbound::KillSwitch kill_switch_{metrics_, absl::Seconds(10)};
  outbound::Breakers breakers_{loop_.clock(), random_, metrics_, {}};
  outbound::RateLimiter limiter_{
      loop_.clock(), random_, {.limits = {{"slack", *outbound::ParseRateLimits("2/1h")}}}};
  outbound::Pipeline pipeline_{
      loop_,   transport_,
      random_, metrics_,
      {},      {.kill_switch = &kill_switch_, .limiter = &limiter_, .breakers = &breakers_}};
};

TEST_F(GuardsTest, AnOpenBreakerPostponesWithoutACall) {
  transport_.script = {Refused()};
  Outcome<HttpResponse> first = Call(kGithub);  // three tries
  ASSERT_FALSE(first.ok());
  EXPECT_FALSE(first.failure().not_attempted);
  EXPECT_EQ(sent(), 3u);
  const Outcome<HttpResponse> second = Call(kGithub);  // two more open it
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(sent(), 5u);
  EXPECT_TRUE(second.failure().not_attempted);
  EXPECT_GT(second.failure().retry_after, absl::Seconds(9));
  const Outcome<HttpResponse> third = Call(kGithub);
  ASSERT_FALSE(third.ok());
  EXPECT_TRUE(third.failure().not_attempted);
  EXPECT_TRUE(third.failure().retryable);
  EXPECT_FALSE(third.failure().effect_unknown);
  EXPECT_EQ(third.failure().type, "CircuitOpen");
  EXPECT_EQ(sent(), 5u);
  transport_.script = {Answer(200)};
  EXPECT_TRUE(Call(kSlack).ok());
  EXPECT_THAT(metrics_.Expose(),
              HasSubstr("outbound_postponed_total{reason=\"CircuitOpen\",vendor=\"github\"} 1"));
}

TEST_F(GuardsTest, TheProbeClosesIt) {
  transport_.script = {Refused()};
  (void)Call(kGithub);
  (void)Call(kGithub);
  transport_.script = {Answer(200)};
  EXPECT_FALSE(Call(kGithub).ok());
  loop_.Advance(absl::Seconds(30));
  EXPECT_TRUE(Call(kGithub).ok());
  EXPECT_EQ(breakers_.Get("github")->state, outbound::BreakerState::kClosed);
}

TEST_F(GuardsTest, AnOutageUsesNoAttemptsButKeepsTheUnknownEffect) {
  transport_.script = {Broken()};
  for (int i = 0; i < 4; ++i) {
    const Outcome<HttpResponse> before = Call(kGithub, Repeat::kUnsafe);
    EXPECT_FALSE(before.failure().not_attempted);
    EXPECT_TRUE(before.failure().effect_unknown);
  }
  const Outcome<HttpResponse> opening = Call(kGithub, Repeat::kUnsafe);
  EXPECT_TRUE(opening.failure().not_attempted);
  EXPECT_TRUE(opening.failure().effect_unknown);
  EXPECT_EQ(sent(), 5u);
}

TEST_F(GuardsTest, RefusedRequestsSayNothingOfTheVendor) {
  transport_.script = {Answer(400)};
  for (int i = 0; i < 30; ++i) EXPECT_FALSE(Call(kGithub).failure().not_attempted);
  EXPECT_EQ(breakers_.Get("github")->failures, 0);
}

TEST_F(GuardsTest, ACallThatAlwaysGets500IsNotPostponedForEver) {
  transport_.script = {Answer(500)};
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(Call(kGithub, Repeat::kSafe).failure().not_attempted);
  EXPECT_EQ(breakers_.Get("github")->state, outbound::BreakerState::kClosed);
  (void)Call(kGithub, Repeat::kSafe, "another");
  EXPECT_EQ(breakers_.Get("github")->state, outbound::BreakerState::kOpen);
}

TEST_F(GuardsTest, ALongRetryAfterOpensTheBreaker) {
  transport_.script = {Answer(429, "", {{"retry-after", "172800"}})};
  const Outcome<HttpResponse> refused = Call(kGithub);
  EXPECT_TRUE(refused.failure().not_attempted);
  EXPECT_LE(refused.failure().retry_after, outbound::kComeBackMax);
  const auto status = breakers_.Get("github");
  EXPECT_EQ(status->state, outbound::BreakerState::kOpen);
  EXPECT_EQ(status->next_probe_at - status->opened_at, absl::Hours(48));
  EXPECT_EQ(sent(), 1u);
}

TEST_F(GuardsTest, AnOperatorsForceLetsGoOfALongRetryAfter) {
  transport_.script = {Answer(429, "", {{"retry-after", "172800"}}), Answer(200)};
  EXPECT_FALSE(Call(kGithub).ok());
  ASSERT_TRUE(
      breakers_.Force("github", outbound::BreakerForce::kClosed, "ann", "a larger plan").ok());
  EXPECT_TRUE(Call(kGithub).ok());
  ASSERT_TRUE(breakers_.Force("github", outbound::BreakerForce::kNone, "ann", "done").ok());
  EXPECT_TRUE(Call(kGithub).ok());
  EXPECT_EQ(sent(), 3u);
}

TEST_F(GuardsTest, CanceledCallsFreeTheProbe) {
  transport_.script = {Refused()};
  (void)Call(kGithub);
  (void)Call(kGithub);
  loop_.Advance(absl::Seconds(30));
  transport_.script = {{.end = TransferEnd::kCanceled}};
  (void)Call(kGithub);
  EXPECT_EQ(breakers_.Get("github")->state, outbound::BreakerState::kHalfOpen);
  transport_.script = {Answer(200)};
  EXPECT_TRUE(Call(kGithub).ok());
}

TEST_F(GuardsTest, TheLimiterPostponesWhatWouldWaitLong) {
  EXPECT_TRUE(Call(kSlack).ok());
  EXPECT_TRUE(Call(kSlack).ok());
  const Outcome<HttpResponse> third = Call(kSlack);
  EXPECT_EQ(third.failure().type, "RateLimited");
  EXPECT_TRUE(third.failure().not_attempted);
  EXPECT_THAT(third.failure().message, HasSubstr("2 calls in 1h"));
  EXPECT_EQ(sent(), 2u);
}

TEST_F(GuardsTest, AnOpenBreakerTakesNoTurns) {
  ASSERT_TRUE(breakers_.Ask("slack", "").go);
  breakers_.Force("slack", outbound::BreakerForce::kOpen, "ann", "test").IgnoreError();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Call(kSlack).failure().type, "CircuitOpen");
  breakers_.Force("slack", outbound::BreakerForce::kNone, "ann", "test").IgnoreError();
  loop_.Advance(absl::Minutes(1));
  EXPECT_TRUE(Call(kSlack).ok());
}

TEST_F(GuardsTest, TheKillSwitchHoldsEveryCallAndLetsThemGo) {
  kill_switch_.Set({.on = true, .reason = "wrong price", .changed_by = "ann"});
  for (const outbound::Vendor* vendor : {&kGithub, &kSlack}) {
    const Outcome<HttpResponse> held = Call(*vendor);
    EXPECT_EQ(held.failure().type, "KillSwitch");
    EXPECT_TRUE(held.failure().not_attempted);
    EXPECT_GE(held.failure().retry_after, absl::Seconds(5));
    EXPECT_LE(held.failure().retry_after, absl::Seconds(15));
    EXPECT_THAT(held.failure().message, HasSubstr("ann: wrong price"));
  }
  EXPECT_EQ(sent(), 0u);
  EXPECT_EQ(kill_switch_.calls_held(), 2);
  EXPECT_THAT(metrics_.Expose(), HasSubstr("outbound_kill_switch 1"));
  EXPECT_TRUE(Call(kGithub, Repeat::kSafe, "wf", /*control=*/true).ok());
  kill_switch_.Set({.on = false, .reason = "fixed", .changed_by = "ann"});
  EXPECT_TRUE(Call(kGithub).ok());
  EXPECT_THAT(metrics_.Expose(), HasSubstr("outbound_kill_switch 0"));
}

TEST_F(GuardsTest, TheKillSwitchStopsTheNextTryOfACallUnderWay) {
  transport_.script = {Refused()};
  transport_.before = [this] { kill_switch_.Set({.on = true, .reason = "stop"}); };
  const Outcome<HttpResponse> held = Call(kGithub);
  EXPECT_EQ(held.failure().type, "KillSwitch");
  EXPECT_EQ(sent(), 1u);
}

TEST_F(GuardsTest, ATransferThatWasHeldBackIsNoFailureOfTheVendor) {
  kill_switch_.Set({.on = false});
  transport_.script = {{.end = TransferEnd::kHeld}};
  transport_.before = [this] { kill_switch_.Set({.on = true, .reason = "stop"}); };
  const Outcome<HttpResponse> held = Call(kGithub);
  EXPECT_EQ(held.failure().type, "KillSwitch");
  EXPECT_TRUE(held.failure().not_attempted);
  EXPECT_EQ(breakers_.Get("github")->failures, 0);
}

TEST_F(GuardsTest, UsedUpQuotaOpensTheBreakerForEverybody) {
  outbound::Vendor model{.name = "openai"};
  model.classify = [](const HttpRequest&, const HttpResponse&) {
    return outbound::Classification{.verdict = outbound::Verdict::kRetry,
                                    .retry_after = absl::Minutes(15),
                                    .failure_type = "QuotaExhausted",
                                    .failure_message = "pay",
                                    .opens_breaker = true};
  };
  const Outcome<HttpResponse> refused = Call(model);
  EXPECT_EQ(refused.failure().type, "QuotaExhausted");
  EXPECT_TRUE(refused.failure().not_attempted);
  EXPECT_EQ(Call(model, Repeat::kSafe, "another").failure().type, "CircuitOpen");
  EXPECT_EQ(sent(), 1u);
  EXPECT_THAT(breakers_.Get("openai")->reason, HasSubstr("pay"));
}

TEST_F(GuardsTest, ARefusalInTheClothesOfAnOutageOpensNothing) {
  outbound::Vendor figma{.name = "figma", .tries_max = 2};
  figma.classify = [](const HttpRequest&, const HttpResponse&) {
    return outbound::Classification{.verdict = outbound::Verdict::kRetryUnknown,
                                    .failure_type = "RenderFailed",
                                    .about_request = true};
  };
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(Call(figma, Repeat::kSafe, "wf" + std::to_string(i)).failure().not_attempted);
  }
  EXPECT_EQ(breakers_.Get("figma")->state, outbound::BreakerState::kClosed);
}

TEST_F(GuardsTest, WhatUsersNameHasNoBreaker) {
  const outbound::Vendor sites{.name = "sites", .tries_max = 1, .has_breaker = false};
  transport_.script = {Refused()};
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(Call(sites).failure().not_attempted);
  EXPECT_EQ(sent(), 10u);
  EXPECT_FALSE(breakers_.Get("sites").ok());
}

}  // namespace
}  // namespace outbound_test
