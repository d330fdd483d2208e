// The Grafana dashboard of a campaign: what a marketing team looks at.
//
//   totals       one number a metric with its course, then click and conversion rate
//   funnel       the metrics beside each other; totals of each channel
//   over time    bars a metric, stacked by channel
//
// The numbers are those of a Prometheus counter that whoever counts (the website, the mail and
// social tools' exporters) keeps: campaign_metric_total{campaign, metric, channel}, campaign being
// the workflow id that the tracked links carry. `channel` may be missing.
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
  std::string description;           // shown under the title's "i"
  std::string site_url;              // where the campaign's links lead; "": no link
};

// The same for the same workflow, always: "campaign-" and 31 hex digits of its SHA-256, 40 in all
// (Grafana's limit).
std::string DashboardUid(std::string_view workflow_id);
// The dashboard object of POST /api/dashboards/db, as JSON. Its title ends with a part of the uid:
// Grafana may take two dashboards of one title in a folder for the same.
std::string DashboardJson(const DashboardSpec& spec, const std::string& datasource_uid);
// `campaign_metric_total{campaign="wf-1",metric="views",channel=~"$channel"}`, values escaped.
std::string MetricQuery(std::string_view workflow_id, std::string_view metric);

}  // namespace grafana
