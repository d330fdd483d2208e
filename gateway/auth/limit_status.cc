#include "gateway/auth/limit_status.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "gateway/auth/authenticator.h"
#include "google/rpc/error_details.pb.h"

namespace auth {
namespace {

// Not by Cord's constructor for rvalue strings: clang and Debian's library name it differently.
absl::Cord Bytes(const google::protobuf::Message& message) {
  const std::string bytes = message.SerializeAsString();
  return absl::Cord(absl::string_view(bytes));
}

}  // namespace

absl::Status LimitExceeded(absl::string_view reason, absl::string_view subject,
                           absl::string_view message, std::optional<absl::Duration> retry_after) {
  absl::Status status = absl::ResourceExhaustedError(message);
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(reason));
  info.set_domain(kErrorDomain);
  status.SetPayload(kErrorInfoUrl, Bytes(info));
  google::rpc::QuotaFailure failure;
  auto* violation = failure.add_violations();
  violation->set_subject(std::string(subject));
  violation->set_description(std::string(message));
  status.SetPayload(kQuotaFailureUrl, Bytes(failure));
  if (!retry_after.has_value()) return status;
  google::rpc::RetryInfo retry;
  const int64_t ms = absl::ToInt64Milliseconds(absl::Ceil(*retry_after, absl::Milliseconds(1)));
  retry.mutable_retry_delay()->set_seconds(ms / 1000);
  retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(ms % 1000 * 1'000'000));
  status.SetPayload(kRetryInfoUrl, Bytes(retry));
  return status;
}

absl::Status LimitExceeded(const CallLimits::Verdict& verdict, absl::string_view subject,
                           absl::string_view message) {
  absl::Status status = LimitExceeded("RATE_LIMITED", subject, message, verdict.retry_after);
  google::rpc::ErrorInfo info;
  info.set_reason("RATE_LIMITED");
  info.set_domain(kErrorDomain);
  for (auto& [name, value] : RateLimitHeaders(verdict)) (*info.mutable_metadata())[name] = value;
  status.SetPayload(kErrorInfoUrl, Bytes(info));
  return status;
}

std::vector<std::pair<std::string, std::string>> LimitHeadersOf(const absl::Status& status) {
  std::vector<std::pair<std::string, std::string>> headers;
  google::rpc::ErrorInfo info;
  const auto payload = status.GetPayload(kErrorInfoUrl);
  if (payload.has_value() && info.ParseFromString(std::string(*payload)) &&
      info.reason() == "RATE_LIMITED") {
    for (const auto& [name, value] : info.metadata()) headers.emplace_back(name, value);
    return headers;
  }
  if (const std::optional<absl::Duration> wait = RetryAfterOf(status)) {
    headers.emplace_back("Retry-After",
                         absl::StrCat(absl::ToInt64Seconds(absl::Ceil(*wait, absl::Seconds(1)))));
  }
  return headers;
}

std::optional<absl::Duration> RetryAfterOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kRetryInfoUrl);
  google::rpc::RetryInfo retry;
  if (!payload.has_value() || !retry.ParseFromString(std::string(*payload))) return std::nullopt;
  return absl::Seconds(retry.retry_delay().seconds()) +
         absl::Nanoseconds(retry.retry_delay().nanos());
}

}  // namespace auth
