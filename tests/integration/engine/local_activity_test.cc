// Local activities: beside the code, one marker in the history, again after a crash.
#include <gmock/gmock.h>

#include <set>

#include "tests/integration/engine/engine_fixture.h"

namespace engine_test {
namespace {

using sdk::Failure;
using sdk::Outcome;
using sdk::Workflow;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr sdk::ActivityType<Text, Text> kCheck{"check"};
constexpr sdk::ActivityType<Text, Text> kOther{"other_check"};

sdk::LocalActivityOptions Quick() {
  return {.retry = {.initial_interval = absl::Milliseconds(1), .maximum_attempts = 3}};
}

// One local activity, then a signal, then a second one.
template <const auto& kType>
Workflow<Text> TwoChecks(sdk::Context ctx, Text input) {
  const Outcome<Text> first = co_await ctx.ExecuteLocal(kType, input, Quick());
  if (!first.ok()) co_return first.failure();
  const sdk::Done waited = co_await ctx.WaitUntil([&] { return ctx.HasSignal("go"); });
  if (!waited.ok()) co_return waited.failure();
  const Outcome<Text> second = co_await ctx.ExecuteLocal(kType, T("2"), Quick());
  if (!second.ok()) co_return second.failure();
  co_return T(first->message() + second->message());
}

// Gives up on the local activity at a signal.
Workflow<Text> GivesUp(sdk::Context ctx, Text input) {
  sdk::Scope scope = ctx.NewScope();
  const sdk::Future<Text> check = scope.ExecuteLocal(kCheck, input, Quick());
  const sdk::Done waited = co_await ctx.WaitUntil([&] { return ctx.HasSignal("go"); });
  if (!waited.ok()) co_return waited.failure();
  scope.Cancel("too slow");
  const Outcome<Text> checked = co_await check;
  co_return T(checked.ok() ? checked->message() : checked.failure().type);
}

class LocalActivityTest : public EngineTest {
 protected:
  LocalActivityTest() { Register<kCheck>(); }
  ~LocalActivityTest() override { Close(); }  // activities use what is below

  template <const auto& kType>
  void Register() {
    registry = sdk::Registry();
    registry.AddWorkflow<Text, Text>("two", &TwoChecks<kType>);
    registry.AddWorkflow<Text, Text>("gives_up", &GivesUp);
    registry.AddActivity(kCheck, [this](sdk::ActivityContext& ctx, Text input) {
      return Check(this, ctx, std::move(input));
    });
    registry.AddActivity(kOther, [this](sdk::ActivityContext& ctx, Text input) {
      return Check(this, ctx, std::move(input));
    });
  }

  static base::Task<Outcome<Text>> Check(LocalActivityTest* test, sdk::ActivityContext& ctx,
                                         Text input) {
    test->journal.push_back(input.message() + " " + std::to_string(ctx.info().attempt));
    test->keys.insert(ctx.info().idempotency_key);
    if (test->hold) {
      ++test->held;
      const bool elapsed = co_await base::Sleep(ctx.loop(), absl::Hours(1), ctx.cancel());
      if (!elapsed) co_return Failure::Canceled(ctx.cancel().reason());
    }
    if (input.message() == "refused") co_return Failure::Permanent("Refused", "no");
    if (test->failures-- > 0) co_return Failure::Retryable("Down", "no answer");
    co_return input;
  }

  int Count(const std::string& id, v1::HistoryEvent::AttributesCase kind) {
    int count = 0;
    for (const v1::HistoryEvent& event : History(id)) count += event.attributes_case() == kind;
    return count;
  }
  void WaitUntilLocalRuns(const std::string& id) {
    const int wanted = ++waited_for;
    WaitFor(id, [&](const v1::WorkflowInfo& info) {
      return held == wanted && info.pending_activities_size() == 1;
    });
  }
  void WaitUntilChecked(const std::string& id) {
    WaitFor(id, [](const v1::WorkflowInfo& info) {
      return info.history_length() >= 8 && info.pending_activities_size() == 0;
    });
  }

