#include "activities/connectors/webdriver/webdriver_client.h"

#include <utility>

#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"

namespace webdriver {
namespace {

using base::Outcome;
using base::Task;
using base::Unit;
using outbound::CallContext;
using wire::Json;

// Every answer is {"value": ...}; errors are {"value": {"error", "message", ...}} with 4xx or 5xx
// and mean something to the caller, whatever the status is.
outbound::Classification Classify(const outbound::HttpRequest& request,
                                  const outbound::HttpResponse& response) {
  const std::optional<Json> body = wire::ParseJson(response.body);
  if (body.has_value() && body->is_object() && body->contains("value")) return {};
  // Not the remote end, but what stands before it.
  outbound::Classification by_status = outbound::ClassifyByStatus(request, response);
  if (by_status.verdict != outbound::Verdict::kOk) return by_status;
  return {.verdict = outbound::Verdict::kRetryUnknown,
          .failure_type = "MalformedResponse",
          .failure_message = wire::Cat("answered ", response.status, " without a value")};
}

constexpr char kNewSession[] = "session.new";
constexpr char kNavigate[] = "navigate";

const outbound::Vendor kWebDriver{.name = "webdriver",
                                  .timeout = absl::Seconds(30),
                                  .tries_max = 2,
                                  .backoff_initial = absl::Milliseconds(50),
                                  .per_host = true,
                                  .classify = &Classify};

Task<Outcome<Json>> Command(outbound::Outbound& outbound, std::string method, std::string url,
                            Json body, std::string operation, absl::Duration timeout,
                            CallContext context) {
  outbound::HttpRequest request;
  request.method = std::move(method);
  request.url = std::move(url);
  request.operation = std::move(operation);
  // Only these let the browser out; the others tidy up or look at what it has.
  request.control = request.operation != kNewSession && request.operation != kNavigate;
  request.timeout = timeout;
  if (request.method == "POST") {
    request.headers = {{"Content-Type", "application/json; charset=utf-8"}};
    request.body = wire::DumpJson(body);
    request.repeat = outbound::Repeat::kUnsafe;
  }
  Outcome<outbound::HttpResponse> response =
      co_await outbound.Call(kWebDriver, std::move(request), std::move(context));
  if (!response.ok()) co_return response.failure();
  Json value = wire::At(wire::ParseJson(response->body).value_or(Json()), "value");
  const std::string error = wire::StringAt(value, "error");
  if (response->status >= 400) {
    const std::string message = wire::StringAt(value, "message");
    co_return base::Failure::Retryable("WebDriver: " + (error.empty() ? "unknown error" : error),
                                       wire::Truncate(message.substr(0, message.find('\n')), 300));
  }
  co_return value;
}

}  // namespace

WebDriverClient::WebDriverClient(outbound::Outbound& outbound, std::string base_url)
    : outbound_(outbound), base_url_(std::move(base_url)) {}

Task<Outcome<bool>> WebDriverClient::Status(CallContext context) {
  Outcome<Json> value = co_await Command(outbound_, "GET", wire::JoinUrl(base_url_, "/status"),
                                         nullptr, "status", absl::Seconds(5), std::move(context));
  if (!value.ok()) co_return value.failure();
  co_return wire::BoolAt(*value, "ready");
}

Task<Outcome<std::string>> WebDriverClient::NewSession(std::string capabilities_json,
                                                       CallContext context) {
  Json body = {{"capabilities",
                {{"alwaysMatch", wire::ParseJson(capabilities_json).value_or(Json::object())}}}};
  Outcome<Json> value =
      co_await Command(outbound_, "POST", wire::JoinUrl(base_url_, "/session"), std::move(body),
                       kNewSession, absl::Seconds(30), std::move(context));
  if (!value.ok()) co_return value.failure();
  std::string session = wire::StringAt(*value, "sessionId");
  if (session.empty()) co_return wire::Malformed("webdriver", kNewSession, true);
  co_return session;
}

Task<Outcome<Unit>> WebDriverClient::Navigate(std::string session, std::string url,
                                              absl::Duration timeout, CallContext context) {
  Json body = {{"url", std::move(url)}};
  Outcome<Json> value =
      co_await Command(outbound_, "POST", wire::JoinUrl(base_url_, "/session/" + session + "/url"),
                       std::move(body), kNavigate, timeout, std::move(context));
  if (!value.ok()) co_return value.failure();
  co_return Unit{};
}

Task<Outcome<Unit>> WebDriverClient::RunInNewDocuments(std::string session, std::string script,
                                                       CallContext context) {
  Json body = {{"cmd", "Page.addScriptToEvaluateOnNewDocument"},
               {"params", {{"source", std::move(script)}}}};
  Outcome<Json> value = co_await Command(
      outbound_, "POST", wire::JoinUrl(base_url_, "/session/" + session + "/goog/cdp/execute"),
      std::move(body), "cdp", absl::Seconds(10), std::move(context));
  if (!value.ok()) co_return value.failure();
  co_return Unit{};
}

Task<Outcome<std::string>> WebDriverClient::Execute(std::string session, std::string script,
                                                    std::string arguments_json,
                                                    absl::Duration timeout, CallContext context) {
  Json body = {{"script", std::move(script)},
               {"args", wire::ParseJson(arguments_json).value_or(Json::array())}};
  Outcome<Json> value = co_await Command(
      outbound_, "POST", wire::JoinUrl(base_url_, "/session/" + session + "/execute/sync"),
      std::move(body), "execute", timeout, std::move(context));
  if (!value.ok()) co_return value.failure();
  co_return wire::DumpJson(*value);
}

Task<Outcome<bool>> WebDriverClient::DeleteSession(std::string session, absl::Duration timeout,
                                                   CallContext context) {
  Outcome<Json> value =
      co_await Command(outbound_, "DELETE", wire::JoinUrl(base_url_, "/session/" + session),
                       nullptr, "session.delete", timeout, std::move(context));
  if (value.ok()) co_return true;
  if (value.failure().type == "WebDriver: invalid session id") co_return false;
  co_return value.failure();
}

}  // namespace webdriver
