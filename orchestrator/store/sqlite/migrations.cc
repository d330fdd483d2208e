#include "orchestrator/store/sqlite/migrations.h"

#include <iterator>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/status_macros.h"

namespace store::sqlite {
namespace {

constexpr int64_t kApplicationId = 0x63616d70;  // "camp"

struct Migration {
  const char* up;
  const char* down;
};

// Times are microseconds since 1970. run_id is a 16-byte blob for a UUID, else text. Status 1..3
// are the open ones (running, paused, stuck). `history` and `attempts` are keyed by
// (runs.id << 24) + event id: one integer, so that a run's rows lie together in the fastest kind
// of table and no row repeats the run id.
constexpr Migration kMigrations[] = {
    {.up = R"sql(
CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  next_event_id INTEGER NOT NULL,
  status INTEGER NOT NULL,
  wake_at INTEGER,
  saga_state INTEGER NOT NULL,
  close_time INTEGER,
  slot INTEGER NOT NULL,
  start_time INTEGER NOT NULL,
  run_id NOT NULL,
  namespace TEXT NOT NULL,
  workflow_id TEXT NOT NULL,
  workflow_type TEXT NOT NULL,
  task_queue TEXT NOT NULL,
  request_id TEXT NOT NULL,
  correlation_id TEXT NOT NULL,
  trace_id TEXT NOT NULL,
  status_reason TEXT NOT NULL
);
CREATE UNIQUE INDEX runs_run_id ON runs (run_id);
CREATE UNIQUE INDEX runs_open ON runs (namespace, workflow_id) WHERE status <= 3;
CREATE INDEX runs_workflow ON runs (namespace, workflow_id, start_time);
CREATE INDEX runs_due ON runs (wake_at, run_id, slot) WHERE wake_at IS NOT NULL;
CREATE INDEX runs_start ON runs (start_time);
CREATE INDEX runs_status ON runs (status, start_time);
CREATE INDEX runs_type ON runs (workflow_type, start_time);
CREATE TABLE history (
  key INTEGER PRIMARY KEY,
  event_count INTEGER NOT NULL,
  data BLOB NOT NULL
);
CREATE TABLE attempts (
  key INTEGER PRIMARY KEY,
  data BLOB NOT NULL
);
CREATE TABLE run_counts (
  workflow_type TEXT NOT NULL,
  status INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (workflow_type, status)
) WITHOUT ROWID;
CREATE TABLE partitions (
  partition INTEGER PRIMARY KEY,
  epoch INTEGER NOT NULL,
  owner TEXT NOT NULL
);
)sql",
     .down = R"sql(
DROP TABLE partitions;
DROP TABLE run_counts;
DROP TABLE attempts;
DROP TABLE history;
DROP TABLE runs;
)sql"},
    // Search attributes, memo, patches, builds, blobs. `attributes` has a row for each value of a
    // search attribute, and for each patch under the name "patches"; `started` is the run's
    // start_time. Builds have small numbers in `runs`. blob_refs.attempt is 0 for a history.
    {.up = R"sql(
ALTER TABLE runs ADD COLUMN parent_workflow_id TEXT;
ALTER TABLE runs ADD COLUMN build INTEGER;
CREATE INDEX runs_parent ON runs (parent_workflow_id, start_time)
  WHERE parent_workflow_id IS NOT NULL;
CREATE INDEX runs_build ON runs (build, start_time) WHERE build IS NOT NULL;
CREATE INDEX runs_close ON runs (close_time) WHERE close_time IS NOT NULL;
CREATE INDEX runs_saga ON runs (saga_state, start_time) WHERE saga_state > 0;
CREATE TABLE builds (
  number INTEGER PRIMARY KEY,
  build_id TEXT NOT NULL UNIQUE
);
CREATE TABLE run_properties (
  run INTEGER PRIMARY KEY,
  search_attributes BLOB NOT NULL,
  memo BLOB NOT NULL,
  patches BLOB NOT NULL
);
CREATE TABLE attributes (
  run INTEGER NOT NULL,
  name TEXT NOT NULL,
  value NOT NULL,
  started INTEGER NOT NULL,
  PRIMARY KEY (run, name, value)
) WITHOUT ROWID;
CREATE INDEX attributes_value ON attributes (name, value, started, run);
CREATE TABLE version_counts (
  kind INTEGER NOT NULL,
  version TEXT NOT NULL,
  workflow_type TEXT NOT NULL,
  namespace TEXT NOT NULL,
  open INTEGER NOT NULL,
  closed INTEGER NOT NULL,
  PRIMARY KEY (kind, version, workflow_type, namespace)
) WITHOUT ROWID;
CREATE TABLE blobs (
  id INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE,
  data BLOB NOT NULL
);
CREATE TABLE blob_refs (
  run INTEGER NOT NULL,
  attempt INTEGER NOT NULL,
  hash BLOB NOT NULL,
  PRIMARY KEY (run, attempt, hash)
) WITHOUT ROWID;
CREATE INDEX blob_refs_hash ON blob_refs (hash);
CREATE INDEX blob_refs_attempt ON blob_refs (attempt) WHERE attempt > 0;
)sql",
     .down = R"sql(
DROP TABLE blob_refs;
DROP TABLE blobs;
DROP TABLE version_counts;
DROP TABLE attributes;
DROP TABLE run_properties;
DROP INDEX runs_saga;
DROP INDEX runs_close;
DROP INDEX runs_build;
DROP INDEX runs_parent;
DROP TABLE builds;
ALTER TABLE runs DROP COLUMN build;
ALTER TABLE runs DROP COLUMN parent_workflow_id;
)sql"},
};

