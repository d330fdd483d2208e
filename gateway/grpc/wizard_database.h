// The SQLite side of WizardStore: plain blocking calls, used by the store's thread only.
#pragma once

#include <sqlite3.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "campaign/v1/service.pb.h"

namespace gateway {

class WizardDatabase {
 public:
  using Wizard = campaign::v1::Wizard;
  struct Created {
    Wizard wizard;
    std::string request_digest;
  };

  WizardDatabase() = default;
  ~WizardDatabase();
  WizardDatabase(const WizardDatabase&) = delete;
  WizardDatabase& operator=(const WizardDatabase&) = delete;

  absl::Status Open(const std::string& path);
  absl::Status Insert(const Wizard& wizard, const std::string& request_id,
                      const std::string& request_digest);
  absl::StatusOr<std::optional<Created>> FindByRequest(const std::string& request_id);
  absl::StatusOr<Wizard> Load(const std::string& wizard_id);  // NOT_FOUND
  absl::Status Save(const Wizard& wizard);
  // Up to `limit` wizards older than (created_us, wizard_id), newest first.
  absl::StatusOr<std::vector<Wizard>> Page(int64_t before_created_us,
                                           const std::string& before_wizard_id, int limit);
  absl::StatusOr<int64_t> Count();

 private:
  class Statement;
  absl::Status Error(absl::string_view doing) const;
  absl::Status Execute(const char* sql);

  sqlite3* db_ = nullptr;
};

}  // namespace gateway
