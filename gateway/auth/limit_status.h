// The status of a call that came too often: RESOURCE_EXHAUSTED with google.rpc.RetryInfo,
// QuotaFailure and ErrorInfo. Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/auth/call_limits.h"

namespace auth {

inline constexpr char kRetryInfoUrl[] = "type.googleapis.com/google.rpc.RetryInfo";
inline constexpr char kQuotaFailureUrl[] = "type.googleapis.com/google.rpc.QuotaFailure";

// `reason`: "RATE_LIMITED", "QUOTA_EXCEEDED". `subject`: what is counted, "reads of ann". Without
// `retry_after` waiting does not help.
absl::Status LimitExceeded(absl::string_view reason, absl::string_view subject,
                           absl::string_view message, std::optional<absl::Duration> retry_after);

// Of a limit of calls; its numbers are in the ErrorInfo's metadata.
absl::Status LimitExceeded(const CallLimits::Verdict& verdict, absl::string_view subject,
                           absl::string_view message);

// The headers that go with a status: Retry-After, and RateLimit-* when a limit of calls refused it.
std::vector<std::pair<std::string, std::string>> LimitHeadersOf(const absl::Status& status);

// How long the status asks to wait (google.rpc.RetryInfo), if it does.
std::optional<absl::Duration> RetryAfterOf(const absl::Status& status);

}  // namespace auth
