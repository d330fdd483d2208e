// What handlers begin with: a request that its service finds fault with is refused, before anything
// is done. A service has one Check for each type of request:
//
//   void Check(const v1::PauseWorkflowRequest& request, FieldViolations* violations) const;
//
// Apart from the handler, because REST calls it as well, for a request that is refused anyhow: its
// JSON has faults, and all of a request's faults are told at once. So a Check has no effects.
//
// Example:
//   void Service::PauseWorkflow(CallInfo call, v1::PauseWorkflowRequest request, ... done) {
//     if (Refused(*this, request, done)) return;
#pragma once

#include "absl/status/status.h"
#include "gateway/json/field_violations.h"
#include "orchestrator/client/client.h"

namespace gateway {

// OK, or all that is wrong with the request.
template <typename Service, typename Request>
absl::Status Checked(const Service& service, const Request& request) {
  FieldViolations violations;
  service.Check(request, &violations);
  return violations.ToStatus();
}

// True when `done` was told that the request is wrong.
template <typename Service, typename Request, typename Response>
bool Refused(const Service& service, const Request& request, client::Callback<Response>& done) {
  absl::Status status = Checked(service, request);
  if (status.ok()) return false;
  done(std::move(status));
  return true;
}

}  // namespace gateway
