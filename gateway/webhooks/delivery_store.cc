#include "gateway/webhooks/delivery_store.h"

#include <utility>

#include "orchestrator/base/status_macros.h"
#include "orchestrator/database/durable.h"

namespace webhooks {
namespace {

using database::Statement;

constexpr char kSchema[] = R"sql(
CREATE TABLE IF NOT EXISTS deliveries (
  source TEXT NOT NULL,
  id TEXT NOT NULL,
  digest TEXT NOT NULL,
  received_us INTEGER NOT NULL,
  closed_us INTEGER,
  note TEXT NOT NULL DEFAULT '',
  body BLOB NOT NULL,
  PRIMARY KEY (source, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS deliveries_by_digest ON deliveries (source, digest);
CREATE INDEX IF NOT EXISTS deliveries_open ON deliveries (received_us) WHERE closed_us IS NULL;
CREATE INDEX IF NOT EXISTS deliveries_closed ON deliveries (closed_us)
  WHERE closed_us IS NOT NULL;
CREATE TABLE IF NOT EXISTS facts (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL,
  written_us INTEGER NOT NULL
) WITHOUT ROWID;
)sql";

}  // namespace

absl::StatusOr<std::unique_ptr<DeliveryStore>> DeliveryStore::Open(const std::string& path) {
  std::unique_ptr<DeliveryStore> store(new DeliveryStore());
  ASSIGN_OR_RETURN(store->db_, database::OpenDurable(path, kSchema));
  database::Connection& db = *store->db_;
  ASSIGN_OR_RETURN(store->add_,
                   Statement::Prepare(db,
                                      "INSERT INTO deliveries (source, id, digest, received_us, "
                                      "body) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING"));
  ASSIGN_OR_RETURN(store->open_,
                   Statement::Prepare(db,
                                      "SELECT source, id, digest, received_us, body FROM "
                                      "deliveries WHERE closed_us IS NULL ORDER BY received_us"));
  ASSIGN_OR_RETURN(store->close_,
                   Statement::Prepare(db,
                                      "UPDATE deliveries SET closed_us = ?3, note = ?4, body = x'' "
                                      "WHERE source = ?1 AND id = ?2"));
  ASSIGN_OR_RETURN(store->expire_,
                   Statement::Prepare(db, "DELETE FROM deliveries WHERE closed_us < ?1"));
  ASSIGN_OR_RETURN(store->fact_, Statement::Prepare(db, "SELECT value FROM facts WHERE name = ?1"));
  ASSIGN_OR_RETURN(store->set_fact_,
                   Statement::Prepare(db, "INSERT OR REPLACE INTO facts VALUES (?1, ?2, ?3)"));
  ASSIGN_OR_RETURN(store->expire_facts_,
                   Statement::Prepare(db, "DELETE FROM facts WHERE written_us < ?1"));
  return store;
}

absl::StatusOr<bool> DeliveryStore::Add(const Delivery& delivery) {
  add_.BindText(1, delivery.source);
  add_.BindText(2, delivery.id);
  add_.BindText(3, delivery.digest);
  add_.BindInt(4, absl::ToUnixMicros(delivery.received_at));
  add_.BindBlob(5, delivery.body);
  RETURN_IF_ERROR(add_.Run());
  return db_->Changes() > 0;
}

absl::StatusOr<std::vector<Delivery>> DeliveryStore::Open() {
  Statement::Scope reset(open_);
  std::vector<Delivery> deliveries;
  while (true) {
    ASSIGN_OR_RETURN(const bool found, open_.Next());
    if (!found) return deliveries;
    deliveries.push_back({.source = open_.Text(0),
                          .id = open_.Text(1),
                          .digest = open_.Text(2),
                          .body = open_.Text(4),
                          .received_at = absl::FromUnixMicros(open_.Int(3))});
  }
}

absl::Status DeliveryStore::Close(const std::string& source, const std::string& id,
                                  const std::string& note, absl::Time now) {
  close_.BindText(1, source);
  close_.BindText(2, id);
  close_.BindInt(3, absl::ToUnixMicros(now));
  close_.BindText(4, note);
  return close_.Run();
}

absl::Status DeliveryStore::Expire(absl::Time before) {
  return database::InTransaction(*db_, [&] {
    expire_.BindInt(1, absl::ToUnixMicros(before));
    RETURN_IF_ERROR(expire_.Run());
    expire_facts_.BindInt(1, absl::ToUnixMicros(before));
    return expire_facts_.Run();
  });
}

absl::StatusOr<std::string> DeliveryStore::Fact(const std::string& name) {
  Statement::Scope reset(fact_);
  fact_.BindText(1, name);
  ASSIGN_OR_RETURN(const bool found, fact_.Next());
  return found ? fact_.Text(0) : std::string();
}

absl::Status DeliveryStore::SetFact(const std::string& name, const std::string& value,
                                    absl::Time now) {
  set_fact_.BindText(1, name);
  set_fact_.BindText(2, value);
  set_fact_.BindInt(3, absl::ToUnixMicros(now));
  return set_fact_.Run();
}

}  // namespace webhooks
