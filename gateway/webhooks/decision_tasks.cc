#include "gateway/webhooks/decision_tasks.h"

namespace webhooks {
namespace {

// A callback for any thread that ends an await on the loop.
template <typename T>
auto Resume(base::EventLoop& loop, base::Completion<T> done) {
  return [&loop, done = std::move(done)](T answer) mutable {
    loop.Post([done = std::move(done), answer = std::move(answer)]() mutable {
      done.Set(std::move(answer));
    });
  };
}

}  // namespace

base::Failure FailureOf(const absl::Status& status) {
  std::string message(status.message());
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kPermissionDenied:
      return base::Failure::Permanent("Refused", std::move(message));
    default:
      return base::Failure::Retryable("TryAgain", std::move(message));
  }
}

base::Task<DecisionAnswer> Decide(base::EventLoop& loop, Decisions& decisions,
                                  DecisionRequest request) {
  base::Completion<DecisionAnswer> done;
  decisions.Decide(std::move(request), Resume(loop, done));
  DecisionAnswer answer = co_await done;
  co_return answer;
}

base::Task<absl::StatusOr<campaign::v1::UpdateContentOutput>> UpdateContent(base::EventLoop& loop,
                                                                            Decisions& decisions,
                                                                            ContentChange change) {
  base::Completion<absl::StatusOr<campaign::v1::UpdateContentOutput>> done;
  decisions.UpdateContent(std::move(change), Resume(loop, done));
  absl::StatusOr<campaign::v1::UpdateContentOutput> output = co_await done;
  co_return output;
}

base::Task<absl::StatusOr<campaign::v1::CampaignProgress>> GetProgress(base::EventLoop& loop,
                                                                       Decisions& decisions,
                                                                       std::string ns,
                                                                       std::string workflow_id) {
  base::Completion<absl::StatusOr<campaign::v1::CampaignProgress>> done;
  decisions.GetProgress(std::move(ns), std::move(workflow_id), Resume(loop, done));
  absl::StatusOr<campaign::v1::CampaignProgress> progress = co_await done;
  co_return progress;
}

}  // namespace webhooks
