// One SQLite connection: opening with our settings, running plain SQL, and turning SQLite's result
// codes into statuses that say what happened and what to do.
//
// Thread-safety: thread-compatible (opened without SQLite's own mutex).
//
// Example:
//   ASSIGN_OR_RETURN(auto db, Connection::Open({.path = "/var/lib/campaignd/runs.db"}));
//   RETURN_IF_ERROR(db->Exec("PRAGMA optimize"));
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace database {

struct ConnectionOptions {
  std::string path;
  absl::Duration busy_timeout = absl::Seconds(5);
  int64_t cache_bytes = 4 << 20;
  int64_t mmap_bytes = 0;
  bool read_only = false;
};

class Connection {
 public:
  // Creates the file when it is missing, unless read only. Changes nothing in an existing file.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const ConnectionOptions& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Runs one or more statements that give no rows that matter.
  absl::Status Exec(const std::string& sql);
  // The first column of the first row, 0 when there is no row.
  absl::StatusOr<int64_t> QueryInt(const std::string& sql);
  absl::StatusOr<std::string> QueryText(const std::string& sql);
  // How many rows the last INSERT, UPDATE or DELETE changed.
  int64_t Changes() const { return sqlite3_changes64(handle_); }
  // Ends an open transaction without keeping it, if there is one.
  void RollBack();

  // `code` as a status: UNAVAILABLE (busy, full, I/O, memory), DATA_LOSS (damaged file),
  // FAILED_PRECONDITION (not a database), else INTERNAL. `action` reads "commit of 3 writes".
  absl::Status Error(int code, absl::string_view action) const;

  sqlite3* handle() const { return handle_; }
  const std::string& path() const { return path_; }

 private:
  Connection(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}

  sqlite3* const handle_;
  const std::string path_;
};

}  // namespace database
