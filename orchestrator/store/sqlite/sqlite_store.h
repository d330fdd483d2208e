// SqliteStore: the Store on one SQLite file, for everything in one process. WAL with a sync at
// every commit; one connection writes, a few read beside it.
//
// Beside the file lie `<path>-wal` and `<path>-shm`; copy it with `sqlite3 <path> ".backup ..."`,
// never with cp while it is open. The file system must be local.
//
// Thread-safety: thread-safe. Commit and AcquirePartition take turns; up to `readers` reads run at
// once, further ones wait for a free connection.
//
// Example:
//   ASSIGN_OR_RETURN(auto store, store::sqlite::SqliteStore::Open({.path = "/var/lib/c/runs.db"}));
//   ASSIGN_OR_RETURN(int64_t epoch, store->AcquirePartition(0, "node-1"));
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "orchestrator/store/store.h"

namespace store::sqlite {

class Reader;
class Writer;

struct Options {
  std::string path;
  // How long a write waits for another process that holds the lock before it is UNAVAILABLE.
  absl::Duration busy_timeout = absl::Seconds(5);
  int64_t write_cache_bytes = 32 << 20;
  int64_t read_cache_bytes = 4 << 20;  // each reader
  int64_t mmap_bytes = 64 << 20;       // the part of the file that readers map instead of copying
  int readers = 4;
  // The log is copied into the file when it is this long; it may grow to four times that.
  int64_t checkpoint_bytes = 32 << 20;
};

class SqliteStore : public Store {
 public:
  // Creates the file when it is missing, and brings an older schema up to date.
  // FAILED_PRECONDITION: not a database, not ours, or written by a newer release (then the file is
  // unchanged); UNAVAILABLE: it cannot be opened or locked; INVALID_ARGUMENT: bad options.
  static absl::StatusOr<std::unique_ptr<SqliteStore>> Open(const Options& options);
  ~SqliteStore() override;

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
  class Lease;  // a reader out of the pool, for one call

  SqliteStore(const Options& options, std::unique_ptr<Writer> writer);
  absl::StatusOr<Lease> TakeReader() ABSL_LOCKS_EXCLUDED(readers_mutex_);
  bool ReaderIsFree() const ABSL_SHARED_LOCKS_REQUIRED(readers_mutex_);

  const Options options_;
  absl::Mutex writer_mutex_;
  const std::unique_ptr<Writer> writer_ ABSL_PT_GUARDED_BY(writer_mutex_);
  absl::Mutex readers_mutex_;
  std::vector<std::unique_ptr<Reader>> free_readers_ ABSL_GUARDED_BY(readers_mutex_);
  int readers_open_ ABSL_GUARDED_BY(readers_mutex_) = 0;
};

}  // namespace store::sqlite
