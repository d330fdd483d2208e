// Runs that talk to runs: children and how they end, parent close policies, signals and cancel
// requests to other runs, over several partitions and restarts.
#include <gmock/gmock.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "orchestrator/history/payload.h"
#include "tests/integration/engine/engine_fixture.h"
#include "tests/support/await.h"
#include "tests/support/before_the_minute.h"

namespace engine_test {
namespace {

using sdk::ChildOptions;
using sdk::Failure;
using sdk::Outcome;
using sdk::ParentClosePolicy;
using sdk::Workflow;
using ::testing::HasSubstr;

constexpr sdk::WorkflowType<Text, Text> kChild{"child"};
constexpr sdk::WorkflowType<Text, Text> kCountDown{"countdown"};

// "say X" returns X; "fail" fails; "wait" returns the signal "go"; "hang" ignores nothing and
// waits for ever.
Workflow<Text> Child(sdk::Context ctx, Text input) {
  const std::vector<std::string> words = absl::StrSplit(input.message(), ' ');
  if (words[0] == "fail") co_return Failure::Permanent("Broken", "the child's own reason");
  if (words[0] == "say") co_return T(words[1]);
  const sdk::Done waited = co_await ctx.WaitUntil([ctx] { return ctx.HasSignal("go"); });
  if (!waited.ok()) co_return waited.failure();
  co_return *ctx.TakeSignal<Text>("go");
}

Workflow<Text> CountDown(sdk::Context ctx, Text input) {
  const int left = std::stoi(input.message());
  if (left == 0) co_return T("landed");
  co_return ctx.ContinueAsNew(T(std::to_string(left - 1)));
}

std::string Explain(const Outcome<Text>& outcome) {
  if (outcome.ok()) return outcome->message();
  const Failure& failure = outcome.failure();
  return absl::StrCat(failure.type,
                      failure.cause == nullptr ? "" : absl::StrCat(" <- ", failure.cause->type));
}

// Runs one child with the given id ("id:input") and says how it ended.
Workflow<Text> Parent(sdk::Context ctx, Text input) {
  const std::vector<std::string> parts = absl::StrSplit(input.message(), ':');
  sdk::ChildWorkflow<Text> child = ctx.ExecuteChild(kChild, T(parts[1]), {.workflow_id = parts[0]});
  const Outcome<Text> outcome = co_await child;
  co_return T(Explain(outcome));
}

Workflow<Text> DefaultId(sdk::Context ctx, Text input) {
  sdk::ChildWorkflow<Text> first = ctx.ExecuteChild(kChild, T("say a"));
  sdk::ChildWorkflow<Text> second = ctx.ExecuteChild(kChild, T("say b"));
  auto started = co_await second.started();
  if (!started.ok()) co_return started.failure();
  Outcome<Text> a = co_await first;
  Outcome<Text> b = co_await second;
  co_return T(absl::StrCat(
      a->message(), b->message(), " ", started->workflow_id() == ctx.info().run_id + "_2", " ",
      started->workflow_id() == second.workflow_id(), " ", started->run_id().size()));
}

// Fails with the child's failure, as code does that does not look closer.
Workflow<Text> Strict(sdk::Context ctx, Text input) {
  Outcome<Text> outcome =
      co_await ctx.ExecuteChild(kChild, T("wait"), {.workflow_id = input.message()});
  co_return outcome;
}

// Cancels its child once it has begun (or before, as the input says) and goes on.
Workflow<Text> Canceling(sdk::Context ctx, Text input) {
  sdk::ChildWorkflow<Text> child =
      ctx.ExecuteChild(kChild, T("wait"), {.workflow_id = ctx.info().workflow_id + "-child"});
  if (input.message() == "late") {
    auto started = co_await child.started();
    if (!started.ok()) co_return started.failure();
  }
  const bool first = ctx.Cancel(child);
  const bool second = ctx.Cancel(child);
  const Outcome<Text> outcome = co_await child;
  co_return T(absl::StrCat(Explain(outcome), first, second));
}

// Begins one child of each policy; ends at once, or on the signal "end".
Workflow<Text> Policies(sdk::Context ctx, Text input) {
  std::vector<sdk::ChildWorkflow<Text>> children;
  const std::string prefix = ctx.info().workflow_id;
  children.push_back(ctx.ExecuteChild(kChild, T("wait"), {.workflow_id = prefix + "-terminate"}));
  children.push_back(ctx.ExecuteChild(
      kChild, T("wait"),
      {.workflow_id = prefix + "-abandon", .parent_close_policy = ParentClosePolicy::kAbandon}));
  children.push_back(ctx.ExecuteChild(kChild, T("wait"),
                                      {.workflow_id = prefix + "-cancel",
                                       .parent_close_policy = ParentClosePolicy::kRequestCancel}));
  if (input.message() == "at once") co_return T("gone");
  for (const auto& child : children) {
    auto started = co_await child.started();
    if (!started.ok()) co_return started.failure();
  }
  const sdk::Done waited = co_await ctx.WaitUntil([ctx] { return ctx.HasSignal("end"); });
  if (!waited.ok()) co_return waited.failure();
  co_return T("gone");
}

Workflow<Text> Chain(sdk::Context ctx, Text input) {
  Outcome<Text> outcome = co_await ctx.ExecuteChild(kCountDown, input, {.workflow_id = "chain"});
  co_return outcome;
}

Workflow<Text> CronParent(sdk::Context ctx, Text input) {
  const Outcome<Text> outcome = co_await ctx.ExecuteChild(
      kChild, T("say tick"), {.workflow_id = input.message(), .cron_schedule = "* * * * *"});
  co_return T(Explain(outcome));
}

// "signal ID" or "cancel ID"; says what came of it.
Workflow<Text> Messenger(sdk::Context ctx, Text input) {
  const std::vector<std::string> words = absl::StrSplit(input.message(), ' ');
  const sdk::Done done =
      words[0] == "signal"
          ? co_await ctx.SignalExternal({.workflow_id = words[1]}, "go", T("hello"))
          : co_await ctx.CancelExternal({.workflow_id = words[1]}, "enough");
  co_return T(done.ok() ? "done" : done.failure().type);
}

// Signals its child in the task that starts it.
Workflow<Text> SignalsChild(sdk::Context ctx, Text input) {
  sdk::ChildWorkflow<Text> child = ctx.ExecuteChild(kChild, T("wait"));
  const sdk::Future<sdk::Unit> sent =
      ctx.SignalExternal({.workflow_id = child.workflow_id()}, "go", T("early"));
  const sdk::Done done = co_await sent;
  if (!done.ok()) co_return done.failure();
  Outcome<Text> outcome = co_await child;
  co_return outcome;
}

// Sends and does not wait.
Workflow<Text> FireAndForget(sdk::Context ctx, Text input) {
  const sdk::Future<sdk::Unit> sent =
      ctx.SignalExternal({.workflow_id = input.message()}, "go", T("from the grave"));
  co_return T(sent.is_ready() ? "ready" : "sent");
}

Workflow<Text> Fan(sdk::Context ctx, Text input) {
  std::vector<sdk::ChildWorkflow<Text>> children;
  const int count = std::stoi(input.message());
  for (int i = 0; i < count; ++i) {
    children.push_back(ctx.ExecuteChild(kChild, T(absl::StrCat("say ", i))));
  }
  int sum = 0;
  for (const auto& child : children) {
    Outcome<Text> outcome = co_await child;
    if (!outcome.ok()) co_return outcome.failure();
    sum += std::stoi(outcome->message());
  }
  co_return T(std::to_string(sum));
}

class ChildrenTest : public EngineTest {
 protected:
  ChildrenTest() {
    registry.AddWorkflow<Text, Text>("child", &Child);
    registry.AddWorkflow<Text, Text>("countdown", &CountDown);
    registry.AddWorkflow<Text, Text>("parent", &Parent);
    registry.AddWorkflow<Text, Text>("default_id", &DefaultId);
    registry.AddWorkflow<Text, Text>("strict", &Strict);
    registry.AddWorkflow<Text, Text>("canceling", &Canceling);
    registry.AddWorkflow<Text, Text>("policies", &Policies);
    registry.AddWorkflow<Text, Text>("chain", &Chain);
    registry.AddWorkflow<Text, Text>("cron_parent", &CronParent);
    registry.AddWorkflow<Text, Text>("messenger", &Messenger);
    registry.AddWorkflow<Text, Text>("signals_child", &SignalsChild);
    registry.AddWorkflow<Text, Text>("fire_and_forget", &FireAndForget);
    registry.AddWorkflow<Text, Text>("fan", &Fan);
  }
  void OpenMany() { Open({.partitions = 4}); }
  void Cancel(const std::string& id) {
    v1::CancelWorkflowRequest request;
    request.set_workflow_id(id);
    ASSERT_TRUE(Await<v1::CancelWorkflowResponse>([&](auto done) {
                  client->Cancel(request, std::move(done));
                }).ok());
  }
  void Terminate(const std::string& id) {
    v1::TerminateWorkflowRequest request;
    request.set_workflow_id(id);
    request.set_reason("by the test");
    ASSERT_TRUE(Await<v1::TerminateWorkflowResponse>([&](auto done) {
                  client->Terminate(request, std::move(done));
                }).ok());
  }
  // The child may not be there yet.
  void WaitUntilStarted(const std::string& id) {
    test::Await([&] { return InfoIn("", id).ok(); }, "the child " + id);
  }
  v1::WorkflowInfo WaitUntilPending(const std::string& parent, int children = 1) {
    return WaitFor(parent, [children](const v1::WorkflowInfo& info) {
      int started = 0;
      for (const auto& child : info.pending_children()) started += child.run_id().empty() ? 0 : 1;
      return started == children;
    });
  }
  std::vector<std::string> Names(const std::string& id) {
    std::vector<std::string> names;
    for (const v1::HistoryEvent& event : History(id)) {
      const auto* field = v1::HistoryEvent::GetReflection()->GetOneofFieldDescriptor(
          event, v1::HistoryEvent::descriptor()->FindOneofByName("attributes"));
      names.push_back(field->name());
    }
    return names;
  }
};

TEST_F(ChildrenTest, ResultComesBackFromAnyPartition) {
  OpenMany();
  for (int i = 0; i < 12; ++i) {
    const std::string n = std::to_string(i);
    ASSERT_TRUE(Start("parent", "p" + n, "c" + n + ":say hi" + n).ok());
  }
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(ResultText("p" + std::to_string(i)), "hi" + std::to_string(i));
  }
  EXPECT_THAT(Names("p3"), ::testing::IsSupersetOf({"start_child_workflow_execution_initiated",
                                                    "child_workflow_execution_started",
                                                    "child_workflow_execution_completed"}));
  const v1::WorkflowInfo child = Info("c3");
  EXPECT_EQ(child.parent().workflow_id(), "p3");
  EXPECT_EQ(child.parent().run_id(), Info("p3").run_id());
  for (const v1::HistoryEvent& event : History("p3")) {
    if (!event.has_child_workflow_execution_started()) continue;
    EXPECT_EQ(event.child_workflow_execution_started().run_id(), child.run_id());
  }
}

TEST_F(ChildrenTest, FailureComesBackWithItsCause) {
  OpenMany();
  ASSERT_TRUE(Start("parent", "p", "c:fail").ok());
  EXPECT_EQ(ResultText("p"), "ChildWorkflowFailed <- Broken");
}

TEST_F(ChildrenTest, TerminationAndForeignCancellationComeBack) {
  OpenMany();
  ASSERT_TRUE(Start("parent", "p1", "c1:wait").ok());
  ASSERT_TRUE(Start("parent", "p2", "c2:wait").ok());
  WaitUntilStarted("c1");
  WaitUntilStarted("c2");
  Terminate("c1");
  Cancel("c2");
  EXPECT_EQ(ResultText("p1"), "ChildWorkflowTerminated");
  EXPECT_EQ(ResultText("p2"), "ChildWorkflowCanceled <- Canceled");
}

TEST_F(ChildrenTest, DefaultIdFollowsFromTheParentsRun) {
  OpenMany();
  ASSERT_TRUE(Start("default_id", "p").ok());
  EXPECT_EQ(ResultText("p"), "ab 1 1 36");
}

TEST_F(ChildrenTest, IsNotStartedWhenItsIdIsTaken) {
  OpenMany();
  ASSERT_TRUE(Start("child", "taken", "wait").ok());
  ASSERT_TRUE(Start("parent", "p", "taken:say x").ok());
  EXPECT_EQ(ResultText("p"), "ChildWorkflowNotStarted <- WorkflowAlreadyStarted");
  EXPECT_EQ(Info("taken").status(), v1::RunStatus::RUNNING);
  EXPECT_FALSE(Info("taken").has_parent());
}

TEST_F(ChildrenTest, CancelingTheParentCancelsTheChild) {
  OpenMany();
  ASSERT_TRUE(Start("strict", "p", "c").ok());
  WaitUntilPending("p");
  Cancel("p");
  EXPECT_EQ(Result("p").status(), v1::RunStatus::CANCELED);
  EXPECT_EQ(Info("c").status(), v1::RunStatus::CANCELED);
}

TEST_F(ChildrenTest, OneChildCanBeCanceledAlsoBeforeItStarted) {
  OpenMany();
  for (const char* when : {"late", "early"}) {
    ASSERT_TRUE(Start("canceling", when, when).ok());
    EXPECT_EQ(ResultText(when), "Canceled <- Canceled10");
    EXPECT_EQ(Info(absl::StrCat(when, "-child")).status(), v1::RunStatus::CANCELED);
  }
}

TEST_F(ChildrenTest, PendingChildrenAreShown) {
  OpenMany();
  ASSERT_TRUE(Start("policies", "p").ok());
  const v1::WorkflowInfo info = WaitUntilPending("p", 3);
  EXPECT_EQ(info.pending_children(1).workflow_id(), "p-abandon");
  EXPECT_EQ(info.pending_children(1).workflow_type(), "child");
  EXPECT_EQ(info.pending_children(1).parent_close_policy(), v1::ParentClosePolicy::ABANDON);
  EXPECT_EQ(info.pending_children(1).run_id(), Info("p-abandon").run_id());
}

TEST_F(ChildrenTest, CloseOfTheParentIsAppliedByEachPolicy) {
  OpenMany();
  ASSERT_TRUE(Start("policies", "done").ok());
  ASSERT_TRUE(Start("policies", "killed").ok());
  WaitUntilPending("done", 3);
  WaitUntilPending("killed", 3);
  ASSERT_TRUE(Signal("done", "end", "").ok());
  Terminate("killed");
  EXPECT_EQ(ResultText("done"), "gone");
  for (const std::string id : {"done", "killed"}) {
    EXPECT_EQ(Result(id + "-terminate").status(), v1::RunStatus::TERMINATED);
    EXPECT_THAT(Result(id + "-terminate").failure().message(), HasSubstr("its parent"));
    EXPECT_EQ(Result(id + "-cancel").status(), v1::RunStatus::CANCELED);
    EXPECT_EQ(Info(id + "-abandon").status(), v1::RunStatus::RUNNING);
    ASSERT_TRUE(Signal(id + "-abandon", "go", "free").ok());
    EXPECT_EQ(ResultText(id + "-abandon"), "free");
  }
}

TEST_F(ChildrenTest, AnAbandonedChildBeginsAlsoWhenItsParentEndedAtOnce) {
  OpenMany();
  ASSERT_TRUE(Start("policies", "p", "at once").ok());
  EXPECT_EQ(ResultText("p"), "gone");
  WaitUntilStarted("p-abandon");
  ASSERT_TRUE(Signal("p-abandon", "go", "free").ok());
  EXPECT_EQ(ResultText("p-abandon"), "free");
  for (const char* id : {"p-terminate", "p-cancel"}) {
    v1::GetWorkflowRequest request;
    request.set_workflow_id(id);
    EXPECT_TRUE(absl::IsNotFound(Await<v1::WorkflowInfo>([&](auto done) {
                                   client->GetWorkflow(request, std::move(done));
                                 }).status()));
  }
}

TEST_F(ChildrenTest, AChainReportsItsEndOnly) {
  OpenMany();
  ASSERT_TRUE(Start("chain", "p", "5").ok());
  EXPECT_EQ(ResultText("p"), "landed");
  EXPECT_EQ(Info("chain").parent().workflow_id(), "p");
  const std::vector<std::string> names = Names("p");
  EXPECT_EQ(std::count(names.begin(), names.end(), "child_workflow_execution_completed"), 1);
}

TEST_F(ChildrenTest, ACronChildReportsItsLastRunOnly) {
  test::BeforeTheMinute minute(clock);
  engine_clock = &minute;
  OpenMany();
  ASSERT_TRUE(Start("cron_parent", "p", "c").ok());
  WaitUntilPending("p");
  v1::WorkflowInfo info = Info("p");
  const std::string first = info.pending_children(0).run_id();
  v1::GetWorkflowResultRequest request;
  request.set_workflow_id("c");
  request.set_run_id(first);
  request.mutable_wait()->set_seconds(30);
  auto result = Await<v1::GetWorkflowResultResponse>(
      [&](auto done) { client->GetResult(request, std::move(done)); });
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->status(), v1::RunStatus::COMPLETED);
  info = Info("c");
  EXPECT_NE(info.run_id(), first) << "the next run waits for its time";
  EXPECT_EQ(info.parent().workflow_id(), "p");
  Restart({.partitions = 2});
  EXPECT_EQ(Info("p").pending_children_size(), 1);
  Cancel("c");
  EXPECT_THAT(ResultText("p"), HasSubstr("ChildWorkflowCanceled"));
  Close();  // before the clock goes
}

