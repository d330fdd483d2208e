// One dashboard a campaign, whatever happens to the answers.
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

TEST(Dashboard, HasAPanelAndATotalForEachMetric) {
  const Json dashboard = Json::parse(grafana::DashboardJson(kSpec, "prom"));
  EXPECT_EQ(dashboard["panels"].size(), 6u);
  EXPECT_EQ(dashboard["panels"][0]["type"], "stat");
  EXPECT_EQ(dashboard["panels"][3]["type"], "timeseries");
  EXPECT_EQ(dashboard["panels"][3]["targets"][0]["expr"],
            R"(sum(campaign_metric_total{campaign="wf-1",metric="views"}))");
  EXPECT_EQ(dashboard["tags"], Json({"campaign", "wf-1"}));
  for (const Json& panel : dashboard["panels"]) {
    EXPECT_LE(panel["gridPos"]["x"].get<int>() + panel["gridPos"]["w"].get<int>(), 24);
  }
}

TEST(Dashboard, UidIsStableAndShort) {
  EXPECT_EQ(grafana::DashboardUid("wf-1"), grafana::DashboardUid("wf-1"));
  EXPECT_NE(grafana::DashboardUid("wf-1"), grafana::DashboardUid("wf-2"));
  EXPECT_LE(grafana::DashboardUid(std::string(1000, 'x')).size(), 40u);
}

TEST(Dashboard, EscapesLabelValues) {
  EXPECT_EQ(grafana::MetricQuery("a\"b\\c\nd", "views"),
            R"(campaign_metric_total{campaign="a\"b\\c\nd",metric="views"})");
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
