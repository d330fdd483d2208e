// BreakerDatabase: the state of the circuit breakers in a SQLite file, for restarts and for other
// processes that call the same vendors (outbound::BreakerStore).
//
// Thread-safety: one thread at a time; several processes may have the file open.
//
// Example:
//   ASSIGN_OR_RETURN(auto store, BreakerDatabase::Open(data_dir + "/breakers.db"));
//   RETURN_IF_ERROR(breakers.Share(*store, loop));
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "activities/outbound/breaker_store.h"
#include "orchestrator/database/connection.h"
#include "orchestrator/database/statement.h"

namespace gateway {

class BreakerDatabase : public outbound::BreakerStore {
 public:
  // Creates the file when it is missing. Codes: those of database::Connection.
  static absl::StatusOr<std::unique_ptr<BreakerDatabase>> Open(const std::string& path);

  absl::StatusOr<std::vector<outbound::StoredBreaker>> Load() override;
  absl::Status Save(const outbound::StoredBreaker& breaker) override;
  absl::StatusOr<Probe> TakeProbe(const std::string& service, absl::Time version,
                                  const std::string& owner, absl::Time now,
                                  absl::Time until) override;

 private:
  BreakerDatabase() = default;
  absl::Status Prepare();

  std::unique_ptr<database::Connection> db_;
  database::Statement load_;
  database::Statement find_;
  database::Statement save_;
  database::Statement forget_;
  database::Statement take_;
};

}  // namespace gateway
