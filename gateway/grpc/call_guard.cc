#include "gateway/grpc/call_guard.h"

#include <prometheus/counter.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/auth/limit_status.h"
#include "gateway/grpc/call_audit.h"
#include "orchestrator/base/metrics.h"

namespace gateway {

namespace {

constexpr size_t kSeenMax = 10'000;
constexpr absl::Duration kSignInInterval = absl::Hours(24);

audit::Event RefusalEvent(std::string action, const CallInfo& call, const absl::Status& status) {
  return {.actor = call.caller.identity,
          .credential = call.caller.credential,
          .action = std::move(action),
          .outcome = OutcomeOf(status),
          .detail = std::string(status.message()),
          .correlation_id = call.correlation_id,
          .address = auth::AddressGroup(call.caller.address),
          .ns = call.ns};
}

std::string Every(const auth::CallRate& rate) {
  return absl::StrCat(rate.calls, " within ", absl::FormatDuration(rate.per));
}

}  // namespace

bool CallGuard::IsNew(const std::string& caller) {
  const absl::Time now = clock_.Now();
  absl::MutexLock lock(&mu_);
  if (seen_.size() >= kSeenMax) seen_.clear();  // then some are recorded twice
  const auto [at, is_new] = seen_.try_emplace(caller, now);
  if (!is_new && now < at->second + kSignInInterval) return false;
  at->second = now;
  return true;
}

void CallGuard::SignedIn(const CallInfo& call) {
  if (log_ == nullptr || !call.caller.proven()) return;
  const std::string from = auth::AddressGroup(call.caller.address);
  if (!IsNew(absl::StrCat(call.caller.credential, "\n", call.caller.identity, "\n",
                          call.caller.key_id, "\n", from))) {
    return;
  }
  audit::Event event{.actor = call.caller.identity,
                     .credential = call.caller.credential,
                     .action = "sign-in",
                     .outcome = audit::kOk,
                     .correlation_id = call.correlation_id,
                     .address = from,
                     .ns = call.caller.ns};
  if (!call.caller.key_id.empty()) event.subject = absl::StrCat("key/", call.caller.key_id);
  log_->AppendLater(std::move(event));
}

void CallGuard::Count(const char* group) {
  if (metrics_ == nullptr) return;
  metrics_
      ->Counter("calls_limited_total", "Calls refused because there were too many.",
                {{"group", group}})
      .Increment();
}

absl::Status CallGuard::SignInFailed(const std::string& method, const CallInfo& call,
                                     const std::string& address, absl::Status status) {
  // What could not be checked is no failure of the caller's.
  if (!absl::IsUnauthenticated(status) && !absl::IsPermissionDenied(status)) return status;
  if (log_ != nullptr) {
    CallInfo who = call;
    who.caller.address = address;
    audit::Event event = RefusalEvent("sign-in.failed", who, status);
    event.subject = absl::StrCat("method/", method);
    log_->AppendRefusal(std::move(event));
  }
  const std::string from = auth::AddressGroup(address);
  const auth::CallLimits::Verdict verdict =
      limits_.Take(auth::CallGroup::kSignIns, from, clock_.Monotonic());
  if (verdict.allowed) return status;
  Count("sign_ins");
  return auth::LimitExceeded(verdict, absl::StrCat("sign-ins from ", from),
                             absl::StrCat("too many calls without a good credential from ", from,
                                          " (limit ", Every(verdict.rate), "); try again later"));
}

void CallGuard::Refused(const auth::Rule& rule, const CallInfo& call, const absl::Status& status) {
  if (log_ == nullptr || !absl::IsPermissionDenied(status)) return;
  audit::Event event = RefusalEvent("permission.refused", call, status);
  event.subject = absl::StrCat("method/", ActionOf(rule));
  log_->AppendRefusal(std::move(event));
}

absl::Status CallGuard::Limit(const auth::Rule& rule, const CallInfo& call, Headers* headers) {
  if (!call.caller.proven() && !options_.limit_local) return absl::OkStatus();
  const std::string who =
      call.caller.proven() ? call.caller.identity : auth::AddressGroup(call.caller.address);
  const auth::CallGroup group = auth::CallGroupOf(rule.group);
  const auth::CallLimits::Verdict verdict = limits_.Take(group, who, clock_.Monotonic());
  if (verdict.allowed) {
    for (auto& header : auth::RateLimitHeaders(verdict)) headers->push_back(std::move(header));
    return absl::OkStatus();
  }
  const std::string name(auth::CallGroupName(group));
  Count(name.c_str());
  const absl::Status status = auth::LimitExceeded(
      verdict, absl::StrCat(name, " of ", who),
      absl::StrCat(who, " has made too many calls of the group ", name, " (limit ",
                   Every(verdict.rate), "); try again in ",
                   absl::FormatDuration(absl::Ceil(verdict.retry_after, absl::Milliseconds(1)))));
  if (log_ != nullptr) {
    audit::Event event = RefusalEvent("call.limited", call, status);
    event.actor = who;
    event.subject = absl::StrCat("group/", name);
    log_->AppendRefusal(std::move(event));
  }
  return status;
}

void CallGuard::Begin(const auth::Rule& rule, const CallInfo& call,
                      const google::protobuf::Message* request,
                      absl::AnyInvocable<void(absl::StatusOr<Leave>)> done) {
  if (log_ == nullptr || !IsAudited(rule)) return done(Leave());
  audit::Event event = DescribeCall(rule, call, request);
  if (IsEmergency(request)) {
    done(Leave([log = log_, event = std::move(event)](
                   const absl::Status& status, const google::protobuf::Message* response) mutable {
      std::string detail = event.detail;
      audit::Event ended = DescribeEnd(std::move(event), 0, status, response);
      if (ended.detail.empty()) ended.detail = std::move(detail);
      log->AppendLater(std::move(ended));
    }));
    return;
  }
  log_->Append(event, [log = log_, metrics = metrics_, required = options_.audit_required, event,
                       done = std::move(done)](absl::StatusOr<int64_t> sequence) mutable {
    if (!sequence.ok()) {
      if (required) {
        return done(absl::Status(
            sequence.status().code(),
            absl::StrCat("nothing was done, for it could not be recorded in the audit trail: ",
                         std::string(sequence.status().message()))));
      }
      if (metrics != nullptr) {
        metrics->Counter("audit_events_lost_total", "Outcomes that could not be recorded.")
            .Increment();
      }
      return done(Leave());
    }
    done(Leave([log, event = std::move(event), sequence = *sequence](
                   const absl::Status& status, const google::protobuf::Message* response) mutable {
      log->AppendLater(DescribeEnd(std::move(event), sequence, status, response));
    }));
  });
}

}  // namespace gateway
