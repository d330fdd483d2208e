// Starts of campaigns within what their users may start (gateway/auth/user_quotas.h).
//
// Thread-safety: thread-safe.
//
// Example:
//   WithinQuota(quotas, call, request.start(), [...](absl::StatusOr<StartReservation> place) {
//     if (!place.ok()) return done(place.status());
//     client.StartWorkflow(..., [place = *place, ...](auto response) {
//       place.Ended(response.status(), response.ok() && !response->already_started());
//       ...
#pragma once

#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/auth/user_quotas.h"
#include "gateway/grpc/call_info.h"
#include "orchestrator/v1/service.pb.h"

namespace gateway {

// A start that is counted, if it is to be.
class StartReservation {
 public:
  StartReservation() = default;  // nothing is counted
  StartReservation(auth::UserQuotas* quotas, std::string user, std::string campaign)
      : quotas_(quotas), user_(std::move(user)), campaign_(std::move(campaign)) {}

  // How the start ended: what certainly did not begin a run is not counted.
  void Ended(const absl::Status& status, bool started) const;

 private:
  auth::UserQuotas* quotas_ = nullptr;
  std::string user_;
  std::string campaign_;
};

// Counts a start: RESOURCE_EXHAUSTED when its caller has started too many. Only campaigns count, of
// callers who are proven; nobody's do when `quotas` is null. `go` runs once, at once or on the
// quotas' thread.
void WithinQuota(auth::UserQuotas* quotas, const CallInfo& call,
                 const orchestrator::v1::StartWorkflowRequest& start,
                 absl::AnyInvocable<void(absl::StatusOr<StartReservation>)> go);

}  // namespace gateway
