// What the workflow SDK offers beyond activities and signals, on a real engine, each with a restart
// in the middle: combinators, cancellation of single operations, scopes,
// side effects, patches; and the same workflow in the time-skipping environment.
#include <gmock/gmock.h>

#include <atomic>

#include "absl/strings/str_cat.h"
#include "orchestrator/sdk/testing/workflow_test_env.h"
#include "orchestrator/sdk/when.h"
#include "tests/integration/engine/engine_fixture.h"

namespace engine_test {
namespace {

using sdk::Failure;
using sdk::Future;
using sdk::Outcome;
using sdk::Workflow;

constexpr sdk::ActivityType<Text, Text> kEcho{"echo"};
constexpr sdk::ActivityType<Text, Text> kHang{"hang"};

base::Task<Outcome<Text>> Echo(sdk::ActivityContext& ctx, Text input) { co_return input; }

base::Task<Outcome<Text>> UntilCanceled(sdk::ActivityContext& ctx, Text input) {
  const bool elapsed = co_await base::Sleep(ctx.loop(), absl::Hours(1), ctx.cancel());
  if (!elapsed) co_return Failure::Canceled(ctx.cancel().reason());
  co_return input;
}

Workflow<Text> TakeNext(sdk::Context ctx, std::string name) {
  const sdk::Done there = co_await ctx.WaitUntil([ctx, name] { return ctx.HasSignal(name); });
  if (!there.ok()) co_return there.failure();
  const Outcome<Text> taken = ctx.TakeSignal<Text>(name);
  co_return taken;
}

class SdkFeaturesTest : public EngineTest {
 protected:
  SdkFeaturesTest() {
    registry.AddActivity(kEcho, &Echo);
    registry.AddActivity(kHang, &UntilCanceled);
  }
  int Count(const std::string& id, v1::HistoryEvent::AttributesCase kind) {
    int count = 0;
    for (const v1::HistoryEvent& event : History(id)) count += event.attributes_case() == kind;
    return count;
  }
  void WaitForEvent(const std::string& id, v1::HistoryEvent::AttributesCase kind) {
    WaitFor(id, [&](const v1::WorkflowInfo&) { return Count(id, kind) > 0; });
  }
};

// A hanging activity, a signal and a timer race; the losers are canceled.
Workflow<Text> Race(sdk::Context ctx, Text input) {
  Future<Text> slow = ctx.Execute(kHang, input);
  Future<Text> signal = ctx.Spawn<Text>(TakeNext(ctx, "go"));
  Future<sdk::Unit> patience = ctx.Sleep(absl::Hours(1));
  const size_t first = co_await sdk::Select(slow, signal, patience);
  const bool activity_canceled = ctx.Cancel(slow);
  const bool timer_canceled = ctx.CancelTimer(patience);
  const bool again = ctx.Cancel(slow) || ctx.CancelTimer(patience) || ctx.Cancel(signal);
  const sdk::Done timer = co_await patience;
  const Outcome<Text> activity = co_await slow;
  const Outcome<Text> end = co_await TakeNext(ctx, "end");
  if (!end.ok()) co_return end.failure();
  co_return T(absl::StrCat(first, " ", activity_canceled, timer_canceled, again, " ",
                           activity.failure().type, " ", timer.failure().type));
}

TEST_F(SdkFeaturesTest, SelectTakesTheFirstAndTheOthersAreCanceled) {
  registry.AddWorkflow<Text, Text>("race", &Race);
  Open();
  ASSERT_TRUE(Start("race", "w1").ok());
  Restart();
  ASSERT_TRUE(Signal("w1", "go", "").ok());
  WaitForEvent("w1", v1::HistoryEvent::kActivityTaskCanceled);
  EXPECT_EQ(Count("w1", v1::HistoryEvent::kTimerCanceled), 1);
  EXPECT_EQ(Count("w1", v1::HistoryEvent::kActivityTaskCancelRequested), 1);
  Restart();
  ASSERT_TRUE(Signal("w1", "end", "").ok());
  EXPECT_EQ(ResultText("w1"), "1 110 Canceled Canceled");
}

// Two activities and a list, with a wait between them.
Workflow<Text> Gather(sdk::Context ctx, Text input) {
  auto [a, slept] =
      co_await sdk::WhenAll(ctx.Execute(kEcho, T("a")), ctx.Sleep(absl::Milliseconds(1)));
  const Outcome<Text> go = co_await TakeNext(ctx, "go");
  if (!go.ok()) co_return go.failure();
  std::vector<Future<Text>> list;
  for (const char* text : {"b", "c", "d"}) list.push_back(ctx.Execute(kEcho, T(text)));
  const size_t first = co_await sdk::WhenAny(list);
  const std::vector<Outcome<Text>> rest = co_await sdk::WhenAll(list);
  co_return T(absl::StrCat(a->message(), slept.ok(), first < 3, rest[0]->message(),
                           rest[1]->message(), rest[2]->message()));
}

TEST_F(SdkFeaturesTest, WhenAllGivesAllOutcomesInTheOrderOfItsArguments) {
  registry.AddWorkflow<Text, Text>("gather", &Gather);
  Open();
  ASSERT_TRUE(Start("gather", "w1").ok());
  WaitForEvent("w1", v1::HistoryEvent::kTimerFired);
  Restart();
  ASSERT_TRUE(Signal("w1", "go", "").ok());
  EXPECT_EQ(ResultText("w1"), "a11bcd");
}

// Two scopes; "cancel-one" cancels the first of them; then the workflow may be canceled.
Workflow<Text> HangIn(sdk::Context ctx) {
  const Outcome<Text> out = co_await ctx.Execute(kHang, T(""));
  co_return out;
}

Workflow<Text> TwoScopes(sdk::Context ctx, Text input) {
  sdk::Scope one = ctx.NewScope();
  sdk::Scope two = ctx.NewScope();
  Future<Text> a = ctx.Spawn<Text>(HangIn(one));
  Future<Text> b = ctx.Spawn<Text>(HangIn(two.NewScope()));
  const Outcome<Text> signal = co_await TakeNext(ctx, "cancel-one");
  one.Cancel("one is not needed");
  const Outcome<Text> out_a = co_await a;
  const Outcome<Text> out_b = co_await b;
  const Outcome<Text> cleaned = co_await ctx.Shielded().NewScope().Execute(kEcho, T("clean"));
  co_return T(absl::StrCat(out_a.failure().type, " ", one.canceled(), " | ", out_b.failure().type,
                           " ", two.canceled(), " | ", cleaned->message()));
}

TEST_F(SdkFeaturesTest, AScopeIsCanceledByItselfAndByTheWorkflow) {
  registry.AddWorkflow<Text, Text>("scopes", &TwoScopes);
  Open();
  ASSERT_TRUE(Start("scopes", "w1").ok());
  Restart();
  ASSERT_TRUE(Signal("w1", "cancel-one", "").ok());
  WaitForEvent("w1", v1::HistoryEvent::kActivityTaskCanceled);
  EXPECT_EQ(Count("w1", v1::HistoryEvent::kActivityTaskCanceled), 1);
  Restart();
  v1::CancelWorkflowRequest request;
  request.set_workflow_id("w1");
  request.set_reason("enough");
  ASSERT_TRUE(Await<v1::CancelWorkflowResponse>([&](auto done) {
                client->Cancel(request, std::move(done));
              }).ok());
  EXPECT_EQ(ResultText("w1"), "Canceled 1 | Canceled 1 | clean");
}

std::atomic<int> g_side_effects = 0;

Workflow<Text> Regional(sdk::Context ctx, Text input) {
  const std::string id = ctx.NewUuid();
  const std::string region =
      ctx.SideEffect<std::string>([] { return absl::StrCat("region-", ++g_side_effects); });
  const Outcome<Text> go = co_await TakeNext(ctx, "go");
  if (!go.ok()) co_return go.failure();
  co_return T(absl::StrCat(id, " ", region));
}

TEST_F(SdkFeaturesTest, ASideEffectIsReturnedFromTheHistory) {
  registry.AddWorkflow<Text, Text>("regional", &Regional);
  Open();
  g_side_effects = 0;
  ASSERT_TRUE(Start("regional", "w1").ok());
  Restart();
  ASSERT_TRUE(Signal("w1", "go", "").ok());
  const std::string result = ResultText("w1");
  EXPECT_THAT(result, ::testing::EndsWith(" region-1"));
  EXPECT_EQ(result.find(' '), 36u);
  EXPECT_EQ(g_side_effects, 1);
  EXPECT_EQ(Count("w1", v1::HistoryEvent::kMarkerRecorded), 1);
}

// The old code, the code with the patch, the code that deprecates it, and the code without it.
template <int kVersion>
Workflow<Text> Shipping(sdk::Context ctx, Text input) {
  std::string way;
  for (int i = 0; i < 2; ++i) {
    bool patched = kVersion >= 2;
    if constexpr (kVersion == 1) patched = ctx.Patched("fast");
    if constexpr (kVersion == 2) ctx.DeprecatePatch("fast");
    if (patched) (void)co_await ctx.Sleep(absl::Milliseconds(1));
    const Outcome<Text> shipped = co_await ctx.Execute(kEcho, T(patched ? "fast " : "slow "));
    way += shipped->message();
    const Outcome<Text> go = co_await TakeNext(ctx, "go");
    if (!go.ok()) co_return go.failure();
  }
  co_return T(way);
}

TEST_F(SdkFeaturesTest, APatchGoesThroughItsLifeOverOpenRuns) {
  const auto parked = [this](const std::string& id) {
    WaitFor(id, [&](const v1::WorkflowInfo& info) {
      return Count(id, v1::HistoryEvent::kActivityTaskCompleted) == 1;
    });
  };
  registry.AddWorkflow<Text, Text>("ship", &Shipping<0>);
  Open();
  ASSERT_TRUE(Start("ship", "old").ok());
  parked("old");

  registry.AddWorkflow<Text, Text>("ship", &Shipping<1>);
  Restart();
  ASSERT_TRUE(Start("ship", "patched").ok());
  parked("patched");
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(Signal("old", "go", "").ok());
  EXPECT_EQ(ResultText("old"), "slow slow ");
  EXPECT_EQ(Count("old", v1::HistoryEvent::kMarkerRecorded), 0);
  EXPECT_EQ(Count("patched", v1::HistoryEvent::kMarkerRecorded), 1);

  registry.AddWorkflow<Text, Text>("ship", &Shipping<2>);
  Restart();
  ASSERT_TRUE(Start("ship", "deprecated").ok());
  parked("deprecated");
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(Signal("patched", "go", "").ok());
  EXPECT_EQ(ResultText("patched"), "fast fast ");

  registry.AddWorkflow<Text, Text>("ship", &Shipping<3>);
  Restart();
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(Signal("deprecated", "go", "").ok());
  EXPECT_EQ(ResultText("deprecated"), "fast fast ");
  EXPECT_EQ(Count("deprecated", v1::HistoryEvent::kMarkerRecorded), 1);
}

// A saga whose second step fails after a wait.
constexpr sdk::ActivityType<Text, Text> kBook{"book"};
constexpr sdk::ActivityType<Text, Text> kPay{"pay"};
constexpr saga::CompensationType<Text, Text, Text> kUnbook{"unbook"};

Workflow<Text> Trip(sdk::Context ctx, Text input) {
  saga::Saga saga(ctx);
  const Outcome<Text> booked = co_await saga.Run(kBook, input, kUnbook);
  if (!booked.ok()) co_return co_await saga.Abort(booked.failure());
  const Outcome<Text> confirmed = co_await TakeNext(ctx, "confirmed");
  if (!confirmed.ok()) co_return co_await saga.Abort(confirmed.failure());
  const Outcome<Text> paid = co_await saga.Run(kPay, input);
  if (!paid.ok()) co_return co_await saga.Abort(paid.failure());
  co_return paid;
}

base::Task<Outcome<Text>> Refuse(sdk::ActivityContext& ctx, Text input) {
  co_return Failure::Permanent("CardDeclined", "no");
}

base::Task<Outcome<Text>> Unbook(sdk::ActivityContext& ctx, saga::Undo<Text, Text> undo) {
  co_return undo.input;
}

std::vector<v1::HistoryEvent::AttributesCase> Kinds(const std::vector<v1::HistoryEvent>& history) {
  std::vector<v1::HistoryEvent::AttributesCase> kinds;
  for (const v1::HistoryEvent& event : history) kinds.push_back(event.attributes_case());
  return kinds;
}

TEST_F(SdkFeaturesTest, TheTestEnvironmentGivesTheHistoryOfTheEngine) {
  registry.AddWorkflow<Text, Text>("trip", &Trip);
  registry.AddActivity(kBook, &Echo);
  registry.AddActivity(kPay, &Refuse);
  saga::AddCompensation(registry, kUnbook, &Unbook);
  Open();
  ASSERT_TRUE(Start("trip", "w1").ok());
  WaitForEvent("w1", v1::HistoryEvent::kActivityTaskCompleted);
  Restart();
  ASSERT_TRUE(Signal("w1", "confirmed", "").ok());
  EXPECT_EQ(ResultText("w1"), "FAILED CardDeclined no");

  sdk::testing::WorkflowTestEnv env;
  env.AddWorkflow<Text, Text>("trip", &Trip);
  env.OnActivity(kBook, [](const Text& input) -> Outcome<Text> { return input; });
  env.OnActivity(
      kPay, [](const Text&) -> Outcome<Text> { return Failure::Permanent("CardDeclined", "no"); });
  std::string undone;
  env.OnRawActivity(kUnbook.name, [&undone](const sdk::testing::ActivityCall& call) {
    const auto undo = history::FromPayload<v1::CompensationInput>(call.input);
    undone = history::FromPayload<Text>(undo->step_input())->message();
    return Outcome<v1::Payload>(v1::Payload());
  });
  env.SignalAt(absl::Hours(24 * 30), "confirmed", T(""));
  const Outcome<Text> out = env.Run<Text, Text>("trip", T("to Rome"));
  EXPECT_EQ(out.failure().type, "CardDeclined");
  EXPECT_EQ(undone, "to Rome");
  EXPECT_EQ(env.Elapsed(), absl::Hours(24 * 30));
  EXPECT_EQ(Kinds(env.History()), Kinds(History("w1")));
}

}  // namespace
}  // namespace engine_test
