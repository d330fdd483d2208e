// analytics_setup_activity (requirement O8) and its compensation: one Grafana dashboard, whose uid
// follows from the workflow id.
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "activities/campaign/activity_set.h"
#include "activities/campaign/undo_report.h"

namespace campaign {

Result<v1::AnalyticsOutput> ActivitySet::SetUpAnalytics(sdk::ActivityContext& ctx,
                                                        v1::AnalyticsInput input) const {
  grafana::DashboardSpec spec;
  spec.workflow_id = input.workflow_id();
  spec.campaign_name = input.campaign().campaign_name();
  spec.metrics.assign(input.campaign().metrics().begin(), input.campaign().metrics().end());
  if (spec.metrics.empty()) spec.metrics = {"views", "clicks", "conversions"};
  spec.description = absl::StrCat(absl::StrJoin(input.campaign().campaign_goals(), "; "),
                                  "\n\nFor ", input.campaign().target_audience(), ", on ",
                                  absl::StrJoin(input.published_channels(), ", "));
  spec.site_url = settings_.link_base_url;
  base::Outcome<grafana::Dashboard> dashboard =
      co_await connectors_.grafana.EnsureDashboard(spec, CallFor(ctx));
  if (!dashboard.ok()) co_return MayHaveHappened(dashboard.failure());
  v1::AnalyticsOutput output;
  output.set_dashboard_url(dashboard->url);
  output.set_dashboard_uid(dashboard->uid);
  output.mutable_metrics_tracked()->Assign(spec.metrics.begin(), spec.metrics.end());
  co_return output;
}

Result<v1::UndoOutput> ActivitySet::CleanupAnalytics(
    sdk::ActivityContext& ctx, UndoOf<v1::AnalyticsInput, v1::AnalyticsOutput> undo) const {
  const outbound::CallContext call = CallFor(ctx);
  const std::string uid = grafana::DashboardUid(undo.input.workflow_id());
  const std::string what = absl::StrCat("grafana: dashboard ", uid);
  UndoReport report;
  const base::Outcome<bool> deleted = co_await connectors_.grafana.DeleteDashboard(uid, call);
  report.Add(deleted, what);
  if (undo.outcome == orchestrator::v1::StepOutcome::UNKNOWN && report.ok()) {
    co_await Settle(ctx);
    const base::Outcome<bool> late = co_await connectors_.grafana.DeleteDashboard(uid, call);
    report.AddSecondLook(late, what);
  }
  co_return std::move(report).Finish();
}

}  // namespace campaign
