// The Grafana dashboard of a campaign: a row of totals and a graph for each metric.
//
// Thread-safety: free functions on values.
//
// Example:
//   std::string uid = grafana::DashboardUid(workflow_id);
//   std::string json = grafana::DashboardJson(spec, "prometheus");
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace grafana {

inline constexpr size_t kMetricsMax = 50;

struct DashboardSpec {
  std::string workflow_id;
  std::string campaign_name;
  std::vector<std::string> metrics;  // "views", "clicks", "conversions"
};

// The same for the same workflow, always: "campaign-" and 31 hex digits of its SHA-256, 40 in all
// (Grafana's limit).
std::string DashboardUid(std::string_view workflow_id);
// The dashboard object of POST /api/dashboards/db, as JSON. Its title ends with a part of the uid:
// Grafana may take two dashboards of one title in a folder for the same.
std::string DashboardJson(const DashboardSpec& spec, const std::string& datasource_uid);
// `campaign_metric_total{campaign="wf-1",metric="views"}`, with the values escaped.
std::string MetricQuery(std::string_view workflow_id, std::string_view metric);

}  // namespace grafana
