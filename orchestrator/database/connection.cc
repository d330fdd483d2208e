#include "orchestrator/database/connection.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/database/statement.h"

namespace database {
namespace {

// What the reader of the message can do about it; empty when there is nothing to advise.
absl::string_view Advice(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "another process keeps the file locked: stop it, or try again";
    case SQLITE_FULL:
      return "the disk is full: free space on it, then try again";
    case SQLITE_IOERR:
      return "the disk or file system reports an error: look at the kernel log and the disk's "
             "health before going on";
    case SQLITE_NOMEM:
      return "out of memory: give the process more, or make the caches smaller";
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return "the file and its folder must be writable for this process's user";
    case SQLITE_CANTOPEN:
      return "the folder must exist and be writable for this process's user, and descriptors "
             "must be left";
    case SQLITE_CORRUPT:
      return "the file is damaged: stop, keep a copy of it, and restore a backup";
    case SQLITE_NOTADB:
      return "the file is not an SQLite database (or is encrypted): check the path; it was not "
             "changed";
    default:
      return "";
  }
}

absl::StatusCode CodeOf(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return absl::StatusCode::kUnavailable;
    case SQLITE_CORRUPT:
      return absl::StatusCode::kDataLoss;
    case SQLITE_NOTADB:
      return absl::StatusCode::kFailedPrecondition;
    default:
      return absl::StatusCode::kInternal;
  }
}

absl::Status MakeError(int code, absl::string_view action, absl::string_view path,
                       absl::string_view detail) {
  const absl::string_view advice = Advice(code);
  return absl::Status(
      CodeOf(code), absl::StrCat("SQLite file ", path, ": ", action, " failed: ", detail,
                                 " (SQLite code ", code, ")", advice.empty() ? "" : "; ", advice));
}

// SQLite's memory statistics take a process-wide lock at every allocation, and nobody reads them.
void ConfigureOnce() {
  static const int code = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
  // SQLITE_MISUSE when SQLite is in use already in this process: then it is only slower.
  static_cast<void>(code);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const ConnectionOptions& options) {
  ConfigureOnce();
  sqlite3* handle = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (options.read_only ? 0 : SQLITE_OPEN_CREATE);
  const int code = sqlite3_open_v2(options.path.c_str(), &handle, flags, nullptr);
  if (code != SQLITE_OK) {
    const std::string detail = handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
    sqlite3_close(handle);
    return MakeError(code, "open", options.path, detail);
  }
  std::unique_ptr<Connection> db(new Connection(handle, options.path));
  sqlite3_busy_timeout(handle, static_cast<int>(absl::ToInt64Milliseconds(options.busy_timeout)));
  RETURN_IF_ERROR(db->Exec(absl::StrCat(
      // FAST: deleted content is overwritten where that costs no extra write.
      "PRAGMA secure_delete=FAST;"
      "PRAGMA foreign_keys=OFF; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;"
      "PRAGMA cache_size=-",
      options.cache_bytes / 1024,
      ";"
      "PRAGMA mmap_size=",
      options.mmap_bytes,
      ";"
      "PRAGMA query_only=",
      options.read_only ? "ON" : "OFF")));
  return db;
}

Connection::~Connection() { sqlite3_close_v2(handle_); }

absl::Status Connection::Exec(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? absl::OkStatus() : Error(code, sql.substr(0, 80));
}

absl::StatusOr<int64_t> Connection::QueryInt(const std::string& sql) {
  ASSIGN_OR_RETURN(Statement statement, Statement::Prepare(*this, sql));
  ASSIGN_OR_RETURN(const bool found, statement.Next());
  return found ? statement.Int(0) : 0;
}

absl::StatusOr<std::string> Connection::QueryText(const std::string& sql) {
  ASSIGN_OR_RETURN(Statement statement, Statement::Prepare(*this, sql));
  ASSIGN_OR_RETURN(const bool found, statement.Next());
  return found ? statement.Text(0) : std::string();
}

void Connection::RollBack() {
  if (sqlite3_get_autocommit(handle_) == 0) {
    // An error here has been reported by the statement before it; SQLite rolls back by itself then.
    sqlite3_exec(handle_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

absl::Status Connection::Error(int code, absl::string_view action) const {
  return MakeError(code, action, path_, sqlite3_errmsg(handle_));
}

}  // namespace database
