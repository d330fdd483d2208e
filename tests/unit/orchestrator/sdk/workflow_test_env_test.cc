// The harness for authors' tests: virtual time, the engine's rules for activities, messages at
// their times, and the replay at the end.
#include "orchestrator/sdk/testing/workflow_test_env.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "orchestrator/sdk/when.h"

namespace sdk::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Text = v1::Failure;
Text T(const std::string& text) {
  Text message;
  message.set_message(text);
  return message;
}

constexpr ActivityType<Text, Text> kRemind{"remind"};
constexpr ActivityType<Text, Text> kSlow{"slow"};
constexpr absl::Duration kDay = absl::Hours(24);

// Reminds every 30 days until the signal "paid"; after three times it gives up.
Workflow<Text> Dunning(Context ctx, Text input) {
  auto reminders = std::make_shared<int>(0);
  ctx.SetQueryHandler<Text, Text>("reminders", [reminders](const Text&) -> Outcome<Text> {
    return T(absl::StrCat(*reminders));
  });
  ctx.SetUpdateHandler<Text, Text>(
      "forgive",
      [](const Text& by) -> Done {
        if (by.message().empty()) return Failure::Permanent("Invalid", "say who");
        return Unit{};
      },
      [reminders](const Text& by) -> Outcome<Text> {
        *reminders = 0;
        return T("forgiven by " + by.message());
      });
  while (*reminders < 3) {
    const Done paid = co_await ctx.WaitUntil([ctx] { return ctx.HasSignal("paid"); }, 30 * kDay);
    if (paid.ok()) co_return T("paid");
    if (paid.failure().is_canceled()) co_return paid.failure();
    const Outcome<Text> sent = co_await ctx.Execute(kRemind, input);
    if (!sent.ok()) co_return sent.failure();
    ++*reminders;
  }
  co_return T("given up");
}

class WorkflowTestEnvTest : public ::testing::Test {
 protected:
  WorkflowTestEnvTest() { env.AddWorkflow<Text, Text>("dunning", &Dunning); }
  void CountReminders() {
    env.OnActivity(kRemind, [this](const Text&) -> Outcome<Text> {
      sent_at.push_back(env.Elapsed() / kDay);
      return T("sent");
    });
  }
  WorkflowTestEnv env;
  std::vector<int64_t> sent_at;  // days
};

TEST_F(WorkflowTestEnvTest, MonthsOfWaitingPassAtOnce) {
  CountReminders();
  const Outcome<Text> out = env.Run<Text, Text>("dunning", T("invoice"));
  ASSERT_TRUE(out.ok()) << out.failure().ToString();
  EXPECT_EQ(out->message(), "given up");
  EXPECT_THAT(sent_at, ElementsAre(30, 60, 90));
  EXPECT_EQ(env.Elapsed(), 90 * kDay);
}

TEST_F(WorkflowTestEnvTest, SignalsQueriesAndUpdatesComeAtTheirTimes) {
  CountReminders();
  std::vector<std::string> seen;
  env.At(31 * kDay, [&] { seen.push_back(env.Query<Text>("reminders", T(""))->message()); });
  env.At(32 * kDay, [&] { seen.push_back(env.Update<Text>("forgive", T("")).failure().type); });
  env.At(32 * kDay, [&] { seen.push_back(env.Update<Text>("forgive", T("ann"))->message()); });
  env.At(32 * kDay, [&] { seen.push_back(env.Query<Text>("reminders", T(""))->message()); });
  env.SignalAt(65 * kDay, "paid", T(""));
  const Outcome<Text> out = env.Run<Text, Text>("dunning", T("invoice"));
  EXPECT_EQ(out->message(), "paid");
  EXPECT_THAT(seen, ElementsAre("1", "Invalid", "forgiven by ann", "0"));
  EXPECT_EQ(env.Elapsed(), 65 * kDay);
  EXPECT_EQ(env.Query<Text>("reminders", T(""))->message(), "1") << "closed runs answer too";
}

TEST_F(WorkflowTestEnvTest, CancelEndsTheRun) {
  CountReminders();
  env.CancelAt(10 * kDay, "withdrawn");
  const Outcome<Text> out = env.Run<Text, Text>("dunning", T("invoice"));
  EXPECT_EQ(out.failure().ToString(), "Canceled: withdrawn");
  EXPECT_EQ(env.status(), v1::RunStatus::CANCELED);
}

TEST_F(WorkflowTestEnvTest, RetriesFollowThePolicyInVirtualTime) {
  int attempts = 0;
  const RetryPolicy retry = {
      .initial_interval = absl::Hours(1), .maximum_attempts = 3, .jitter = 0};
  env.OnActivity(kRemind,
                 [&](const Text&) -> Outcome<Text> {
                   ++attempts;
                   return Failure::Retryable("MailDown", "no answer");
                 },
                 {.defaults = {.retry = retry}});
  const Outcome<Text> out = env.Run<Text, Text>("dunning", T("invoice"));
  EXPECT_EQ(out.failure().type, "MailDown");
  EXPECT_EQ(attempts, 3);
  EXPECT_EQ(env.Elapsed(), 30 * kDay + absl::Hours(1 + 2));
}

