#include "activities/campaign/undo_report.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "activities/campaign/combine_failures.h"

namespace campaign {

void UndoReport::Add(const base::Outcome<bool>& outcome, std::string what) {
  if (!outcome.ok()) return AddFailure(outcome.failure(), std::move(what));
  *outcome ? AddUndone(std::move(what)) : AddGone(std::move(what));
}

void UndoReport::AddSecondLook(const base::Outcome<bool>& outcome, std::string what) {
  if (!outcome.ok()) return AddFailure(outcome.failure(), std::move(what));
  if (*outcome) AddUndone(absl::StrCat(what, " (arrived late)"));
}

void UndoReport::AddFailure(base::Failure failure, std::string what) {
  failures_.push_back(std::move(failure));
  left_.push_back(std::move(what));
}

// What a vendor refused is tried again when that vendor says, whatever other vendors wait for.
// Only when nothing but open breakers, limits and the kill switch is in the way is no attempt used.
void UndoReport::SetWait(base::Failure& failure) const {
  absl::Duration refused = absl::ZeroDuration();
  absl::Duration postponed = absl::InfiniteDuration();
  bool any_refused = false;
  for (const base::Failure& each : failures_) {
    if (!each.retryable) continue;
    if (each.not_attempted) {
      postponed = std::min(postponed, each.retry_after);
    } else {
      any_refused = true;
      refused = std::max(refused, each.retry_after);
    }
  }
  failure.not_attempted = !any_refused && postponed != absl::InfiniteDuration();
  failure.retry_after = failure.not_attempted ? postponed : refused;
}

base::Outcome<v1::UndoOutput> UndoReport::Finish() && {
  if (failures_.empty()) return std::move(output_);
  base::Failure failure = failures_.front();
  for (const base::Failure& each : failures_) failure.retryable |= each.retryable;
  failure.message = absl::StrCat("could not be undone: ", JoinFailures(left_, failures_));
  SetWait(failure);
  base::Failure cause = failures_.front();
  cause.message = absl::StrCat(left_.front(), ": ", cause.message);
  failure.cause = std::make_shared<const base::Failure>(std::move(cause));
  return failure;
}

}  // namespace campaign
