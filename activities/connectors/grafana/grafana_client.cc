#include "activities/connectors/grafana/grafana_client.h"

#include <utility>

#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"
#include "orchestrator/base/log.h"

namespace grafana {
namespace {

using wire::Json;

const outbound::Vendor& Grafana() {
  static const outbound::Vendor* const kVendor = new outbound::Vendor{
      .name = "grafana", .timeout = absl::Seconds(15), .classify = wire::ClassifyJson};
  return *kVendor;
}

}  // namespace

GrafanaClient::GrafanaClient(outbound::Outbound& outbound, Options options)
    : outbound_(outbound), options_(std::move(options)) {}

void GrafanaClient::Authorize(outbound::HttpRequest& request) const {
  request.headers.emplace_back("Authorization", wire::Cat("Bearer ", options_.token.value()));
  request.headers.emplace_back("Accept", "application/json");
}

std::string GrafanaClient::UidUrl(const std::string& uid) const {
  return wire::JoinUrl(options_.base_url,
                       wire::Cat("/api/dashboards/uid/", wire::PercentEncode(uid)));
}

// Grafana gives "/d/uid/slug", with the path that it is served under in front.
std::string GrafanaClient::Absolute(const std::string& url) const {
  if (!url.starts_with("/")) return url;
  const std::string_view served_under = wire::PathOf(options_.base_url);
  if (!served_under.empty() && url.starts_with(wire::Cat(served_under, "/"))) {
    return wire::Cat(wire::OriginOf(options_.base_url), url);
  }
  return wire::JoinUrl(options_.base_url, url);
}

base::Task<base::Outcome<Dashboard>> GrafanaClient::EnsureDashboard(DashboardSpec spec,
                                                                    outbound::CallContext context) {
  Json dashboard =
      wire::ParseJson(DashboardJson(spec, options_.datasource_uid)).value_or(Json::object());
  const std::string title = wire::StringAt(dashboard, "title");
  Json body = {{"dashboard", std::move(dashboard)},
               {"message", "made by the campaign orchestrator"},
               {"overwrite", true}};
  if (!options_.folder_uid.empty()) body["folderUid"] = options_.folder_uid;
  outbound::HttpRequest request = wire::JsonRequest(
      "POST", wire::JoinUrl(options_.base_url, "/api/dashboards/db"), body, "dashboards.save");
  Authorize(request);
  base::Outcome<outbound::HttpResponse> response =
      co_await outbound_.Call(Grafana(), request, std::move(context));
  if (!response.ok()) co_return response.failure();
  base::Outcome<Json> answer = wire::BodyOf("grafana", request, *response);
  if (!answer.ok()) co_return answer.failure();
  Dashboard saved{.uid = wire::StringAt(*answer, "uid"),
                  .url = Absolute(wire::StringAt(*answer, "url")),
                  .title = title,
                  .version = wire::IntAt(*answer, "version")};
  if (saved.uid.empty()) saved.uid = DashboardUid(spec.workflow_id);
  if (saved.url.empty()) {
    saved.url = wire::JoinUrl(options_.base_url, wire::Cat("/d/", saved.uid));
  }
  co_return saved;
}

base::Task<base::Outcome<std::optional<Dashboard>>> GrafanaClient::GetDashboard(
    std::string uid, outbound::CallContext context) {
  outbound::HttpRequest request;
  request.url = UidUrl(uid);
  request.operation = "dashboards.get";
  Authorize(request);
  base::Outcome<outbound::HttpResponse> response =
      co_await outbound_.Call(Grafana(), request, std::move(context));
  if (!response.ok()) co_return response.failure();
  if (response->status == 404) co_return std::optional<Dashboard>();
  base::Outcome<Json> answer = wire::BodyOf("grafana", request, *response);
  if (!answer.ok()) co_return answer.failure();
  const Json& dashboard = wire::At(*answer, "dashboard");
  if (!dashboard.is_object()) co_return wire::Malformed("grafana", request.operation, false);
  co_return std::optional<Dashboard>(
      Dashboard{.uid = std::move(uid),
                .url = Absolute(wire::StringAt(wire::At(*answer, "meta"), "url")),
                .title = wire::StringAt(dashboard, "title"),
                .version = wire::IntAt(dashboard, "version")});
}

base::Task<base::Outcome<bool>> GrafanaClient::DeleteDashboard(std::string uid,
                                                               outbound::CallContext context) {
  outbound::HttpRequest request;
  request.method = "DELETE";
  request.url = UidUrl(uid);
  request.operation = "dashboards.delete";
  Authorize(request);
  base::Outcome<outbound::HttpResponse> response =
      co_await outbound_.Call(Grafana(), request, std::move(context));
  if (!response.ok()) co_return response.failure();
  if (response->status == 404) co_return false;
  const base::Done done = wire::Expect2xx("grafana", request, *response);
  if (!done.ok()) co_return done.failure();
  co_return true;
}

}  // namespace grafana
