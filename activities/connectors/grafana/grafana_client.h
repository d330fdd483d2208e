// Grafana: one dashboard a campaign. Its uid follows from the workflow id and every save
// overwrites, so saving is safe to repeat and undo finds the dashboard without having seen the
// answer to its creation.
//
// Thread-safety: loop thread only.
//
// Example:
//   grafana::GrafanaClient grafana(outbound, {.base_url = "http://grafana:3000", .token = token});
//   base::Outcome<grafana::Dashboard> dashboard =
//       co_await grafana.EnsureDashboard({.workflow_id = id, .metrics = {"views"}}, context);
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "activities/connectors/grafana/dashboard.h"
#include "activities/outbound/call.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/secret.h"
#include "orchestrator/base/task.h"

namespace grafana {

struct Dashboard {
  std::string uid;
  std::string url;  // absolute
  std::string title;
  int64_t version = 0;
};

class GrafanaClient {
 public:
  struct Options {
    std::string base_url = "http://127.0.0.1:3000";
    base::Secret token;                         // service account token, glsa_...
    std::string datasource_uid = "prometheus";  // of the Prometheus data source
    std::string folder_uid;                     // the root folder when empty
  };
  GrafanaClient(outbound::Outbound& outbound, Options options);

  // Creates the campaign's dashboard or overwrites it.
  base::Task<base::Outcome<Dashboard>> EnsureDashboard(DashboardSpec spec,
                                                       outbound::CallContext context);
  // Nothing when there is none.
  base::Task<base::Outcome<std::optional<Dashboard>>> GetDashboard(std::string uid,
                                                                   outbound::CallContext context);
  // True when it was deleted, false when it was already gone.
  base::Task<base::Outcome<bool>> DeleteDashboard(std::string uid, outbound::CallContext context);

 private:
  void Authorize(outbound::HttpRequest& request) const;
  std::string UidUrl(const std::string& uid) const;
  std::string Absolute(const std::string& url) const;

  outbound::Outbound& outbound_;
  const Options options_;
};

}  // namespace grafana
