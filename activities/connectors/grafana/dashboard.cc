#include "activities/connectors/grafana/dashboard.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"
#include "orchestrator/base/sha256.h"

namespace grafana {
namespace {

using wire::Cat;
using wire::Json;

constexpr size_t kUidHexDigits = 31;
constexpr size_t kTitleBytesMax = 200;
constexpr size_t kDescriptionBytesMax = 2000;
constexpr int kGridWidth = 24;
constexpr int kStatHeight = 4;
constexpr int kStatsPerRow = 6;
constexpr int kGraphHeight = 8;
constexpr int kSchemaVersion = 39;

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

// `end` is what follows the campaign's label.
std::string CampaignSelector(std::string_view workflow_id, std::string_view end) {
  return Cat("campaign_metric_total{campaign=\"", LabelValue(workflow_id), "\"", end);
}

// "page_views" -> "Page views".
std::string Title(std::string_view metric) {
  std::string title(metric);
  std::replace(title.begin(), title.end(), '_', ' ');
  if (!title.empty() && title[0] >= 'a' && title[0] <= 'z') title[0] += 'A' - 'a';
  return title;
}

// Puts panels into Grafana's grid of 24 columns, left to right, top to bottom.
class Panels {
 public:
  Panels(const DashboardSpec& spec, const Json& datasource)
      : spec_(spec), datasource_(datasource) {}

  void AddTotals();
  void AddFunnel();
  void AddCourses();
  Json Take() { return std::move(panels_); }

 private:
  size_t count() const { return std::min(spec_.metrics.size(), kMetricsMax); }
  bool Has(std::string_view metric) const {
    const auto end = spec_.metrics.begin() + static_cast<ptrdiff_t>(count());
    return std::find(spec_.metrics.begin(), end, metric) != end;
  }
  std::string Total(std::string_view metric) const {
    return Cat("sum(", MetricQuery(spec_.workflow_id, metric), ")");
  }
  // "A" to "Z", then "A1" ...
  static std::string RefId(size_t number) {
    const std::string letter(1, static_cast<char>('A' + number % 26));
    return number < 26 ? letter : Cat(letter, std::to_string(number / 26));
  }
  Json Target(size_t number, const std::string& expression, const std::string& legend,
              bool instant) const {
    return {{"refId", RefId(number)}, {"datasource", datasource_}, {"expr", expression},
            {"legendFormat", legend}, {"editorMode", "code"},      {"range", !instant},
            {"instant", instant}};
  }
  void Add(std::string_view type, const std::string& title, const std::string& description,
           int width, int height, Json targets, Json defaults, Json options);
  void NewRow() {
    y_ += row_height_;
    x_ = row_height_ = 0;
  }

