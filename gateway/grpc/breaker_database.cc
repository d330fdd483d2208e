#include "gateway/grpc/breaker_database.h"

#include <utility>

#include "orchestrator/base/status_macros.h"
#include "orchestrator/database/durable.h"

namespace gateway {
namespace {

using database::Statement;

// Times are microseconds since 1970.
constexpr char kSchema[] = R"sql(
CREATE TABLE IF NOT EXISTS breaker_states (
  service TEXT PRIMARY KEY,
  is_open INTEGER NOT NULL,
  reason TEXT NOT NULL,
  opened_us INTEGER NOT NULL,
  probe_us INTEGER NOT NULL,
  opened_in_a_row INTEGER NOT NULL,
  changed_us INTEGER NOT NULL,
  probe_owner TEXT NOT NULL DEFAULT '',
  probe_until_us INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
)sql";

// Hosts come and go; vendors stay.
constexpr char kForget[] =
    "DELETE FROM breaker_states WHERE instr(service, '@') > 0 AND "
    "((is_open = 1 AND probe_us <= ?1) OR service NOT IN "
    "(SELECT service FROM breaker_states WHERE instr(service, '@') > 0 "
    "ORDER BY changed_us DESC LIMIT ?2))";

constexpr char kColumns[] =
    "SELECT service, is_open, reason, opened_us, probe_us, opened_in_a_row, changed_us "
    "FROM breaker_states";

outbound::StoredBreaker FromRow(const Statement& row) {
  return {.service = row.Text(0),
          .open = row.Int(1) != 0,
          .reason = row.Text(2),
          .opened_at = absl::FromUnixMicros(row.Int(3)),
          .probe_at = absl::FromUnixMicros(row.Int(4)),
          .opened_in_a_row = static_cast<int>(row.Int(5)),
          .changed_at = absl::FromUnixMicros(row.Int(6))};
}

}  // namespace

absl::StatusOr<std::unique_ptr<BreakerDatabase>> BreakerDatabase::Open(const std::string& path) {
  std::unique_ptr<BreakerDatabase> store(new BreakerDatabase);
  ASSIGN_OR_RETURN(store->db_, database::OpenDurable(path, kSchema));
  RETURN_IF_ERROR(store->Prepare());
  return store;
}

absl::Status BreakerDatabase::Prepare() {
  ASSIGN_OR_RETURN(load_, Statement::Prepare(*db_, kColumns));
  ASSIGN_OR_RETURN(find_, Statement::Prepare(*db_, std::string(kColumns) + " WHERE service = ?1"));
  ASSIGN_OR_RETURN(save_, Statement::Prepare(*db_,
                                             "INSERT OR REPLACE INTO breaker_states (service, "
                                             "is_open, reason, opened_us, probe_us, "
                                             "opened_in_a_row, changed_us) "
                                             "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"));
  ASSIGN_OR_RETURN(forget_, Statement::Prepare(*db_, kForget));
  // A claim that ends too far ahead was made before the clock went back.
  ASSIGN_OR_RETURN(
      take_, Statement::Prepare(
                 *db_,
                 "UPDATE breaker_states SET probe_owner = ?3, probe_until_us = ?5 "
                 "WHERE service = ?1 AND is_open = 1 AND changed_us = ?2 AND (probe_owner = '' OR "
                 "probe_owner = ?3 OR probe_until_us <= ?4 OR probe_until_us > ?6)"));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<outbound::StoredBreaker>> BreakerDatabase::Load() {
  Statement::Scope reset(load_);
  std::vector<outbound::StoredBreaker> breakers;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, load_.Next());
    if (!found) return breakers;
    breakers.push_back(FromRow(load_));
  }
}

absl::Status BreakerDatabase::Save(const outbound::StoredBreaker& breaker) {
  save_.BindText(1, breaker.service);
  save_.BindInt(2, breaker.open ? 1 : 0);
  save_.BindText(3, breaker.reason);
  save_.BindInt(4, absl::ToUnixMicros(breaker.opened_at));
  save_.BindInt(5, absl::ToUnixMicros(breaker.probe_at));
  save_.BindInt(6, breaker.opened_in_a_row);
  save_.BindInt(7, absl::ToUnixMicros(breaker.changed_at));
  forget_.BindInt(1, absl::ToUnixMicros(breaker.changed_at - outbound::kHostGoneAfter));
  forget_.BindInt(2, outbound::kStoredHostsMax);
  return database::InTransaction(*db_, [this]() -> absl::Status {
    RETURN_IF_ERROR(save_.Run());
    return forget_.Run();
  });
}

absl::StatusOr<outbound::BreakerStore::Probe> BreakerDatabase::TakeProbe(const std::string& service,
                                                                         absl::Time version,
                                                                         const std::string& owner,
                                                                         absl::Time now,
                                                                         absl::Time until) {
  take_.BindText(1, service);
  take_.BindInt(2, absl::ToUnixMicros(version));
  take_.BindText(3, owner);
  take_.BindInt(4, absl::ToUnixMicros(now));
  take_.BindInt(5, absl::ToUnixMicros(until));
  take_.BindInt(6, absl::ToUnixMicros(now + outbound::kProbeTakenMax));
  RETURN_IF_ERROR(take_.Run());
  Probe probe{.granted = db_->Changes() == 1};
  if (probe.granted) return probe;
  Statement::Scope reset(find_);
  find_.BindText(1, service);
  ASSIGN_OR_RETURN(const bool found, find_.Next());
  if (found) {
    probe.current = FromRow(find_);
  } else {
    probe.granted = true;
  }
  return probe;
}

}  // namespace gateway
