// Side effects and patches: what is recorded, and what old, new and newer code make of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/unit/orchestrator/sdk/scripted_run.h"

namespace sdk {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr ActivityType<Text, Text> kWork{"work"};
constexpr ActivityType<Text, Text> kOld{"old"};
constexpr ActivityType<Text, Text> kNew{"new"};

class VersioningTest : public ::testing::Test {
 protected:
  template <typename Fn>
  void Deploy(Fn fn) {
    registry.AddWorkflow<Text, Text>("test", fn);
  }
  absl::Status Replay(const std::vector<v1::HistoryEvent>& history) {
    Instance instance(registry, *registry.FindWorkflow("test"));
    return instance.Replay(history);
  }
  Registry registry;
};

int g_calls = 0;  // of side effects

Workflow<Text> SideEffects(Context ctx, Text input) {
  const std::string text = ctx.SideEffect<std::string>([] { return absl::StrCat("#", ++g_calls); });
  const Outcome<Text> work = co_await ctx.Execute(kWork, T(text));
  const int64_t number = ctx.SideEffect<int64_t>([] { return -int64_t{++g_calls}; });
  const bool flag = ctx.SideEffect<bool>([] { return true; });
  const double share = ctx.SideEffect<double>([] { return 0.5; });
  const Text message = ctx.SideEffect<Text>([] { return T("message"); });
  std::string thrown;
  try {
    (void)ctx.SideEffect<Text>([]() -> Text {
      ++g_calls;
      throw base::FailureException(Failure::Permanent("NoRegion", "not set"));
    });
  } catch (const base::FailureException& e) {
    thrown = e.failure().type;
  }
  const Outcome<Text> end = co_await ctx.Execute(kWork, T(""));
  co_return T(
      absl::StrCat(text, " ", number, " ", flag, " ", share, " ", message.message(), " ", thrown));
}

TEST_F(VersioningTest, ASideEffectRunsOnceAndIsRecorded) {
  Deploy(&SideEffects);
  g_calls = 0;
  ScriptedRun run(registry, "test");  // replays everything after each step
  run.Start();
  run.CompleteActivity("1");
  run.CompleteActivity("2");
  EXPECT_EQ(run.ResultText(), "#1 -2 1 0.5 message NoRegion");
  EXPECT_EQ(g_calls, 3);
  EXPECT_THAT(
      run.Commands(),
      ElementsAre("MarkerRecorded name=side_effect:1", "ActivityTaskScheduled id=1 type=work",
                  "MarkerRecorded name=side_effect:2", "MarkerRecorded name=side_effect:3",
                  "MarkerRecorded name=side_effect:4", "MarkerRecorded name=side_effect:5",
                  "MarkerRecorded name=side_effect:6", "ActivityTaskScheduled id=2 type=work",
                  "WorkflowExecutionCompleted"));
}

Workflow<Text> PlainWork(Context ctx, Text input) {
  const Outcome<Text> work = co_await ctx.Execute(kWork, T(""));
  co_return work;
}

TEST_F(VersioningTest, ASideEffectThatTheHistoryDoesNotHaveIsRefusedAndNotCalled) {
  Deploy(&PlainWork);
  ScriptedRun run(registry, "test");
  run.Start();
  Deploy(&SideEffects);
  g_calls = 0;
  EXPECT_THAT(std::string(Replay(run.History()).message()),
              HasSubstr("expected ActivityTaskScheduled id=1 type=work, found MarkerRecorded "
                        "name=side_effect:1 at versioning_test.cc:"));
  EXPECT_EQ(g_calls, 0);
}

Workflow<Text> Uuids(Context ctx, Text input) {
  const std::string a = ctx.NewUuid();
  const std::string b = ctx.NewUuid();
  co_return T(a == b ? "same" : a);
}

TEST_F(VersioningTest, AUuidHasItsForm) {
  Deploy(&Uuids);
  ScriptedRun run(registry, "test");
  run.Start();
  EXPECT_THAT(run.ResultText(),
              ::testing::MatchesRegex(
                  "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
}

// What may only look: a query that asks for things gets a failure, and leaves no trace.
Workflow<Text> Greedy(Context ctx, Text input) {
  ctx.SetQueryHandler<Text, Text>("execute", [ctx](const Text&) mutable -> Outcome<Text> {
    (void)ctx.Execute(kWork, T(""));
    return T("");
  });
  ctx.SetQueryHandler<Text, Text>(
      "random", [ctx](const Text&) mutable -> Outcome<Text> { return T(ctx.NewUuid()); });
  ctx.SetQueryHandler<Text, Text>("patched", [ctx](const Text&) mutable -> Outcome<Text> {
    return T(ctx.Patched("p") ? "yes" : "no");
  });
  const Outcome<Text> work = co_await ctx.Execute(kWork, T(""));
  if (ctx.Patched("p")) (void)co_await ctx.Sleep(absl::Seconds(1));
  co_return T(ctx.NewUuid());
}

TEST_F(VersioningTest, QueriesOnlyLook) {
  Deploy(&Greedy);
  ScriptedRun run(registry, "test");
  run.Start();
  EXPECT_EQ(run.Query("execute").failure().type, "ReadOnly");
  EXPECT_EQ(run.Query("random").failure().type, "ReadOnly");
  EXPECT_EQ(run.Query("patched")->message(), "no") << "not asked by the body yet";
  run.CompleteActivity("1");
  EXPECT_EQ(run.Query("patched")->message(), "yes");
  run.FireTimer("2");
  EXPECT_EQ(run.state.closed_status, v1::RunStatus::COMPLETED);
}

// The change: activity "old" becomes "new". Then its loop asks for more work.
Workflow<Text> Before(Context ctx, Text input) {
  for (int i = 0; i < 3; ++i) {
    const Outcome<Text> out = co_await ctx.Execute(kOld, T(""));
  }
  co_return T("old");
}
Workflow<Text> WithPatch(Context ctx, Text input) {
  std::string way;
  for (int i = 0; i < 3; ++i) {
    const bool patched = ctx.Patched("new-work");
    const Outcome<Text> out = co_await ctx.Execute(patched ? kNew : kOld, T(""));
    absl::StrAppend(&way, patched ? "n" : "o");
  }
  co_return T(way);
}
Workflow<Text> Deprecated(Context ctx, Text input) {
  for (int i = 0; i < 3; ++i) {
    ctx.DeprecatePatch("new-work");
    const Outcome<Text> out = co_await ctx.Execute(kNew, T(""));
  }
  co_return T("new");
}
Workflow<Text> After(Context ctx, Text input) {
  for (int i = 0; i < 3; ++i) {
    const Outcome<Text> out = co_await ctx.Execute(kNew, T(""));
  }
  co_return T("new");
}

// The history of a run of the deployed code with `steps` of its three activities done.
std::vector<v1::HistoryEvent> HistoryOf(const Registry& registry, int steps) {
  ScriptedRun run(registry, "test");
  run.Start();
  for (int i = 1; i <= steps; ++i) run.CompleteActivity(absl::StrCat(i));
  return run.History();
}

TEST_F(VersioningTest, ANewRunTakesTheNewWayAndSaysSoOnce) {
  Deploy(&WithPatch);
  ScriptedRun run(registry, "test");
  run.Start();
  for (const char* id : {"1", "2", "3"}) run.CompleteActivity(id);
  EXPECT_EQ(run.ResultText(), "nnn");
  EXPECT_THAT(
      run.Commands(),
      ElementsAre("MarkerRecorded name=patch:new-work", "ActivityTaskScheduled id=1 type=new",
                  "ActivityTaskScheduled id=2 type=new", "ActivityTaskScheduled id=3 type=new",
                  "WorkflowExecutionCompleted"));
}

TEST_F(VersioningTest, AnOldRunStaysOnTheOldWayToItsEnd) {
  Deploy(&Before);
  const std::vector<v1::HistoryEvent> history = HistoryOf(registry, 1);
  Deploy(&WithPatch);
  Instance instance(registry, *registry.FindWorkflow("test"));
  ASSERT_TRUE(instance.Replay(history).ok());
  // It goes on live, by the answer that it got on replay.
  v1::HistoryEvent completed;
  completed.mutable_activity_task_completed()->set_scheduled_event_id(history.back().event_id());
  const TaskResult task = instance.RunTask(absl::Now(), {&completed}, {});
  ASSERT_EQ(task.commands.size(), 1u);
  EXPECT_EQ(task.commands[0].event().activity_task_scheduled().activity_type(), "old");
}

TEST_F(VersioningTest, EachStepOfAPatchReplaysTheOneBefore) {
  Deploy(&Before);
  const auto before = HistoryOf(registry, 2);
  Deploy(&WithPatch);
  const auto patched = HistoryOf(registry, 2);
  Deploy(&Deprecated);
  const auto deprecated = HistoryOf(registry, 2);
  Deploy(&After);
  const auto after = HistoryOf(registry, 2);

  Deploy(&Before);
  EXPECT_FALSE(Replay(patched).ok());
  Deploy(&WithPatch);
  EXPECT_TRUE(Replay(before).ok());
  EXPECT_TRUE(Replay(patched).ok());
  EXPECT_TRUE(Replay(deprecated).ok()) << "a release may be taken back";
  EXPECT_FALSE(Replay(after).ok());
  Deploy(&Deprecated);
  EXPECT_FALSE(Replay(before).ok()) << "deprecated too early";
  EXPECT_TRUE(Replay(patched).ok());
  EXPECT_TRUE(Replay(deprecated).ok());
  EXPECT_TRUE(Replay(after).ok()) << "a release may be taken back";
  Deploy(&After);
  EXPECT_THAT(std::string(Replay(patched).message()),
              HasSubstr("expected MarkerRecorded name=patch:new-work, found "
                        "ActivityTaskScheduled id=1 type=new"))
      << "removed too early";
  EXPECT_TRUE(Replay(deprecated).ok()) << Replay(deprecated);
  EXPECT_TRUE(Replay(after).ok());
}

TEST_F(VersioningTest, ARunWithADroppedMarkerGoesOn) {
  Deploy(&Deprecated);
  const std::vector<v1::HistoryEvent> history = HistoryOf(registry, 1);
  Deploy(&After);
  Instance instance(registry, *registry.FindWorkflow("test"));
  ASSERT_TRUE(instance.Replay(history).ok());
  v1::HistoryEvent completed;
  completed.mutable_activity_task_completed()->set_scheduled_event_id(history.back().event_id());
  EXPECT_EQ(instance.RunTask(absl::Now(), {&completed}, {}).commands.size(), 1u)
      << "the event of the second activity finds its future";
}

Workflow<Text> PatchedAtTheEnd(Context ctx, Text input) {
  const Outcome<Text> out = co_await ctx.Execute(kOld, T(""));
  const bool second = ctx.Patched("p");
  const Outcome<Text> again = co_await ctx.Execute(kOld, T(""));
  co_return T(second ? "new" : "old");
}
Workflow<Text> PatchedAtBothPlaces(Context ctx, Text input) {
  const bool first = ctx.Patched("p");
  const Outcome<Text> out = co_await ctx.Execute(first ? kNew : kOld, T(""));
  const bool second = ctx.Patched("p");
  const Outcome<Text> again = co_await ctx.Execute(kOld, T(""));
  co_return T(second ? "new" : "old");
}

TEST_F(VersioningTest, APlaceBeforeTheMarkerIsOldAndTheMarkersPlaceIsNew) {
  Deploy(&PatchedAtTheEnd);
  ScriptedRun run(registry, "test");
  run.Start();
  run.CompleteActivity("1");
  Deploy(&PatchedAtBothPlaces);
  EXPECT_TRUE(Replay(run.History()).ok()) << Replay(run.History());
}

}  // namespace
}  // namespace sdk
