#include "gateway/audit/audit_database.h"

#include <unistd.h>

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/database/durable.h"

namespace audit {
namespace {

using database::Statement;

// open_calls and settings are notes of the server, not part of the trail.
constexpr char kSchema[] = R"sql(
CREATE TABLE IF NOT EXISTS events (
  sequence INTEGER PRIMARY KEY,
  time_us INTEGER NOT NULL,
  actor TEXT NOT NULL,
  credential TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  outcome TEXT NOT NULL,
  detail TEXT NOT NULL,
  correlation_id TEXT NOT NULL,
  address TEXT NOT NULL,
  namespace TEXT NOT NULL,
  started_by INTEGER NOT NULL,
  prev_hash BLOB NOT NULL,
  hash BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS events_by_time ON events (time_us);
CREATE INDEX IF NOT EXISTS events_by_actor ON events (actor);
CREATE INDEX IF NOT EXISTS events_by_subject ON events (subject);
CREATE TRIGGER IF NOT EXISTS events_stay BEFORE UPDATE ON events
  BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END;
CREATE TRIGGER IF NOT EXISTS events_last BEFORE DELETE ON events
  BEGIN SELECT RAISE(ABORT, 'the audit trail only grows'); END;
CREATE TRIGGER IF NOT EXISTS events_follow BEFORE INSERT ON events
  WHEN NEW.sequence <> (SELECT COALESCE(MAX(sequence), 0) + 1 FROM events)
  BEGIN SELECT RAISE(ABORT, 'the audit trail has no gaps'); END;
CREATE TABLE IF NOT EXISTS open_calls (sequence INTEGER PRIMARY KEY);
CREATE TABLE IF NOT EXISTS settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
)sql";

constexpr char kColumns[] =
    "sequence, time_us, actor, credential, action, subject, outcome, detail, correlation_id, "
    "address, namespace, started_by, prev_hash, hash";

Entry ReadEntry(const Statement& row) {
  Entry entry;
  entry.sequence = row.Int(0);
  entry.time = absl::FromUnixMicros(row.Int(1));
  entry.event = {.actor = row.Text(2),
                 .credential = row.Text(3),
                 .action = row.Text(4),
                 .subject = row.Text(5),
                 .outcome = row.Text(6),
                 .detail = row.Text(7),
                 .correlation_id = row.Text(8),
                 .address = row.Text(9),
                 .ns = row.Text(10),
                 .started_by = row.Int(11)};
  entry.prev_hash = row.Text(12);
  entry.hash = row.Text(13);
  return entry;
}

absl::StatusOr<std::vector<Entry>> ReadAll(Statement& select) {
  std::vector<Entry> entries;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, select.Next());
    if (!found) return entries;
    entries.push_back(ReadEntry(select));
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<AuditDatabase>> AuditDatabase::Open(const std::string& path) {
  ASSIGN_OR_RETURN(auto db, database::OpenDurable(path, kSchema));
  std::unique_ptr<AuditDatabase> audit(new AuditDatabase(std::move(db)));
  ASSIGN_OR_RETURN(
      audit->insert_,
      Statement::Prepare(
          *audit->db_, absl::StrCat("INSERT INTO events (", kColumns,
                                    ") VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)")));
  ASSIGN_OR_RETURN(audit->open_call_,
                   Statement::Prepare(*audit->db_, "INSERT INTO open_calls VALUES (?1)"));
  ASSIGN_OR_RETURN(audit->close_call_,
                   Statement::Prepare(*audit->db_, "DELETE FROM open_calls WHERE sequence = ?1"));
  return audit;
}

absl::StatusOr<std::unique_ptr<AuditDatabase>> AuditDatabase::OpenForReading(
    const std::string& path) {
  if (access(path.c_str(), F_OK) != 0) {
    return absl::NotFoundError(absl::StrCat("there is no file ", path));
  }
  ASSIGN_OR_RETURN(auto db, database::Connection::Open({.path = path, .read_only = true}));
  ASSIGN_OR_RETURN(const int64_t tables,
                   db->QueryInt("SELECT COUNT(*) FROM sqlite_master WHERE name = 'events'"));
  if (tables == 0) {
    return absl::FailedPreconditionError(absl::StrCat(path, " holds no audit trail"));
  }
  return std::unique_ptr<AuditDatabase>(new AuditDatabase(std::move(db)));
}

absl::StatusOr<Head> AuditDatabase::ReadHead() {
  ASSIGN_OR_RETURN(
      Statement select,
      Statement::Prepare(*db_, "SELECT sequence, hash FROM events ORDER BY sequence DESC LIMIT 1"));
  ASSIGN_OR_RETURN(const bool found, select.Next());
  if (!found) return Head{};
  return Head{.sequence = select.Int(0), .hash = select.Text(1)};
}

absl::Status AuditDatabase::AppendOne(const Entry& entry) {
  const Event& e = entry.event;
  Statement::Scope reset(insert_);
  insert_.BindInt(1, entry.sequence);
  insert_.BindInt(2, absl::ToUnixMicros(entry.time));
  insert_.BindText(3, e.actor);
  insert_.BindText(4, e.credential);
  insert_.BindText(5, e.action);
  insert_.BindText(6, e.subject);
  insert_.BindText(7, e.outcome);
  insert_.BindText(8, e.detail);
  insert_.BindText(9, e.correlation_id);
  insert_.BindText(10, e.address);
  insert_.BindText(11, e.ns);
  insert_.BindInt(12, e.started_by);
  insert_.BindBlob(13, entry.prev_hash);
  insert_.BindBlob(14, entry.hash);
  RETURN_IF_ERROR(insert_.Next().status());
  if (e.outcome == kStarted) {
    open_call_.BindInt(1, entry.sequence);
    return open_call_.Run();
  }
  if (e.started_by == 0) return absl::OkStatus();
  close_call_.BindInt(1, e.started_by);
  return close_call_.Run();
}

absl::Status AuditDatabase::Append(const std::vector<Entry>& entries,
                                   const std::map<std::string, std::string>* settings) {
  return database::InTransaction(*db_, [&]() -> absl::Status {
    for (const Entry& entry : entries) RETURN_IF_ERROR(AppendOne(entry));
    if (settings == nullptr) return absl::OkStatus();
    RETURN_IF_ERROR(db_->Exec("DELETE FROM settings"));
    ASSIGN_OR_RETURN(Statement insert,
                     Statement::Prepare(*db_, "INSERT INTO settings VALUES (?1, ?2)"));
    for (const auto& [key, value] : *settings) {
      insert.BindText(1, key);
      insert.BindText(2, value);
      RETURN_IF_ERROR(insert.Run());
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<Entry>> AuditDatabase::Read(const Query& query) {
  ASSIGN_OR_RETURN(
      Statement select,
      Statement::Prepare(*db_,
                         absl::StrCat("SELECT ", kColumns, " FROM events WHERE ", query.where.sql,
                                      " AND sequence > ? AND sequence < ? ORDER BY sequence",
                                      query.descending ? " DESC" : "", " LIMIT ?")));
  const int after = database::Bind(select, query.where);
  select.BindInt(after, query.after);
  select.BindInt(after + 1, query.before < 0 ? std::numeric_limits<int64_t>::max() : query.before);
  select.BindInt(after + 2, query.limit);
  return ReadAll(select);
}

absl::StatusOr<std::vector<Entry>> AuditDatabase::OpenCalls(int limit) {
  ASSIGN_OR_RETURN(Statement select,
                   Statement::Prepare(*db_, absl::StrCat("SELECT ", kColumns,
                                                         " FROM events WHERE sequence IN (SELECT "
                                                         "sequence FROM open_calls) ORDER BY "
                                                         "sequence LIMIT ?1")));
  select.BindInt(1, limit);
  return ReadAll(select);
}

absl::StatusOr<std::map<std::string, std::string>> AuditDatabase::ReadSettings() {
  ASSIGN_OR_RETURN(Statement select, Statement::Prepare(*db_, "SELECT key, value FROM settings"));
  std::map<std::string, std::string> settings;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, select.Next());
    if (!found) return settings;
    settings[select.Text(0)] = select.Text(1);
  }
}

}  // namespace audit
