#include "orchestrator/database/durable.h"

#include <utility>

#include "orchestrator/base/status_macros.h"

namespace database {

namespace {

// The log is cut back to this after a checkpoint; without a limit it keeps its largest size.
constexpr char kSettings[] =
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA journal_size_limit=16777216";

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> OpenDurable(const std::string& path,
                                                        const std::string& schema) {
  ASSIGN_OR_RETURN(std::unique_ptr<Connection> db, Connection::Open({.path = path}));
  RETURN_IF_ERROR(db->Exec(kSettings));
  RETURN_IF_ERROR(db->Exec(schema));
  return db;
}

absl::Status InTransaction(Connection& db, const std::function<absl::Status()>& work) {
  RETURN_IF_ERROR(db.Exec("BEGIN IMMEDIATE"));
  absl::Status status = work();
  if (status.ok()) status = db.Exec("COMMIT");
  if (!status.ok()) db.RollBack();
  return status;
}

}  // namespace database
