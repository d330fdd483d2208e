// Node: one process of the simulated world: a partition, its committer and its workers, on loops
// of their own, over a store opened on the disk that survives. Crash throws it away at any point
// between two steps.
//
// One thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "orchestrator/engine/partition.h"
#include "orchestrator/worker/activity_worker.h"
#include "orchestrator/worker/workflow_worker.h"
#include "tests/simulation/breakage.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/options.h"
#include "tests/simulation/programs.h"
#include "tests/simulation/scheduler.h"
#include "tests/simulation/vendor.h"

namespace sim {

// What nodes share.
struct World {
  Scheduler& scheduler;
  Vendor& vendor;
  Checker& checker;
  std::shared_ptr<store::SimulatedDisk> disk;
  store::StoreFaults& faults;
  base::Metrics& metrics;
  Rule broken = Rule::kNone;
  engine::EngineOptions options;
};

class Node : public engine::WorkerPort {
 public:
  // Takes the partition over.
  Node(World& world, int number);
  ~Node() override;

  engine::Partition& partition() { return *partition_; }
  bool lease_lost() const { return lease_lost_; }
  int64_t epoch() const { return epoch_; }
  SimLoop& RandomLoop();

  // The process ends: nothing of it runs any more. With `last_commit` the batch that was on its
  // way to the disk is written, but nobody hears of it.
  void Crash(bool last_commit);

  // engine::WorkerPort
  void CompleteActivity(engine::ActivityToken token, core::ActivityOutcome outcome,
                        absl::AnyInvocable<void(absl::Status)> done) override;
  void RecordHeartbeat(engine::ActivityToken token, v1::Payload details,
                       absl::AnyInvocable<void(absl::Status)> done) override;

 private:
  using Heard = absl::AnyInvocable<void(absl::Status)>;

  World& world_;
  std::shared_ptr<Life> life_ = std::make_shared<Life>();
  bool lease_lost_ = false;
  int64_t epoch_ = 0;
  std::map<uint64_t, std::shared_ptr<Heard>> beats_;  // heartbeats without an answer
  uint64_t last_beat_ = 0;

  EarlyClock early_clock_;
  SimLoop partition_loop_;
  SimLoop commit_loop_;
  SimLoop io_loop_;
  base::SeededRandom random_;
  sdk::Registry registry_;
  std::unique_ptr<store::SimulatedStore> disk_store_;
  std::unique_ptr<BreakingStore> store_;
  std::unique_ptr<engine::Committer> committer_;
  std::unique_ptr<worker::WorkflowWorker> workflows_;
  std::unique_ptr<worker::ActivityWorker> activities_;
  std::unique_ptr<BreakingExecutor> executor_;
  std::unique_ptr<engine::Partition> partition_;
};

}  // namespace sim
