// What parallel parts of one activity (sources, images, channels) come to when they failed.
// Stateless.
//
// Example:
//   co_return MayHaveHappened(
//       CombineFailures("DesignFailed", "none of the 3 images could be made", causes));
#pragma once

#include <string>
#include <vector>

#include "orchestrator/base/outcome.h"

namespace campaign {

// Worth another attempt when `retryable` says so of the causes; the longest Retry-After counts.
// When a part was only put off (open breaker, full limiter, kill switch) the whole is put off and
// uses no attempt, unless the activity cannot succeed any more. `causes` is not empty; the first
// one is kept as the failure's cause.
enum class RetryWhen {
  kAnyMay,  // one part's success is enough
  kAllMay,  // every part must succeed
};
base::Failure CombineFailures(std::string type, std::string message,
                              const std::vector<base::Failure>& causes, RetryWhen retry);

// "draft c1/headline: no; the same for 2 more: tagline, email_body; mail 7: busy": what each of
// `causes` says, once, and of what (`what`, as many). Names that begin alike are cut to their ends.
std::string JoinFailures(const std::vector<std::string>& what,
                         const std::vector<base::Failure>& causes);

}  // namespace campaign
