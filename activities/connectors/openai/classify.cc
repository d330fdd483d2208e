#include "activities/connectors/openai/classify.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "absl/strings/numbers.h"
#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"

namespace openai {
namespace {

using outbound::Classification;
using outbound::Verdict;

// 429 that waiting does not mend: somebody must pay or raise a limit.
constexpr std::array<std::string_view, 6> kQuotaCodes = {
    "insufficient_quota",   "billing_hard_limit_reached", "billing_not_active",
    "credit_limit_reached", "spend_limit_reached",        "insufficient_credits"};

// How often it is looked whether somebody has.
constexpr absl::Duration kQuotaPause = absl::Minutes(15);

// `error` of OpenAI and new vLLM, or the flat error object of old vLLM.
const wire::Json& ErrorOf(const wire::Json& body) {
  const wire::Json& nested = wire::At(body, "error");
  return nested.is_object() ? nested : body;
}

bool IsQuotaCode(const std::string& code) {
  return std::find(kQuotaCodes.begin(), kQuotaCodes.end(), code) != kQuotaCodes.end();
}

absl::Duration RetryAfter(const outbound::HttpResponse& response) {
  const std::string ms(response.Header("retry-after-ms"));
  double value = 0;
  if (!ms.empty() && absl::SimpleAtod(ms, &value) && value > 0 && value < 1e9) {
    return absl::Milliseconds(value);
  }
  return outbound::ParseRetryAfter(response.Header("retry-after"), response.received_at);
}

}  // namespace

Classification Classify(const outbound::HttpRequest& request,
                        const outbound::HttpResponse& response) {
  Classification result = wire::ClassifyJson(request, response);
  if (response.status >= 200 && response.status < 300) return result;
  const std::string said = outbound::VendorMessage(response.body);
  const std::string message =
      wire::Cat("answered ", response.status, said.empty() ? "" : ": ", said);
  const wire::Json body = wire::ParseJson(response.body).value_or(wire::Json());
  const wire::Json& error = ErrorOf(body);
  if (IsQuotaCode(wire::StringAt(error, "code")) || IsQuotaCode(wire::StringAt(error, "type"))) {
    // Nobody's calls get through until somebody pays: all of them wait, and none fails for it.
    return {.verdict = Verdict::kRetry,
            .retry_after = std::max(RetryAfter(response), kQuotaPause),
            .failure_type = "QuotaExhausted",
            .failure_message = message,
            .opens_breaker = true};
  }
  const std::string_view should_retry = response.Header("x-should-retry");
  const bool retry = response.status == 409 || should_retry == "true";
  if (result.verdict == Verdict::kOk || result.verdict == Verdict::kPermanent) {
    if (retry && should_retry != "false") {
      return {.verdict = Verdict::kRetry,
              .retry_after = RetryAfter(response),
              .failure_type = "VendorUnavailable",
              .failure_message = message};
    }
    // 404 (no such model), 410, 412 and 422 are of no use to anybody here.
    return outbound::Permanent(result.failure_type.empty() ? "InvalidRequest" : result.failure_type,
                               message);
  }
  if (should_retry == "false") return outbound::Permanent(result.failure_type, message);
  result.retry_after = RetryAfter(response);
  return result;
}

const outbound::Vendor& OpenAiVendor() {
  static const outbound::Vendor* const kVendor =
      new outbound::Vendor{.name = "openai",
                           .timeout = absl::Minutes(3),
                           .tries_max = 5,
                           .backoff_initial = absl::Milliseconds(500),
                           .backoff_max = absl::Seconds(20),
                           .classify = Classify};
  return *kVendor;
}

}  // namespace openai
