// Signals, queries, updates, timers, start-once, lists.
#include "tests/integration/engine/engine_fixture.h"

namespace engine_test {
namespace {

using sdk::Failure;
using sdk::Outcome;
using sdk::Workflow;

// Collects signals until "end"; answers a query; takes one "decide" update.
Workflow<Text> Collect(sdk::Context ctx, Text input) {
  const auto collected = std::make_shared<std::string>();
  std::string decision;
  ctx.SetQueryHandler<Text, Text>(
      "collected", [collected](const Text&) -> Outcome<Text> { return T(*collected); });
  ctx.SetUpdateHandler<Text, Text>(
      "decide",
      [&decision](const Text& update) -> sdk::Done {
        if (!decision.empty()) return Failure::Permanent("AlreadyDecided", "it is " + decision);
        if (update.message().empty()) return Failure::Permanent("Invalid", "say what");
        return sdk::Unit{};
      },
      [&decision](const Text& update) -> Outcome<Text> {
        decision = update.message();
        return T("decided " + decision);
      });
  while (true) {
    const sdk::Done waited = co_await ctx.WaitUntil([&] { return ctx.HasSignal("add"); });
    if (!waited.ok()) co_return waited.failure();
    const Outcome<Text> signal = ctx.TakeSignal<Text>("add");
    if (signal->message() == "end") break;
    *collected += signal->message();
  }
  co_return T(*collected + "/" + decision);
}

Workflow<Text> Timers(sdk::Context ctx, Text input) {
  const absl::Time begin = ctx.Now();
  const sdk::Done slept = co_await ctx.Sleep(absl::Milliseconds(30));
  if (!slept.ok()) co_return slept.failure();
  const bool early = ctx.Now() - begin < absl::Milliseconds(30);
  const sdk::Done waited = co_await ctx.WaitUntil([] { return false; }, absl::Milliseconds(10));
  co_return T(std::string(early ? "early " : "in time ") + waited.failure().type);
}

// Waits for a moment by a condition, without a timer.
Workflow<Text> Moment(sdk::Context ctx, Text input) {
  const auto phase = std::make_shared<std::string>("waiting");
  ctx.SetQueryHandler<Text, Text>("phase",
                                  [phase](const Text&) -> Outcome<Text> { return T(*phase); });
  ctx.SetUpdateHandler<Text, Text>(
      "refuse", [](const Text&) -> sdk::Done { return Failure::Permanent("Invalid", "no"); },
      [](const Text& update) -> Outcome<Text> { return update; });
  const absl::Time moment = ctx.Now() + absl::Milliseconds(20);
  const sdk::Done come = co_await ctx.WaitUntil([ctx, moment] { return ctx.Now() >= moment; });
  if (!come.ok()) co_return come.failure();
  *phase = "passed";
  const sdk::Done go = co_await ctx.WaitUntil([ctx] { return ctx.HasSignal("go"); });
  if (!go.ok()) co_return go.failure();
  co_return T("done");
}

class MessagesTest : public EngineTest {
 protected:
  MessagesTest() {
    registry.AddWorkflow<Text, Text>("collect", &Collect);
    registry.AddWorkflow<Text, Text>("timers", &Timers);
    registry.AddWorkflow<Text, Text>("moment", &Moment);
  }
};

TEST_F(MessagesTest, SignalsArriveInOrderAndQueriesSeeThem) {
  Open();
  ASSERT_TRUE(Start("collect", "w1").ok());
  ASSERT_TRUE(Signal("w1", "add", "a").ok());
  ASSERT_TRUE(Signal("w1", "add", "b").ok());
  EXPECT_EQ(*Query("w1", "collected"), "ab");
  ASSERT_TRUE(Signal("w1", "add", "end").ok());
  EXPECT_EQ(ResultText("w1"), "ab/");
  EXPECT_EQ(*Query("w1", "collected"), "ab") << "a closed run answers queries too";
  EXPECT_EQ(Signal("w1", "add", "late").code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(MessagesTest, UnknownQueryIsNotFound) {
  Open();
  ASSERT_TRUE(Start("collect", "w1").ok());
  EXPECT_EQ(Query("w1", "nothing").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Query("w2", "collected").status().code(), absl::StatusCode::kNotFound);
}

TEST_F(MessagesTest, FirstUpdateWinsAndARefusalLeavesNoTrace) {
  Open();
  ASSERT_TRUE(Start("collect", "w1").ok());
  auto refused = Update("w1", "decide", "");
  ASSERT_TRUE(refused.ok());
  EXPECT_EQ(refused->rejected().type(), "Invalid");
  const size_t length = History("w1").size();
  auto first = Update("w1", "decide", "yes");
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(history::FromPayload<Text>(first->result())->message(), "decided yes");
  EXPECT_GT(History("w1").size(), length);
  const size_t after = History("w1").size();
  auto second = Update("w1", "decide", "no");
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->rejected().type(), "AlreadyDecided");
  EXPECT_EQ(second->rejected().message(), "it is yes");
  EXPECT_EQ(History("w1").size(), after) << "a refused update appends nothing";
  ASSERT_TRUE(Signal("w1", "add", "end").ok());
  EXPECT_EQ(ResultText("w1"), "/yes");
  EXPECT_EQ(Update("w1", "decide", "late").status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(MessagesTest, ARefusedUpdateDoesNotAdvanceTheWorkflow) {
  Open();
  ASSERT_TRUE(Start("moment", "w1").ok());
  const absl::Time moment = clock.Now() + absl::Milliseconds(30);
  do {
    auto refused = Update("w1", "refuse", "");
    ASSERT_TRUE(refused.ok());
    ASSERT_TRUE(refused->has_rejected());
  } while (clock.Now() < moment);
  EXPECT_EQ(*Query("w1", "phase"), "waiting") << "nothing was recorded that replay could follow";
  ASSERT_TRUE(Signal("w1", "go", "").ok());
  EXPECT_EQ(ResultText("w1"), "done");
}

TEST_F(MessagesTest, UpdatesAndSignalsSurviveARestart) {
  Open();
  ASSERT_TRUE(Start("collect", "w1").ok());
  ASSERT_TRUE(Signal("w1", "add", "a").ok());
  ASSERT_TRUE(Update("w1", "decide", "yes").ok());
  Restart();
  EXPECT_EQ(*Query("w1", "collected"), "a");
  ASSERT_TRUE(Signal("w1", "add", "end").ok());
  EXPECT_EQ(ResultText("w1"), "a/yes");
}

TEST_F(MessagesTest, TimersAreNeverEarly) {
  Open();
  ASSERT_TRUE(Start("timers", "w1").ok());
  EXPECT_EQ(ResultText("w1"), "in time TimedOut");
}

TEST_F(MessagesTest, RequestIdStartsOnce) {
  Open();
  auto first = Start("collect", "w1", "in", "r1");
  ASSERT_TRUE(first.ok());
  auto again = Start("collect", "w1", "in", "r1");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->run_id(), first->run_id());
  EXPECT_TRUE(again->already_started());
  EXPECT_EQ(Start("collect", "w1", "other", "r1").status().code(),
            absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Start("collect", "w1", "in", "r2").status().code(), absl::StatusCode::kAlreadyExists);
  ASSERT_TRUE(Signal("w1", "add", "end").ok());
  ResultText("w1");
  auto closed = Start("collect", "w1", "in", "r1");
  ASSERT_TRUE(closed.ok());
  EXPECT_EQ(closed->run_id(), first->run_id()) << "also when the run is closed";
  auto next = Start("collect", "w1", "in", "r2");
  ASSERT_TRUE(next.ok());
  EXPECT_NE(next->run_id(), first->run_id());
}

TEST_F(MessagesTest, ListFiltersByStatus) {
  Open();
  ASSERT_TRUE(Start("collect", "open").ok());
  ASSERT_TRUE(Start("collect", "done").ok());
  ASSERT_TRUE(Signal("done", "add", "end").ok());
  ResultText("done");
  v1::ListWorkflowsRequest request;
  request.set_status(v1::RunStatus::RUNNING);
  auto list = Await<v1::ListWorkflowsResponse>(
      [&](auto done) { client->ListWorkflows(request, std::move(done)); });
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->workflows_size(), 1);
  EXPECT_EQ(list->workflows(0).workflow_id(), "open");
}

TEST_F(MessagesTest, TerminateEndsAtOnce) {
  Open();
  ASSERT_TRUE(Start("collect", "w1").ok());
  v1::TerminateWorkflowRequest request;
  request.set_workflow_id("w1");
  request.set_reason("enough");
  ASSERT_TRUE(Await<v1::TerminateWorkflowResponse>([&](auto done) {
                client->Terminate(request, std::move(done));
              }).ok());
  EXPECT_EQ(ResultText("w1"), "TERMINATED Terminated enough");
}

TEST_F(MessagesTest, ExecutionTimeoutEndsTheRunAsTimedOut) {
  Open();
  v1::StartWorkflowRequest request;
  request.set_workflow_id("w1");
  request.set_workflow_type("collect");
  *request.mutable_input() = history::ToPayload(T(""));
  request.mutable_execution_timeout()->set_nanos(20'000'000);
  ASSERT_TRUE(Await<v1::StartWorkflowResponse>([&](auto done) {
                client->StartWorkflow(request, std::move(done));
              }).ok());
  EXPECT_EQ(Result("w1").status(), v1::RunStatus::TIMED_OUT);
}

}  // namespace
}  // namespace engine_test
