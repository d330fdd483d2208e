#include "gateway/grpc/operations_database.h"

#include "orchestrator/base/status_macros.h"
#include "orchestrator/database/durable.h"
#include "orchestrator/database/statement.h"
#include "orchestrator/history/time.h"

namespace gateway {

namespace {

using database::InTransaction;
using database::Statement;

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

absl::Status OperationsDatabase::Open(const std::string& path) {
  ASSIGN_OR_RETURN(db_, database::OpenDurable(path, kSchema));
  return absl::OkStatus();
}

absl::StatusOr<outbound::KillSwitchState> OperationsDatabase::LoadKillSwitch() {
  ASSIGN_OR_RETURN(
      Statement select,
      Statement::Prepare(*db_, "SELECT is_on, reason, changed_by, changed_us FROM kill_switch"));
  ASSIGN_OR_RETURN(const bool found, select.Next());
  outbound::KillSwitchState state;
  if (!found) return state;
  state.on = select.Int(0) != 0;
  state.reason = select.Text(1);
  state.changed_by = select.Text(2);
  state.changed_at = absl::FromUnixMicros(select.Int(3));
  return state;
}

absl::StatusOr<std::map<std::string, BreakerOrder>> OperationsDatabase::LoadBreakers() {
  ASSIGN_OR_RETURN(
      Statement select,
      Statement::Prepare(*db_, "SELECT service, force, forced_by, reason FROM breakers"));
  std::map<std::string, BreakerOrder> orders;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, select.Next());
    if (!found) return orders;
    orders[select.Text(0)] = {.force = static_cast<outbound::BreakerForce>(select.Int(1)),
                              .by = select.Text(2),
                              .reason = select.Text(3)};
  }
}

absl::Status OperationsDatabase::Append(const Change& change) {
  ASSIGN_OR_RETURN(
      Statement insert,
      Statement::Prepare(*db_,
                         "INSERT INTO changes (time_us, identity, subject, action, reason) "
                         "VALUES (?, ?, ?, ?, ?)"));
  insert.BindInt(1, absl::ToUnixMicros(history::FromProto(change.time())));
  insert.BindText(2, change.identity());
  insert.BindText(3, change.subject());
  insert.BindText(4, change.action());
  insert.BindText(5, change.reason());
  return insert.Run();
}

absl::Status OperationsDatabase::SaveKillSwitch(const outbound::KillSwitchState& state,
                                                const Change& change) {
  return InTransaction(*db_, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(
        Statement save,
        Statement::Prepare(*db_, "INSERT OR REPLACE INTO kill_switch VALUES (1, ?, ?, ?, ?)"));
    save.BindInt(1, state.on ? 1 : 0);
    save.BindText(2, state.reason);
    save.BindText(3, state.changed_by);
    save.BindInt(4, absl::ToUnixMicros(state.changed_at));
    RETURN_IF_ERROR(save.Run());
    return Append(change);
  });
}

absl::Status OperationsDatabase::SaveBreaker(const std::string& service, const BreakerOrder& order,
                                             const Change& change) {
  return InTransaction(*db_, [&]() -> absl::Status {
    const bool none = order.force == outbound::BreakerForce::kNone;
    ASSIGN_OR_RETURN(
        Statement save,
        Statement::Prepare(*db_, none ? "DELETE FROM breakers WHERE service = ?"
                                      : "INSERT OR REPLACE INTO breakers VALUES (?, ?, ?, ?)"));
    save.BindText(1, service);
    if (!none) {
      save.BindInt(2, static_cast<int64_t>(order.force));
      save.BindText(3, order.by);
      save.BindText(4, order.reason);
    }
    RETURN_IF_ERROR(save.Run());
    return Append(change);
  });
}

absl::StatusOr<std::vector<OperationsDatabase::Change>> OperationsDatabase::Changes(
    int64_t before_id, int limit) {
  ASSIGN_OR_RETURN(
      Statement select,
      Statement::Prepare(*db_,
                         "SELECT id, time_us, identity, subject, action, reason FROM changes "
                         "WHERE id < ? ORDER BY id DESC LIMIT ?"));
  select.BindInt(1, before_id);
  select.BindInt(2, limit);
  std::vector<Change> changes;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, select.Next());
    if (!found) return changes;
    Change& change = changes.emplace_back();
    change.set_id(select.Int(0));
    *change.mutable_time() = history::ToProto(absl::FromUnixMicros(select.Int(1)));
    change.set_identity(select.Text(2));
    change.set_subject(select.Text(3));
    change.set_action(select.Text(4));
    change.set_reason(select.Text(5));
  }
}

}  // namespace gateway
