// One dashboard a campaign, whatever happens to the answers.
#include <set>
#include <string>
#include <vector>

#include "activities/connectors/grafana/grafana_client.h"
#include "gmock/gmock.h"
#include "tests/contract/connectors/fixture.h"
#include "tests/contract/connectors/scripted_vendor.h"

namespace connector_test {
namespace {

const grafana::DashboardSpec kSpec{.workflow_id = "wf-1",
                                   .campaign_name = "Spring \"sale\" \\ <b>",
                                   .metrics = {"views", "clicks", "conversions"}};

class GrafanaTest : public SandboxTest {
 protected:
  grafana::GrafanaClient client_{outbound(), {.base_url = url("/grafana"), .token = "glsa_test"}};
};

TEST_F(GrafanaTest, MakesFindsAndDeletesADashboard) {
  const auto made = Run(client_.EnsureDashboard(kSpec, Context("wf-1")));
  ASSERT_TRUE(made.ok()) << made.failure().ToString();
  EXPECT_EQ(made->uid, grafana::DashboardUid("wf-1"));
  EXPECT_TRUE(made->url.starts_with(url("/grafana/d/"))) << made->url;
  const auto again = Run(client_.EnsureDashboard(kSpec, Context("wf-1")));
  ASSERT_TRUE(again.ok()) << again.failure().ToString();
  EXPECT_EQ(AliveCount("grafana", "dashboard"), 1);
  const auto got = Run(client_.GetDashboard(made->uid, Context("wf-1")));
  ASSERT_TRUE(got.ok() && got->has_value());
  EXPECT_EQ((*got)->title, made->title);
  EXPECT_TRUE(*Run(client_.DeleteDashboard(made->uid, Context("wf-1"))));
  EXPECT_FALSE(*Run(client_.DeleteDashboard(made->uid, Context("wf-1"))));
  EXPECT_FALSE(Run(client_.GetDashboard(made->uid, Context("wf-1")))->has_value());
  EXPECT_EQ(AliveCount("grafana", "dashboard"), 0);
}

TEST_F(GrafanaTest, TwoCampaignsOfOneNameHaveTwoDashboards) {
  grafana::DashboardSpec other = kSpec;
  other.workflow_id = "wf-2";
  ASSERT_TRUE(Run(client_.EnsureDashboard(kSpec, Context("wf-1"))).ok());
  ASSERT_TRUE(Run(client_.EnsureDashboard(other, Context("wf-2"))).ok());
  EXPECT_EQ(AliveCount("grafana", "dashboard"), 2);
}

class GrafanaFaultTest : public GrafanaTest, public testing::WithParamInterface<std::string> {};

TEST_P(GrafanaFaultTest, LeavesOneAndThenNone) {
  const std::string fault = R"({"vendor":"grafana","count":2,"kind":")" + GetParam() + "\"}";
  AddFault(fault);
  const auto made = Run(client_.EnsureDashboard(kSpec, Context("wf-1")));
  ASSERT_TRUE(made.ok()) << made.failure().ToString();
  EXPECT_EQ(AliveCount("grafana", "dashboard"), 1);
  AddFault(fault);
  const auto gone = Run(client_.DeleteDashboard(made->uid, Context("wf-1")));
  ASSERT_TRUE(gone.ok()) << gone.failure().ToString();
  EXPECT_EQ(AliveCount("grafana", "dashboard"), 0);
}

INSTANTIATE_TEST_SUITE_P(Kinds, GrafanaFaultTest,
                         testing::Values("error", "reset", "lost_response", "malformed"),
                         [](const auto& info) { return info.param; });

Json DashboardOf(const grafana::DashboardSpec& spec) {
  return Json::parse(grafana::DashboardJson(spec, "prom"));
}
// The panel with this title.
Json PanelOf(const Json& dashboard, const std::string& title) {
  for (const Json& panel : dashboard["panels"]) {
    if (panel["title"] == title) return panel;
  }
  ADD_FAILURE() << "no panel " << title;
  return Json::object();
}

TEST(Dashboard, HasTotalsRatesAFunnelAndTheCourseOfEachMetric) {
  const Json dashboard = DashboardOf(kSpec);
  std::vector<std::string> titles;
  for (const Json& panel : dashboard["panels"]) titles.push_back(panel["title"]);
  EXPECT_THAT(titles,
              testing::ElementsAre("Views", "Clicks", "Conversions", "Click rate",
                                   "Conversion rate", "Funnel", "By channel", "Views over time",
                                   "Clicks over time", "Conversions over time"));
  const std::string views =
      R"(campaign_metric_total{campaign="wf-1",metric="views",channel=~"$channel"})";
  const std::string clicks =
      R"(campaign_metric_total{campaign="wf-1",metric="clicks",channel=~"$channel"})";
  const Json total = PanelOf(dashboard, "Views");
  EXPECT_EQ(total["type"], "stat");
  EXPECT_EQ(total["targets"][0]["expr"], "sum(" + views + ")");
  EXPECT_EQ(total["fieldConfig"]["defaults"]["unit"], "short");
  const Json rate = PanelOf(dashboard, "Click rate");
  EXPECT_EQ(rate["targets"][0]["expr"], "sum(" + clicks + ") / sum(" + views + ")");
  EXPECT_EQ(rate["fieldConfig"]["defaults"]["unit"], "percentunit");
  EXPECT_EQ(PanelOf(dashboard, "Funnel")["targets"].size(), 3u);
  EXPECT_EQ(PanelOf(dashboard, "By channel")["targets"][1]["expr"],
            "sum by (channel) (" + clicks + ")");
  const Json course = PanelOf(dashboard, "Views over time");
  EXPECT_EQ(course["type"], "timeseries");
  EXPECT_EQ(course["targets"][0]["expr"],
            "sum by (channel) (increase(" + views + "[$__rate_interval]))");
  EXPECT_EQ(course["targets"][0]["legendFormat"], "{{channel}}");
}

// What Grafana needs of any dashboard, with any number of metrics.
TEST(Dashboard, IsWellFormedForAnyNumberOfMetrics) {
  for (size_t count : {0, 1, 2, 3, 7, 30, 80}) {
    SCOPED_TRACE(count);
    grafana::DashboardSpec spec = kSpec;
    spec.metrics.clear();
    for (size_t i = 0; i < count; ++i) spec.metrics.push_back("metric_" + std::to_string(i));
    const Json dashboard = DashboardOf(spec);
    EXPECT_TRUE(dashboard["id"].is_null());
    EXPECT_GE(dashboard["schemaVersion"], 39);
    EXPECT_EQ(dashboard["time"]["to"], "now");
    std::set<int> ids;
    std::vector<std::vector<bool>> taken(2000, std::vector<bool>(24, false));
    for (const Json& panel : dashboard["panels"]) {
      EXPECT_TRUE(ids.insert(panel["id"].get<int>()).second);
      EXPECT_FALSE(panel["title"].get<std::string>().empty());
      EXPECT_FALSE(panel["fieldConfig"]["defaults"]["unit"].get<std::string>().empty());
      EXPECT_TRUE(panel["options"].is_object());
      const Json& at = panel["gridPos"];
      for (int y = at["y"]; y < at["y"].get<int>() + at["h"].get<int>(); ++y) {
        for (int x = at["x"]; x < at["x"].get<int>() + at["w"].get<int>(); ++x) {
          ASSERT_LT(x, 24);
          EXPECT_FALSE(taken[y][x]) << panel["title"] << " lies over another at " << x << "," << y;
          taken[y][x] = true;
        }
      }
      std::set<std::string> refs;
      EXPECT_FALSE(panel["targets"].empty());
      for (const Json& target : panel["targets"]) {
        EXPECT_TRUE(refs.insert(target["refId"]).second);
        EXPECT_EQ(target["datasource"], Json({{"type", "prometheus"}, {"uid", "prom"}}));
        EXPECT_THAT(target["expr"].get<std::string>(), testing::HasSubstr(R"(campaign="wf-1")"));
      }
    }
    EXPECT_EQ(ids.empty(), count == 0);
  }
}

TEST(Dashboard, HasLinksAVariableAndSaysWhatItIsOf) {
  grafana::DashboardSpec spec = kSpec;
  spec.description = "sign up; email, blog";
  spec.site_url = "https://acme.example";
  const Json dashboard = DashboardOf(spec);
  EXPECT_EQ(dashboard["tags"], Json({"campaign", "wf-1"}));
  EXPECT_EQ(dashboard["description"], "sign up; email, blog");
  EXPECT_EQ(dashboard["links"][0]["tags"], Json({"campaign"}));
  EXPECT_EQ(dashboard["links"][1]["url"], "https://acme.example");
  EXPECT_EQ(DashboardOf(kSpec)["links"].size(), 1u);
  const Json& channel = dashboard["templating"]["list"][0];
  EXPECT_EQ(channel["name"], "channel");
  EXPECT_EQ(channel["query"]["query"],
            R"(label_values(campaign_metric_total{campaign="wf-1"}, channel))");
  EXPECT_EQ(channel["allValue"], ".*");  // a counter without the label too
  EXPECT_EQ(dashboard["annotations"]["list"][0]["builtIn"], 1);
}

TEST(Dashboard, UidIsStableAndShort) {
  EXPECT_EQ(grafana::DashboardUid("wf-1"), grafana::DashboardUid("wf-1"));
  EXPECT_NE(grafana::DashboardUid("wf-1"), grafana::DashboardUid("wf-2"));
  EXPECT_LE(grafana::DashboardUid(std::string(1000, 'x')).size(), 40u);
}

TEST(Dashboard, EscapesLabelValues) {
  EXPECT_EQ(grafana::MetricQuery("a\"b\\c\nd", "views"),
            R"(campaign_metric_total{campaign="a\"b\\c\nd",metric="views",channel=~"$channel"})");
}

