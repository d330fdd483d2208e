// Throughput and latency of the embedded engine on SQLite, durable (synchronous=FULL).
//
//   build/bin/engine_bench --benchmark_filter=Sequential
//
// SixSequentialActivities/N keeps N workflows in flight, each with six activities one after
// another; items per second are workflows per second. One/Commit compare a workflow alone with
// the bare commits that it needs.
#include <benchmark/benchmark.h>

#include <filesystem>

#include "absl/synchronization/mutex.h"
#include "orchestrator/base/check.h"
#include "tests/integration/engine/engine_fixture.h"

namespace engine_test {
namespace {

using sdk::Outcome;
using sdk::Workflow;

constexpr sdk::ActivityType<Text, Text> kEcho{"echo"};

base::Task<Outcome<Text>> Echo(sdk::ActivityContext& ctx, Text input) { co_return input; }

Workflow<Text> Six(sdk::Context ctx, Text input) {
  for (int i = 0; i < 6; ++i) {
    Outcome<Text> out = co_await ctx.Execute(kEcho, input);
    if (!out.ok()) co_return out.failure();
  }
  co_return input;
}

class Bench : public EngineHarness {
 public:
  Bench() {
    registry.AddActivity(kEcho, &Echo);
    registry.AddWorkflow<Text, Text>("six", &Six);
    Open();
  }

  // Runs `count` workflows, at most `at_once` in flight.
  void Run(int count, int at_once, const std::string& prefix) {
    absl::Mutex mu;
    int in_flight = 0;
    int done = 0;
    for (int i = 0; i < count; ++i) {
      {
        absl::MutexLock lock(&mu);
        mu.Await(absl::Condition(
            +[](std::pair<int*, int>* p) { return *p->first < p->second; },
            std::make_unique<std::pair<int*, int>>(&in_flight, at_once).get()));
        ++in_flight;
      }
      const std::string id = prefix + std::to_string(i);
      v1::StartWorkflowRequest start;
      start.set_workflow_id(id);
      start.set_workflow_type("six");
      *start.mutable_input() = history::ToPayload(T("x"));
      client->StartWorkflow(std::move(start), [](auto started) { CHECK(started.ok()); });
      v1::GetWorkflowResultRequest result;
      result.set_workflow_id(id);
      result.mutable_wait()->set_seconds(60);
      client->GetResult(std::move(result), [&](auto ended) {
        CHECK(ended.ok() && ended->status() == v1::RunStatus::COMPLETED);
        absl::MutexLock lock(&mu);
        --in_flight;
        ++done;
      });
    }
    absl::MutexLock lock(&mu);
    mu.Await(absl::Condition(
        +[](std::pair<int*, int>* p) { return *p->first == p->second; },
        std::make_unique<std::pair<int*, int>>(&done, count).get()));
  }
};

void SixSequentialActivities(benchmark::State& state) {
  Bench bench;
  const int at_once = static_cast<int>(state.range(0));
  const int count = std::max(at_once * 10, 200);
  int round = 0;
  for (auto _ : state) bench.Run(count, at_once, "r" + std::to_string(round++) + "-");
  state.SetItemsProcessed(state.iterations() * count);
}
BENCHMARK(SixSequentialActivities)
    ->Arg(1)
    ->Arg(10)
    ->Arg(1000)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void OneWorkflowAlone(benchmark::State& state) {
  Bench bench;
  int round = 0;
  for (auto _ : state) bench.Run(1, 1, "one" + std::to_string(round++) + "-");
}
BENCHMARK(OneWorkflowAlone)->UseRealTime()->Unit(benchmark::kMicrosecond);

void OneCommit(benchmark::State& state) {
  Bench bench;
  bench.Close();
  bench.Open();
  auto epoch = bench.store->AcquirePartition(1, "bench");
  CHECK(epoch.ok());
  int round = 0;
  for (auto _ : state) {
    store::WriteBatch batch{.partition = 1, .epoch = *epoch};
    store::RunWrite& write = batch.writes.emplace_back();
    write.is_new = true;
    write.row.ns = base::Namespace("default");
    write.row.workflow_id = base::WorkflowId("commit-" + std::to_string(round++));
    write.row.run_id = base::NewRunId(bench.clock.Now(), bench.random);
    write.row.workflow_type = "none";
    write.row.start_time = bench.clock.Now();
    write.expected_next_event_id = 1;
    CHECK(bench.store->Commit(batch).ok());
  }
}
BENCHMARK(OneCommit)->UseRealTime()->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace engine_test

BENCHMARK_MAIN();
