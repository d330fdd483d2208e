#include "gateway/grpc/operations_service.h"

#include <utility>

#include "gateway/grpc/refused.h"
#include "gateway/grpc/validate.h"
#include "orchestrator/history/time.h"

namespace gateway {

namespace {

constexpr size_t kServiceLengthMax = 300;
constexpr size_t kIdentityLengthMax = 200;
constexpr int kPageSizeMax = 1000;

// Who and why: both are kept for ever.
void CheckOrder(const std::string& identity, const std::string& reason,
                FieldViolations* violations) {
  CheckText("identity", identity, kIdentityLengthMax, Presence::kOptional, Lines::kSingle,
            violations);
  CheckText("reason", reason, kReasonLengthMax, Presence::kRequired, Lines::kMultiple, violations);
}

cv1::Breaker BreakerProto(const outbound::BreakerStatus& status) {
  cv1::Breaker breaker;
  breaker.set_service(status.service);
  breaker.set_state(outbound::BreakerStateName(status.state));
  breaker.set_reason(status.reason);
  breaker.set_failures(status.failures);
  breaker.set_consecutive_failures(status.consecutive_failures);
  if (status.opened_at != absl::InfinitePast()) {
    *breaker.mutable_opened_at() = history::ToProto(status.opened_at);
  }
  if (status.next_probe_at != absl::InfinitePast()) {
    *breaker.mutable_next_probe_at() = history::ToProto(status.next_probe_at);
  }
  if (status.forced == outbound::BreakerForce::kOpen) breaker.set_forced("open");
  if (status.forced == outbound::BreakerForce::kClosed) breaker.set_forced("closed");
  breaker.set_forced_by(status.forced_by);
  breaker.set_calls_held(status.calls_held);
  return breaker;
}

}  // namespace

cv1::KillSwitch OperationsServiceImpl::ToProto(const outbound::KillSwitchState& state) const {
  cv1::KillSwitch proto;
  proto.set_on(state.on);
  proto.set_reason(state.reason);
  proto.set_changed_by(state.changed_by);
  if (state.changed_at != absl::InfinitePast()) {
    *proto.mutable_changed_at() = history::ToProto(state.changed_at);
  }
  if (state.on) proto.set_calls_held(d_.kill_switch.calls_held());
  return proto;
}

void OperationsServiceImpl::GetKillSwitch(CallInfo call, cv1::GetKillSwitchRequest request,
                                          Callback<cv1::KillSwitch> done) {
  done(ToProto(d_.kill_switch.Get()));
}

void OperationsServiceImpl::Check(const cv1::SetKillSwitchRequest& request,
                                  FieldViolations* violations) const {
  CheckOrder(request.identity(), request.reason(), violations);
}

void OperationsServiceImpl::SetKillSwitch(CallInfo call, cv1::SetKillSwitchRequest request,
                                          Callback<cv1::KillSwitch> done) {
  if (Refused(*this, request, done)) return;
  d_.store.SetKillSwitch(
      request.on(), call.IdentityOr(request.identity()), request.reason(),
      [this, done = std::move(done)](absl::StatusOr<outbound::KillSwitchState> state) mutable {
        if (!state.ok()) return done(state.status());
        done(ToProto(*state));
      });
}

void OperationsServiceImpl::Check(const cv1::ListOperatorChangesRequest& request,
                                  FieldViolations* violations) const {
  CheckRange("page_size", request.page_size(), 0, kPageSizeMax, violations);
}

void OperationsServiceImpl::ListOperatorChanges(CallInfo call,
                                                cv1::ListOperatorChangesRequest request,
                                                Callback<cv1::ListOperatorChangesResponse> done) {
  if (Refused(*this, request, done)) return;
  d_.store.ListChanges(request.page_size(), request.page_token(), std::move(done));
}

void OperationsServiceImpl::ListBreakers(CallInfo call, cv1::ListBreakersRequest request,
                                         Callback<cv1::ListBreakersResponse> done) {
  cv1::ListBreakersResponse response;
  for (const outbound::BreakerStatus& status : d_.breakers.List()) {
    *response.add_breakers() = BreakerProto(status);
  }
  done(std::move(response));
}

void OperationsServiceImpl::Check(const cv1::ForceBreakerRequest& request,
                                  FieldViolations* violations) const {
  CheckText("service", request.service(), kServiceLengthMax, Presence::kRequired, Lines::kSingle,
            violations);
  CheckOrder(request.identity(), request.reason(), violations);
}

void OperationsServiceImpl::Force(outbound::BreakerForce force, const CallInfo& call,
                                  cv1::ForceBreakerRequest request, Callback<cv1::Breaker> done) {
  if (Refused(*this, request, done)) return;
  d_.store.Force(request.service(), force, call.IdentityOr(request.identity()), request.reason(),
                 [done = std::move(done)](absl::StatusOr<outbound::BreakerStatus> status) mutable {
                   if (!status.ok()) return done(status.status());
                   done(BreakerProto(*status));
                 });
}

void OperationsServiceImpl::ForceBreakerOpen(CallInfo call, cv1::ForceBreakerRequest request,
                                             Callback<cv1::Breaker> done) {
  Force(outbound::BreakerForce::kOpen, call, std::move(request), std::move(done));
}

void OperationsServiceImpl::ForceBreakerClosed(CallInfo call, cv1::ForceBreakerRequest request,
                                               Callback<cv1::Breaker> done) {
  Force(outbound::BreakerForce::kClosed, call, std::move(request), std::move(done));
}

void OperationsServiceImpl::ResetBreaker(CallInfo call, cv1::ForceBreakerRequest request,
                                         Callback<cv1::Breaker> done) {
  Force(outbound::BreakerForce::kNone, call, std::move(request), std::move(done));
}

}  // namespace gateway
