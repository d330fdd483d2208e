#include "activities/connectors/slack/slack_classify.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"

namespace slack {
namespace {

using outbound::Classification;
using outbound::Verdict;

constexpr std::string_view kMessageNotFound = "message_not_found";
// When Slack says "slow down" without saying how long.
constexpr absl::Duration kSlowDown = absl::Seconds(1);

template <size_t kSize>
bool OneOf(std::string_view code, const std::array<std::string_view, kSize>& codes) {
  return std::find(codes.begin(), codes.end(), code) != codes.end();
}

constexpr std::array<std::string_view, 4> kLimited = {"ratelimited", "rate_limited",
                                                      "message_limit_exceeded", "accesslimited"};
// Part of the work may have been done.
constexpr std::array<std::string_view, 4> kUnknown = {"internal_error", "fatal_error",
                                                      "request_timeout", "service_unavailable"};
constexpr std::array<std::string_view, 7> kUnauthorized = {
    "invalid_auth",     "not_authed",    "token_revoked", "token_expired",
    "account_inactive", "missing_scope", "no_permission"};

std::string Explain(const wire::Json& body, const std::string& code) {
  const std::string needed = wire::StringAt(body, "needed");
  return wire::Cat("refused with \"", code, "\"", needed.empty() ? "" : ", needs scope ", needed);
}

}  // namespace

Classification Classify(const outbound::HttpRequest& request,
                        const outbound::HttpResponse& response) {
  Classification by_status = wire::ClassifyJson(request, response);
  if (response.status != 200 || by_status.verdict != Verdict::kOk) return by_status;
  const wire::Json body = wire::ParseJson(response.body).value_or(wire::Json());
  if (wire::BoolAt(body, "ok")) return by_status;
  const std::string code = wire::StringAt(body, "error");
  if (code == kMessageNotFound) return by_status;
  if (code.empty()) {
    return {.verdict = Verdict::kRetryUnknown,
            .failure_type = "MalformedResponse",
            .failure_message = "the answer has neither ok nor error"};
  }
  if (OneOf(code, kLimited)) {
    const absl::Duration wait =
        outbound::ParseRetryAfter(response.Header("retry-after"), response.received_at);
    return outbound::RateLimited(std::max(wait, kSlowDown), Explain(body, code));
  }
  if (OneOf(code, kUnknown)) {
    return {.verdict = Verdict::kRetryUnknown,
            .failure_type = "VendorUnavailable",
            .failure_message = Explain(body, code)};
  }
  return outbound::Permanent(OneOf(code, kUnauthorized) ? "Unauthorized" : "SlackRefused",
                             Explain(body, code));
}

bool IsMessageNotFound(const outbound::HttpResponse& response) {
  const wire::Json body = wire::ParseJson(response.body).value_or(wire::Json());
  return response.status == 200 && wire::StringAt(body, "error") == kMessageNotFound;
}

}  // namespace slack
