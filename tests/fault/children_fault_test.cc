// Goal: no single failed commit loses or repeats a child, its end, a message to another run, or
// what a closed parent owes its children.
// Method: fail the N-th commit of a family's whole life, for N = 1, 2, 3 ... until a family lives
// untouched; once before the store wrote anything, and once after it did. Parent, children and the
// receiver of a signal are on two partitions.
#include <gmock/gmock.h>

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "tests/fault/failing_store.h"
#include "tests/integration/engine/engine_fixture.h"
#include "tests/support/await.h"

namespace engine_test {
namespace {

using sdk::Outcome;
using sdk::Workflow;

constexpr sdk::ActivityType<Text, Text> kCount{"count"};
constexpr sdk::WorkflowType<Text, Text> kWorker{"worker"};
constexpr sdk::WorkflowType<Text, Text> kSleeper{"sleeper"};

// How often each key's effect was asked for; the effect itself happens once per key.
struct World {
  absl::Mutex mu;
  std::map<std::string, int> effects ABSL_GUARDED_BY(mu);
};

base::Task<Outcome<Text>> Count(World* world, std::string key, Text input) {
  absl::MutexLock lock(&world->mu);
  ++world->effects[key];
  co_return input;
}

Workflow<Text> Worker(sdk::Context ctx, Text input) {
  Outcome<Text> counted = co_await ctx.Execute(kCount, input);
  co_return counted;
}

Workflow<Text> Sleeper(sdk::Context ctx, Text input) {
  const sdk::Done slept = co_await ctx.Sleep(absl::Hours(24));
  if (!slept.ok()) co_return slept.failure();
  co_return input;
}

// Takes what comes until "end", and says how many there were before it.
Workflow<Text> Receiver(sdk::Context ctx, Text input) {
  int count = 0;
  while (true) {
    const sdk::Done waited = co_await ctx.WaitUntil([ctx] { return ctx.HasSignal("note"); });
    if (!waited.ok()) co_return waited.failure();
    Outcome<Text> note = ctx.TakeSignal<Text>("note");
    if (note->message() == "end") co_return T(std::to_string(count));
    ++count;
  }
}

Workflow<Text> Parent(sdk::Context ctx, Text input) {
  const std::string id = ctx.info().workflow_id;
  sdk::ChildWorkflow<Text> worker =
      ctx.ExecuteChild(kWorker, T("work"), {.workflow_id = id + "-worker"});
  sdk::ChildWorkflow<Text> sleeper =
      ctx.ExecuteChild(kSleeper, T("zzz"), {.workflow_id = id + "-sleeper"});
  Outcome<Text> worked = co_await worker;
  if (!worked.ok()) co_return worked.failure();
  auto started = co_await sleeper.started();
  if (!started.ok()) co_return started.failure();
  const sdk::Done sent =
      co_await ctx.SignalExternal({.workflow_id = id + "-receiver"}, "note", T("done"));
  if (!sent.ok()) co_return sent.failure();
  co_return worked;
}

class ChildrenFaultTest : public EngineTest, public ::testing::WithParamInterface<Where> {
 protected:
  void StartUntilTaken(const std::string& type, const std::string& id) {
    test::Await([&] { return Start(type, id, "in", id + "-request").ok(); }, id + " to be started");
  }
  // True when the fault was reached.
  bool RunWithFault(int fail_at) {
    World world;
    registry = sdk::Registry();
    registry.AddActivity(kCount,
                         [&world](sdk::ActivityContext& ctx, Text input) {
                           return Count(&world, ctx.info().idempotency_key, input);
                         },
                         {.retry = sdk::RetryPolicy{.initial_interval = absl::Milliseconds(1)}});
    registry.AddWorkflow<Text, Text>("worker", &Worker);
    registry.AddWorkflow<Text, Text>("sleeper", &Sleeper);
    registry.AddWorkflow<Text, Text>("receiver", &Receiver);
    registry.AddWorkflow<Text, Text>("parent", &Parent);
    FailingStore* failing = nullptr;
    decorate = [&](store::Store* real) {
      auto made = std::make_unique<FailingStore>(real, fail_at, GetParam());
      failing = made.get();
      return made;
    };
    engine::EngineOptions options;
    options.partitions = 2;
    options.store_retry = absl::Milliseconds(1);
    Open(options);
    const std::string id = absl::StrCat("family-", fail_at);
    StartUntilTaken("receiver", id + "-receiver");
    StartUntilTaken("parent", id);
    EXPECT_EQ(ResultText(id), "work") << "commit " << fail_at;
    EXPECT_EQ(Result(id + "-sleeper").status(), v1::RunStatus::TERMINATED) << "commit " << fail_at;
    v1::SignalWorkflowRequest end;
    end.set_workflow_id(id + "-receiver");
    end.set_signal_name("note");
    end.set_request_id("end");
    *end.mutable_input() = history::ToPayload(T("end"));
    // Repeated until it is taken, also when it has closed the receiver by then.
    test::Await(
        [&] {
          return Await<v1::SignalWorkflowResponse>(
                     [&](auto done) { client->Signal(end, std::move(done)); })
              .ok();
        },
        id + " to take the signal");
    EXPECT_EQ(ResultText(id + "-receiver"), "1") << "commit " << fail_at;
    EXPECT_EQ(ResultText(id + "-worker"), "work") << "commit " << fail_at;
    {
      absl::MutexLock lock(&world.mu);
      EXPECT_EQ(world.effects.size(), 1u) << "one child ran, commit " << fail_at;
    }
    CheckHistory(id, fail_at);
    const bool reached = failing->failed_once();
    Close();
    return reached;
  }
  void CheckHistory(const std::string& id, int fail_at) {
    int started = 0;
    int completed = 0;
    int signaled = 0;
    for (const v1::HistoryEvent& event : History(id)) {
      started += event.has_child_workflow_execution_started();
      completed += event.has_child_workflow_execution_completed();
      signaled += event.has_external_workflow_execution_signaled();
    }
    EXPECT_EQ(started, 2) << "commit " << fail_at;
    EXPECT_EQ(completed, 1) << "commit " << fail_at;
    EXPECT_EQ(signaled, 1) << "commit " << fail_at;
  }
};

TEST_P(ChildrenFaultTest, EveryCommitOfAFamilyMayFail) {
  int faults = 0;
  for (int n = 1; RunWithFault(n); ++n) ++faults;
  EXPECT_GE(faults, 8) << "the family did not commit as often as it should";
}

INSTANTIATE_TEST_SUITE_P(Where, ChildrenFaultTest, EverywhereInACommit(), &WhereName);

}  // namespace
}  // namespace engine_test
