// What survives: restarts in the middle, eviction, changed workflow code.
#include <gmock/gmock.h>

#include "tests/integration/engine/engine_fixture.h"

namespace engine_test {
namespace {

using sdk::Outcome;
using sdk::Workflow;

constexpr sdk::ActivityType<Text, Text> kFirst{"first"};
constexpr sdk::ActivityType<Text, Text> kSecond{"second"};

base::Task<Outcome<Text>> Echo(sdk::ActivityContext& ctx, Text input) { co_return input; }

Workflow<Text> Version1(sdk::Context ctx, Text input) {
  Outcome<Text> a = co_await ctx.Execute(kFirst, T("1"));
  const sdk::Done waited = co_await ctx.WaitUntil([&] { return ctx.HasSignal("go"); });
  if (!waited.ok()) co_return waited.failure();
  Outcome<Text> b = co_await ctx.Execute(kSecond, T("2"));
  co_return T(a->message() + b->message());
}

// Incompatible: the first activity is another one.
Workflow<Text> Version2(sdk::Context ctx, Text input) {
  Outcome<Text> b = co_await ctx.Execute(kSecond, T("2"));
  const sdk::Done waited = co_await ctx.WaitUntil([&] { return ctx.HasSignal("go"); });
  if (!waited.ok()) co_return waited.failure();
  Outcome<Text> a = co_await ctx.Execute(kFirst, T("1"));
  co_return T(a->message() + b->message());
}

class RecoveryTest : public EngineTest {
 protected:
  RecoveryTest() {
    registry.AddActivity(kFirst, &Echo);
    registry.AddActivity(kSecond, &Echo);
    registry.AddWorkflow<Text, Text>("two", &Version1);
  }
  void WaitUntilParked(const std::string& id) {
    WaitFor(id, [](const v1::WorkflowInfo& info) {
      return info.history_length() >= 10 && info.pending_activities_size() == 0;
    });
  }
};

TEST_F(RecoveryTest, GoesOnAfterARestart) {
  Open();
  ASSERT_TRUE(Start("two", "w1").ok());
  WaitUntilParked("w1");
  Restart();
  ASSERT_TRUE(Signal("w1", "go", "").ok());
  EXPECT_EQ(ResultText("w1"), "12");
}

TEST_F(RecoveryTest, EvictedRunsWakeByReplay) {
  Open({.live_runs_max = 1});
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Start("two", "w" + std::to_string(i)).ok());
  for (int i = 0; i < 20; ++i) WaitUntilParked("w" + std::to_string(i));
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(Signal("w" + std::to_string(i), "go", "").ok());
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ResultText("w" + std::to_string(i)), "12");
  EXPECT_THAT(metrics.Expose(), ::testing::HasSubstr("workflow_replays_total"));
}

TEST_F(RecoveryTest, ChangedCodeMakesTheRunStuckAndTheOldCodeLetsItGoOn) {
  Open();
  ASSERT_TRUE(Start("two", "w1").ok());
  WaitUntilParked("w1");
  const size_t length = History("w1").size();

  registry.AddWorkflow<Text, Text>("two", &Version2);
  Restart();
  EXPECT_FALSE(Query("w1", "any").ok());  // touches the run
  v1::WorkflowInfo info = WaitFor(
      "w1", [](const v1::WorkflowInfo& info) { return info.status() == v1::RunStatus::STUCK; });
  EXPECT_THAT(info.status_reason(), ::testing::HasSubstr("nondeterminism"));
  EXPECT_THAT(info.status_reason(), ::testing::HasSubstr("at event 5"));
  EXPECT_THAT(info.status_reason(),
              ::testing::HasSubstr("expected ActivityTaskScheduled id=1 type=first"));
  EXPECT_THAT(info.status_reason(),
              ::testing::HasSubstr("found ActivityTaskScheduled id=1 type=second"));
  EXPECT_THAT(info.status_reason(), ::testing::HasSubstr("recovery_test.cc:"));
  EXPECT_EQ(History("w1").size(), length) << "a mismatch appends nothing";
  ASSERT_TRUE(Signal("w1", "go", "").ok()) << "a stuck run keeps signals";

  registry.AddWorkflow<Text, Text>("two", &Version1);
  Restart();
  EXPECT_EQ(ResultText("w1"), "12");
}

TEST_F(RecoveryTest, StuckRunWithNothingToDoRecoversByItself) {
  Open();
  ASSERT_TRUE(Start("two", "w1").ok());
  WaitUntilParked("w1");
  registry.AddWorkflow<Text, Text>("two", &Version2);
  Restart();
  EXPECT_FALSE(Query("w1", "any").ok());
  EXPECT_EQ(Info("w1").status(), v1::RunStatus::STUCK);
  registry.AddWorkflow<Text, Text>("two", &Version1);
  Restart();
  WaitFor("w1",
          [](const v1::WorkflowInfo& info) { return info.status() == v1::RunStatus::RUNNING; });
}

Workflow<Text> Chatty(sdk::Context ctx, Text input) {
  while (true) {
    const sdk::Done waited = co_await ctx.WaitUntil([&] { return ctx.HasSignal("s"); });
    if (!waited.ok()) co_return waited.failure();
    Outcome<Text> taken = ctx.TakeSignal<Text>("s");
    if (taken->message() == "end") co_return T("ended");
  }
}

TEST_F(RecoveryTest, HistoryLimitSuspendsAndARaisedLimitLetsItGoOn) {
  registry.AddWorkflow<Text, Text>("chatty", &Chatty);
  Open({.history_events_max = 20});
  ASSERT_TRUE(Start("chatty", "w1").ok());
  absl::Status status;
  for (int i = 0; status.ok() && i < 100; ++i) status = Signal("w1", "s", "x");
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("history_events_max = 20"));
  Restart();
  ASSERT_TRUE(Signal("w1", "s", "end").ok());
  EXPECT_EQ(ResultText("w1"), "ended");
}

TEST_F(RecoveryTest, UnregisteredTypeIsStuckUntilItIsThere) {
  Open();
  ASSERT_TRUE(Start("unheard", "w1").ok());
  EXPECT_EQ(Info("w1").status(), v1::RunStatus::STUCK);
  EXPECT_THAT(Info("w1").status_reason(), ::testing::HasSubstr("\"unheard\" is not registered"));
  registry.AddWorkflow<Text, Text>("unheard", &Version1);
  Restart();
  WaitUntilParked("w1");
  EXPECT_EQ(Info("w1").status(), v1::RunStatus::RUNNING);
}

Workflow<Text> CountDown(sdk::Context ctx, Text input) {
  const int n = std::stoi(input.message());
  if (n == 0) co_return T("landed");
  co_return ctx.ContinueAsNew(T(std::to_string(n - 1)));
}

TEST_F(RecoveryTest, ContinueAsNewStartsTheNextRun) {
  registry.AddWorkflow<Text, Text>("countdown", &CountDown);
  Open();
  auto started = Start("countdown", "w1", "3");
  ASSERT_TRUE(started.ok());
  EXPECT_EQ(ResultText("w1"), "landed");
  EXPECT_NE(Info("w1").run_id(), started->run_id());
  v1::GetWorkflowRequest request;
  request.set_workflow_id("w1");
  request.set_run_id(started->run_id());
  auto first =
      Await<v1::WorkflowInfo>([&](auto done) { client->GetWorkflow(request, std::move(done)); });
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->status(), v1::RunStatus::CONTINUED_AS_NEW);
}

}  // namespace
}  // namespace engine_test