TEST_F(WorkflowTestEnvTest, WhatTheTestDoesNotGiveIsSaid) {
  const Outcome<Text> out = env.Run<Text, Text>("dunning", T("invoice"));
  EXPECT_EQ(out.failure().type, "NoSuchActivity");
  EXPECT_THAT(out.failure().message, HasSubstr("\"remind\"; add OnActivity"));
}

Workflow<Text> ForSignal(Context ctx, Text input) {
  const Done there = co_await ctx.WaitUntil([ctx] { return ctx.HasSignal("go"); });
  if (!there.ok()) co_return there.failure();
  co_return T("went");
}

TEST_F(WorkflowTestEnvTest, AWaitWithoutAnEndIsSaidAndMayGoOn) {
  env.AddWorkflow<Text, Text>("wait", &ForSignal);
  const Outcome<Text> out = env.Run<Text, Text>("wait", T(""));
  EXPECT_EQ(out.failure().type, "StillWaiting");
  env.RunFor(kDay);
  EXPECT_EQ(env.Elapsed(), kDay);
  env.Signal("go", T(""));
  EXPECT_EQ(env.Result<Text>()->message(), "went");
}

// A slow activity against a timer; and its own time-out.
Workflow<Text> Race(Context ctx, Text input) {
  Future<Text> slow = ctx.Execute(kSlow, input);
  Future<Unit> patience = ctx.Sleep(absl::Hours(2));
  if (co_await Select(slow, patience) == 1) ctx.Cancel(slow);
  const Outcome<Text> out = co_await slow;
  co_return out;
}

TEST_F(WorkflowTestEnvTest, ActivitiesTakeTimeAndCanBeCanceled) {
  for (const auto& [takes, timeout, expected, elapsed] :
       {std::tuple(absl::Hours(1), absl::Hours(9), "done", absl::Hours(1)),
        std::tuple(absl::Hours(3), absl::Hours(9), "Canceled", absl::Hours(2)),
        std::tuple(absl::Hours(3), absl::Minutes(30), "TimedOut", absl::Minutes(30))}) {
    WorkflowTestEnv env;
    env.AddWorkflow<Text, Text>("race", &Race);
    env.OnActivity(kSlow, [](const Text&) -> Outcome<Text> { return T("done"); },
                   {.takes = takes,
                    .defaults = {.start_to_close_timeout = timeout,
                                 .retry = RetryPolicy{.maximum_attempts = 1}}});
    const Outcome<Text> out = env.Run<Text, Text>("race", T(""));
    EXPECT_EQ(out.ok() ? out->message() : out.failure().type, expected);
    EXPECT_EQ(env.Elapsed(), elapsed) << expected;
  }
}

// An asynchronous update, and an activity's function that signals the workflow.
Workflow<Text> Approve(Context ctx, std::shared_ptr<std::string> by, Text request) {
  const Done slept = co_await ctx.Sleep(kDay);
  if (!slept.ok()) co_return slept.failure();
  *by = request.message();
  co_return T("approved");
}
Workflow<Text> Approval(Context ctx, Text input) {
  auto by = std::make_shared<std::string>();
  ctx.SetAsyncUpdateHandler<Text, Text>(
      "approve", nullptr, [ctx, by](Text request) { return Approve(ctx, by, std::move(request)); });
  const Outcome<Text> asked = co_await ctx.Execute(kRemind, input);
  const Done told = co_await ctx.WaitUntil([ctx] { return ctx.HasSignal("told"); });
  const Done done = co_await ctx.WaitUntil([by] { return !by->empty(); });
  co_return T(*by);
}

TEST_F(WorkflowTestEnvTest, AnAsynchronousUpdateIsAnsweredLater) {
  env.AddWorkflow<Text, Text>("approval", &Approval);
  env.OnActivity(kRemind, [this](const Text& input) -> Outcome<Text> {
    env.Signal("told", T(""));
    return input;
  });
  env.Start("approval", history::ToPayload(T("")));
  env.RunFor(absl::Hours(1));
  EXPECT_EQ(env.Update<Text>("approve", T("ann")).failure().type, "StillWaiting");
  const std::string id = env.last_update_id();
  EXPECT_EQ(env.Result<Text>()->message(), "ann");
  EXPECT_EQ(env.UpdateResult<Text>(id)->message(), "approved");
  EXPECT_EQ(env.Elapsed(), absl::Hours(25));
}

int g_runs = 0;

