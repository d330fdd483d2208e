// SimulatedStore: a store in memory that models what survives a crash. The disk is an object of
// its own: a crash throws the store away and opens another one on the same disk. A commit is one
// transaction, so it is written whole or not at all; faults decide whether it is written, and
// whether the caller hears of it.
//
// For simulation and tests; nothing is kept beyond the process. Thread-safe.
//
// Example:
//   auto disk = std::make_shared<store::SimulatedDisk>();
//   store::SimulatedStore store(disk, &faults);
//   ...
//   store::SimulatedStore reopened(disk);  // after the crash
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "orchestrator/store/store.h"

namespace store {

// What survives: everything that was written. Copyable content, shared by the stores opened on it.
class SimulatedDisk {
 public:
  struct Run {
    RunRow row;
    int64_t order = 0;                                               // of creation
    std::vector<std::pair<base::EventId, std::string>> transitions;  // by first event id
    std::map<base::EventId, v1::ActivityAttemptState> attempts;
    std::set<std::pair<base::EventId, std::string>> blobs;  // attempt or 0, hash
  };
  struct Content {
    std::map<base::RunId, Run> runs;
    std::map<std::string, std::string> blobs;  // by hash
    std::map<int, int64_t> epochs;
    int64_t last_order = 0;
  };
  // A copy of everything; and back. A disk that loses writes is made of these two.
  Content Snapshot() const;
  void Restore(Content content);

 private:
  friend class SimulatedStore;
  mutable absl::Mutex mutex_;
  Content content_ ABSL_GUARDED_BY(mutex_);
};

// Decides the fate of calls. Called with the disk locked: it may not call a store.
class StoreFaults {
 public:
  enum class CommitFault {
    kNone,
    kBeforeWrite,  // UNAVAILABLE, nothing was written
    kAfterWrite,   // UNAVAILABLE, although it was written
  };
  virtual ~StoreFaults() = default;
  virtual CommitFault OnCommit(const WriteBatch& batch) { return CommitFault::kNone; }
  virtual absl::Status OnRead() { return absl::OkStatus(); }
  // The batch is on the disk.
  virtual void OnWritten(const WriteBatch& batch) {}
};

class SimulatedStore : public Store {
 public:
  // `faults` may be null; it outlives the store.
  explicit SimulatedStore(std::shared_ptr<SimulatedDisk> disk, StoreFaults* faults = nullptr)
      : disk_(std::move(disk)), faults_(faults) {}

  absl::StatusOr<int64_t> AcquirePartition(int partition, const std::string& owner) override;
  absl::Status Commit(const WriteBatch& batch) override;
  absl::StatusOr<StoredRun> LoadRun(const base::RunId& run_id) override;
  absl::StatusOr<std::optional<RunRow>> FindRun(const base::Namespace& ns,
                                                const base::WorkflowId& workflow_id) override;
  absl::StatusOr<std::optional<RunRow>> FindRunById(const base::RunId& run_id) override;
  absl::StatusOr<RunPage> List(const RunFilter& filter, RunOrder order, int page_size,
                               const std::string& page_token) override;
  absl::StatusOr<std::vector<StatusCount>> Count(const RunFilter& filter) override;
  absl::StatusOr<std::vector<VersionCount>> CountVersions(
      const base::Namespace& ns, const std::string& workflow_type) override;
  absl::StatusOr<std::vector<std::string>> ReadBlobs(
      const std::vector<std::string>& hashes) override;
  absl::StatusOr<std::vector<DueRun>> DueRuns(int slot_first, int slot_last, const DueRun& after,
                                              absl::Time until, int limit) override;
  absl::StatusOr<std::vector<std::string>> ReadTransitions(const base::RunId& run_id,
                                                           base::EventId after_event_id,
                                                           int limit) override;
  absl::StatusOr<std::vector<StatusCount>> CountRuns() override;

 private:
  absl::Status Apply(const WriteBatch& batch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(disk_->mutex_);
  absl::Status ReadFault() { return faults_ == nullptr ? absl::OkStatus() : faults_->OnRead(); }

  const std::shared_ptr<SimulatedDisk> disk_;
  StoreFaults* const faults_;
};

}  // namespace store
