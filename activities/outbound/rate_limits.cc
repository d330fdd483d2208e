#include "activities/outbound/rate_limits.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace outbound {
namespace {

constexpr absl::Duration kPerMax = absl::Hours(24 * 31);

absl::Status Wrong(absl::string_view element) {
  return absl::InvalidArgumentError(
      absl::StrCat("\"", element,
                   "\" is no limit; write CALLS/TIME, such as 100/15m, with writes:, operation: "
                   "or scope: before it if need be"));
}

bool ParseKind(absl::string_view text, RateLimit::Kind* kind) {
  if (text == "all")
    *kind = RateLimit::Kind::kAll;
  else if (text == "writes")
    *kind = RateLimit::Kind::kWrites;
  else if (text == "operation")
    *kind = RateLimit::Kind::kOperation;
  else if (text == "scope")
    *kind = RateLimit::Kind::kScope;
  else
    return false;
  return true;
}

}  // namespace

absl::StatusOr<RateLimits> ParseRateLimits(absl::string_view text) {
  RateLimits limits;
  for (absl::string_view element : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    element = absl::StripAsciiWhitespace(element);
    RateLimit limit;
    absl::string_view rest = element;
    if (const size_t colon = element.find(':'); colon != absl::string_view::npos) {
      if (!ParseKind(element.substr(0, colon), &limit.kind)) return Wrong(element);
      rest = element.substr(colon + 1);
    }
    const std::vector<std::string> parts = absl::StrSplit(rest, '/');
    if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &limit.calls) || limit.calls < 1 ||
        !absl::ParseDuration(parts[1], &limit.per) || limit.per <= absl::ZeroDuration() ||
        limit.per > kPerMax) {
      return Wrong(element);
    }
    limits.push_back(limit);
  }
  return limits;
}

}  // namespace outbound
