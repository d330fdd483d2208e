// BlobStore: a store that keeps large payloads apart. What it is given to commit, it writes with
// every payload from a threshold on replaced by its hash; what it reads, it gives back whole. The
// payload itself is a blob of the store behind it, written in the same transaction.
//
// A replaced payload has no data and the metadata of the original, with "encoding" set to
// "blob/sha256", "blob" to the hash in hexadecimal, and the original encoding kept under
// "blob/encoding". A caller's own payload that says "blob/sha256" is replaced whatever its size, so
// that in the store that encoding is always ours.
//
// Thread-safety: as the store behind it, which must outlive this object.
//
// Example:
//   engine::BlobStore store(&sqlite, 64 * 1024);
//   RETURN_IF_ERROR(store.Commit(batch));   // a payload of 1 MB is written once, however often
//   used
#pragma once

#include <string>
#include <vector>

#include "orchestrator/store/forwarding_store.h"

namespace engine {

class BlobStore : public store::ForwardingStore {
 public:
  // `threshold_bytes`: of a payload's data; 0: nothing is replaced, but what was is still read.
  BlobStore(store::Store* store, int threshold_bytes);

  // Costs a search for one short text in each transition, unless a transition is large.
  absl::Status Commit(const store::WriteBatch& batch) override;
  // DATA_LOSS when a blob is missing.
  absl::StatusOr<store::StoredRun> LoadRun(const base::RunId& run_id) override;
  absl::StatusOr<std::vector<std::string>> ReadTransitions(const base::RunId& run_id,
                                                           base::EventId after_event_id,
                                                           int limit) override;

 private:
  bool IsLarge(const store::RunWrite& write) const;
  absl::Status Restore(const base::RunId& run_id, std::string& transition);

  const size_t threshold_;
};

}  // namespace engine
