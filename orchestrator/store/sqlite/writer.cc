#include "orchestrator/store/sqlite/writer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/store/sqlite/migrations.h"
#include "orchestrator/store/sqlite/write_check.h"

namespace store::sqlite {
namespace {

constexpr int64_t kPageBytes = 4096;

const std::vector<std::string>& PatchesOf(const RunRow& row) {
  static const auto* const kNone = new std::vector<std::string>();
  return row.properties == nullptr ? *kNone : row.properties->patches;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Writer>> Writer::Open(const Options& options) {
  ASSIGN_OR_RETURN(std::unique_ptr<database::Connection> db,
                   database::Connection::Open(options.connection));
  RETURN_IF_ERROR(CheckSchema(*db));
  ASSIGN_OR_RETURN(const std::string mode, db->QueryText("PRAGMA journal_mode=WAL"));
  if (mode != "wal") {
    return absl::FailedPreconditionError(absl::StrCat(
        "SQLite store ", db->path(), ": a write-ahead log is not possible here (mode \"", mode,
        "\"); the path must be a file on a local file system, not in memory or on a network"));
  }
  // After a checkpoint the log is cut back to this; without a limit it keeps its largest size.
  RETURN_IF_ERROR(db->Exec("PRAGMA journal_size_limit=67108864"));
  RETURN_IF_ERROR(MigrateTo(*db, kSchemaVersion));
  std::unique_ptr<Writer> writer(
      new Writer(std::move(db), std::max<int64_t>(100, options.checkpoint_bytes / kPageBytes)));
  RETURN_IF_ERROR(writer->PrepareAll());
  return writer;
}

Writer::Writer(std::unique_ptr<database::Connection> db, int64_t checkpoint_pages)
    : db_(std::move(db)),
      checkpoint_pages_(checkpoint_pages),
      restart_pages_(4 * checkpoint_pages) {
  sqlite3_wal_hook(db_->handle(), &Writer::OnWalGrown, this);
}

absl::Status Writer::PrepareAll() {
  const struct {
    database::Statement& statement;
    const char* sql;
  } kAll[] = {
      {begin_, "BEGIN IMMEDIATE"},
      {commit_, "COMMIT"},
      {epoch_, "SELECT epoch FROM partitions WHERE partition = ?1"},
      {acquire_,
       "INSERT INTO partitions (partition, epoch, owner) VALUES (?1, 1, ?2) "
       "ON CONFLICT (partition) DO UPDATE SET epoch = epoch + 1, owner = excluded.owner "
       "RETURNING epoch"},
      {find_,
       "SELECT id, next_event_id, status, wake_at, saga_state, build FROM runs WHERE run_id = ?1"},
      {insert_,
       "INSERT INTO runs (run_id, next_event_id, status, wake_at, saga_state, close_time, "
       "status_reason, slot, start_time, namespace, workflow_id, workflow_type, task_queue, "
       "request_id, correlation_id, trace_id, parent_workflow_id, build) "
       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, "
       "?18)"},
      // Each variant names as few indexed columns as it can: SQLite rewrites the index entries of
      // every column that is named, changed or not.
      {update_, "UPDATE runs SET next_event_id = ?2, status_reason = ?7 WHERE id = ?1"},
      {update_wake_,
       "UPDATE runs SET next_event_id = ?2, wake_at = ?4, status_reason = ?7 WHERE id = ?1"},
      {update_all_,
       "UPDATE runs SET next_event_id = ?2, status = ?3, wake_at = ?4, saga_state = ?5, "
       "close_time = ?6, status_reason = ?7, build = ?8 WHERE id = ?1"},
      {history_, "INSERT INTO history (key, event_count, data) VALUES (?1, ?2, ?3)"},
      {put_attempt_, "INSERT OR REPLACE INTO attempts (key, data) VALUES (?1, ?2)"},
      {remove_attempt_, "DELETE FROM attempts WHERE key = ?1"},
      {count_,
       "INSERT INTO run_counts (workflow_type, status, count) VALUES (?1, ?2, ?3) "
       "ON CONFLICT (workflow_type, status) DO UPDATE SET count = count + excluded.count"},
      {load_, "SELECT id, namespace, workflow_type, status, build FROM runs WHERE run_id = ?1"},
      {delete_run_, "DELETE FROM runs WHERE id = ?1"},
      {delete_history_, "DELETE FROM history WHERE key BETWEEN ?1 AND ?2"},
      {delete_attempts_, "DELETE FROM attempts WHERE key BETWEEN ?1 AND ?2"},
  };
  for (const auto& [statement, sql] : kAll) {
    ASSIGN_OR_RETURN(statement, database::Statement::Prepare(*db_, sql));
  }
  RETURN_IF_ERROR(properties_.Prepare(*db_));
  return blobs_.Prepare(*db_);
}

absl::StatusOr<int64_t> Writer::AcquirePartition(int partition, const std::string& owner) {
  RETURN_IF_ERROR(begin_.Run());
  int64_t epoch = 0;
  absl::Status status = [&] {
    database::Statement::Scope reset(acquire_);
    acquire_.BindInt(1, partition);
    acquire_.BindText(2, owner);
    const absl::StatusOr<bool> row = acquire_.Next();
    if (!row.ok()) return row.status();
    epoch = acquire_.Int(0);
    return acquire_.Next().status();
  }();
  if (status.ok()) status = commit_.Run();
  if (status.ok()) return epoch;
  db_->RollBack();
  return status;
}

absl::Status Writer::Commit(const WriteBatch& batch) {
  for (const RunWrite& write : batch.writes) RETURN_IF_ERROR(CheckWrite(write));
  const int begun = begin_.Step();
  begin_.Reset();
  if (begun != SQLITE_DONE) {
    return db_->Error(begun, absl::StrCat("commit of ", batch.writes.size(), " writes (to begin)"));
  }
  absl::Status status = Apply(batch);
  if (status.ok()) {
    const int committed = commit_.Step();
    if (committed != SQLITE_DONE) {
      status = db_->Error(committed, absl::StrCat("commit of ", batch.writes.size(), " writes"));
    }
    commit_.Reset();
  }
  if (!status.ok()) {
    db_->RollBack();
    if (absl::Status reloaded = properties_.Reload(); !reloaded.ok()) return reloaded;
  }
  return status;
}

absl::Status Writer::Apply(const WriteBatch& batch) {
  RETURN_IF_ERROR(CheckEpoch(batch));
  Counts counts;
  for (const RunWrite& write : batch.writes) RETURN_IF_ERROR(ApplyWrite(write, counts));
  return WriteCounts(counts);
}

absl::Status Writer::CheckEpoch(const WriteBatch& batch) {
  database::Statement::Scope reset(epoch_);
  epoch_.BindInt(1, batch.partition);
  ASSIGN_OR_RETURN(const bool found, epoch_.Next());
  const int64_t epoch = found ? epoch_.Int(0) : 0;
  if (found && epoch == batch.epoch) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat(
      "partition ", batch.partition, ": the batch has epoch ", batch.epoch, ", the partition ",
      found ? absl::StrCat("is at epoch ", epoch, ": another owner has taken it over")
            : "was never acquired"));
}

absl::Status Writer::ApplyWrite(const RunWrite& write, Counts& counts) {
  const RunRow& row = write.row;
  const RunKey key(row.run_id);
  if (write.deletes) return Delete(write, key, counts);
  ASSIGN_OR_RETURN(const int64_t build, properties_.BuildNumber(row.build_id));
  const int64_t wake_at = EncodeWake(row.wake_at);
  int64_t row_id = 0;
  if (write.is_new) {
    ASSIGN_OR_RETURN(row_id, Insert(write, key, wake_at, build));
    ++counts.statuses[{row.workflow_type, row.status}];
    if (build != 0 || row.properties != nullptr) {
      CountVersions(row, row.build_id, PatchesOf(row), IsOpen(row.status), 1, counts);
    }
  } else {
    ASSIGN_OR_RETURN(const Stored stored, Find(write, key));
    RETURN_IF_ERROR(Update(write, stored, wake_at, build));
    row_id = stored.row_id;
    if (stored.status != row.status) {
      --counts.statuses[{row.workflow_type, stored.status}];
      ++counts.statuses[{row.workflow_type, row.status}];
    }
    RETURN_IF_ERROR(ChangeVersions(write, stored, build, counts));
  }
  if (write.properties_changed || (write.is_new && row.properties != nullptr)) {
    RETURN_IF_ERROR(properties_.Write(row_id, row));
  }
  if (!write.transition.empty()) RETURN_IF_ERROR(WriteHistory(write, row_id));
  RETURN_IF_ERROR(blobs_.Update(row_id, write));
  return WriteAttempts(write, row_id);
}

void Writer::CountVersions(const RunRow& row, absl::string_view build,
                           const std::vector<std::string>& patches, bool open, int64_t by,
                           Counts& counts) {
  const auto add = [&](VersionCount::Kind kind, absl::string_view id) {
    counts.versions.Add({row.ns.value(), static_cast<int>(kind), id, row.workflow_type}, open, by);
  };
  if (!build.empty()) add(VersionCount::Kind::kBuild, build);
  for (const std::string& patch : patches) add(VersionCount::Kind::kPatch, patch);
}

absl::Status Writer::ChangeVersions(const RunWrite& write, const Stored& stored, int64_t build,
                                    Counts& counts) {
  const RunRow& row = write.row;
  const bool was_open = IsOpen(stored.status);
  const bool is_open = IsOpen(row.status);
  if (was_open == is_open && stored.build == build && !write.properties_changed) {
    return absl::OkStatus();
  }
  const std::vector<std::string>& patches = PatchesOf(row);
  if (write.properties_changed) {
    auto old = std::make_unique<RunProperties>();
    ASSIGN_OR_RETURN(old->patches, properties_.ReadPatches(stored.row_id));
    CountVersions(row, properties_.BuildId(stored.build), old->patches, was_open, -1, counts);
    counts.old_properties.push_back(std::move(old));
  } else {
    CountVersions(row, properties_.BuildId(stored.build), patches, was_open, -1, counts);
  }
  CountVersions(row, row.build_id, patches, is_open, 1, counts);
  return absl::OkStatus();
}

absl::Status Writer::Delete(const RunWrite& write, const RunKey& key, Counts& counts) {
  auto old = std::make_unique<RunRow>();
  int64_t row_id = 0;
  int64_t build = 0;
  {
    database::Statement::Scope reset(load_);
    key.BindTo(load_, 1);
    ASSIGN_OR_RETURN(const bool found, load_.Next());
    if (!found) return absl::OkStatus();
    row_id = load_.Int(0);
    old->ns = base::Namespace(load_.Text(1));
    old->workflow_type = load_.Text(2);
    old->status = static_cast<v1::RunStatus::Value>(load_.Int(3));
    build = load_.Int(4);
  }
  if (IsOpen(old->status)) {
    return absl::AbortedError(
        absl::StrCat("run ", write.row.run_id.value(), ": it is open and cannot be deleted"));
  }
  auto properties = std::make_unique<RunProperties>();
  ASSIGN_OR_RETURN(properties->patches, properties_.ReadPatches(row_id));
  --counts.statuses[{old->workflow_type, old->status}];
  CountVersions(*old, properties_.BuildId(build), properties->patches, false, -1, counts);
  counts.old.push_back(std::move(old));
  counts.old_properties.push_back(std::move(properties));
  RETURN_IF_ERROR(properties_.Remove(row_id));
  RETURN_IF_ERROR(blobs_.RemoveRun(row_id));
  for (database::Statement* rows : {&delete_history_, &delete_attempts_}) {
    rows->BindInt(1, EventKey(row_id, 0));
    rows->BindInt(2, EventKey(row_id, kEventIdMax));
    RETURN_IF_ERROR(rows->Run());
  }
  delete_run_.BindInt(1, row_id);
  return delete_run_.Run();
}

absl::StatusOr<Writer::Stored> Writer::Find(const RunWrite& write, const RunKey& key) {
  database::Statement::Scope reset(find_);
  key.BindTo(find_, 1);
  ASSIGN_OR_RETURN(const bool found, find_.Next());
  if (!found) {
    return absl::AbortedError(
        absl::StrCat("run ", write.row.run_id.value(), ": it is not in the store"));
  }
  const Stored stored = {.row_id = find_.Int(0),
                         .next_event_id = find_.Int(1),
                         .status = static_cast<v1::RunStatus::Value>(find_.Int(2)),
                         .wake_at = find_.IsNull(3) ? kNever : find_.Int(3),
                         .saga_state = static_cast<v1::SagaState::Value>(find_.Int(4)),
                         .build = find_.Int(5)};
  if (stored.next_event_id != write.expected_next_event_id) {
    return absl::AbortedError(absl::StrCat("run ", write.row.run_id.value(),
                                           ": the write expects next event ",
                                           write.expected_next_event_id, ", the store is at ",
                                           stored.next_event_id, ": the run moved on"));
  }
  return stored;
}

absl::StatusOr<int64_t> Writer::Insert(const RunWrite& write, const RunKey& key, int64_t wake_at,
                                       int64_t build) {
  const RunRow& row = write.row;
  database::Statement::Scope reset(insert_);
  key.BindTo(insert_, 1);
  insert_.BindInt(2, row.next_event_id);
  insert_.BindInt(3, row.status);
  BindTime(insert_, 4, wake_at);
  insert_.BindInt(5, row.saga_state);
  BindTime(insert_, 6, EncodeTime(row.close_time));
  insert_.BindText(7, row.status_reason);
  insert_.BindInt(8, SlotOf(row.ns, row.workflow_id));
  insert_.BindInt(9, EncodeTime(row.start_time));
  insert_.BindText(10, row.ns.value());
  insert_.BindText(11, row.workflow_id.value());
  insert_.BindText(12, row.workflow_type);
  insert_.BindText(13, row.task_queue);
  insert_.BindText(14, row.request_id);
  insert_.BindText(15, row.correlation_id);
  insert_.BindText(16, row.trace_id);
  if (row.parent_workflow_id.empty()) {
    insert_.BindNull(17);
  } else {
    insert_.BindText(17, row.parent_workflow_id);
  }
  BindTime(insert_, 18, build == 0 ? kNever : build);
  const int code = insert_.Step();
  if (code != SQLITE_DONE) return WriteError(code, write);
  return sqlite3_last_insert_rowid(db_->handle());
}

absl::Status Writer::Update(const RunWrite& write, const Stored& stored, int64_t wake_at,
                            int64_t build) {
  const RunRow& row = write.row;
  const bool all =
      stored.status != row.status || stored.saga_state != row.saga_state || stored.build != build;
  const bool wake = stored.wake_at != wake_at;
  database::Statement& update = all ? update_all_ : wake ? update_wake_ : update_;
  database::Statement::Scope reset(update);
  update.BindInt(1, stored.row_id);
  update.BindInt(2, row.next_event_id);
  if (all) update.BindInt(3, row.status);
  if (all || wake) BindTime(update, 4, wake_at);
  if (all) {
    update.BindInt(5, row.saga_state);
    BindTime(update, 6, EncodeTime(row.close_time));
    BindTime(update, 8, build == 0 ? kNever : build);
  }
  update.BindText(7, row.status_reason);
  const int code = update.Step();
  return code == SQLITE_DONE ? absl::OkStatus() : WriteError(code, write);
}

absl::Status Writer::WriteHistory(const RunWrite& write, int64_t row_id) {
  database::Statement::Scope reset(history_);
  history_.BindInt(1, EventKey(row_id, write.first_event_id));
  history_.BindInt(2, write.row.next_event_id - write.first_event_id);
  history_.BindBlob(3, write.transition);
  const int code = history_.Step();
  return code == SQLITE_DONE ? absl::OkStatus() : WriteError(code, write);
}

absl::Status Writer::WriteAttempts(const RunWrite& write, int64_t row_id) {
  for (const v1::ActivityAttemptState& attempt : write.attempts_put) {
    buffer_.clear();
    attempt.AppendToString(&buffer_);
    put_attempt_.BindInt(1, EventKey(row_id, attempt.scheduled_event_id()));
    put_attempt_.BindBlob(2, buffer_);
    RETURN_IF_ERROR(put_attempt_.Run());
  }
  for (const base::EventId scheduled : write.attempts_removed) {
    remove_attempt_.BindInt(1, EventKey(row_id, scheduled));
    RETURN_IF_ERROR(remove_attempt_.Run());
  }
  return absl::OkStatus();
}

absl::Status Writer::WriteCounts(const Counts& counts) {
  for (const auto& [group, change] : counts.statuses) {
    if (change == 0) continue;
    count_.BindText(1, group.first);
    count_.BindInt(2, group.second);
    count_.BindInt(3, change);
    RETURN_IF_ERROR(count_.Run());
  }
  return properties_.WriteVersions(counts.versions);
}

absl::Status Writer::WriteError(int code, const RunWrite& write) {
  const std::string run = absl::StrCat("run ", write.row.run_id.value());
  if ((code & 0xff) != SQLITE_CONSTRAINT) return db_->Error(code, absl::StrCat("write of ", run));
  const absl::string_view detail = sqlite3_errmsg(db_->handle());
  if (detail.find("runs.run_id") != detail.npos) {
    return absl::AbortedError(absl::StrCat(run, ": the run id exists already"));
  }
  if (detail.find("runs.workflow_id") != detail.npos) {
    return absl::AbortedError(absl::StrCat(run, ": workflow id \"", write.row.workflow_id.value(),
                                           "\" in namespace \"", write.row.ns.value(),
                                           "\" has another open run"));
  }
  return db_->Error(code, absl::StrCat("write of ", run));
}

int Writer::OnWalGrown(void* self, sqlite3* db, const char* name, int pages) {
  auto* writer = static_cast<Writer*>(self);
  if (pages < writer->checkpoint_pages_) {
    writer->restart_pages_ = 4 * writer->checkpoint_pages_;
    return SQLITE_OK;
  }
  // Normally a passive checkpoint is enough for the next commit to start the log over. Readers
  // that always overlap would let it grow for ever: then they are waited for, at most as long as
  // the busy time-out, and once per so many pages.
  int mode = SQLITE_CHECKPOINT_PASSIVE;
  if (pages >= writer->restart_pages_) {
    mode = SQLITE_CHECKPOINT_RESTART;
    writer->restart_pages_ = pages + writer->checkpoint_pages_;
  }
  // The commit is durable already; a checkpoint that fails is repeated after the next one.
  sqlite3_wal_checkpoint_v2(db, name, mode, nullptr, nullptr);
  return SQLITE_OK;
}

}  // namespace store::sqlite
