#include "activities/campaign/undo_report.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"

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
  failure.message = absl::StrCat(what, ": ", failure.message);
  failures_.push_back(std::move(failure));
}

base::Outcome<v1::UndoOutput> UndoReport::Finish() && {
  if (failures_.empty()) return std::move(output_);
  base::Failure failure = failures_.front();
  failure.message = "could not be undone: ";
  for (size_t i = 0; i < failures_.size(); ++i) {
    absl::StrAppend(&failure.message, i == 0 ? "" : "; ", failures_[i].message);
    failure.retryable = failure.retryable || failures_[i].retryable;
    failure.retry_after = std::max(failure.retry_after, failures_[i].retry_after);
  }
  failure.cause = std::make_shared<const base::Failure>(failures_.front());
  return failure;
}

}  // namespace campaign