using GrafanaScriptedTest = ScriptedTest;

TEST_F(GrafanaScriptedTest, GivesAbsoluteUrlsUnderASubpath) {
  ScriptList({Answer(200, R"({"uid":"u","url":"/monitor/d/u/x","version":1})")});
  grafana::GrafanaClient client(scripted(),
                                {.base_url = "https://host/monitor/", .token = "glsa_test"});
  EXPECT_EQ(Run(client.EnsureDashboard(kSpec, Context("wf-1")))->url, "https://host/monitor/d/u/x");
  EXPECT_EQ(requests()[0].url, "https://host/monitor/api/dashboards/db");
}

TEST_F(GrafanaScriptedTest, APluginDashboardIsAPermanentFailure) {
  ScriptList({Answer(412, R"({"message":"it belongs to a plugin","status":"plugin-dashboard"})")});
  grafana::GrafanaClient client(scripted(), {.base_url = "https://host", .token = "glsa_test"});
  const auto made = Run(client.EnsureDashboard(kSpec, Context("wf-1")));
  ASSERT_FALSE(made.ok());
  EXPECT_FALSE(made.failure().retryable);
  EXPECT_THAT(made.failure().message, testing::HasSubstr("belongs to a plugin"));
}

}  // namespace
}  // namespace connector_test