TEST_F(ChildrenTest, ManyChildren) {
  OpenMany();
  ASSERT_TRUE(Start("fan", "p", "300").ok());
  EXPECT_EQ(ResultText("p"), std::to_string(300 * 299 / 2));
}

TEST_F(ChildrenTest, ManyChildrenAmongEvictedRunsAndFewMessagesAtOnce) {
  Open({.partitions = 2,
        .live_runs_max = 3,
        .messages_in_flight_max = 2,
        .store_retry = absl::Milliseconds(1)});
  ASSERT_TRUE(Start("fan", "p", "40").ok());
  EXPECT_EQ(ResultText("p"), std::to_string(40 * 39 / 2));
}

TEST_F(ChildrenTest, GoOnAfterARestart) {
  OpenMany();
  ASSERT_TRUE(Start("parent", "p", "c:wait").ok());
  WaitUntilPending("p");
  // Also with another number of partitions.
  Restart({.partitions = 3});
  EXPECT_EQ(Info("p").pending_children_size(), 1);
  ASSERT_TRUE(Signal("c", "go", "late").ok());
  EXPECT_EQ(ResultText("p"), "late");
  Restart({.partitions = 1});
  EXPECT_EQ(ResultText("p"), "late");
}

TEST_F(ChildrenTest, ASignalReachesAnotherRunOnce) {
  OpenMany();
  ASSERT_TRUE(Start("child", "target", "wait").ok());
  ASSERT_TRUE(Start("messenger", "m", "signal target").ok());
  EXPECT_EQ(ResultText("m"), "done");
  EXPECT_EQ(ResultText("target"), "hello");
  const std::vector<std::string> names = Names("target");
  EXPECT_EQ(std::count(names.begin(), names.end(), "workflow_execution_signaled"), 1);
  EXPECT_THAT(Names("m"), ::testing::Contains("external_workflow_execution_signaled"));
}

