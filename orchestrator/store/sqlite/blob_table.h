// The write side of blobs: payloads by hash, and which run refers to which. A reference belongs to
// a run's history (for good) or to one attempt row of it; a blob without a reference is deleted in
// the transaction that takes the last one away.
//
// Thread-safety: externally synchronised; part of a Writer's transactions.
//
// Example:
//   RETURN_IF_ERROR(blobs.Update(row_id, write));
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "orchestrator/database/connection.h"
#include "orchestrator/database/statement.h"
#include "orchestrator/store/store.h"

namespace store::sqlite {

class BlobTable {
 public:
  absl::Status Prepare(database::Connection& db);

  // Adds what the write brings; forgets what the attempt rows that it replaces or removes held.
  // Costs nothing when there is neither.
  absl::Status Update(int64_t row_id, const RunWrite& write);
  absl::Status RemoveRun(int64_t row_id);

 private:
  absl::Status Put(int64_t row_id, const Blob& blob);
  // Takes the references of attempts [first, last] of the run away; adds their hashes.
  absl::Status Forget(int64_t row_id, base::EventId first, base::EventId last,
                      std::vector<std::string>& hashes);
  absl::Status DropUnused(const std::vector<std::string>& hashes);

  database::Statement refer_, put_, find_, forget_, drop_;
  bool attempts_refer_ = false;  // there may be references of attempt rows
};

}  // namespace store::sqlite
