// The sandbox's file: SQLite in WAL mode, one transaction a commit. Knows rows, not meanings.
// Thread-safety: externally synchronised (the store's one thread).
//
// Example:
//   Database db;
//   absl::Status status = db.Open("/tmp/sandbox");   // "" keeps everything in memory
//   db.Begin();
//   db.PutSetting("clock_offset_ms", "0");
//   status = db.Commit();
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"

struct sqlite3;
struct sqlite3_stmt;

namespace sandbox {

struct ResourceRow {
  uint64_t seq = 0;
  std::string vendor, kind, id, json;
};

class Database {
 public:
  Database() = default;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  // Opens (and makes) DIR/sandbox.db. Returns FAILED_PRECONDITION when another process holds it,
  // INTERNAL when the directory or file cannot be used. With an empty directory no file is used
  // and all writes are dropped.
  absl::Status Open(const std::string& directory);

  // Reads back everything; call before the first write.
  absl::Status Load(const std::function<void(ResourceRow)>& on_resource,
                    const std::function<void(std::string, std::string)>& on_object,
                    const std::function<void(std::string, std::string)>& on_setting);

  // Writes between Begin and Commit become durable together. The first failure is kept and
  // returned by Commit, which then rolls back.
  void Begin();
  void PutResource(const ResourceRow& row);
  void PutObject(std::string_view sha, std::string_view data);
  void PutSetting(std::string_view name, std::string_view value);
  void EraseSetting(std::string_view name);
  void EraseAll();
  absl::Status Commit();

 private:
  absl::Status Execute(const char* sql);
  absl::Status Prepare(const char* sql, sqlite3_stmt** statement);
  void Step(sqlite3_stmt* statement);

  sqlite3* db_ = nullptr;
  sqlite3_stmt* put_resource_ = nullptr;
  sqlite3_stmt* put_object_ = nullptr;
  sqlite3_stmt* put_setting_ = nullptr;
  sqlite3_stmt* erase_setting_ = nullptr;
  absl::Status failure_;
};

}  // namespace sandbox
