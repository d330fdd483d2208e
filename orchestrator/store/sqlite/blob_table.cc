#include "orchestrator/store/sqlite/blob_table.h"

#include "orchestrator/base/status_macros.h"
#include "orchestrator/store/sqlite/encoding.h"

namespace store::sqlite {

absl::Status BlobTable::Prepare(database::Connection& db) {
  const struct {
    database::Statement& statement;
    const char* sql;
  } kAll[] = {
      {refer_, "INSERT OR IGNORE INTO blob_refs (run, attempt, hash) VALUES (?1, ?2, ?3)"},
      {put_, "INSERT INTO blobs (hash, data) VALUES (?1, ?2) ON CONFLICT (hash) DO NOTHING"},
      {find_, "SELECT hash FROM blob_refs WHERE run = ?1 AND attempt BETWEEN ?2 AND ?3"},
      {forget_, "DELETE FROM blob_refs WHERE run = ?1 AND attempt BETWEEN ?2 AND ?3"},
      {drop_,
       "DELETE FROM blobs WHERE hash = ?1 AND NOT EXISTS "
       "(SELECT 1 FROM blob_refs INDEXED BY blob_refs_hash WHERE hash = ?1)"},
  };
  for (const auto& [statement, sql] : kAll) {
    ASSIGN_OR_RETURN(statement, database::Statement::Prepare(db, sql));
  }
  ASSIGN_OR_RETURN(
      const int64_t found,
      db.QueryInt("SELECT EXISTS (SELECT 1 FROM blob_refs INDEXED BY blob_refs_attempt "
                  "WHERE attempt > 0)"));
  attempts_refer_ = found != 0;
  return absl::OkStatus();
}

absl::Status BlobTable::Update(int64_t row_id, const RunWrite& write) {
  std::vector<std::string> forgotten;
  if (attempts_refer_) {
    for (const v1::ActivityAttemptState& attempt : write.attempts_put) {
      const base::EventId id = attempt.scheduled_event_id();
      RETURN_IF_ERROR(Forget(row_id, id, id, forgotten));
    }
    for (const base::EventId id : write.attempts_removed) {
      RETURN_IF_ERROR(Forget(row_id, id, id, forgotten));
    }
  }
  for (const Blob& blob : write.blobs) RETURN_IF_ERROR(Put(row_id, blob));
  return DropUnused(forgotten);
}

absl::Status BlobTable::RemoveRun(int64_t row_id) {
  std::vector<std::string> forgotten;
  RETURN_IF_ERROR(Forget(row_id, 0, kEventIdMax, forgotten));
  return DropUnused(forgotten);
}

absl::Status BlobTable::Put(int64_t row_id, const Blob& blob) {
  refer_.BindInt(1, row_id);
  refer_.BindInt(2, blob.attempt);
  refer_.BindBlob(3, blob.hash);
  RETURN_IF_ERROR(refer_.Run());
  attempts_refer_ |= blob.attempt > 0;
  put_.BindBlob(1, blob.hash);
  put_.BindBlob(2, blob.data);
  return put_.Run();
}

absl::Status BlobTable::Forget(int64_t row_id, base::EventId first, base::EventId last,
                               std::vector<std::string>& hashes) {
  const size_t before = hashes.size();
  {
    database::Statement::Scope reset(find_);
    find_.BindInt(1, row_id);
    find_.BindInt(2, first);
    find_.BindInt(3, last);
    while (true) {
      ASSIGN_OR_RETURN(const bool found, find_.Next());
      if (!found) break;
      hashes.push_back(find_.Text(0));
    }
  }
  if (hashes.size() == before) return absl::OkStatus();
  forget_.BindInt(1, row_id);
  forget_.BindInt(2, first);
  forget_.BindInt(3, last);
  return forget_.Run();
}

absl::Status BlobTable::DropUnused(const std::vector<std::string>& hashes) {
  for (const std::string& hash : hashes) {
    drop_.BindBlob(1, hash);
    RETURN_IF_ERROR(drop_.Run());
  }
  return absl::OkStatus();
}

}  // namespace store::sqlite
