// Decorators that break one rule each, for red runs. With Rule::kNone they only pass on.
// One thread.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "orchestrator/engine/worker_port.h"
#include "orchestrator/store/forwarding_store.h"
#include "orchestrator/store/simulated/simulated_store.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/options.h"
#include "tests/simulation/scheduler.h"

namespace sim {

// Breaks the store's rules, above the honest one.
class BreakingStore : public store::ForwardingStore {
 public:
  BreakingStore(store::Store* store, Rule rule, Scheduler& scheduler, Checker& checker,
                store::SimulatedDisk& disk)
      : ForwardingStore(store),
        rule_(rule),
        scheduler_(scheduler),
        checker_(checker),
        disk_(disk) {}
  absl::Status Commit(const store::WriteBatch& batch) override;
  absl::StatusOr<std::vector<store::DueRun>> DueRuns(int slot_first, int slot_last,
                                                     const store::DueRun& after, absl::Time until,
                                                     int limit) override;
  absl::Status CheckEpoch(int partition, int64_t epoch) override;
  // The process dies now.
  void Crash();

 private:
  absl::Status CommitBroken(const store::WriteBatch& batch);

  const Rule rule_;
  Scheduler& scheduler_;
  Checker& checker_;
  store::SimulatedDisk& disk_;
  std::optional<store::SimulatedDisk::Content> before_last_;
};

// Shows every dispatch to the checker, and breaks the executor's rules.
class BreakingExecutor : public engine::ActivityExecutor {
 public:
  BreakingExecutor(engine::ActivityExecutor& executor, Rule rule, Checker& checker, int node)
      : executor_(executor), rule_(rule), checker_(checker), node_(node) {}
  void Start(engine::ActivityTask task) override;
  void Stop(const engine::ActivityToken& token, const std::string& reason) override {
    executor_.Stop(token, reason);
  }
  int slots() const override { return executor_.slots(); }
  // The newest token of the same activity.
  engine::ActivityToken Newest(const engine::ActivityToken& token) const;

 private:
  engine::ActivityExecutor& executor_;
  const Rule rule_;
  Checker& checker_;
  const int node_;
  std::map<std::pair<base::RunId, base::EventId>, engine::ActivityToken> newest_;
};

}  // namespace sim
