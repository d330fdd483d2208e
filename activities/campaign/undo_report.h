// UndoReport: what a compensation did, found gone, and could not do. Everything is tried before
// the compensation fails.
// Thread-safety: loop thread only.
//
// Example:
//   UndoReport report;
//   report.Add(co_await github.DeleteBranch(branch, call), "github: branch x deleted");
//   co_return std::move(report).Finish();
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "campaign/v1/activities.pb.h"
#include "orchestrator/base/outcome.h"

namespace campaign {

class UndoReport {
 public:
  // `outcome`: true when it was undone now, false when there was nothing (any more).
  void Add(const base::Outcome<bool>& outcome, std::string what);
  // A second look: only what was found after all, and failures, count.
  void AddSecondLook(const base::Outcome<bool>& outcome, std::string what);
  void AddUndone(std::string what) { output_.add_undone(std::move(what)); }
  void AddGone(std::string what) { output_.add_already_gone(std::move(what)); }
  void AddFailure(base::Failure failure, std::string what);
  bool ok() const { return failures_.empty(); }

  // The output, or one failure that names everything that is still there, and each reason once. It
  // is retryable when any of them is.
  base::Outcome<v1::UndoOutput> Finish() &&;

 private:
  void SetWait(base::Failure& failure) const;

  v1::UndoOutput output_;
  std::vector<std::string> left_;  // what the failures are about
  std::vector<base::Failure> failures_;
};

}  // namespace campaign
