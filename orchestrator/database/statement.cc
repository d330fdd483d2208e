#include "orchestrator/database/statement.h"

#include "absl/strings/str_cat.h"

namespace database {
namespace {

// Enough of the SQL to find it in the source.
std::string Shortened(absl::string_view sql) { return std::string(sql.substr(0, 60)); }

}  // namespace

absl::StatusOr<Statement> Statement::Prepare(Connection& db, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db.handle(), sql.c_str(), static_cast<int>(sql.size()) + 1,
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return db.Error(code, absl::StrCat("prepare \"", Shortened(sql), "\""));
  return Statement(&db, statement);
}

absl::StatusOr<bool> Statement::Next() {
  const int code = Step();
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return db_->Error(code, absl::StrCat("\"", Shortened(sqlite3_sql(statement_)), "\""));
}

absl::Status Statement::Run() {
  const absl::StatusOr<bool> row = Next();
  Reset();
  return row.status();
}

}  // namespace database
