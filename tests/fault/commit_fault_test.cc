// Goal: no single failed commit, at any place of a run's life, loses or repeats anything.
// Method: fail the N-th commit of a saga's whole life, for N = 1, 2, 3 ... until a run completes
// untouched; once before the store wrote anything, and once after it did (the caller is told
// UNAVAILABLE although the batch is durable: an unknown outcome).
#include <gmock/gmock.h>

#include <set>

#include "tests/fault/failing_store.h"
#include "tests/integration/engine/engine_fixture.h"
#include "tests/support/await.h"

namespace engine_test {
namespace {

using sdk::Failure;
using sdk::Outcome;
using sdk::Workflow;
using Undo = saga::Undo<Text, Text>;

constexpr sdk::ActivityType<Text, Text> kStep{"step"};
constexpr saga::CompensationType<Text, Text, Text> kUndoStep{"undo_step"};

// Effects by idempotency key: a step's effect happens once per key, however often it is tried.
struct World {
  absl::Mutex mu;
  std::set<std::string> alive ABSL_GUARDED_BY(mu);
  std::set<std::string> ever ABSL_GUARDED_BY(mu);
};

base::Task<Outcome<Text>> Step(World* world, std::string key, Text input) {
  if (input.message() == "fail") co_return Failure::Permanent("Refused", "no");
  absl::MutexLock lock(&world->mu);
  world->alive.insert(key);
  world->ever.insert(key);
  co_return input;
}

base::Task<Outcome<Text>> UndoStep(World* world, Undo undo) {
  absl::MutexLock lock(&world->mu);
  world->alive.erase(undo.idempotency_key);
  co_return T("");
}

// Three steps, a signal, and a failure that undoes all.
Workflow<Text> Trip(sdk::Context ctx, Text input) {
  saga::Saga saga(ctx);
  Outcome<Text> a = co_await saga.Run(kStep, T("a"), kUndoStep);
  Outcome<Text> b = co_await saga.Run(kStep, T("b"), kUndoStep);
  const sdk::Done slept = co_await ctx.Sleep(absl::Milliseconds(1));
  if (!slept.ok()) co_return slept.failure();
  const sdk::Done waited = co_await ctx.WaitUntil([&] { return ctx.HasSignal("go"); });
  if (!waited.ok()) co_return waited.failure();
  Outcome<Text> c = co_await saga.Run(kStep, T(ctx.TakeSignal<Text>("go")->message()), kUndoStep);
  if (!c.ok()) {
    Failure failure = co_await saga.Abort(c.failure());
    co_return failure;
  }
  co_return T(a->message() + b->message() + c->message());
}

class CommitFaultTest : public EngineTest, public ::testing::WithParamInterface<Where> {
 protected:
  // Runs one trip with the N-th commit failing; true when the fault was reached.
  bool RunWithFault(int fail_at, const std::string& signal) {
    World world;
    const sdk::ActivityOptions options{
        .retry = sdk::RetryPolicy{.initial_interval = absl::Milliseconds(1)}};
    registry = sdk::Registry();
    registry.AddActivity(
        kStep,
        [&world](sdk::ActivityContext& ctx, Text input) {
          return Step(&world, ctx.info().idempotency_key, input);
        },
        options);
    saga::AddCompensation(
        registry, kUndoStep,
        [&world](sdk::ActivityContext& ctx, Undo undo) {
          return UndoStep(&world, std::move(undo));
        },
        options);
    registry.AddWorkflow<Text, Text>("trip", &Trip);
    FailingStore* failing = nullptr;
    decorate = [&](store::Store* real) {
      auto made = std::make_unique<FailingStore>(real, fail_at, GetParam());
      failing = made.get();
      return made;
    };
    engine::EngineOptions engine_options;
    engine_options.store_retry = absl::Milliseconds(1);
    Open(engine_options);
    const std::string id = "trip-" + signal + "-" + std::to_string(fail_at);
    // Callers repeat what was not answered OK, under the same request id.
    test::Await([&] { return Start("trip", id, "in", "request").ok(); }, id + " to be started");
    v1::SignalWorkflowRequest request;
    request.set_workflow_id(id);
    request.set_signal_name("go");
    request.set_request_id("signal");
    *request.mutable_input() = history::ToPayload(T(signal));
    test::Await(
        [&] {
          return Await<v1::SignalWorkflowResponse>(
                     [&](auto done) { client->Signal(request, std::move(done)); })
              .ok();
        },
        id + " to take the signal");
    const std::string result = ResultText(id);
    EXPECT_EQ(result, signal == "fail" ? "FAILED Refused no" : "abc") << "commit " << fail_at;
    {
      absl::MutexLock lock(&world.mu);
      EXPECT_EQ(world.alive.size(), signal == "fail" ? 0u : 3u) << "commit " << fail_at;
      EXPECT_EQ(world.ever.size(), signal == "fail" ? 2u : 3u) << "commit " << fail_at;
    }
    const bool reached = failing->failed_once();
    Close();
    return reached;
  }
};

TEST_P(CommitFaultTest, EveryCommitOfASuccessfulRunMayFail) {
  int faults = 0;
  for (int n = 1; RunWithFault(n, "c"); ++n) ++faults;
  EXPECT_GE(faults, 5) << "the run did not commit as often as it should";
}

TEST_P(CommitFaultTest, EveryCommitOfAnUndoneRunMayFail) {
  int faults = 0;
  for (int n = 1; RunWithFault(n, "fail"); ++n) ++faults;
  EXPECT_GE(faults, 7) << "the run did not commit as often as it should";
}

INSTANTIATE_TEST_SUITE_P(Where, CommitFaultTest, EverywhereInACommit(), &WhereName);

}  // namespace
}  // namespace engine_test
