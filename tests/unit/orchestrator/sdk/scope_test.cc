// Cancellation scopes: what a scope's cancellation reaches, and what it does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "orchestrator/sdk/when.h"
#include "tests/unit/orchestrator/sdk/scripted_run.h"

namespace sdk {
namespace {

using ::testing::ElementsAre;

constexpr ActivityType<Text, Text> kWork{"work"};

class ScopeTest : public ::testing::Test {
 protected:
  template <typename Fn>
  ScriptedRun Make(Fn fn) {
    registry.AddWorkflow<Text, Text>("test", fn);
    return ScriptedRun(registry, "test");
  }
  Registry registry;
};

Workflow<Unit> WaitFor(Context ctx, std::string name) {
  const Done there = co_await ctx.WaitUntil([ctx, name] { return ctx.HasSignal(name); });
  co_return there;
}

std::string Type(const auto& outcome) { return outcome.ok() ? "ok" : outcome.failure().ToString(); }

Workflow<Text> Nested(Context ctx, Text input) {
  Scope outer = ctx.NewScope();
  Scope inner = outer.NewScope();
  Scope shielded = outer.Shielded().NewScope();
  Future<Text> a = outer.Execute(kWork, T(""));
  Future<Unit> b = inner.Sleep(absl::Hours(1));
  Future<Unit> c = ctx.Spawn<Unit>(WaitFor(inner, "never"));
  Future<Unit> d = shielded.Sleep(absl::Hours(2));
  Future<Unit> e = ctx.Sleep(absl::Hours(3));
  const Done stop = co_await WaitFor(ctx, "stop");
  outer.Cancel("stopped");
  outer.Cancel("again");
  EXPECT_TRUE(inner.canceled());
  EXPECT_FALSE(shielded.canceled());
  EXPECT_FALSE(ctx.canceled());
  const Outcome<Text> late = co_await inner.Execute(kWork, T("late"));
  auto [out_a, out_b, out_c] = co_await WhenAll(a, b, c);
  const Done out_d = co_await d;
  const Done out_e = co_await e;
  co_return T(absl::StrCat(Type(out_a), ", ", Type(out_b), ", ", Type(out_c), ", ", Type(late),
                           ", ", Type(out_d), ", ", Type(out_e)));
}

TEST_F(ScopeTest, CancelReachesInnerScopesButNotShieldedOnes) {
  ScriptedRun run = Make(&Nested);
  run.Start();
  run.Signal("stop");
  run.FireTimer("3");
  run.FireTimer("4");
  EXPECT_EQ(run.ResultText(),
            "Canceled: activity work was canceled, Canceled: stopped, Canceled: stopped, "
            "Canceled: stopped, ok, ok");
  EXPECT_THAT(run.Commands(), ElementsAre("ActivityTaskScheduled id=1 type=work",
                                          "TimerStarted id=2", "TimerStarted id=3",
                                          "TimerStarted id=4", "ActivityTaskCancelRequested id=1",
                                          "TimerCanceled id=2", "WorkflowExecutionCompleted"));
}

Workflow<Text> ShieldedScope(Context ctx, Text input) {
  Scope clean_up = ctx.Shielded().NewScope();
  Future<Text> undo = clean_up.Execute(kWork, T(""));
  Future<Unit> patience = ctx.Shielded().Sleep(absl::Hours(1));
  const Done sleep = co_await ctx.Sleep(absl::Hours(9));
  EXPECT_TRUE(ctx.canceled());
  EXPECT_TRUE(ctx.NewScope().canceled()) << "a scope that is made too late";
  EXPECT_FALSE(clean_up.canceled());
  if (co_await Select(undo, patience) == 1) clean_up.Cancel("too slow");
  const Outcome<Text> undone = co_await undo;
  co_return T(Type(sleep) + ", " + Type(undone));
}

TEST_F(ScopeTest, AShieldedScopeIsCanceledByItselfOnly) {
  ScriptedRun run = Make(&ShieldedScope);
  run.Start();
  run.Cancel("enough");
  run.FireTimer("2");
  EXPECT_EQ(run.ResultText(), "Canceled: enough, Canceled: activity work was canceled");
}

}  // namespace
}  // namespace sdk
