// ActivityWorker: runs activity attempts as coroutines on one I/O loop; thousands wait at once
// without a thread each.
//
// Thread-safety: Start and Stop are thread-safe; everything else happens on the loop.
//
// Example:
//   worker::ActivityWorker activities(registry, io_loop, {.slots = 1000});
//   engine.Open(activities);
//   activities.Connect(engine);
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <tuple>

#include "orchestrator/base/event_loop.h"
#include "orchestrator/engine/worker_port.h"
#include "orchestrator/sdk/registry.h"

namespace worker {

struct ActivityWorkerOptions {
  int slots = 1000;                                       // attempts at once
  std::string identity = "worker";                        // recorded with what it did
  absl::Duration report_retry = absl::Milliseconds(500);  // when a result is not taken
};

class ActivityWorker : public engine::ActivityExecutor {
 public:
  // `registry` is complete; it and `loop` outlive the worker.
  ActivityWorker(const sdk::Registry& registry, base::EventLoop& loop,
                 ActivityWorkerOptions options);
  ~ActivityWorker() override;

  // The engine that hears the results. Before the first Start.
  void Connect(engine::WorkerPort& port) { port_ = &port; }

  void Start(engine::ActivityTask task) override;
  void Stop(const engine::ActivityToken& token, const std::string& reason) override;
  // None while it drains: what is ready waits for the next owner.
  int slots() const override { return draining_ ? 0 : options_.slots; }

  // Cancels every attempt and gives it back; `drained` runs on the loop when none is left.
  void Drain(absl::AnyInvocable<void()> drained);

 private:
  class Attempt;
  void Run(engine::ActivityTask task);
  void Finish(std::shared_ptr<Attempt> attempt, core::ActivityOutcome outcome);
  void Report(engine::ActivityToken token, core::ActivityOutcome outcome);
  void CheckDrained();

  const sdk::Registry& registry_;
  base::EventLoop& loop_;
  const ActivityWorkerOptions options_;
  engine::WorkerPort* port_ = nullptr;

  // Loop only.
  // Dispatches are counted by each owner of a partition: partition, epoch, dispatch.
  using Key = std::tuple<int, int64_t, uint64_t>;
  static Key KeyOf(const engine::ActivityToken& token) {
    return {token.partition, token.epoch, token.dispatch};
  }
  std::map<Key, std::shared_ptr<Attempt>> attempts_;
  std::atomic<bool> draining_{false};
  absl::AnyInvocable<void()> drained_;
};

}  // namespace worker
