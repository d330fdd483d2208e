#include "gateway/grpc/operations_database.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/history/time.h"

namespace gateway {

namespace {

constexpr int kBusyTimeoutMs = 5000;

constexpr char kSchema[] = R"sql(
CREATE TABLE IF NOT EXISTS kill_switch (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  is_on INTEGER NOT NULL,
  reason TEXT NOT NULL,
  changed_by TEXT NOT NULL,
  changed_us INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS breakers (
  service TEXT PRIMARY KEY,
  force INTEGER NOT NULL,
  forced_by TEXT NOT NULL,
  reason TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS changes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  time_us INTEGER NOT NULL,
  identity TEXT NOT NULL,
  subject TEXT NOT NULL,
  action TEXT NOT NULL,
  reason TEXT NOT NULL
);
CREATE TRIGGER IF NOT EXISTS changes_stay BEFORE UPDATE ON changes
  BEGIN SELECT RAISE(ABORT, 'the log of changes only grows'); END;
CREATE TRIGGER IF NOT EXISTS changes_last BEFORE DELETE ON changes
  BEGIN SELECT RAISE(ABORT, 'the log of changes only grows'); END;
)sql";

}  // namespace

// A prepared statement with its parameters bound in order.
class OperationsDatabase::Statement {
 public:
  Statement(OperationsDatabase* database, const char* sql) : database_(database) {
    code_ = sqlite3_prepare_v2(database->db_, sql, -1, &statement_, nullptr);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& Bind(const std::string& text) {
    if (code_ == SQLITE_OK) {
      code_ = sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()),
                                SQLITE_TRANSIENT);
    }
    return *this;
  }
  Statement& Bind(int64_t value) {
    if (code_ == SQLITE_OK) code_ = sqlite3_bind_int64(statement_, ++bound_, value);
    return *this;
  }
  // True when there is a row.
  absl::StatusOr<bool> Step() {
    if (code_ == SQLITE_OK) {
      const int code = sqlite3_step(statement_);
      if (code == SQLITE_ROW) return true;
      if (code == SQLITE_DONE) return false;
    }
    return database_->Error("reading or writing operators' orders");
  }
  std::string Text(int column) const {
    const void* data = sqlite3_column_blob(statement_, column);
    const auto bytes = static_cast<size_t>(sqlite3_column_bytes(statement_, column));
    return bytes == 0 ? "" : std::string(static_cast<const char*>(data), bytes);
  }
  int64_t Integer(int column) const { return sqlite3_column_int64(statement_, column); }

 private:
  OperationsDatabase* const database_;
  sqlite3_stmt* statement_ = nullptr;
  int code_ = SQLITE_OK;
  int bound_ = 0;
};

OperationsDatabase::~OperationsDatabase() { sqlite3_close(db_); }

absl::Status OperationsDatabase::Error(absl::string_view doing) const {
  return absl::UnavailableError(
      absl::StrCat(doing, ": ", db_ == nullptr ? "not open" : sqlite3_errmsg(db_)));
}

absl::Status OperationsDatabase::Execute(const char* sql) {
  if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) {
    return Error("writing operators' orders");
  }
  return absl::OkStatus();
}

absl::Status OperationsDatabase::Open(const std::string& path) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(path.c_str(), &db_, flags, nullptr) != SQLITE_OK) {
    return Error(absl::StrCat("opening ", path));
  }
  sqlite3_busy_timeout(db_, kBusyTimeoutMs);
  RETURN_IF_ERROR(Execute("PRAGMA journal_mode=WAL"));
  RETURN_IF_ERROR(Execute("PRAGMA synchronous=FULL"));
  return Execute(kSchema);
}

template <typename Work>
absl::Status OperationsDatabase::InTransaction(Work work) {
  RETURN_IF_ERROR(Execute("BEGIN IMMEDIATE"));
  absl::Status status = work();
  if (status.ok()) status = Execute("COMMIT");
  if (!status.ok()) Execute("ROLLBACK").IgnoreError();
  return status;
}

absl::StatusOr<outbound::KillSwitchState> OperationsDatabase::LoadKillSwitch() {
  Statement select(this, "SELECT is_on, reason, changed_by, changed_us FROM kill_switch");
  ASSIGN_OR_RETURN(const bool found, select.Step());
  outbound::KillSwitchState state;
  if (!found) return state;
  state.on = select.Integer(0) != 0;
  state.reason = select.Text(1);
  state.changed_by = select.Text(2);
  state.changed_at = absl::FromUnixMicros(select.Integer(3));
  return state;
}

absl::StatusOr<std::map<std::string, BreakerOrder>> OperationsDatabase::LoadBreakers() {
  Statement select(this, "SELECT service, force, forced_by, reason FROM breakers");
  std::map<std::string, BreakerOrder> orders;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) return orders;
    orders[select.Text(0)] = {.force = static_cast<outbound::BreakerForce>(select.Integer(1)),
                              .by = select.Text(2),
                              .reason = select.Text(3)};
  }
}

absl::Status OperationsDatabase::Append(const Change& change) {
  Statement insert(this,
                   "INSERT INTO changes (time_us, identity, subject, action, reason) "
                   "VALUES (?, ?, ?, ?, ?)");
  insert.Bind(absl::ToUnixMicros(history::FromProto(change.time())))
      .Bind(change.identity())
      .Bind(change.subject())
      .Bind(change.action())
      .Bind(change.reason());
  return insert.Step().status();
}

absl::Status OperationsDatabase::SaveKillSwitch(const outbound::KillSwitchState& state,
                                                const Change& change) {
  return InTransaction([&]() -> absl::Status {
    Statement save(this, "INSERT OR REPLACE INTO kill_switch VALUES (1, ?, ?, ?, ?)");
    save.Bind(int64_t{state.on})
        .Bind(state.reason)
        .Bind(state.changed_by)
        .Bind(absl::ToUnixMicros(state.changed_at));
    RETURN_IF_ERROR(save.Step().status());
    return Append(change);
  });
}

absl::Status OperationsDatabase::SaveBreaker(const std::string& service, const BreakerOrder& order,
                                             const Change& change) {
  return InTransaction([&]() -> absl::Status {
    if (order.force == outbound::BreakerForce::kNone) {
      Statement remove(this, "DELETE FROM breakers WHERE service = ?");
      RETURN_IF_ERROR(remove.Bind(service).Step().status());
    } else {
      Statement save(this, "INSERT OR REPLACE INTO breakers VALUES (?, ?, ?, ?)");
      save.Bind(service).Bind(static_cast<int64_t>(order.force)).Bind(order.by).Bind(order.reason);
      RETURN_IF_ERROR(save.Step().status());
    }
    return Append(change);
  });
}

absl::StatusOr<std::vector<OperationsDatabase::Change>> OperationsDatabase::Changes(
    int64_t before_id, int limit) {
  Statement select(this,
                   "SELECT id, time_us, identity, subject, action, reason FROM changes "
                   "WHERE id < ? ORDER BY id DESC LIMIT ?");
  select.Bind(before_id).Bind(int64_t{limit});
  std::vector<Change> changes;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, select.Step());
    if (!found) return changes;
    Change& change = changes.emplace_back();
    change.set_id(select.Integer(0));
    *change.mutable_time() = history::ToProto(absl::FromUnixMicros(select.Integer(1)));
    change.set_identity(select.Text(2));
    change.set_subject(select.Text(3));
    change.set_action(select.Text(4));
    change.set_reason(select.Text(5));
  }
}

}  // namespace gateway
