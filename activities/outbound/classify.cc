// What answers mean by RFC 9110 alone, and the small readers that connectors share.
#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "activities/outbound/call.h"
#include "nlohmann/json.hpp"
#include "orchestrator/base/log.h"

namespace outbound {
namespace {

constexpr size_t kMessageBytesMax = 300;

std::string FailureType(int status) {
  switch (status) {
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 413:
      return "PayloadTooLarge";
    case 429:
      return "RateLimited";
    default:
      return status >= 500 || status == 408 || status == 425 ? "VendorUnavailable"
                                                             : "InvalidRequest";
  }
}

// The first text found under the names that vendors use for their words.
std::string FindMessage(const nlohmann::json& value, int depth) {
  if (value.is_string()) return value.get<std::string>();
  if (depth == 0) return "";
  if (value.is_array()) return value.empty() ? "" : FindMessage(value.front(), depth - 1);
  if (!value.is_object()) return "";
  std::string message;
  for (const char* name : {"message", "error", "errors", "err", "value", "detail"}) {
    if (!value.contains(name)) continue;
    const std::string found = FindMessage(value[name], depth - 1);
    if (!found.empty() && !absl::StrContains(message, found)) {
      absl::StrAppend(&message, message.empty() ? "" : ": ", found);
    }
  }
  return message;
}

}  // namespace

std::string_view HttpResponse::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return "";
}

absl::Duration ParseRetryAfter(std::string_view header, absl::Time now) {
  const std::string value(
      absl::StripAsciiWhitespace(absl::string_view(header.data(), header.size())));
  if (value.empty()) return absl::ZeroDuration();
  double seconds = 0;
  if (absl::SimpleAtod(value, &seconds)) {
    if (!(seconds > 0)) return absl::ZeroDuration();
    return absl::Seconds(std::min(seconds, 30.0 * 24 * 3600));
  }
  // RFC 9110 section 5.6.7: IMF-fixdate, and the two obsolete forms that a recipient must read.
  for (const char* format :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    absl::Time at;
    std::string error;
    if (absl::ParseTime(format, value, &at, &error)) {
      return std::max(absl::ZeroDuration(), at - now);
    }
  }
  return absl::ZeroDuration();
}

std::string VendorMessage(std::string_view body) {
  if (body.size() > 256 * 1024) return "";
  const nlohmann::json parsed = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (parsed.is_discarded() || parsed.is_string()) return "";
  std::string message = base::Redact(FindMessage(parsed, 4));
  if (message.size() > kMessageBytesMax) {
    size_t end = kMessageBytesMax;
    while (end > 0 && (static_cast<unsigned char>(message[end]) & 0xC0) == 0x80) --end;
    message.resize(end);
    message += "...";
  }
  return message;
}

Classification ClassifyByStatus(const HttpRequest& request, const HttpResponse& response) {
  const int status = response.status;
  Classification result;
  if ((status >= 200 && status < 300) || status == 304 || status == 404 || status == 409 ||
      status == 410 || status == 412 || status == 422) {
    return result;
  }
  result.failure_type = FailureType(status);
  const std::string words = VendorMessage(response.body);
  result.failure_message = absl::StrCat("answered ", status, words.empty() ? "" : ": ", words);
  if (status == 408 || status == 425 || status == 429 || status == 503 || status == 529) {
    result.verdict = Verdict::kRetry;
    result.retry_after = ParseRetryAfter(response.Header("retry-after"), response.received_at);
  } else if (status >= 500) {
    result.verdict = Verdict::kRetryUnknown;
    result.retry_after = ParseRetryAfter(response.Header("retry-after"), response.received_at);
  } else {
    result.verdict = Verdict::kPermanent;
  }
  return result;
}

Classification RateLimited(absl::Duration retry_after, std::string message) {
  return {.verdict = Verdict::kRetry,
          .retry_after = retry_after,
          .failure_type = "RateLimited",
          .failure_message = std::move(message)};
}

Classification Permanent(std::string type, std::string message) {
  return {.verdict = Verdict::kPermanent,
          .failure_type = std::move(type),
          .failure_message = std::move(message)};
}

}  // namespace outbound
