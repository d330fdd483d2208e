#include "gateway/webhooks/decision_audit.h"

#include <deque>
#include <memory>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

namespace webhooks {
namespace {

// By the names of gRPC's codes, as calls are recorded.
const char* OutcomeName(DecisionAnswer::Outcome outcome) {
  switch (outcome) {
    case DecisionAnswer::Outcome::kDecided:
      return audit::kOk;
    case DecisionAnswer::Outcome::kTooLate:
      return "ALREADY_EXISTS";
    case DecisionAnswer::Outcome::kRefused:
      return "FAILED_PRECONDITION";
    case DecisionAnswer::Outcome::kTryAgain:
      return "UNAVAILABLE";
  }
  return audit::kUnknown;
}

// Keys that were recorded lately: a delivery whose answer Slack does not take is worked on again
// and again, and decides the same each time.
class Recent {
 public:
  // False when it is known.
  bool Add(const std::string& key) {
    absl::MutexLock lock(&mu_);
    if (!known_.insert(key).second) return false;
    order_.push_back(key);
    if (order_.size() > kRecentMax) {
      known_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }

 private:
  static constexpr size_t kRecentMax = 10'000;
  absl::Mutex mu_;
  std::set<std::string> known_ ABSL_GUARDED_BY(mu_);
  std::deque<std::string> order_ ABSL_GUARDED_BY(mu_);
};

}  // namespace

audit::Event EventOf(const DecisionRequest& request, const DecisionAnswer& answer) {
  return {.actor = request.who,
          .credential = request.via,
          .action = request.verdict == Verdict::kApprove ? "ApproveCampaign" : "RejectCampaign",
          .subject = absl::StrCat("workflow/", request.workflow_id),
          .outcome = OutcomeName(answer.outcome),
          .detail = answer.text,
          .correlation_id = request.key,
          .ns = request.ns};
}

Decisions::Observer AuditDecisions(audit::AuditLog* log) {
  if (log == nullptr) return nullptr;
  const auto recent = std::make_shared<Recent>();
  return [log, recent](const DecisionRequest& request, const DecisionAnswer& answer) {
    // What did not happen is tried again, and recorded then.
    if (answer.outcome == DecisionAnswer::Outcome::kTryAgain) return;
    if (!request.key.empty() && !recent->Add(absl::StrCat(request.via, "/", request.key))) return;
    log->Append(EventOf(request, answer), [](absl::StatusOr<int64_t>) {});
  };
}

}  // namespace webhooks
