// Activities: results, retries, time-outs, heartbeats, cancellation, many at once.
#include <gmock/gmock.h>

#include "tests/integration/engine/engine_fixture.h"

namespace engine_test {
namespace {

using sdk::Failure;
using sdk::Outcome;
using sdk::Workflow;

constexpr sdk::ActivityType<Text, Text> kEcho{"echo"};
constexpr sdk::ActivityType<Text, Text> kFlaky{"flaky"};
constexpr sdk::ActivityType<Text, Text> kHang{"hang"};
constexpr sdk::ActivityType<Text, Text> kCheckpoint{"checkpoint"};

base::Task<Outcome<Text>> Echo(sdk::ActivityContext& ctx, Text input) { co_return input; }

base::Task<Outcome<Text>> UntilCanceled(sdk::ActivityContext& ctx, Text input) {
  const bool elapsed = co_await base::Sleep(ctx.loop(), absl::Hours(1), ctx.cancel());
  if (!elapsed) co_return Failure::Canceled(ctx.cancel().reason());
  co_return input;
}

// Fails until the third attempt.
base::Task<Outcome<Text>> Flaky(sdk::ActivityContext& ctx, Text input) {
  if (ctx.info().attempt < 3) co_return Failure::Retryable("Flaky", "not yet");
  co_return T(input.message() + " after " + std::to_string(ctx.info().attempt));
}

// Records where it is, fails once, and goes on from there.
base::Task<Outcome<Text>> Checkpoint(sdk::ActivityContext& ctx, Text input) {
  const std::optional<Text> before = ctx.last_heartbeat<Text>();
  if (before.has_value()) co_return T("resumed at " + before->message());
  const sdk::Done saved = co_await ctx.RecordHeartbeat(T("step 7"));
  if (!saved.ok()) co_return saved.failure();
  co_return Failure::Retryable("Crash", "after the checkpoint");
}

Workflow<Text> RunEcho(sdk::Context ctx, Text input) {
  Outcome<Text> out = co_await ctx.Execute(kEcho, input);
  co_return out;
}

class ActivitiesTest : public EngineTest {
 protected:
  ActivitiesTest() {
    registry.AddActivity(kEcho, &Echo);
    registry.AddActivity(kFlaky, &Flaky,
                         {.retry = sdk::RetryPolicy{.initial_interval = absl::Milliseconds(1),
                                                    .maximum_attempts = 3}});
    registry.AddActivity(kHang, &UntilCanceled);
    registry.AddActivity(kCheckpoint, &Checkpoint,
                         {.retry = sdk::RetryPolicy{.initial_interval = absl::Milliseconds(1)}});
    registry.AddWorkflow<Text, Text>("echo", &RunEcho);
  }
};

TEST_F(ActivitiesTest, ReturnsItsResult) {
  Open();
  ASSERT_TRUE(Start("echo", "w1", "hello").ok());
  EXPECT_EQ(ResultText("w1"), "hello");
}

TEST_F(ActivitiesTest, HistoryHasContiguousIdsAndTheWorkflowTaskTriple) {
  Open();
  ASSERT_TRUE(Start("echo", "w1", "hello").ok());
  ASSERT_EQ(ResultText("w1"), "hello");
  const std::vector<v1::HistoryEvent> events = History("w1");
  ASSERT_EQ(events.size(), 11u);
  for (size_t i = 0; i < events.size(); ++i) EXPECT_EQ(events[i].event_id(), int64_t(i) + 1);
  EXPECT_TRUE(events[0].has_workflow_execution_started());
  EXPECT_TRUE(events[1].has_workflow_task_scheduled());
  EXPECT_TRUE(events[2].has_workflow_task_started());
  EXPECT_TRUE(events[3].has_workflow_task_completed());
  EXPECT_TRUE(events[4].has_activity_task_scheduled());
  EXPECT_TRUE(events[5].has_activity_task_started());
  EXPECT_TRUE(events[6].has_activity_task_completed());
  EXPECT_EQ(events[6].activity_task_completed().scheduled_event_id(), 5);
  EXPECT_TRUE(events[10].has_workflow_execution_completed());
}

TEST_F(ActivitiesTest, RetriesUntilItSucceedsWithoutEventsPerAttempt) {
  registry.AddWorkflow<Text, Text>("flaky", [](sdk::Context ctx, Text input) -> Workflow<Text> {
    return [](sdk::Context ctx, Text input) -> Workflow<Text> {
      Outcome<Text> out = co_await ctx.Execute(kFlaky, input);
      co_return out;
    }(ctx, input);
  });
  Open();
  ASSERT_TRUE(Start("flaky", "w1", "ok").ok());
  EXPECT_EQ(ResultText("w1"), "ok after 3");
  EXPECT_EQ(History("w1").size(), 11u);
}

Workflow<Text> FlakyTwice(sdk::Context ctx, Text input) {
  sdk::ActivityOptions options;
  options.retry =
      sdk::RetryPolicy{.initial_interval = absl::Milliseconds(1), .maximum_attempts = 2};
  Outcome<Text> out = co_await ctx.Execute(kFlaky, input, options);
  if (out.ok()) co_return out;
  co_return T("failed: " + out.failure().type);
}

TEST_F(ActivitiesTest, FailsWhenTheAttemptsAreUsedUp) {
  registry.AddWorkflow<Text, Text>("flaky", &FlakyTwice);
  Open();
  ASSERT_TRUE(Start("flaky", "w1", "ok").ok());
  EXPECT_EQ(ResultText("w1"), "failed: Flaky");
}

Workflow<Text> HangWithTimeout(sdk::Context ctx, Text input) {
  sdk::ActivityOptions options;
  options.start_to_close_timeout = absl::Milliseconds(20);
  options.retry =
      sdk::RetryPolicy{.initial_interval = absl::Milliseconds(1), .maximum_attempts = 2};
  Outcome<Text> out = co_await ctx.Execute(kHang, input, options);
  if (out.ok()) co_return out;
  co_return T(out.failure().type + (out.failure().effect_unknown ? " unknown" : " known"));
}

TEST_F(ActivitiesTest, TimesOutWithAnUnknownEffect) {
  registry.AddWorkflow<Text, Text>("hang", &HangWithTimeout);
  Open();
  ASSERT_TRUE(Start("hang", "w1").ok());
  EXPECT_EQ(ResultText("w1"), "TimedOut unknown");
}

Workflow<Text> HangWithHeartbeat(sdk::Context ctx, Text input) {
  sdk::ActivityOptions options;
  options.heartbeat_timeout = absl::Milliseconds(20);
  options.retry = sdk::RetryPolicy{.maximum_attempts = 1};
  Outcome<Text> out = co_await ctx.Execute(kHang, input, options);
  co_return T(out.ok() ? "ok" : out.failure().message);
}

TEST_F(ActivitiesTest, TimesOutWithoutHeartbeats) {
  registry.AddWorkflow<Text, Text>("hang", &HangWithHeartbeat);
  Open();
  ASSERT_TRUE(Start("hang", "w1").ok());
  EXPECT_THAT(ResultText("w1"), ::testing::Eq("activity hang exceeded its HEARTBEAT time-out on "
                                              "attempt 1"));
}

Workflow<Text> RunCheckpoint(sdk::Context ctx, Text input) {
  Outcome<Text> out = co_await ctx.Execute(kCheckpoint, input);
  co_return out;
}

TEST_F(ActivitiesTest, NextAttemptFindsTheLastHeartbeat) {
  registry.AddWorkflow<Text, Text>("checkpoint", &RunCheckpoint);
  Open();
  ASSERT_TRUE(Start("checkpoint", "w1").ok());
  EXPECT_EQ(ResultText("w1"), "resumed at step 7");
}

Workflow<Text> RunHang(sdk::Context ctx, Text input) {
  Outcome<Text> out = co_await ctx.Execute(kHang, input);
  co_return out;
}

TEST_F(ActivitiesTest, CancelStopsTheAttemptInFlight) {
  registry.AddWorkflow<Text, Text>("hang", &RunHang);
  Open();
  ASSERT_TRUE(Start("hang", "w1").ok());
  WaitFor("w1", [](const v1::WorkflowInfo& info) {
    return info.pending_activities_size() == 1 && info.pending_activities(0).state() == "STARTED";
  });
  v1::CancelWorkflowRequest request;
  request.set_workflow_id("w1");
  request.set_identity("tester");
  ASSERT_TRUE(Await<v1::CancelWorkflowResponse>([&](auto done) {
                client->Cancel(request, std::move(done));
              }).ok());
  EXPECT_EQ(Result("w1").status(), v1::RunStatus::CANCELED);
}

Workflow<Text> FanOut(sdk::Context ctx, Text input) {
  std::vector<sdk::Future<Text>> futures;
  for (int i = 0; i < 500; ++i) futures.push_back(ctx.Execute(kEcho, T("x")));
  int ok = 0;
  for (sdk::Future<Text>& future : futures) {
    Outcome<Text> out = co_await future;
    ok += out.ok() ? 1 : 0;
  }
  co_return T(std::to_string(ok));
}

TEST_F(ActivitiesTest, FansOut) {
  registry.AddWorkflow<Text, Text>("fan", &FanOut);
  Open();
  ASSERT_TRUE(Start("fan", "w1").ok());
  EXPECT_EQ(ResultText("w1"), "500");
}

TEST_F(ActivitiesTest, UnregisteredActivityFailsTheWorkflowWithItsName) {
  registry.AddWorkflow<Text, Text>("lost", [](sdk::Context ctx, Text input) {
    return [](sdk::Context ctx, Text input) -> Workflow<Text> {
      const sdk::ActivityType<Text, Text> kLost{"lost_activity"};
      Outcome<Text> out = co_await ctx.Execute(kLost, input);
      co_return out;
    }(ctx, input);
  });
  Open();
  ASSERT_TRUE(Start("lost", "w1").ok());
  const v1::GetWorkflowResultResponse result = Result("w1");
  EXPECT_EQ(result.status(), v1::RunStatus::FAILED);
  EXPECT_EQ(result.failure().type(), "UnknownActivity");
}

}  // namespace
}  // namespace engine_test
