// What workflow code may rely on: waits and their time-outs, cancellation, shielding, messages,
// failures at the boundary.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/orchestrator/sdk/scripted_run.h"

namespace sdk {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr ActivityType<Text, Text> kWork{"work"};
constexpr ActivityType<Text, v1::RetryPolicy> kOtherResult{"other"};

class InstanceTest : public ::testing::Test {
 protected:
  template <typename Fn>
  ScriptedRun Make(Fn fn) {
    registry.AddWorkflow<Text, Text>("test", fn);
    return ScriptedRun(registry, "test");
  }
  Registry registry;
};

Workflow<Text> WaitForGo(Context ctx, Text input) {
  const Done waited =
      co_await ctx.WaitUntil([ctx] { return ctx.HasSignal("go"); }, absl::Minutes(5));
  if (!waited.ok()) co_return waited.failure();
  Outcome<Text> signal = ctx.TakeSignal<Text>("go");
  co_return signal;
}

TEST_F(InstanceTest, WaitUntilEndsWithTheConditionAndCancelsItsTimer) {
  ScriptedRun run = Make(&WaitForGo);
  run.Start();
  run.Signal("go", T("now"));
  EXPECT_EQ(run.ResultText(), "now");
  EXPECT_THAT(run.Commands(),
              ElementsAre("TimerStarted id=1", "TimerCanceled id=1", "WorkflowExecutionCompleted"));
}

TEST_F(InstanceTest, WaitUntilTimesOut) {
  ScriptedRun run = Make(&WaitForGo);
  run.Start();
  run.FireTimer("1");
  EXPECT_EQ(run.ResultText(), "TimedOut: condition did not come to hold within 5m");
}

TEST_F(InstanceTest, TheConditionWinsWhenBothComeTogether) {
  ScriptedRun run = Make(&WaitForGo);
  run.Start();
  run.now += absl::Minutes(6);
  run.Do([&](core::TransitionBuilder& transition) {
    core::OnTime(transition, run.random);
    v1::WorkflowExecutionSignaled signal;
    signal.set_signal_name("go");
    *signal.mutable_input() = history::ToPayload(T("late"));
    core::Signal(transition, signal);
  });
  EXPECT_EQ(run.ResultText(), "late");
}

TEST_F(InstanceTest, CancelEndsAWait) {
  ScriptedRun run = Make(&WaitForGo);
  run.Start();
  run.Cancel("changed his mind");
  EXPECT_EQ(run.state.closed_status, v1::RunStatus::CANCELED);
  EXPECT_EQ(run.ResultText(), "Canceled: changed his mind");
}

TEST_F(InstanceTest, AWaitThatHoldsAlreadyTakesNoTimer) {
  ScriptedRun run = Make([](Context ctx, Text input) -> Workflow<Text> {
    return [](Context ctx) -> Workflow<Text> {
      const Done done = co_await ctx.WaitUntil([] { return true; }, absl::Minutes(1));
      co_return done.ok() ? T("held") : T("not");
    }(ctx);
  });
  run.Start();
  EXPECT_THAT(run.Commands(), ElementsAre("WorkflowExecutionCompleted"));
}

Workflow<Text> RunOne(Context ctx, Text input) {
  Outcome<Text> out = co_await ctx.Execute(kWork, input);
  if (out.ok()) co_return out;
  co_return T(out.failure().type + (out.failure().effect_unknown ? ", unknown" : ""));
}

TEST_F(InstanceTest, CancelAsksTheActivityAndWaitsForItsAnswer) {
  ScriptedRun run = Make(&RunOne);
  run.Start();
  run.Do([&](core::TransitionBuilder& transition) {
    run.state.activities.begin()->second.in_flight = true;
    core::RequestCancel(transition, "enough", "ann");
  });
  EXPECT_THAT(run.Commands(), ElementsAre("ActivityTaskScheduled id=1 type=work",
                                          "ActivityTaskCancelRequested id=1"));
  EXPECT_FALSE(run.state.closed());
  run.FailActivity("1", Failure::Canceled("stopped"));
  EXPECT_EQ(run.ResultText(), "Canceled, unknown");
}

TEST_F(InstanceTest, AnActivityThatCompletedBeforeTheStopIsAResult) {
  ScriptedRun run = Make(&RunOne);
  run.Start();
  run.Do([&](core::TransitionBuilder& transition) {
    run.state.activities.begin()->second.in_flight = true;
    core::RequestCancel(transition, "enough", "ann");
  });
  run.CompleteActivity("1", T("made it"));
  EXPECT_EQ(run.ResultText(), "made it");
}

Workflow<Text> CleanUp(Context ctx, Text input) {
  const Done slept = co_await ctx.Sleep(absl::Hours(1));
  if (slept.ok()) co_return T("slept");
  const Outcome<Text> refused = co_await ctx.Execute(kWork, T("too late"));
  const Outcome<Text> cleaned = co_await ctx.Shielded().Execute(kWork, T("clean up"));
  const Done waited = co_await ctx.Shielded().Sleep(absl::Seconds(1));
  co_return T(refused.failure().type + " " + (cleaned.ok() ? "cleaned" : "dirty") +
              (waited.ok() ? " waited" : ""));
}

TEST_F(InstanceTest, ShieldedWorkGoesOnAfterACancel) {
  ScriptedRun run = Make(&CleanUp);
  run.Start();
  run.Cancel();
  EXPECT_THAT(run.Commands(), ElementsAre("TimerStarted id=1", "TimerCanceled id=1",
                                          "ActivityTaskScheduled id=2 type=work"));
  run.CompleteActivity("2");
  run.FireTimer("3");
  EXPECT_EQ(run.ResultText(), "Canceled cleaned waited");
  EXPECT_EQ(run.state.closed_status, v1::RunStatus::COMPLETED) << "it did not return Canceled";
}

TEST_F(InstanceTest, AResultOfAnotherTypeIsAFailureOfTheWorkflow) {
  ScriptedRun run = Make([](Context ctx, Text input) -> Workflow<Text> {
    return [](Context ctx) -> Workflow<Text> {
      Outcome<v1::RetryPolicy> out = co_await ctx.Execute(kOtherResult, T(""));
      co_return out.ok() ? T("?") : T(out.failure().type + ": " + out.failure().message);
    }(ctx);
  });
  run.Start();
  run.CompleteActivity("1", T("not a policy"));
  EXPECT_THAT(run.ResultText(), HasSubstr("PayloadMismatch: payload holds a "));
}

Workflow<Text> Throws(Context ctx, Text input) {
  const Outcome<Text> out = co_await ctx.Execute(kWork, input);
  if (input.message() == "std") throw std::runtime_error("a mistake");
  co_return *out;  // throws the activity's failure
}

TEST_F(InstanceTest, ExceptionsAreFailuresAtTheBoundary) {
  ScriptedRun failing = Make(&Throws);
  failing.Start(T("value"));
  failing.FailActivity("1", Failure::Permanent("Declined", "no"));
  EXPECT_EQ(failing.ResultText(), "Declined: no");
  ScriptedRun throwing = Make(&Throws);
  throwing.Start(T("std"));
  throwing.CompleteActivity("1");
  EXPECT_EQ(throwing.ResultText(), "UnhandledException: a mistake");
}

Workflow<Text> Talk(Context ctx, Text input) {
  auto texts = std::make_shared<std::string>();
  ctx.SetQueryHandler<Text, Text>("texts",
                                  [texts](const Text&) { return Outcome<Text>(T(*texts)); });
  ctx.SetUpdateHandler<Text, Text>(
      "add",
      [](const Text& text) -> Done {
        if (text.message().empty()) return Failure::Permanent("Empty", "say something");
        return Unit{};
      },
      [texts](const Text& text) -> Outcome<Text> {
        if (text.message() == "throw") throw std::runtime_error("a mistake");
        *texts += text.message();
        return T(*texts);
      });
  ctx.SetAsyncUpdateHandler<Text, Text>(
      "work", nullptr, [ctx](Text text) mutable { return RunOne(ctx, std::move(text)); });
  const Done done = co_await ctx.WaitUntil([texts] { return *texts == "ab"; });
  if (!done.ok()) co_return done.failure();
  co_return T(*texts);
}

TEST_F(InstanceTest, UpdatesChangeAndQueriesLook) {
  ScriptedRun run = Make(&Talk);
  run.Start();
  EXPECT_FALSE(run.Update("u1", "add", T("a")).rejected.has_value());
  EXPECT_EQ(run.Query("texts")->message(), "a");
  EXPECT_EQ(run.state.updates.at("u1").outcome.result().data(), history::ToPayload(T("a")).data());
  run.Update("u2", "add", T("b"));
  EXPECT_EQ(run.ResultText(), "ab");
  EXPECT_EQ(run.Query("texts")->message(), "ab") << "a closed run still answers";
}

TEST_F(InstanceTest, ARefusedUpdateLeavesNoTrace) {
  ScriptedRun run = Make(&Talk);
  run.Start();
  const size_t before = run.History().size();
  const UpdateVerdict refused = run.Update("u1", "add", T(""));
  EXPECT_EQ(refused.rejected->type, "Empty");
  EXPECT_EQ(run.Update("u2", "unknown").rejected->type, "UnknownUpdate");
  EXPECT_EQ(run.History().size(), before);
}

TEST_F(InstanceTest, AnUpdateHandlerThatThrowsFailsItsUpdateOnly) {
  ScriptedRun run = Make(&Talk);
  run.Start();
  EXPECT_FALSE(run.Update("u1", "add", T("throw")).rejected.has_value());
  EXPECT_EQ(run.state.updates.at("u1").outcome.failure().type(), "UnhandledException");
  EXPECT_FALSE(run.state.closed());
}

Workflow<Text> WaitsBadly(Context ctx, Text input) {
  const Done done = co_await ctx.WaitUntil([ctx]() -> bool {
    if (ctx.HasSignal("go")) throw std::runtime_error("a mistake");
    return false;
  });
  co_return done.failure();
}

TEST_F(InstanceTest, AConditionThatThrowsFailsItsWait) {
  ScriptedRun run = Make(&WaitsBadly);
  run.Start();
  run.Signal("go");
  EXPECT_EQ(run.ResultText(), "UnhandledException: a mistake");
}

TEST_F(InstanceTest, AnAsyncUpdateIsAnsweredWhenItsWorkEnds) {
  ScriptedRun run = Make(&Talk);
  run.Start();
  run.Update("u1", "work", T("x"));
  EXPECT_FALSE(run.state.updates.at("u1").completed);
  run.CompleteActivity("1", T("worked"));
  EXPECT_TRUE(run.state.updates.at("u1").completed);
}

TEST_F(InstanceTest, UnknownQueriesAreFailures) {
  ScriptedRun run = Make(&Talk);
  run.Start();
  EXPECT_EQ(run.Query("unknown").failure().type, "UnknownQuery");
}

Workflow<Text> Again(Context ctx, Text input) {
  if (!ctx.info().continued_from_run_id.empty()) co_return T("second run");
  co_return ctx.ContinueAsNew(T("next"));
}

TEST_F(InstanceTest, ContinueAsNewClosesWithTheNextInput) {
  ScriptedRun run = Make(&Again);
  run.Start();
  EXPECT_EQ(run.state.closed_status, v1::RunStatus::CONTINUED_AS_NEW);
}

TEST_F(InstanceTest, ActivityDefaultsComeFromTheRegistry) {
  registry.AddActivity(kWork,
                       [](ActivityContext&, Text input) -> base::Task<Outcome<Text>> {
                         return internal::Immediate<Text>(input);
                       },
                       {.schedule_to_close_timeout = absl::Minutes(3),
                        .retry = RetryPolicy{.maximum_attempts = 4},
                        .task_queue = "slow"});
  ScriptedRun run = Make(&RunOne);
  run.Start();
  const v1::ActivityTaskScheduled& scheduled = *run.state.activities.begin()->second.scheduled;
  EXPECT_EQ(scheduled.start_to_close_timeout().seconds(), 600) << "the default of ten minutes";
  EXPECT_EQ(scheduled.schedule_to_close_timeout().seconds(), 180);
  EXPECT_EQ(scheduled.retry_policy().maximum_attempts(), 4);
  EXPECT_EQ(scheduled.task_queue(), "slow");
  EXPECT_EQ(scheduled.idempotency_key(), "workflow-1/run-1/1");
}

}  // namespace
}  // namespace sdk
