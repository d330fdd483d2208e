// Goal: no single failed commit loses a local activity, its end, or records an end twice.
// Method: fail the N-th commit of a run with local activities, for N = 1, 2, 3 ... until a run
// completes untouched; once before the store wrote anything, and once after it did. Each failure
// drops the run from memory, and with it all that is known of its local activities.
#include <gmock/gmock.h>

#include <map>

#include "absl/synchronization/mutex.h"
#include "tests/fault/failing_store.h"
#include "tests/integration/engine/engine_fixture.h"
#include "tests/support/await.h"

namespace engine_test {
namespace {

using sdk::Outcome;
using sdk::Workflow;

constexpr sdk::ActivityType<Text, Text> kCheck{"check"};
constexpr sdk::ActivityType<Text, Text> kWork{"work"};

struct World {
  absl::Mutex mu;
  std::map<std::string, std::string> done ABSL_GUARDED_BY(mu);  // by idempotency key
};

base::Task<Outcome<Text>> Note(World* world, std::string key, Text input) {
  const absl::MutexLock lock(&world->mu);
  world->done[key] = input.message();
  co_return input;
}

// Two local activities at once, an activity, a timer, a signal, and another local one.
Workflow<Text> Checks(sdk::Context ctx, Text input) {
  const sdk::Future<Text> a = ctx.ExecuteLocal(kCheck, T("a"));
  const sdk::Future<Text> b = ctx.ExecuteLocal(kCheck, T("b"));
  const Outcome<Text> first = co_await a;
  const Outcome<Text> worked = co_await ctx.Execute(kWork, T("w"));
  const Outcome<Text> second = co_await b;
  const sdk::Done slept = co_await ctx.Sleep(absl::Milliseconds(1));
  const sdk::Done waited = co_await ctx.WaitUntil([&] { return ctx.HasSignal("go"); });
  if (!slept.ok() || !waited.ok()) co_return sdk::Failure::Permanent("Odd", "canceled");
  const Outcome<Text> third = co_await ctx.ExecuteLocal(kCheck, T("c"));
  co_return T(first->message() + worked->message() + second->message() + third->message());
}

class LocalActivityFaultTest : public EngineTest, public ::testing::WithParamInterface<Where> {
 protected:
  bool RunWithFault(int fail_at) {
    World world;
    registry = sdk::Registry();
    registry.AddWorkflow<Text, Text>("checks", &Checks);
    for (const auto& type : {kCheck, kWork}) {
      registry.AddActivity(type, [&world](sdk::ActivityContext& ctx, Text input) {
        return Note(&world, ctx.info().idempotency_key, std::move(input));
      });
    }
    FailingStore* failing = nullptr;
    decorate = [&](store::Store* real) {
      auto made = std::make_unique<FailingStore>(real, fail_at, GetParam());
      failing = made.get();
      return made;
    };
    engine::EngineOptions options;
    options.store_retry = absl::Milliseconds(1);
    Open(options);
    const std::string id = "checks-" + std::to_string(fail_at);
    test::Await([&] { return Start("checks", id, "in", "request").ok(); }, id + " to be started");
    v1::SignalWorkflowRequest request;
    request.set_workflow_id(id);
    request.set_signal_name("go");
    request.set_request_id("signal");
    test::Await(
        [&] {
          return Await<v1::SignalWorkflowResponse>(
                     [&](auto done) { client->Signal(request, std::move(done)); })
              .ok();
        },
        id + " to take the signal");
    EXPECT_EQ(ResultText(id), "awbc") << "commit " << fail_at;
    std::map<std::string, int> markers;
    for (const v1::HistoryEvent& event : History(id)) {
      if (event.has_marker_recorded()) ++markers[event.marker_recorded().marker_name()];
    }
    EXPECT_EQ(markers.size(), 3u) << "commit " << fail_at;
    for (const auto& [name, count] : markers) EXPECT_EQ(count, 1) << name;
    {
      const absl::MutexLock lock(&world.mu);
      EXPECT_EQ(world.done.size(), 4u) << "one effect a key, commit " << fail_at;
    }
    const bool reached = failing->failed_once();
    Close();
    return reached;
  }
};

TEST_P(LocalActivityFaultTest, EveryCommitMayFail) {
  int faults = 0;
  for (int n = 1; RunWithFault(n); ++n) ++faults;
  EXPECT_GE(faults, 4) << "the run did not commit as often as it should";
}

INSTANTIATE_TEST_SUITE_P(Where, LocalActivityFaultTest, EverywhereInACommit(), &WhereName);

}  // namespace
}  // namespace engine_test
