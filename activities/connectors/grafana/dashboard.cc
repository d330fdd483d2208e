#include "activities/connectors/grafana/dashboard.h"

#include <openssl/sha.h>

#include <algorithm>

#include "absl/strings/escaping.h"
#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"

namespace grafana {
namespace {

using wire::Cat;
using wire::Json;

constexpr size_t kUidHexDigits = 31;
constexpr size_t kTitleBytesMax = 200;
constexpr int kGridWidth = 24;
constexpr int kStatHeight = 4;
constexpr int kGraphHeight = 8;
constexpr int kSchemaVersion = 39;

Json Target(const DashboardSpec& spec, const std::string& metric, const Json& datasource) {
  return {{"refId", "A"},
          {"datasource", datasource},
          {"expr", Cat("sum(", MetricQuery(spec.workflow_id, metric), ")")},
          {"legendFormat", metric}};
}

Json Panel(int id, std::string_view type, const std::string& title, Json grid, Json target,
           const Json& datasource) {
  return {{"id", id},
          {"type", type},
          {"title", title},
          {"gridPos", std::move(grid)},
          {"datasource", datasource},
          {"targets", Json::array({std::move(target)})},
          {"fieldConfig", {{"defaults", {{"unit", "short"}}}, {"overrides", Json::array()}}},
          {"options", Json::object()}};
}

Json Grid(int x, int y, int width, int height) {
  return {{"x", x}, {"y", y}, {"w", width}, {"h", height}};
}

Json Panels(const DashboardSpec& spec, const Json& datasource) {
  Json panels = Json::array();
  const int count = static_cast<int>(std::min(spec.metrics.size(), kMetricsMax));
  if (count == 0) return panels;
  const int per_row = std::min(count, 6);
  const int stat_width = kGridWidth / per_row;
  const int stat_rows = (count + per_row - 1) / per_row;
  for (int i = 0; i < count; ++i) {
    const std::string& metric = spec.metrics[i];
    panels.push_back(
        Panel(i + 1, "stat", Cat(metric, " in all"),
              Grid(i % per_row * stat_width, i / per_row * kStatHeight, stat_width, kStatHeight),
              Target(spec, metric, datasource), datasource));
  }
  for (int i = 0; i < count; ++i) {
    const std::string& metric = spec.metrics[i];
    panels.push_back(
        Panel(count + i + 1, "timeseries", metric,
              Grid(0, stat_rows * kStatHeight + i * kGraphHeight, kGridWidth, kGraphHeight),
              Target(spec, metric, datasource), datasource));
  }
  return panels;
}

// A Prometheus label value between its quotes.
std::string LabelValue(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\' || c == '"') escaped += '\\';
    if (c == '\n') {
      escaped += "\\n";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace

std::string DashboardUid(std::string_view workflow_id) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(workflow_id.data()), workflow_id.size(), digest);
  const std::string hex = absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest), sizeof(digest)));
  return Cat("campaign-", hex.substr(0, kUidHexDigits));
}

std::string MetricQuery(std::string_view workflow_id, std::string_view metric) {
  return Cat("campaign_metric_total{campaign=\"", LabelValue(workflow_id), "\",metric=\"",
             LabelValue(metric), "\"}");
}

std::string DashboardJson(const DashboardSpec& spec, const std::string& datasource_uid) {
  const Json datasource = {{"type", "prometheus"}, {"uid", datasource_uid}};
  const std::string uid = DashboardUid(spec.workflow_id);
  const Json dashboard = {
      {"id", nullptr},
      {"uid", uid},
      {"title", Cat("Campaign ", wire::Truncate(spec.campaign_name, kTitleBytesMax), " (",
                    uid.substr(uid.size() - 8), ")")},
      {"tags", Json::array({"campaign", spec.workflow_id})},
      {"timezone", "utc"},
      {"schemaVersion", kSchemaVersion},
      {"refresh", "1m"},
      {"time", {{"from", "now-7d"}, {"to", "now"}}},
      {"panels", Panels(spec, datasource)},
      {"templating", {{"list", Json::array()}}},
      {"annotations", {{"list", Json::array()}}}};
  return wire::DumpJson(dashboard);
}

}  // namespace grafana