  std::set<std::string> keys;
  int failures = 0;
  std::atomic<bool> hold = false;
  std::atomic<int> held = 0;
  int waited_for = 0;
};

TEST_F(LocalActivityTest, LeavesOneMarkerInTheHistory) {
  Open();
  ASSERT_TRUE(Start("two", "w", "1").ok());
  ASSERT_TRUE(Signal("w", "go", "").ok());
  EXPECT_EQ(ResultText("w"), "12");
  EXPECT_EQ(Count("w", v1::HistoryEvent::kActivityTaskScheduled), 0);
  std::vector<std::string> markers;
  for (const v1::HistoryEvent& event : History("w")) {
    if (event.has_marker_recorded()) markers.push_back(event.marker_recorded().marker_name());
  }
  EXPECT_THAT(markers, ElementsAre("local_activity:1:check", "local_activity:2:check"));
  EXPECT_THAT(journal, ElementsAre("1 1", "2 1"));
  EXPECT_EQ(keys.size(), 2u);
}

TEST_F(LocalActivityTest, IsTriedAgainWithOneKey) {
  failures = 2;
  Open();
  ASSERT_TRUE(Start("two", "w", "1").ok());
  ASSERT_TRUE(Signal("w", "go", "").ok());
  EXPECT_EQ(ResultText("w"), "12");
  EXPECT_THAT(journal, ElementsAre("1 1", "1 2", "1 3", "2 1"));
  EXPECT_EQ(keys.size(), 2u);
}

TEST_F(LocalActivityTest, FailsAfterItsAttemptsOrForGood) {
  failures = 100;
  Open();
  ASSERT_TRUE(Start("two", "tired", "1").ok());
  EXPECT_EQ(ResultText("tired"), "FAILED Down no answer");
  EXPECT_THAT(journal, ElementsAre("1 1", "1 2", "1 3"));
  ASSERT_TRUE(Start("two", "refused", "refused").ok());
  EXPECT_EQ(ResultText("refused"), "FAILED Refused no");
}

TEST_F(LocalActivityTest, ReplaysToWhatItReturned) {
  Open();
  ASSERT_TRUE(Start("two", "w", "1").ok());
  WaitUntilChecked("w");
  Restart();
  ASSERT_TRUE(Signal("w", "go", "").ok());
  EXPECT_EQ(ResultText("w"), "12");
  EXPECT_THAT(journal, ElementsAre("1 1", "2 1"));
}

TEST_F(LocalActivityTest, RunsAgainAfterARestartWithoutAnyMessage) {
  hold = true;
  Open();
  ASSERT_TRUE(Start("two", "w", "1").ok());
  WaitUntilLocalRuns("w");
  EXPECT_EQ(Info("w").pending_activities(0).activity_id(), "local-1");
  hold = false;
  Restart();
  ASSERT_NO_FATAL_FAILURE(WaitUntilChecked("w"));
  EXPECT_THAT(journal, ElementsAre("1 1", "1 1"));
  EXPECT_EQ(keys.size(), 1u);
}

TEST_F(LocalActivityTest, IsNotEvictedWhileItRuns) {
  hold = true;
  Open({.live_runs_max = 1});
  for (int i = 0; i < 5; ++i) {
    const std::string id = "w" + std::to_string(i);
    ASSERT_TRUE(Start("two", id, "1").ok());
    WaitUntilLocalRuns(id);
  }
  EXPECT_EQ(journal.size(), 5u);
  EXPECT_EQ(keys.size(), 5u);
}

TEST_F(LocalActivityTest, CancelEndsItAtOnce) {
  hold = true;
  Open();
  ASSERT_TRUE(Start("gives_up", "w", "1").ok());
  WaitUntilLocalRuns("w");
  ASSERT_TRUE(Signal("w", "go", "").ok());
  EXPECT_EQ(ResultText("w"), "Canceled");
  EXPECT_EQ(Count("w", v1::HistoryEvent::kMarkerRecorded), 0);
}

TEST_F(LocalActivityTest, TerminateStopsIt) {
  hold = true;
  Open();
  ASSERT_TRUE(Start("two", "w", "1").ok());
  WaitUntilLocalRuns("w");
  v1::TerminateWorkflowRequest request;
  request.set_workflow_id("w");
  ASSERT_TRUE(Await<v1::TerminateWorkflowResponse>([&](auto done) {
                client->Terminate(request, std::move(done));
              }).ok());
  EXPECT_EQ(Info("w").pending_activities_size(), 0);
}

TEST_F(LocalActivityTest, TimesOutByItself) {
  hold = true;
  registry.AddWorkflow<Text, Text>("short", [](sdk::Context ctx, Text input) {
    return [](sdk::Context ctx, Text input) -> Workflow<Text> {
      sdk::LocalActivityOptions options = Quick();
      options.start_to_close_timeout = absl::Milliseconds(5);
      options.retry.maximum_attempts = 2;
      const Outcome<Text> checked = co_await ctx.ExecuteLocal(kCheck, input, options);
      co_return T(checked.ok() ? "ok" : checked.failure().type);
    }(ctx, std::move(input));
  });
  Open();
  ASSERT_TRUE(Start("short", "w", "1").ok());
  EXPECT_EQ(ResultText("w"), "TimedOut");
  EXPECT_THAT(journal, ElementsAre("1 1", "1 2"));
}

TEST_F(LocalActivityTest, ChangedCodeMakesTheRunStuck) {
  Open();
  ASSERT_TRUE(Start("two", "w", "1").ok());
  WaitUntilChecked("w");
  Close();
  Register<kOther>();
  Open();
  ASSERT_TRUE(Signal("w", "go", "").ok());
  EXPECT_THAT(Info("w").status_reason(), HasSubstr("expected MarkerRecorded "
                                                   "name=local_activity:1:check, found "
                                                   "MarkerRecorded name=local_activity:1:"
                                                   "other_check"));
}

}  // namespace
}  // namespace engine_test
