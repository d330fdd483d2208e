// WhenAll, WhenAny and Select: the order is that of the history; futures may have several waiters.
#include "orchestrator/sdk/when.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/unit/orchestrator/sdk/scripted_run.h"

namespace sdk {
namespace {

using ::testing::ElementsAre;

constexpr ActivityType<Text, Text> kWork{"work"};

void CompleteTogether(ScriptedRun& run, const std::vector<std::string>& ids) {
  run.Do([&](core::TransitionBuilder& transition) {
    for (const std::string& id : ids) {
      const base::EventId event = run.state.activity_ids.at(id);
      run.state.activities.at(event).in_flight = true;
      core::OnActivityOutcome(transition, event, {.result = history::ToPayload(T(id))}, run.random);
    }
  });
}

Workflow<Text> First(Context ctx, Text input) {
  std::vector<Future<Text>> work;
  for (int i = 0; i < 3; ++i) work.push_back(ctx.Execute(kWork, T("")));
  const size_t first = co_await WhenAny(work);
  const size_t again = co_await Select(work[0], work[1], work[2]);
  co_return T(absl::StrCat(first, again));
}

TEST(When, AnyIsTheFirstOfTheHistoryNotOfTheArguments) {
  Registry registry;
  registry.AddWorkflow<Text, Text>("first", &First);
  ScriptedRun run(registry, "first");
  run.Start();
  CompleteTogether(run, {"3", "1"});
  EXPECT_EQ(run.ResultText(), "22");
}

// Selects again and again over a future that stays.
Workflow<Text> Rounds(Context ctx, Text input) {
  Future<Unit> deadline = ctx.Sleep(absl::Hours(1));
  int rounds = 0;
  while (true) {
    Future<Text> work = ctx.Execute(kWork, T(""));
    const size_t first = co_await Select(work, deadline);
    if (first == 1) {
      const bool canceled = ctx.Cancel(work);
      co_return T(absl::StrCat(rounds, canceled ? " canceled" : ""));
    }
    ++rounds;
    EXPECT_LE(deadline.state()->selections.size(), 1u);
  }
}

TEST(When, SelectInALoopUntilADeadline) {
  Registry registry;
  registry.AddWorkflow<Text, Text>("rounds", &Rounds);
  ScriptedRun run(registry, "rounds");
  run.Start();
  run.CompleteActivity("2");
  run.CompleteActivity("3");
  run.FireTimer("1");
  EXPECT_EQ(run.ResultText(), "2 canceled");
}

Workflow<Text> Waiter(Future<Text> shared, std::shared_ptr<std::string> order, int i) {
  const Outcome<Text> out = co_await shared;
  absl::StrAppend(order.get(), i, out->message(), " ");
  co_return out;
}

Workflow<Text> Shared(Context ctx, Text input) {
  auto order = std::make_shared<std::string>();
  Future<Text> work = ctx.Execute(kWork, T(""));
  std::vector<Future<Text>> waiters;
  for (int i = 0; i < 3; ++i) waiters.push_back(ctx.Spawn<Text>(Waiter(work, order, i)));
  const std::vector<Outcome<Text>> all = co_await WhenAll(waiters);
  co_return T(*order);
}

TEST(When, SeveralCoroutinesAwaitOneFuture) {
  Registry registry;
  registry.AddWorkflow<Text, Text>("shared", &Shared);
  ScriptedRun run(registry, "shared");
  run.Start();
  run.CompleteActivity("1", T("x"));
  EXPECT_EQ(run.ResultText(), "0x 1x 2x ");
}

Workflow<Text> CancelOne(Context ctx, Text input) {
  Future<Text> a = ctx.Execute(kWork, T("a"));
  Future<Text> b = ctx.Execute(kWork, T("b"));
  EXPECT_TRUE(ctx.Cancel(a));
  EXPECT_FALSE(ctx.Cancel(a)) << "a second time";
  auto [out_a, out_b] = co_await WhenAll(a, b);
  co_return T(absl::StrCat(out_a.failure().type, " ", out_b->message()));
}

TEST(When, CancelingOneActivityLeavesTheOther) {
  Registry registry;
  registry.AddWorkflow<Text, Text>("one", &CancelOne);
  ScriptedRun run(registry, "one");
  run.Start();
  run.CompleteActivity("2", T("done"));
  EXPECT_EQ(run.ResultText(), "Canceled done");
  EXPECT_THAT(
      run.Commands(),
      ElementsAre("ActivityTaskScheduled id=1 type=work", "ActivityTaskScheduled id=2 type=work",
                  "ActivityTaskCancelRequested id=1", "WorkflowExecutionCompleted"));
}

Workflow<Text> AnyOfNone(Context ctx, Text input) {
  const size_t first = co_await WhenAny(std::vector<Future<Text>>());
  co_return T(absl::StrCat(first));
}

TEST(When, AnyOfNothingFails) {
  Registry registry;
  registry.AddWorkflow<Text, Text>("none", &AnyOfNone);
  ScriptedRun run(registry, "none");
  run.Start();
  EXPECT_EQ(run.state.failure->type(), "InvalidArgument");
}

}  // namespace
}  // namespace sdk
