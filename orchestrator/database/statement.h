// A prepared statement, kept and run many times. Columns count from 0, parameters from 1.
//
// Bound text and blobs are not copied: they must live until the statement has been reset or run.
// Thread-safety: thread-compatible, together with its connection, which must outlive it.
//
// Example:
//   ASSIGN_OR_RETURN(auto find, Statement::Prepare(db, "SELECT a FROM t WHERE b = ?1"));
//   Statement::Scope reset(find);  // resets at the end of the block
//   find.BindInt(1, 42);
//   ASSIGN_OR_RETURN(const bool found, find.Next());
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "orchestrator/database/connection.h"

namespace database {

class Statement {
 public:
  static absl::StatusOr<Statement> Prepare(Connection& db, const std::string& sql);

  Statement() = default;
  Statement(Statement&& other) noexcept
      : db_(other.db_), statement_(std::exchange(other.statement_, nullptr)) {}
  Statement& operator=(Statement&& other) noexcept {
    std::swap(db_, other.db_);
    std::swap(statement_, other.statement_);
    return *this;
  }
  ~Statement() { sqlite3_finalize(statement_); }

  explicit operator bool() const { return statement_ != nullptr; }

  void BindInt(int i, int64_t value) { sqlite3_bind_int64(statement_, i, value); }
  void BindDouble(int i, double value) { sqlite3_bind_double(statement_, i, value); }
  void BindNull(int i) { sqlite3_bind_null(statement_, i); }
  void BindText(int i, absl::string_view text) {
    sqlite3_bind_text64(statement_, i, text.data() ? text.data() : "", text.size(), SQLITE_STATIC,
                        SQLITE_UTF8);
  }
  void BindBlob(int i, absl::string_view bytes) {
    sqlite3_bind_blob64(statement_, i, bytes.data() ? bytes.data() : "", bytes.size(),
                        SQLITE_STATIC);
  }

  // One step; SQLite's own result code.
  int Step() { return sqlite3_step(statement_); }
  void Reset() { sqlite3_reset(statement_); }
  // Steps to the next row; false at the end.
  absl::StatusOr<bool> Next();
  // Runs a statement without rows, and resets it.
  absl::Status Run();

  bool IsNull(int i) const { return sqlite3_column_type(statement_, i) == SQLITE_NULL; }
  bool IsBlob(int i) const { return sqlite3_column_type(statement_, i) == SQLITE_BLOB; }
  int64_t Int(int i) const { return sqlite3_column_int64(statement_, i); }
  double Double(int i) const { return sqlite3_column_double(statement_, i); }
  // The bytes of a text or a blob; valid until the next step or reset.
  absl::string_view Bytes(int i) const {
    const void* data = sqlite3_column_blob(statement_, i);
    const int size = sqlite3_column_bytes(statement_, i);
    return {static_cast<const char*>(data), static_cast<size_t>(size)};
  }
  std::string Text(int i) const { return std::string(Bytes(i)); }

  // Resets the statement at the end of a block, on every way out.
  class Scope {
   public:
    explicit Scope(Statement& statement) : statement_(statement) {}
    ~Scope() { statement_.Reset(); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    Statement& statement_;
  };

 private:
  Statement(Connection* db, sqlite3_stmt* statement) : db_(db), statement_(statement) {}

  Connection* db_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
};

}  // namespace database
