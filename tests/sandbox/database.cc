#include "tests/sandbox/database.h"

#include <sqlite3.h>

#include <filesystem>

namespace sandbox {
namespace {

constexpr char kSchema[] =
    "PRAGMA locking_mode=EXCLUSIVE;"
    "PRAGMA journal_mode=WAL;"
    "PRAGMA synchronous=NORMAL;"
    "CREATE TABLE IF NOT EXISTS resources(vendor TEXT, kind TEXT, id TEXT, seq INTEGER, json TEXT,"
    "  PRIMARY KEY(vendor, kind, id)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS objects(sha TEXT PRIMARY KEY, data BLOB);"
    "CREATE TABLE IF NOT EXISTS settings(name TEXT PRIMARY KEY, value TEXT);";

void BindText(sqlite3_stmt* statement, int index, std::string_view text) {
  sqlite3_bind_text(statement, index, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

std::string ColumnBytes(sqlite3_stmt* statement, int index) {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement, index));
  return data == nullptr ? "" : std::string(data, sqlite3_column_bytes(statement, index));
}

}  // namespace

Database::~Database() {
  for (sqlite3_stmt* s : {put_resource_, put_object_, put_setting_, erase_setting_}) {
    sqlite3_finalize(s);
  }
  sqlite3_close(db_);
}

absl::Status Database::Open(const std::string& directory) {
  if (directory.empty()) return absl::OkStatus();
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) {
    return absl::InternalError("cannot make data directory " + directory + ": " + error.message());
  }
  const std::string path = directory + "/sandbox.db";
  if (sqlite3_open(path.c_str(), &db_) != SQLITE_OK) {
    return absl::InternalError("cannot open " + path + ": " + sqlite3_errmsg(db_));
  }
  // A predecessor that was just killed may still be going away.
  sqlite3_busy_timeout(db_, 5000);
  absl::Status status = Execute(kSchema);
  if (!status.ok()) {
    const int code = sqlite3_errcode(db_);
    if (code == SQLITE_BUSY || code == SQLITE_LOCKED) {
      return absl::FailedPreconditionError(path + " is in use by another process");
    }
    return status;
  }
  const std::pair<const char*, sqlite3_stmt**> statements[] = {
      {"INSERT OR REPLACE INTO resources(vendor, kind, id, seq, json) VALUES(?,?,?,?,?)",
       &put_resource_},
      {"INSERT OR IGNORE INTO objects(sha, data) VALUES(?,?)", &put_object_},
      {"INSERT OR REPLACE INTO settings(name, value) VALUES(?,?)", &put_setting_},
      {"DELETE FROM settings WHERE name=?", &erase_setting_},
  };
  for (const auto& [sql, target] : statements) {
    status = Prepare(sql, target);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Database::Load(const std::function<void(ResourceRow)>& on_resource,
                            const std::function<void(std::string, std::string)>& on_object,
                            const std::function<void(std::string, std::string)>& on_setting) {
  if (db_ == nullptr) return absl::OkStatus();
  sqlite3_stmt* statement = nullptr;
  absl::Status status =
      Prepare("SELECT seq, vendor, kind, id, json FROM resources ORDER BY seq", &statement);
  if (!status.ok()) return status;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    on_resource({static_cast<uint64_t>(sqlite3_column_int64(statement, 0)),
                 ColumnBytes(statement, 1), ColumnBytes(statement, 2), ColumnBytes(statement, 3),
                 ColumnBytes(statement, 4)});
  }
  sqlite3_finalize(statement);
  for (const auto& [sql, take] : {std::pair{"SELECT sha, data FROM objects", &on_object},
                                  std::pair{"SELECT name, value FROM settings", &on_setting}}) {
    status = Prepare(sql, &statement);
    if (!status.ok()) return status;
    while (sqlite3_step(statement) == SQLITE_ROW) {
      (*take)(ColumnBytes(statement, 0), ColumnBytes(statement, 1));
    }
    sqlite3_finalize(statement);
  }
  return absl::OkStatus();
}

void Database::Begin() {
  failure_ = db_ == nullptr ? absl::OkStatus() : Execute("BEGIN IMMEDIATE");
}

void Database::PutResource(const ResourceRow& row) {
  if (db_ == nullptr) return;
  BindText(put_resource_, 1, row.vendor);
  BindText(put_resource_, 2, row.kind);
  BindText(put_resource_, 3, row.id);
  sqlite3_bind_int64(put_resource_, 4, static_cast<sqlite3_int64>(row.seq));
  BindText(put_resource_, 5, row.json);
  Step(put_resource_);
}

void Database::PutObject(std::string_view sha, std::string_view data) {
  if (db_ == nullptr) return;
  BindText(put_object_, 1, sha);
  sqlite3_bind_blob(put_object_, 2, data.data(), static_cast<int>(data.size()), SQLITE_STATIC);
  Step(put_object_);
}

void Database::PutSetting(std::string_view name, std::string_view value) {
  if (db_ == nullptr) return;
  BindText(put_setting_, 1, name);
  BindText(put_setting_, 2, value);
  Step(put_setting_);
}

void Database::EraseSetting(std::string_view name) {
  if (db_ == nullptr) return;
  BindText(erase_setting_, 1, name);
  Step(erase_setting_);
}

void Database::EraseAll() {
  if (db_ == nullptr) return;
  absl::Status status =
      Execute("DELETE FROM resources; DELETE FROM objects; DELETE FROM settings;");
  if (failure_.ok()) failure_ = std::move(status);
}

absl::Status Database::Commit() {
  if (db_ == nullptr) return absl::OkStatus();
  if (failure_.ok()) failure_ = Execute("COMMIT");
  if (!failure_.ok()) Execute("ROLLBACK").IgnoreError();
  return failure_;
}

absl::Status Database::Execute(const char* sql) {
  char* message = nullptr;
  if (sqlite3_exec(db_, sql, nullptr, nullptr, &message) == SQLITE_OK) return absl::OkStatus();
  const std::string text = message == nullptr ? "unknown error" : message;
  sqlite3_free(message);
  return absl::InternalError("sqlite: " + text);
}

absl::Status Database::Prepare(const char* sql, sqlite3_stmt** statement) {
  if (sqlite3_prepare_v2(db_, sql, -1, statement, nullptr) == SQLITE_OK) return absl::OkStatus();
  return absl::InternalError(std::string("sqlite: ") + sqlite3_errmsg(db_));
}

void Database::Step(sqlite3_stmt* statement) {
  if (sqlite3_step(statement) != SQLITE_DONE && failure_.ok()) {
    failure_ = absl::InternalError(std::string("sqlite: ") + sqlite3_errmsg(db_));
  }
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
}

}  // namespace sandbox
