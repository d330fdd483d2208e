// OperationsStore: what operators ordered (the kill switch, forced breakers) and the log of it, in
// its own SQLite file (WAL, synchronous=FULL). It has one thread, so that no caller waits for the
// disk, and puts every order into force on that thread after it is durable: the last order stored
// is the one in force. Switching the kill switch on does not wait for the disk.
//
// Thread-safety: thread-safe. Callbacks run on the store's thread, those that Close refuses
// (UNAVAILABLE) on the caller's; each is called exactly once. Codes: UNAVAILABLE (disk), NOT_FOUND
// (no such breaker).
//
// Example:
//   ASSIGN_OR_RETURN(auto store, OperationsStore::Open(path, clock, kill_switch, breakers));
//   store->SetKillSwitch(true, "ann", "wrong price",
//                        [](absl::StatusOr<outbound::KillSwitchState> state) { ... });
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "activities/outbound/breakers.h"
#include "activities/outbound/kill_switch.h"
#include "campaign/v1/operations.pb.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/client/client.h"

namespace gateway {

class OperationsStore {
 public:
  using Changes = campaign::v1::ListOperatorChangesResponse;

  // What was ordered before is in force when it returns. The arguments outlive the store.
  static absl::StatusOr<std::unique_ptr<OperationsStore>> Open(const std::string& path,
                                                               base::Clock& clock,
                                                               outbound::KillSwitch& kill_switch,
                                                               outbound::Breakers& breakers);
  ~OperationsStore();  // calls Close

  // Nothing is stored when it has the state already.
  void SetKillSwitch(bool on, std::string by, std::string reason,
                     client::Callback<outbound::KillSwitchState> done);
  // kNone: automatic again.
  void Force(std::string service, outbound::BreakerForce force, std::string by, std::string reason,
             client::Callback<outbound::BreakerStatus> done);
  // Newest first; `page_token` is empty or from the page before.
  void ListChanges(int page_size, std::string page_token, client::Callback<Changes> done);
  // Finishes what was asked before, then refuses. Idempotent.
  void Close();

 private:
  struct Impl;
  explicit OperationsStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace gateway
