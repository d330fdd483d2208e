// Children and messages to other runs, as workflow code sees them: which commands are given, and
// what the events make of their futures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "orchestrator/sdk/testing/workflow_test_env.h"
#include "tests/unit/orchestrator/sdk/scripted_run.h"

namespace sdk {
namespace {

using ::testing::ElementsAre;

constexpr WorkflowType<Text, Text> kChild{"child"};

class ChildrenTest : public ::testing::Test {
 protected:
  template <typename Fn>
  ScriptedRun Make(Fn fn) {
    registry.AddWorkflow<Text, Text>("test", fn);
    return ScriptedRun(registry, "test");
  }
  static base::EventId Initiated(const ScriptedRun& run, const std::string& id) {
    for (const auto& [event_id, child] : run.state.children) {
      if (child.initiated->workflow_id() == id) return event_id;
    }
    return 0;
  }
  static void StartChild(ScriptedRun& run, const std::string& id) {
    run.Do([&](core::TransitionBuilder& t) {
      core::OnChildStarted(t, Initiated(run, id), "run-of-" + id);
    });
  }
  static void EndChild(ScriptedRun& run, const std::string& id, v1::RunStatus::Value status) {
    core::ChildEnd end{.workflow_id = id, .run_id = "run-of-" + id, .status = status};
    end.parent.set_initiated_event_id(Initiated(run, id));
    end.result = history::ToPayload(T("result"));
    if (status != v1::RunStatus::COMPLETED) {
      end.failure.emplace();
      end.failure->set_type("Reason");
    }
    run.Do([&](core::TransitionBuilder& t) { core::OnChildEnd(t, end); });
  }
  Registry registry;
};

std::string Explain(const Outcome<Text>& outcome) {
  if (outcome.ok()) return outcome->message();
  const Failure& failure = outcome.failure();
  return absl::StrCat(failure.type, failure.cause == nullptr ? "" : " <- " + failure.cause->type);
}

Workflow<Text> One(Context ctx, Text input) {
  ChildWorkflow<Text> child = ctx.ExecuteChild(kChild, T("in"), {.workflow_id = "c"});
  auto started = co_await child.started();
  const std::string run_id = started.ok() ? started->run_id() : started.failure().type;
  const Outcome<Text> outcome = co_await child;
  co_return T(absl::StrCat(run_id, " ", Explain(outcome)));
}

TEST_F(ChildrenTest, EachEndBecomesItsOutcome) {
  const std::pair<v1::RunStatus::Value, std::string> kEnds[] = {
      {v1::RunStatus::COMPLETED, "result"},
      {v1::RunStatus::FAILED, "ChildWorkflowFailed <- Reason"},
      {v1::RunStatus::CANCELED, "ChildWorkflowCanceled <- Reason"},
      {v1::RunStatus::TIMED_OUT, "ChildWorkflowTimedOut <- Reason"},
      {v1::RunStatus::TERMINATED, "ChildWorkflowTerminated"}};
  for (const auto& [status, text] : kEnds) {
    ScriptedRun run = Make(&One);
    run.Start();
    StartChild(run, "c");
    EndChild(run, "c", status);
    EXPECT_EQ(run.ResultText(), "run-of-c " + text);
    EXPECT_THAT(run.Commands(), ElementsAre("StartChildWorkflowExecutionInitiated id=c type=child",
                                            "WorkflowExecutionCompleted"));
  }
}

TEST_F(ChildrenTest, BothFuturesFailWhenItDoesNotStart) {
  ScriptedRun run = Make(&One);
  run.Start();
  run.Do([&](core::TransitionBuilder& t) {
    v1::Failure taken;
    taken.set_type("WorkflowAlreadyStarted");
    core::OnChildNotStarted(t, Initiated(run, "c"), taken);
  });
  EXPECT_EQ(run.ResultText(),
            "ChildWorkflowNotStarted ChildWorkflowNotStarted <- WorkflowAlreadyStarted");
}

Workflow<Text> Scoped(Context ctx, Text input) {
  Scope scope = ctx.NewScope();
  ChildWorkflow<Text> inside = scope.ExecuteChild(kChild, T(""), {.workflow_id = "in"});
  ChildWorkflow<Text> outside = ctx.ExecuteChild(kChild, T(""), {.workflow_id = "out"});
  scope.Cancel("not needed");
  ChildWorkflow<Text> after = scope.ExecuteChild(kChild, T(""), {.workflow_id = "after"});
  const Outcome<Text> a = co_await inside;
  const Outcome<Text> b = co_await outside;
  const Outcome<Text> c = co_await after;
  co_return T(absl::StrCat(Explain(a), ", ", Explain(b), ", ", Explain(c)));
}

TEST_F(ChildrenTest, AScopeCancelsItsChildrenAndBeginsNoMore) {
  ScriptedRun run = Make(&Scoped);
  run.Start();
  StartChild(run, "in");
  EndChild(run, "in", v1::RunStatus::CANCELED);
  StartChild(run, "out");
  EndChild(run, "out", v1::RunStatus::CANCELED);
  EXPECT_EQ(run.ResultText(), "Canceled <- Reason, ChildWorkflowCanceled <- Reason, Canceled");
  EXPECT_THAT(run.Commands(), ElementsAre("StartChildWorkflowExecutionInitiated id=in type=child",
                                          "StartChildWorkflowExecutionInitiated id=out type=child",
                                          "RequestCancelExternalWorkflowExecutionInitiated id=in",
                                          "WorkflowExecutionCompleted"));
}

Workflow<Text> Numbered(Context ctx, Text input) {
  ChildWorkflow<Text> child = ctx.ExecuteChild(kChild, T(""));
  const sdk::Done sent =
      co_await ctx.SignalExternal({.workflow_id = child.workflow_id()}, "go", T(""));
  if (!sent.ok()) co_return sent.failure();
  const Outcome<Text> outcome = co_await child;
  co_return T(Explain(outcome));
}

TEST_F(ChildrenTest, ADefaultIdIsTheSameChildInAResetRun) {
  ScriptedRun run = Make(&Numbered);
  run.Start();
  EXPECT_THAT(run.Commands(),
              ElementsAre("StartChildWorkflowExecutionInitiated id=run-1_1 type=child",
                          "SignalExternalWorkflowExecutionInitiated id=run-1_1 name=go"));
  // The history of a run with one id, copied to a run with another one.
  std::vector<v1::HistoryEvent> copy = run.History();
  const std::string child = "0190a0b0-0000-7000-8000-000000000001_1";
  for (v1::HistoryEvent& event : copy) {
    if (event.has_start_child_workflow_execution_initiated()) {
      event.mutable_start_child_workflow_execution_initiated()->set_workflow_id(child);
      EXPECT_EQ(DescribeEvent(event), "StartChildWorkflowExecutionInitiated id=#1 type=child");
    } else if (event.has_signal_external_workflow_execution_initiated()) {
      event.mutable_signal_external_workflow_execution_initiated()->set_workflow_id(child);
    }
  }
  copy[0].mutable_workflow_execution_started()->set_run_id("0190a0b0-0000-7000-8000-00000000000f");
  Instance instance(registry, *registry.FindWorkflow("test"));
  const absl::Status replayed = instance.Replay(copy);
  EXPECT_TRUE(replayed.ok()) << replayed;
}

Workflow<Text> InVirtualTime(Context ctx, Text input) {
  ChildWorkflow<Text> slow = ctx.ExecuteChild(kChild, T("slow"), {.workflow_id = "slow"});
  ChildWorkflow<Text> never = ctx.ExecuteChild(kChild, T("never"), {.workflow_id = "never"});
  const Outcome<Text> a = co_await slow;
  ctx.Cancel(never);
  const Outcome<Text> b = co_await never;
  const Done told = co_await ctx.SignalExternal({.workflow_id = "boss"}, "report", T(Explain(a)));
  co_return T(absl::StrCat(Explain(a), ", ", Explain(b), ", ", told.ok()));
}

TEST_F(ChildrenTest, ATestGivesChildrenInVirtualTime) {
  testing::WorkflowTestEnv env;
  env.AddWorkflow<Text, Text>("test", &InVirtualTime);
  env.OnChild(
      kChild, [](const Text& input) -> Outcome<Text> { return T("done " + input.message()); },
      absl::Hours(24));
  env.SignalAt(absl::Hours(23), "unheard", T(""));
  const Outcome<Text> result = env.Run<Text, Text>("test", T(""));
  ASSERT_TRUE(result.ok()) << result.failure().ToString();
  EXPECT_EQ(result->message(), "done slow, Canceled <- Canceled, 1");
  EXPECT_EQ(env.Elapsed(), absl::Hours(24));
  ASSERT_EQ(env.sent_messages().size(), 2u);
  EXPECT_EQ(env.sent_messages()[0].workflow_id, "never");
  EXPECT_EQ(env.sent_messages()[1].signal_name, "report");
}

TEST_F(ChildrenTest, AChildThatATestDoesNotGiveFails) {
  testing::WorkflowTestEnv env;
  env.AddWorkflow<Text, Text>("test", &One);
  const Outcome<Text> result = env.Run<Text, Text>("test", T(""));
  ASSERT_TRUE(result.ok()) << result.failure().ToString();
  EXPECT_THAT(result->message(), ::testing::EndsWith("ChildWorkflowFailed <- NoSuchWorkflow"));
}

}  // namespace
}  // namespace sdk
