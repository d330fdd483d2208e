// The SQLite side of OperationsStore: plain blocking calls, used by the store's thread only. The
// log of changes can only grow: the database itself refuses to change or delete an entry.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "activities/outbound/breakers.h"
#include "activities/outbound/kill_switch.h"
#include "campaign/v1/operations.pb.h"
#include "orchestrator/database/connection.h"

namespace gateway {

// What an operator ordered for a breaker, until it is reset.
struct BreakerOrder {
  outbound::BreakerForce force = outbound::BreakerForce::kNone;
  std::string by;
  std::string reason;
};

class OperationsDatabase {
 public:
  using Change = campaign::v1::OperatorChange;

  absl::Status Open(const std::string& path);
  absl::StatusOr<outbound::KillSwitchState> LoadKillSwitch();
  absl::StatusOr<std::map<std::string, BreakerOrder>> LoadBreakers();  // by service
  // Each is one transaction: the new state and its entry in the log (`change`; its id is given).
  absl::Status SaveKillSwitch(const outbound::KillSwitchState& state, const Change& change);
  absl::Status SaveBreaker(const std::string& service, const BreakerOrder& order,
                           const Change& change);
  // Up to `limit` entries older than `before_id`, newest first.
  absl::StatusOr<std::vector<Change>> Changes(int64_t before_id, int limit);

 private:
  absl::Status Append(const Change& change);

  std::unique_ptr<database::Connection> db_;
};

}  // namespace gateway
