// The same history gives the same commands in the same order, however its events were grouped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/unit/orchestrator/sdk/scripted_run.h"

namespace sdk {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr ActivityType<Text, Text> kWork{"work"};
constexpr ActivityType<Text, Text> kNext{"next"};

Workflow<Text> Branch(Context ctx, std::string name) {
  Outcome<Text> first = co_await ctx.Execute(kWork, T(name));
  Outcome<Text> second = co_await ctx.Execute(kNext, T(name));
  co_return T(name);
}

Workflow<Text> TwoBranches(Context ctx, Text input) {
  Future<Text> a = ctx.Spawn<Text>(Branch(ctx, "a"));
  Future<Text> b = ctx.Spawn<Text>(Branch(ctx, "b"));
  Outcome<Text> out_a = co_await a;
  Outcome<Text> out_b = co_await b;
  co_return T(out_a->message() + out_b->message());
}

TEST(Determinism, IdsAreGivenInTheOrderOfScheduling) {
  Registry registry;
  registry.AddWorkflow<Text, Text>("two", &TwoBranches);
  ScriptedRun run(registry, "two");
  run.Start();
  run.CompleteActivity("2");  // b's first, before a's
  run.CompleteActivity("1");
  EXPECT_THAT(
      run.Commands(),
      ElementsAre("ActivityTaskScheduled id=1 type=work", "ActivityTaskScheduled id=2 type=work",
                  "ActivityTaskScheduled id=3 type=next", "ActivityTaskScheduled id=4 type=next"));
  const auto input = [&](const std::string& id) {
    const v1::Payload& payload =
        run.state.activities.at(run.state.activity_ids.at(id)).scheduled->input();
    return history::FromPayload<Text>(payload)->message();
  };
  EXPECT_EQ(input("3"), "b");
  EXPECT_EQ(input("4"), "a");
  run.CompleteActivity("4");
  run.CompleteActivity("3");
  EXPECT_EQ(run.ResultText(), "ab");
}

Workflow<Text> Waiters(Context ctx, Text input) {
  auto order = std::make_shared<std::string>();
  std::vector<Future<Text>> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.push_back(ctx.Spawn<Text>(
        [](Context ctx, std::shared_ptr<std::string> order, int i) -> Workflow<Text> {
          const Done go = co_await ctx.WaitUntil([ctx] { return ctx.HasSignal("go"); });
          absl::StrAppend(order.get(), i);
          co_return T("");
        }(ctx, order, i)));
  }
  for (Future<Text>& each : waiting) {
    Outcome<Text> out = co_await each;
  }
  co_return T(*order);
}

TEST(Determinism, WaitersWakeInTheOrderInWhichTheyBeganToWait) {
  Registry registry;
  registry.AddWorkflow<Text, Text>("waiters", &Waiters);
  ScriptedRun run(registry, "waiters");
  run.Start();
  run.Signal("go");
  EXPECT_EQ(run.ResultText(), "0123");
}

Workflow<Text> Dice(Context ctx, Text input) {
  std::string seen = absl::StrCat(ctx.Random(), " ", absl::ToUnixMillis(ctx.Now()));
  Outcome<Text> out = co_await ctx.Execute(kWork, T(seen));
  absl::StrAppend(&seen, " ", ctx.Random(), " ", absl::ToUnixMillis(ctx.Now()));
  Outcome<Text> again = co_await ctx.Execute(kWork, T(seen));
  co_return T(seen);
}

TEST(Determinism, RandomAndTimeAreTheSameOnReplay) {
  Registry registry;
  registry.AddWorkflow<Text, Text>("dice", &Dice);
  ScriptedRun run(registry, "dice");
  run.Start();
  run.now += absl::Hours(1);
  run.CompleteActivity("1");
  run.now += absl::Hours(1);
  // A fresh instance replays the two tasks and runs the third one.
  Instance fresh(registry, *registry.FindWorkflow("dice"));
  ASSERT_TRUE(fresh.Replay(run.History()).ok());
  v1::HistoryEvent completed;
  auto* closed = completed.mutable_activity_task_completed();
  closed->set_scheduled_event_id(run.state.activity_ids.at("2"));
  *closed->mutable_result() = history::ToPayload(T(""));
  const TaskResult result = fresh.RunTask(run.now + absl::Milliseconds(1), {&completed}, {});
  run.CompleteActivity("2");
  ASSERT_EQ(result.commands.size(), 1u);
  EXPECT_EQ(result.commands[0].event().workflow_execution_completed().result().data(),
            run.state.result.data());
}

TEST(Determinism, EventsBehindTheLastTaskWaitForTheNext) {
  Registry registry;
  registry.AddWorkflow<Text, Text>("two", &TwoBranches);
  ScriptedRun run(registry, "two");
  run.Start();
  std::vector<v1::HistoryEvent> events = run.History();
  v1::HistoryEvent& completed = events.emplace_back();
  completed.set_event_id(static_cast<int64_t>(events.size()));
  completed.mutable_activity_task_completed()->set_scheduled_event_id(
      run.state.activity_ids.at("1"));
  Instance instance(registry, *registry.FindWorkflow("two"));
  ASSERT_TRUE(instance.Replay(events).ok());
  EXPECT_TRUE(instance.has_backlog());
  const TaskResult result = instance.RunTask(run.now, {}, {});
  ASSERT_EQ(result.commands.size(), 1u);
  EXPECT_EQ(result.commands[0].event().activity_task_scheduled().activity_type(), "next");
}

// One branch fewer.
Workflow<Text> OneBranch(Context ctx, Text input) {
  Future<Text> a = ctx.Spawn<Text>(Branch(ctx, "a"));
  Outcome<Text> out = co_await a;
  co_return out;
}

TEST(Determinism, ChangedCodeIsRefusedWithThePlace) {
  Registry registry;
  registry.AddWorkflow<Text, Text>("two", &OneBranch);
  ScriptedRun run(registry, "two");
  run.Start();
  run.CompleteActivity("1");
  registry.AddWorkflow<Text, Text>("two", &TwoBranches);
  Instance instance(registry, *registry.FindWorkflow("two"));
  const absl::Status replayed = instance.Replay(run.History());
  EXPECT_EQ(replayed.code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(replayed.message()),
              HasSubstr("at event 6: expected no command, found ActivityTaskScheduled id=2 "
                        "type=work at determinism_test.cc:"));
}

}  // namespace
}  // namespace sdk
