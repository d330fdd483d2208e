#include "activities/campaign/combine_failures.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "orchestrator/base/check.h"

namespace campaign {
namespace {

// How many bytes of `a`, up to a "/" or a space, begin `b` as well.
size_t SharedStart(const std::string& a, const std::string& b) {
  size_t shared = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()) && a[i] == b[i]; ++i) {
    if (a[i] == '/' || a[i] == ' ') shared = i + 1;
  }
  return shared;
}

}  // namespace

std::string JoinFailures(const std::vector<std::string>& what,
                         const std::vector<base::Failure>& causes) {
  CHECK(what.size() == causes.size());
  std::string text;
  std::vector<bool> said(causes.size());
  for (size_t i = 0; i < causes.size(); ++i) {
    if (said[i]) continue;
    absl::StrAppend(&text, text.empty() ? "" : "; ", what[i], ": ", causes[i].message);
    std::vector<std::string> more;
    for (size_t j = i + 1; j < causes.size(); ++j) {
      if (said[j] || causes[j].type != causes[i].type || causes[j].message != causes[i].message) {
        continue;
      }
      said[j] = true;
      more.push_back(what[j].substr(SharedStart(what[i], what[j])));
    }
    if (more.empty()) continue;
    absl::StrAppend(&text, "; the same for ", more.size(), " more: ", absl::StrJoin(more, ", "));
  }
  return text;
}

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
