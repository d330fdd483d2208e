// DeliveryStore: webhooks that were accepted, in a SQLite file: each once, until it is done. What
// is done leaves its id behind for a while, so that a repetition is known.
//
// Thread-safety: thread-compatible; every call waits for the disk.
//
// Example:
//   ASSIGN_OR_RETURN(auto store, DeliveryStore::Open(data_dir + "/webhooks.db"));
//   ASSIGN_OR_RETURN(const bool is_new, store->Add({.source = "github", .id = guid, .body =
//   body}));
//   ... work ...
//   RETURN_IF_ERROR(store->Close(delivery.source, delivery.id, "done", now));
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "orchestrator/database/connection.h"
#include "orchestrator/database/statement.h"

namespace webhooks {

struct Delivery {
  std::string source;  // "slack", "github", "decision"
  std::string id;      // the vendor's; unique in its source
  std::string digest;  // of what was signed: one that comes back under a new id is a repetition
  std::string body;
  absl::Time received_at = absl::UnixEpoch();
};

class DeliveryStore {
 public:
  // Codes of all calls: those of database::Connection::Error.
  static absl::StatusOr<std::unique_ptr<DeliveryStore>> Open(const std::string& path);

  // Durable when it returns. False when its id or its digest is known.
  absl::StatusOr<bool> Add(const Delivery& delivery);
  // Those that are not closed, oldest first.
  absl::StatusOr<std::vector<Delivery>> Open();
  // Forgets the body, keeps the id. `note`: how it ended, for people.
  absl::Status Close(const std::string& source, const std::string& id, const std::string& note,
                     absl::Time now);
  // Forgets those that were closed, and the facts that were written, before `before`.
  absl::Status Expire(absl::Time before);

  // Small values that must outlive a restart; "" when there is none.
  absl::StatusOr<std::string> Fact(const std::string& name);
  absl::Status SetFact(const std::string& name, const std::string& value, absl::Time now);

 private:
  DeliveryStore() = default;

  std::unique_ptr<database::Connection> db_;
  database::Statement add_;
  database::Statement open_;
  database::Statement close_;
  database::Statement expire_;
  database::Statement fact_;
  database::Statement set_fact_;
  database::Statement expire_facts_;
};

}  // namespace webhooks
