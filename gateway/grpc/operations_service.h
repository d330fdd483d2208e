// OperationsServiceImpl: campaign.v1.OperationsService: the kill switch and the circuit breakers.
// gRPC and REST share it.
//
// Thread-safety: thread-safe. Each callback is called exactly once, on the caller's thread or the
// store's. The service outlives its calls: stop the servers first.
//
// Example:
//   OperationsServiceImpl service({*store, kill_switch, breakers});
//   service.ListBreakers(call, {}, [](absl::StatusOr<ListBreakersResponse> breakers) { ... });
#pragma once

#include "activities/outbound/breakers.h"
#include "activities/outbound/kill_switch.h"
#include "campaign/v1/operations.pb.h"
#include "gateway/grpc/call_info.h"
#include "gateway/grpc/operations_store.h"
#include "gateway/json/field_violations.h"
#include "orchestrator/client/client.h"

namespace gateway {

namespace cv1 = ::campaign::v1;
using client::Callback;

class OperationsServiceImpl {
 public:
  struct Dependencies {
    OperationsStore& store;
    outbound::KillSwitch& kill_switch;
    outbound::Breakers& breakers;
  };
  explicit OperationsServiceImpl(Dependencies dependencies) : d_(dependencies) {}

  void GetKillSwitch(CallInfo call, cv1::GetKillSwitchRequest request,
                     Callback<cv1::KillSwitch> done);
  void SetKillSwitch(CallInfo call, cv1::SetKillSwitchRequest request,
                     Callback<cv1::KillSwitch> done);
  void ListOperatorChanges(CallInfo call, cv1::ListOperatorChangesRequest request,
                           Callback<cv1::ListOperatorChangesResponse> done);
  void ListBreakers(CallInfo call, cv1::ListBreakersRequest request,
                    Callback<cv1::ListBreakersResponse> done);
  void ForceBreakerOpen(CallInfo call, cv1::ForceBreakerRequest request,
                        Callback<cv1::Breaker> done);
  void ForceBreakerClosed(CallInfo call, cv1::ForceBreakerRequest request,
                          Callback<cv1::Breaker> done);
  void ResetBreaker(CallInfo call, cv1::ForceBreakerRequest request, Callback<cv1::Breaker> done);

  // What is wrong with a request (refused.h).
  void Check(const cv1::GetKillSwitchRequest& request, FieldViolations* violations) const {}
  void Check(const cv1::SetKillSwitchRequest& request, FieldViolations* violations) const;
  void Check(const cv1::ListOperatorChangesRequest& request, FieldViolations* violations) const;
  void Check(const cv1::ListBreakersRequest& request, FieldViolations* violations) const {}
  void Check(const cv1::ForceBreakerRequest& request, FieldViolations* violations) const;

 private:
  void Force(outbound::BreakerForce force, const CallInfo& call, cv1::ForceBreakerRequest request,
             Callback<cv1::Breaker> done);
  cv1::KillSwitch ToProto(const outbound::KillSwitchState& state) const;

  const Dependencies d_;
};

}  // namespace gateway