TEST_F(ChildrenTest, AMessageToNobodyFails) {
  OpenMany();
  ASSERT_TRUE(Start("child", "closed", "say x").ok());
  EXPECT_EQ(ResultText("closed"), "x");
  for (const std::string verb : {"signal", "cancel"}) {
    ASSERT_TRUE(Start("messenger", verb + "1", verb + " nobody").ok());
    EXPECT_EQ(ResultText(verb + "1"), "WorkflowNotFound");
    ASSERT_TRUE(Start("messenger", verb + "2", verb + " closed").ok());
    EXPECT_EQ(ResultText(verb + "2"), "WorkflowClosed");
  }
}

TEST_F(ChildrenTest, AnotherRunCanBeCanceled) {
  OpenMany();
  ASSERT_TRUE(Start("child", "target", "wait").ok());
  ASSERT_TRUE(Start("messenger", "m", "cancel target").ok());
  EXPECT_EQ(ResultText("m"), "done");
  EXPECT_EQ(Result("target").status(), v1::RunStatus::CANCELED);
  for (const v1::HistoryEvent& event : History("target")) {
    if (!event.has_workflow_execution_cancel_requested()) continue;
    EXPECT_EQ(event.workflow_execution_cancel_requested().reason(), "enough");
    EXPECT_EQ(event.workflow_execution_cancel_requested().identity(), "workflow m");
  }
}

TEST_F(ChildrenTest, ASignalToAChildWaitsForItsStart) {
  OpenMany();
  for (int i = 0; i < 8; ++i) {
    const std::string id = "p" + std::to_string(i);
    ASSERT_TRUE(Start("signals_child", id).ok());
    EXPECT_EQ(ResultText(id), "early");
  }
}

TEST_F(ChildrenTest, WhatARunOrderedGoesOutAlsoAfterItEnded) {
  OpenMany();
  ASSERT_TRUE(Start("child", "target", "wait").ok());
  ASSERT_TRUE(Start("fire_and_forget", "f", "target").ok());
  EXPECT_EQ(ResultText("f"), "sent");
  EXPECT_EQ(ResultText("target"), "from the grave");
}

}  // namespace
}  // namespace engine_test
