#include "orchestrator/store/sqlite/sqlite_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/store/sqlite/reader.h"
#include "orchestrator/store/sqlite/writer.h"

namespace store::sqlite {

class SqliteStore::Lease {
 public:
  Lease(SqliteStore* store, std::unique_ptr<Reader> reader)
      : store_(store), reader_(std::move(reader)) {}
  Lease(Lease&&) = default;
  ~Lease() {
    if (reader_ == nullptr) return;
    absl::MutexLock lock(&store_->readers_mutex_);
    store_->free_readers_.push_back(std::move(reader_));
  }
  Reader* operator->() { return reader_.get(); }

 private:
  SqliteStore* const store_;
  std::unique_ptr<Reader> reader_;
};

absl::StatusOr<std::unique_ptr<SqliteStore>> SqliteStore::Open(const Options& options) {
  if (options.path.empty() || options.path == ":memory:" || options.readers < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("SQLite store: needs the path of a file and at least one reader (path \"",
                     options.path, "\", readers ", options.readers, ")"));
  }
  Writer::Options writer_options = {.connection = {.path = options.path,
                                                   .busy_timeout = options.busy_timeout,
                                                   .cache_bytes = options.write_cache_bytes},
                                    .checkpoint_bytes = options.checkpoint_bytes};
  ASSIGN_OR_RETURN(std::unique_ptr<Writer> writer, Writer::Open(writer_options));
  return std::unique_ptr<SqliteStore>(new SqliteStore(options, std::move(writer)));
}

SqliteStore::SqliteStore(const Options& options, std::unique_ptr<Writer> writer)
    : options_(options), writer_(std::move(writer)) {}

SqliteStore::~SqliteStore() = default;

bool SqliteStore::ReaderIsFree() const {
  return !free_readers_.empty() || readers_open_ < options_.readers;
}

absl::StatusOr<SqliteStore::Lease> SqliteStore::TakeReader() {
  {
    absl::MutexLock lock(&readers_mutex_, absl::Condition(this, &SqliteStore::ReaderIsFree));
    if (!free_readers_.empty()) {
      std::unique_ptr<Reader> reader = std::move(free_readers_.back());
      free_readers_.pop_back();
      return Lease(this, std::move(reader));
    }
    ++readers_open_;
  }
  absl::StatusOr<std::unique_ptr<Reader>> reader =
      Reader::Open({.path = options_.path,
                    .busy_timeout = options_.busy_timeout,
                    .cache_bytes = options_.read_cache_bytes,
                    .mmap_bytes = options_.mmap_bytes});
  if (reader.ok()) return Lease(this, *std::move(reader));
  absl::MutexLock lock(&readers_mutex_);
  --readers_open_;
  return reader.status();
}

absl::StatusOr<int64_t> SqliteStore::AcquirePartition(int partition, const std::string& owner) {
  absl::MutexLock lock(&writer_mutex_);
  return writer_->AcquirePartition(partition, owner);
}

absl::Status SqliteStore::Commit(const WriteBatch& batch) {
  absl::MutexLock lock(&writer_mutex_);
  return writer_->Commit(batch);
}

absl::StatusOr<StoredRun> SqliteStore::LoadRun(const base::RunId& run_id) {
  ASSIGN_OR_RETURN(Lease reader, TakeReader());
  return reader->LoadRun(run_id);
}

absl::StatusOr<std::optional<RunRow>> SqliteStore::FindRun(const base::Namespace& ns,
                                                           const base::WorkflowId& workflow_id) {
  ASSIGN_OR_RETURN(Lease reader, TakeReader());
  return reader->FindRun(ns, workflow_id);
}

absl::StatusOr<std::optional<RunRow>> SqliteStore::FindRunById(const base::RunId& run_id) {
  ASSIGN_OR_RETURN(Lease reader, TakeReader());
  return reader->FindRunById(run_id);
}

absl::StatusOr<RunPage> SqliteStore::List(const RunFilter& filter, RunOrder order, int page_size,
                                          const std::string& page_token) {
  ASSIGN_OR_RETURN(Lease reader, TakeReader());
  return reader->List(filter, order, page_size, page_token);
}

absl::StatusOr<std::vector<StatusCount>> SqliteStore::Count(const RunFilter& filter) {
  ASSIGN_OR_RETURN(Lease reader, TakeReader());
  return reader->Count(filter);
}

absl::StatusOr<std::vector<VersionCount>> SqliteStore::CountVersions(
    const base::Namespace& ns, const std::string& workflow_type) {
  ASSIGN_OR_RETURN(Lease reader, TakeReader());
  return reader->CountVersions(ns, workflow_type);
}

absl::StatusOr<std::vector<std::string>> SqliteStore::ReadBlobs(
    const std::vector<std::string>& hashes) {
  ASSIGN_OR_RETURN(Lease reader, TakeReader());
  return reader->ReadBlobs(hashes);
}

absl::StatusOr<std::vector<DueRun>> SqliteStore::DueRuns(int slot_first, int slot_last,
                                                         const DueRun& after, absl::Time until,
                                                         int limit) {
  ASSIGN_OR_RETURN(Lease reader, TakeReader());
  return reader->DueRuns(slot_first, slot_last, after, until, limit);
}

absl::StatusOr<std::vector<std::string>> SqliteStore::ReadTransitions(const base::RunId& run_id,
                                                                      base::EventId after_event_id,
                                                                      int limit) {
  ASSIGN_OR_RETURN(Lease reader, TakeReader());
  return reader->ReadTransitions(run_id, after_event_id, limit);
}

absl::StatusOr<std::vector<StatusCount>> SqliteStore::CountRuns() {
  ASSIGN_OR_RETURN(Lease reader, TakeReader());
  return reader->CountRuns();
}

}  // namespace store::sqlite
