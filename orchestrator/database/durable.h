// Small SQLite files beside the histories: opened so that what was committed survives a power cut
// (WAL, synchronous=FULL), with their schema, and changed in transactions.
//
// Thread-safety: thread-compatible, like the connection.
//
// Example:
//   constexpr char kSchema[] = "CREATE TABLE IF NOT EXISTS keys (id TEXT PRIMARY KEY)";
//   ASSIGN_OR_RETURN(auto db, OpenDurable(data_dir + "/keys.db", kSchema));
//   RETURN_IF_ERROR(InTransaction(*db, [&] { return insert.Run(); }));
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "orchestrator/database/connection.h"

namespace database {

// Creates the file when it is missing and runs `schema`, which may be run again on a file that has
// it. Codes: those of Connection::Error.
absl::StatusOr<std::unique_ptr<Connection>> OpenDurable(const std::string& path,
                                                        const std::string& schema);

// All that `work` writes, or nothing of it when `work` or the commit fails.
absl::Status InTransaction(Connection& db, const std::function<absl::Status()>& work);

}  // namespace database
