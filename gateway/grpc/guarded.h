// Calls of a service's method from inside of the server (a chat), as the front door would make
// them: limited, and recorded in the audit trail before they happen. Who calls, and whether he may,
// is for whoever calls this.
//
// Example:
//   Guarded(guard, "campaign.v1.CampaignService.ApproveWizard", campaigns,
//           &CampaignServiceImpl::ApproveWizard, call, request, [](auto started) { ... });
#pragma once

#include <memory>
#include <utility>

#include "absl/strings/string_view.h"
#include "gateway/auth/permissions.h"
#include "gateway/grpc/call_guard.h"
#include "gateway/grpc/call_info.h"
#include "orchestrator/base/check.h"
#include "orchestrator/client/client.h"

namespace gateway {

// `guard` may be null; it and `service` outlive the call. `done` runs once, on any thread.
template <typename Service, typename Request, typename Response>
void Guarded(CallGuard* guard, absl::string_view method, Service& service,
             void (Service::*handler)(CallInfo, Request, client::Callback<Response>), CallInfo call,
             Request request, client::Callback<Response> done) {
  if (guard == nullptr)
    return (service.*handler)(std::move(call), std::move(request), std::move(done));
  const auth::Rule* const rule = auth::FindRule(method);
  CHECK(rule != nullptr) << std::string(method);
  guard->SignedIn(call);
  CallGuard::Headers headers;  // nobody to give them to
  if (absl::Status status = guard->Limit(*rule, call, &headers); !status.ok()) {
    return done(std::move(status));
  }
  auto kept = std::make_unique<Request>(std::move(request));
  const Request* const shown = kept.get();
  const CallInfo caller = call;
  guard->Begin(*rule, caller, shown,
               [&service, handler, call = std::move(call), kept = std::move(kept),
                done = std::move(done)](absl::StatusOr<CallGuard::Leave> leave) mutable {
                 if (!leave.ok()) return done(leave.status());
                 (service.*handler)(
                     std::move(call), std::move(*kept),
                     [leave = *std::move(leave),
                      done = std::move(done)](absl::StatusOr<Response> response) mutable {
                       if (leave) leave(response.status(), response.ok() ? &*response : nullptr);
                       done(std::move(response));
                     });
               });
}

}  // namespace gateway
