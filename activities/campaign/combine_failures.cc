#include "activities/campaign/combine_failures.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "orchestrator/base/check.h"

namespace campaign {

base::Failure CombineFailures(std::string type, std::string message,
                              const std::vector<base::Failure>& causes, RetryWhen retry) {
  CHECK(!causes.empty());
  const auto retryable = [](const base::Failure& cause) { return cause.retryable; };
  base::Failure failure = base::Failure::Retryable(std::move(type), std::move(message));
  failure.retryable = retry == RetryWhen::kAnyMay
                          ? std::any_of(causes.begin(), causes.end(), retryable)
                          : std::all_of(causes.begin(), causes.end(), retryable);
  for (const base::Failure& cause : causes) {
    if (!cause.retryable) continue;
    failure.retry_after = std::max(failure.retry_after, cause.retry_after);
    failure.not_attempted |= cause.not_attempted;
  }
  failure.not_attempted &= failure.retryable;
  failure.cause = std::make_shared<const base::Failure>(causes.front());
  return failure;
}

}  // namespace campaign
