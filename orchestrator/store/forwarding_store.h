// ForwardingStore: hands every call on to another store. Fault tests derive from it and override
// the one call that shall fail, be slow or be watched.
//
// Thread-safety: as the store behind it, which must outlive this object.
//
// Example:
//   class FailingCommit : public store::ForwardingStore {
//    public:
//     using ForwardingStore::ForwardingStore;
//     absl::Status Commit(const store::WriteBatch& batch) override {
//       return absl::UnavailableError("disk full");
//     }
//   };
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "orchestrator/base/check.h"
#include "orchestrator/store/store.h"

namespace store {

class ForwardingStore : public Store {
 public:
  explicit ForwardingStore(Store* store) : store_(store) { CHECK(store != nullptr); }

  absl::StatusOr<int64_t> AcquirePartition(int partition, const std::string& owner) override {
    return store_->AcquirePartition(partition, owner);
  }
  absl::Status Commit(const WriteBatch& batch) override { return store_->Commit(batch); }
  absl::Status CheckEpoch(int partition, int64_t epoch) override {
    return store_->CheckEpoch(partition, epoch);
  }
  absl::StatusOr<StoredRun> LoadRun(const base::RunId& run_id) override {
    return store_->LoadRun(run_id);
  }
  absl::StatusOr<std::optional<RunRow>> FindRun(const base::Namespace& ns,
                                                const base::WorkflowId& workflow_id) override {
    return store_->FindRun(ns, workflow_id);
  }
  absl::StatusOr<std::optional<RunRow>> FindRunById(const base::RunId& run_id) override {
    return store_->FindRunById(run_id);
  }
  absl::StatusOr<RunPage> List(const RunFilter& filter, RunOrder order, int page_size,
                               const std::string& page_token) override {
    return store_->List(filter, order, page_size, page_token);
  }
  absl::StatusOr<std::vector<StatusCount>> Count(const RunFilter& filter) override {
    return store_->Count(filter);
  }
  absl::StatusOr<std::vector<VersionCount>> CountVersions(
      const base::Namespace& ns, const std::string& workflow_type) override {
    return store_->CountVersions(ns, workflow_type);
  }
  absl::StatusOr<std::vector<std::string>> ReadBlobs(
      const std::vector<std::string>& hashes) override {
    return store_->ReadBlobs(hashes);
  }
  absl::StatusOr<std::vector<DueRun>> DueRuns(int slot_first, int slot_last, const DueRun& after,
                                              absl::Time until, int limit) override {
    return store_->DueRuns(slot_first, slot_last, after, until, limit);
  }
  absl::StatusOr<std::vector<std::string>> ReadTransitions(const base::RunId& run_id,
                                                           base::EventId after_event_id,
                                                           int limit) override {
    return store_->ReadTransitions(run_id, after_event_id, limit);
  }
  absl::StatusOr<std::vector<StatusCount>> CountRuns() override { return store_->CountRuns(); }

 protected:
  Store& store() { return *store_; }

 private:
  Store* const store_;
};

}  // namespace store