Workflow<Text> Moody(Context ctx, Text input) {
  const Done slept = co_await ctx.Sleep(absl::Hours(++g_runs));
  if (g_runs % 2 == 0) co_return T("even");
  const Done again = co_await ctx.Sleep(absl::Hours(1));
  co_return T("odd");
}

TEST_F(WorkflowTestEnvTest, CodeThatIsNotDeterministicIsFound) {
  env.AddWorkflow<Text, Text>("moody", &Moody);
  const Outcome<Text> out = env.Run<Text, Text>("moody", T(""));
  EXPECT_EQ(out.failure().type, "Nondeterminism");
  EXPECT_THAT(out.failure().message, HasSubstr("expected TimerStarted id=2, found "
                                               "WorkflowExecutionCompleted"));
}

Workflow<Text> Insists(Context ctx, Text input) {
  const Outcome<Text> out = co_await ctx.Execute(
      kRemind, input,
      {.retry = RetryPolicy{.maximum_attempts = 2, .on_exhausted = OnExhausted::kPause}});
  co_return out;
}

TEST_F(WorkflowTestEnvTest, AnActivityThatPausedIsRetriedNow) {
  env.AddWorkflow<Text, Text>("insists", &Insists);
  int attempts = 0;
  env.OnActivity(kRemind, [&attempts](const Text& input) -> Outcome<Text> {
    if (++attempts < 3) return Failure::Retryable("MailDown", "no answer");
    return input;
  });
  const Outcome<Text> waits = env.Run<Text, Text>("insists", T("invoice"));
  EXPECT_THAT(waits.failure().message, HasSubstr("remind (PAUSED: its attempts are used up)"));
  EXPECT_EQ(attempts, 2);
  env.RetryNow();
  env.RunFor(absl::Seconds(1));
  EXPECT_EQ(env.Result<Text>()->message(), "invoice");
}

// A local activity and a timer race; the scope of the loser is canceled.
Workflow<Text> LooksUp(Context ctx, Text input) {
  Scope scope = ctx.NewScope();
  const Future<Text> found = scope.ExecuteLocal(
      kSlow, input,
      {.retry = {.initial_interval = absl::Seconds(1), .maximum_attempts = 3, .jitter = 0}});
  const Future<Unit> patience = ctx.Sleep(absl::Seconds(20));
  if (co_await Select(found, patience) == 1) scope.Cancel("too slow");
  const Outcome<Text> out = co_await found;
  co_return T(out.ok() ? out->message() : out.failure().type);
}

TEST_F(WorkflowTestEnvTest, LocalActivitiesRunInVirtualTime) {
  env.AddWorkflow<Text, Text>("looks_up", &LooksUp);
  int attempts = 0;
  env.OnActivity(kSlow,
                 [&attempts](const Text& input) -> Outcome<Text> {
                   if (++attempts < 3) return Failure::Retryable("Busy", "not now");
                   return input;
                 },
                 {.takes = absl::Seconds(2)});
  const Outcome<Text> out = env.Run<Text, Text>("looks_up", T("street"));
  ASSERT_TRUE(out.ok()) << out.failure().ToString();
  EXPECT_EQ(out->message(), "street");
  EXPECT_EQ(env.Elapsed(), absl::Seconds(2 + 1 + 2 + 2 + 2));
  int markers = 0;
  for (const v1::HistoryEvent& event : env.History()) {
    EXPECT_FALSE(event.has_activity_task_scheduled());
    markers += event.marker_recorded().marker_name() == "local_activity:1:slow";
  }
  EXPECT_EQ(markers, 1);
}

TEST_F(WorkflowTestEnvTest, ACanceledLocalActivityLeavesNoMarker) {
  env.AddWorkflow<Text, Text>("looks_up", &LooksUp);
  env.OnActivity(kSlow,
                 [](const Text&) -> Outcome<Text> { return Failure::Retryable("Busy", "not now"); },
                 {.takes = absl::Seconds(9)});
  const Outcome<Text> out = env.Run<Text, Text>("looks_up", T("street"));
  ASSERT_TRUE(out.ok()) << out.failure().ToString();
  EXPECT_EQ(out->message(), "Canceled");
  EXPECT_EQ(env.Elapsed(), absl::Seconds(20));
  for (const v1::HistoryEvent& event : env.History()) EXPECT_FALSE(event.has_marker_recorded());
}

TEST_F(WorkflowTestEnvTest, RepeatingForEverEndsTheTest) {
  env.OnActivity(kRemind, [](const Text&) -> Outcome<Text> {
    return Failure::Retryable("MailDown", "no answer");
  });
  const Outcome<Text> out = env.Run<Text, Text>("dunning", T("invoice"));
  EXPECT_EQ(out.failure().type, "StillWaiting");
  EXPECT_THAT(out.failure().message, HasSubstr("repeated for ever"));
}

}  // namespace
}  // namespace sdk::testing