  const DashboardSpec& spec_;
  const Json& datasource_;
  Json panels_ = Json::array();
  int x_ = 0;
  int y_ = 0;
  int row_height_ = 0;
};

void Panels::Add(std::string_view type, const std::string& title, const std::string& description,
                 int width, int height, Json targets, Json defaults, Json options) {
  if (x_ + width > kGridWidth) NewRow();
  panels_.push_back(
      {{"id", panels_.size() + 1},
       {"type", type},
       {"title", title},
       {"description", description},
       {"gridPos", {{"x", x_}, {"y", y_}, {"w", width}, {"h", height}}},
       {"datasource", datasource_},
       {"targets", std::move(targets)},
       {"fieldConfig", {{"defaults", std::move(defaults)}, {"overrides", Json::array()}}},
       {"options", std::move(options)}});
  x_ += width;
  row_height_ = std::max(row_height_, height);
}

// The newest value of each series.
Json Newest() {
  return {{"calcs", Json::array({"lastNotNull"})}, {"fields", ""}, {"values", false}};
}

void Panels::AddTotals() {
  struct Stat {
    std::string title;
    std::string description;
    std::string expression;
    bool ratio;
  };
  std::vector<Stat> stats;
  for (size_t i = 0; i < count(); ++i) {
    const std::string& metric = spec_.metrics[i];
    stats.push_back(
        {Title(metric), Cat("All ", metric, " of the campaign so far."), Total(metric), false});
  }
  if (Has("views") && Has("clicks")) {
    stats.push_back(
        {"Click rate", "Clicks of all views.", Cat(Total("clicks"), " / ", Total("views")), true});
  }
  if (Has("clicks") && Has("conversions")) {
    stats.push_back({"Conversion rate", "Conversions of all clicks.",
                     Cat(Total("conversions"), " / ", Total("clicks")), true});
  }
  const int per_row = std::min(static_cast<int>(stats.size()), kStatsPerRow);
  for (const Stat& stat : stats) {
    Add("stat", stat.title, stat.description, kGridWidth / per_row, kStatHeight,
        Json::array({Target(0, stat.expression, stat.title, /*instant=*/false)}),
        {{"unit", stat.ratio ? "percentunit" : "short"},
         {"decimals", stat.ratio ? 1 : 0},
         {"min", 0},
         {"noValue", "no data yet"},
         {"color", {{"mode", "fixed"}, {"fixedColor", stat.ratio ? "green" : "blue"}}}},
        {{"reduceOptions", Newest()},
         {"graphMode", "area"},
         {"colorMode", "value"},
         {"textMode", "value"},
         {"justifyMode", "auto"},
         {"orientation", "auto"}});
  }
  NewRow();
}

void Panels::AddFunnel() {
  Json all = Json::array();
  Json by_channel = Json::array();
  for (size_t i = 0; i < count(); ++i) {
    const std::string& metric = spec_.metrics[i];
    all.push_back(Target(i, Total(metric), Title(metric), /*instant=*/true));
    by_channel.push_back(
        Target(i, Cat("sum by (channel) (", MetricQuery(spec_.workflow_id, metric), ")"),
               Cat("{{channel}}: ", metric), /*instant=*/true));
  }
  const Json number = {{"unit", "short"},
                       {"decimals", 0},
                       {"min", 0},
                       {"noValue", "no data yet"},
                       {"color", {{"mode", "palette-classic"}}}};
  const Json bars = {{"reduceOptions", Newest()}, {"orientation", "horizontal"},
                     {"displayMode", "basic"},    {"showUnfilled", true},
                     {"valueMode", "color"},      {"namePlacement", "auto"},
                     {"sizing", "auto"},          {"minVizHeight", 16}};
  Add("bargauge", "Funnel", "From the first metric to the last.", kGridWidth / 2, kGraphHeight,
      std::move(all), number, bars);
  Add("bargauge", "By channel", "The same for each channel by itself.", kGridWidth / 2,
      kGraphHeight, std::move(by_channel), number, bars);
  NewRow();
}

void Panels::AddCourses() {
  for (size_t i = 0; i < count(); ++i) {
    const std::string& metric = spec_.metrics[i];
    Add("timeseries", Cat(Title(metric), " over time"),
        Cat("New ", metric, " in each interval, by channel."), kGridWidth, kGraphHeight,
        Json::array({Target(0,
                            Cat("sum by (channel) (increase(",
                                MetricQuery(spec_.workflow_id, metric), "[$__rate_interval]))"),
                            "{{channel}}", /*instant=*/false)}),
        {{"unit", "short"},
         {"decimals", 0},
         {"min", 0},
         {"color", {{"mode", "palette-classic"}}},
         {"custom",
          {{"drawStyle", "bars"},
           {"fillOpacity", 80},
           {"lineWidth", 1},
           {"showPoints", "never"},
           {"stacking", {{"mode", "normal"}, {"group", "A"}}}}}},
        {{"legend",
          {{"showLegend", true},
           {"displayMode", "table"},
           {"placement", "right"},
           {"calcs", Json::array({"sum"})}}},
         {"tooltip", {{"mode", "multi"}, {"sort", "desc"}}}});
  }
}

// Chooses channels; a counter without the label is in "All".
Json ChannelVariable(const DashboardSpec& spec, const Json& datasource) {
  const std::string query =
      Cat("label_values(", CampaignSelector(spec.workflow_id, "}"), ", channel)");
  return {{"name", "channel"},
          {"label", "Channel"},
          {"type", "query"},
          {"datasource", datasource},
          {"definition", query},
          {"query", {{"query", query}, {"refId", "channels"}}},
          {"refresh", 2},
          {"sort", 1},
          {"multi", true},
          {"includeAll", true},
          {"allValue", ".*"},
          {"current", {{"text", Json::array({"All"})}, {"value", Json::array({"$__all"})}}},
          {"hide", 0},
          {"regex", ""},
          {"options", Json::array()}};
}

Json Links(const DashboardSpec& spec) {
  Json links = Json::array();
  links.push_back({{"type", "dashboards"},
                   {"title", "Other campaigns"},
                   {"tags", Json::array({"campaign"})},
                   {"asDropdown", true},
                   {"icon", "external link"},
                   {"includeVars", false},
                   {"keepTime", true},
                   {"targetBlank", false}});
  if (!spec.site_url.empty()) {
    links.push_back({{"type", "link"},
                     {"title", "Website"},
                     {"url", spec.site_url},
                     {"icon", "external link"},
                     {"targetBlank", true}});
  }
  return links;
}

// Notes that people or tools put on the time axis ("newsletter sent").
Json Annotations() {
  return {{"list", Json::array({{{"name", "Annotations & Alerts"},
                                 {"type", "dashboard"},
                                 {"builtIn", 1},
                                 {"datasource", {{"type", "grafana"}, {"uid", "-- Grafana --"}}},
                                 {"enable", true},
                                 {"hide", true},
                                 {"iconColor", "rgba(0, 211, 255, 1)"}}})}};
}

}  // namespace

std::string DashboardUid(std::string_view workflow_id) {
  const std::string hex =
      absl::BytesToHexString(base::Sha256({workflow_id.data(), workflow_id.size()}));
  return Cat("campaign-", hex.substr(0, kUidHexDigits));
}

std::string MetricQuery(std::string_view workflow_id, std::string_view metric) {
  return CampaignSelector(workflow_id,
                          Cat(",metric=\"", LabelValue(metric), "\",channel=~\"$channel\"}"));
}

std::string DashboardJson(const DashboardSpec& spec, const std::string& datasource_uid) {
  const Json datasource = {{"type", "prometheus"}, {"uid", datasource_uid}};
  const std::string uid = DashboardUid(spec.workflow_id);
  Panels panels(spec, datasource);
  if (!spec.metrics.empty()) {
    panels.AddTotals();
    panels.AddFunnel();
    panels.AddCourses();
  }
  const Json dashboard = {
      {"id", nullptr},
      {"uid", uid},
      {"title", Cat("Campaign ", wire::Truncate(spec.campaign_name, kTitleBytesMax), " (",
                    uid.substr(uid.size() - 8), ")")},
      {"description", wire::Truncate(spec.description, kDescriptionBytesMax)},
      {"tags", Json::array({"campaign", spec.workflow_id})},
      {"timezone", "utc"},
      {"schemaVersion", kSchemaVersion},
      {"editable", true},
      {"graphTooltip", 1},  // one crosshair for all graphs
      {"refresh", "1m"},
      {"time", {{"from", "now-7d"}, {"to", "now"}}},
      {"panels", panels.Take()},
      {"links", Links(spec)},
      {"templating", {{"list", Json::array({ChannelVariable(spec, datasource)})}}},
      {"annotations", Annotations()}};
  return wire::DumpJson(dashboard);
}

}  // namespace grafana
