// Node: one process of the simulated world: some partitions, their committer and workers, on loops
// of their own, over a store opened on the disk that survives. Crash throws it away at any point
// between two steps.
//
// One thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "orchestrator/engine/partition.h"
#include "orchestrator/worker/activity_worker.h"
#include "orchestrator/worker/workflow_worker.h"
#include "tests/simulation/breakage.h"
#include "tests/simulation/checker.h"
#include "tests/simulation/options.h"
#include "tests/simulation/outside.h"
#include "tests/simulation/peers.h"
#include "tests/simulation/programs.h"
#include "tests/simulation/scheduler.h"
#include "tests/simulation/vendor.h"

namespace sim {

// What nodes share.
struct World {
  Scheduler& scheduler;
  Vendor& vendor;
  Checker& checker;
  Network& network;
  std::shared_ptr<store::SimulatedDisk> disk;
  store::StoreFaults& faults;
  Outside* outside = nullptr;  // null: there are no campaigns
  // The node lost a lease; as gateway/server it ends itself.
  std::function<void(int number)> on_lease_lost;
  base::Metrics& metrics;
  Rule broken = Rule::kNone;
  engine::EngineOptions options;
};

class Node : public engine::WorkerPort {
 public:
  Node(World& world, int number, absl::Duration clock_offset);
  ~Node() override;

  int number() const { return number_; }
  // Takes a partition over, once in its life.
  void Acquire(int index);
  // Null when it never had it. It may have lost the lease since.
  engine::Partition* partition(int index) const;
  bool has(int index) const { return partition(index) != nullptr; }
  NodeClock& clock() { return clock_; }
  SimLoop& RandomLoop(Dice& dice);
  // Nothing of it runs before `until`.
  void Freeze(absl::Duration until);
  // Ends in good order; `closed` runs when the process may go.
  void Close(std::function<void()> closed);
  bool closing() const { return closing_; }

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
  struct Owned {
    std::unique_ptr<SimLoop> loop;
    std::unique_ptr<engine::Partition> partition;
  };
  void ClosePartitions(std::function<void()> closed);

  World& world_;
  const int number_;
  std::shared_ptr<Life> life_ = std::make_shared<Life>();
  bool closing_ = false;
  std::map<uint64_t, std::shared_ptr<Heard>> beats_;  // heartbeats without an answer
  uint64_t last_beat_ = 0;

  NodeClock clock_;
  SimLoop commit_loop_;
  SimLoop io_loop_;
  SimLoop disk_loop_;  // of the blocking worker
  Peers peers_;
  base::SeededRandom random_;
  std::unique_ptr<Office> office_;  // outlives the activities that use it
  sdk::Registry registry_;
  std::unique_ptr<store::SimulatedStore> disk_store_;
  std::unique_ptr<BreakingStore> store_;
  std::unique_ptr<engine::Committer> committer_;
  std::unique_ptr<worker::WorkflowWorker> workflows_;
  std::unique_ptr<worker::ActivityWorker> activities_;
  std::unique_ptr<BreakingExecutor> executor_;
  std::map<int, Owned> owned_;  // by partition
};

}  // namespace sim