absl::Status RunStep(database::Connection& db, int from, bool up) {
  const int to = up ? from + 1 : from - 1;
  RETURN_IF_ERROR(db.Exec("BEGIN IMMEDIATE"));
  // Another process may have taken this step while we waited for the lock.
  absl::StatusOr<int64_t> version = db.QueryInt("PRAGMA user_version");
  absl::Status status = version.status();
  if (status.ok() && *version == from) {
    status = db.Exec(up ? kMigrations[from].up : kMigrations[to].down);
    if (status.ok()) {
      status = db.Exec(
          absl::StrCat("PRAGMA application_id=", kApplicationId, "; PRAGMA user_version=", to));
    }
  }
  if (status.ok()) status = db.Exec("COMMIT");
  if (!status.ok()) {
    db.RollBack();
    return absl::Status(status.code(),
                        absl::StrCat("schema step ", from, " -> ", to, ": ", status.message()));
  }
  return status;
}

}  // namespace

const int kSchemaVersion = std::size(kMigrations);

absl::Status CheckSchema(database::Connection& db) {
  ASSIGN_OR_RETURN(const int64_t version, db.QueryInt("PRAGMA user_version"));
  ASSIGN_OR_RETURN(const int64_t application, db.QueryInt("PRAGMA application_id"));
  ASSIGN_OR_RETURN(const int64_t tables, db.QueryInt("SELECT count(*) FROM sqlite_schema"));
  const bool fresh = version == 0 && application == 0 && tables == 0;
  if (!fresh && application != kApplicationId) {
    return absl::FailedPreconditionError(absl::StrCat(
        "SQLite store ", db.path(), ": this is another application's database (application_id ",
        application, "); check the path; it was not changed"));
  }
  if (version > kSchemaVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "SQLite store ", db.path(), ": the file has schema version ", version,
        ", this build knows up to ", kSchemaVersion,
        "; run the newer release that wrote it, or restore a backup; it was not changed"));
  }
  return absl::OkStatus();
}

absl::Status MigrateTo(database::Connection& db, int version) {
  if (version < 0 || version > kSchemaVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat("there is no schema version ", version, "; known are 0 to ", kSchemaVersion));
  }
  while (true) {
    ASSIGN_OR_RETURN(const int64_t current, db.QueryInt("PRAGMA user_version"));
    if (current > kSchemaVersion) return CheckSchema(db);
    if (current == version) return absl::OkStatus();
    RETURN_IF_ERROR(RunStep(db, static_cast<int>(current), current < version));
  }
}

}  // namespace store::sqlite
