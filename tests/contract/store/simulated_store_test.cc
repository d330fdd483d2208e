// SimulatedStore: the conformance suite on it, and its faults.
#include "orchestrator/store/simulated/simulated_store.h"

#include "tests/contract/store/store_conformance.h"

namespace contract {
namespace {

class SimulatedDatabase : public Database {
 public:
  absl::StatusOr<std::unique_ptr<store::Store>> Open() override {
    return std::make_unique<store::SimulatedStore>(disk_);
  }

 private:
  std::shared_ptr<store::SimulatedDisk> disk_ = std::make_shared<store::SimulatedDisk>();
};

INSTANTIATE_TEST_SUITE_P(Simulated, StoreConformance,
                         testing::Values([] { return std::make_unique<SimulatedDatabase>(); }));

class OneFault : public store::StoreFaults {
 public:
  CommitFault OnCommit(const store::WriteBatch&) override { return fault; }
  CommitFault fault = CommitFault::kNone;
};

TEST(SimulatedStore, FaultsDecideWhetherAFailedCommitIsWritten) {
  using Fault = store::StoreFaults::CommitFault;
  for (const Fault fault : {Fault::kBeforeWrite, Fault::kAfterWrite}) {
    OneFault faults;
    auto disk = std::make_shared<store::SimulatedDisk>();
    store::SimulatedStore store(disk, &faults);
    const absl::StatusOr<int64_t> epoch = store.AcquirePartition(0, "node");
    ASSERT_TRUE(epoch.ok());
    store::WriteBatch batch{.partition = 0, .epoch = *epoch};
    batch.writes.push_back(Creation(RowOf(1)));
    faults.fault = fault;
    EXPECT_TRUE(absl::IsUnavailable(store.Commit(batch)));
    store::SimulatedStore reopened(disk);
    EXPECT_EQ(reopened.LoadRun(RunIdOf(1)).ok(), fault == Fault::kAfterWrite);
  }
}

}  // namespace
}  // namespace contract
