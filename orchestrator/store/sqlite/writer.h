// The write side: one connection, and the transactions on it. Every write of a batch costs one
// look-up and one update of `runs`, and one insert into `history`; indexed columns are only
// touched when they change.
//
// Thread-safety: externally synchronised.
//
// Example:
//   ASSIGN_OR_RETURN(auto writer, Writer::Open(connection_options, writer_options));
//   RETURN_IF_ERROR(writer->Commit(batch));
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "orchestrator/database/connection.h"
#include "orchestrator/database/statement.h"
#include "orchestrator/store/sqlite/blob_table.h"
#include "orchestrator/store/sqlite/encoding.h"
#include "orchestrator/store/sqlite/property_tables.h"
#include "orchestrator/store/store.h"

namespace store::sqlite {

class Writer {
 public:
  struct Options {
    database::ConnectionOptions connection;
    int64_t checkpoint_bytes = 0;
  };

  // Opens (or creates) the file, brings its schema up to date and switches it to WAL.
  static absl::StatusOr<std::unique_ptr<Writer>> Open(const Options& options);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  absl::StatusOr<int64_t> AcquirePartition(int partition, const std::string& owner);
  absl::Status Commit(const WriteBatch& batch);

 private:
  // The stored state of a run that an update is checked against.
  struct Stored {
    int64_t row_id;
    base::EventId next_event_id;
    v1::RunStatus::Value status;
    int64_t wake_at;
    v1::SagaState::Value saga_state;
    int64_t build;
  };
  struct Counts {
    absl::flat_hash_map<std::pair<absl::string_view, int>, int64_t> statuses;
    VersionChanges versions;
    // What views of the two above point into, besides the batch.
    std::vector<std::unique_ptr<RunRow>> old;
    std::vector<std::unique_ptr<RunProperties>> old_properties;
  };

  Writer(std::unique_ptr<database::Connection> db, int64_t checkpoint_pages);
  absl::Status PrepareAll();

  absl::Status CheckEpoch(const WriteBatch& batch);
  absl::Status Apply(const WriteBatch& batch);
  absl::Status ApplyWrite(const RunWrite& write, Counts& counts);
  absl::StatusOr<Stored> Find(const RunWrite& write, const RunKey& key);
  absl::StatusOr<int64_t> Insert(const RunWrite& write, const RunKey& key, int64_t wake_at,
                                 int64_t build);
  absl::Status Update(const RunWrite& write, const Stored& stored, int64_t wake_at, int64_t build);
  absl::Status Delete(const RunWrite& write, const RunKey& key, Counts& counts);
  // Adds `by` to the counts of the versions.
  void CountVersions(const RunRow& row, absl::string_view build,
                     const std::vector<std::string>& patches, bool open, int64_t by,
                     Counts& counts);
  absl::Status ChangeVersions(const RunWrite& write, const Stored& stored, int64_t build,
                              Counts& counts);
  absl::Status WriteHistory(const RunWrite& write, int64_t row_id);
  absl::Status WriteAttempts(const RunWrite& write, int64_t row_id);
  absl::Status WriteCounts(const Counts& counts);
  absl::Status WriteError(int code, const RunWrite& write);
  static int OnWalGrown(void* self, sqlite3* db, const char* name, int pages);

  const std::unique_ptr<database::Connection> db_;  // before the statements: they go first
  const int64_t checkpoint_pages_;
  int64_t restart_pages_;  // the log's size at which readers are waited for
  database::Statement begin_, commit_, epoch_, acquire_;
  database::Statement find_, insert_, update_, update_wake_, update_all_;
  database::Statement history_, put_attempt_, remove_attempt_, count_;
  database::Statement load_, delete_run_, delete_history_, delete_attempts_;
  PropertyTables properties_;
  BlobTable blobs_;
  std::string buffer_;  // for serialized attempts
};

}  // namespace store::sqlite
