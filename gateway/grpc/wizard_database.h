// The SQLite side of WizardStore: plain blocking calls, used by the store's thread only. What
// lists filter and order by stands in columns beside the wizard.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "campaign/v1/service.pb.h"
#include "gateway/grpc/wizard_query.h"
#include "orchestrator/database/connection.h"

namespace gateway {

class WizardDatabase {
 public:
  using Wizard = campaign::v1::Wizard;
  struct Created {
    Wizard wizard;
    std::string request_digest;
  };

  // Also reads files of earlier releases, which knew no namespaces.
  absl::Status Open(const std::string& path);
  absl::Status Insert(const Wizard& wizard, const std::string& request_id,
                      const std::string& request_digest);
  absl::StatusOr<std::optional<Created>> FindByRequest(const std::string& ns,
                                                       const std::string& request_id);
  absl::StatusOr<Wizard> Load(const std::string& ns, const std::string& wizard_id);  // NOT_FOUND
  absl::Status Save(const Wizard& wizard);
  absl::Status Delete(const std::string& ns, const std::string& wizard_id);
  absl::StatusOr<std::vector<Wizard>> Page(const WizardQuery& query, int limit);
  absl::StatusOr<int64_t> Count();

 private:
  absl::Status MoveOldTable();

  std::unique_ptr<database::Connection> db_;
};

}  // namespace gateway
