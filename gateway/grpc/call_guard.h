// CallGuard: what the front door does besides letting in: it limits how often callers call
// (gateway/auth/call_limits.h) and records what they change (gateway/audit).
//
// A call that changes something is recorded before its handler runs, durably, and again when it
// has ended: whatever happened has an entry, after any crash. docs/decisions/0027 says why so.
//
// Thread-safety: thread-safe.
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gateway/audit/audit_log.h"
#include "gateway/auth/call_limits.h"
#include "gateway/auth/caller.h"
#include "gateway/auth/permissions.h"
#include "gateway/grpc/call_info.h"
#include "orchestrator/base/clock.h"

namespace base {
class Metrics;
}

namespace gateway {

class CallGuard {
 public:
  struct Options {
    // Callers of a server without credentials, which listens on this machine only, are limited too.
    bool limit_local = false;
    // Without a durable entry nothing is changed; false: it goes on, and the loss is counted.
    bool audit_required = true;
  };
  using Headers = std::vector<std::pair<std::string, std::string>>;
  // Told once how the call ended; `response` may be null.
  using Leave = absl::AnyInvocable<void(const absl::Status&, const google::protobuf::Message*)>;

  // All outlive the guard. `log` and `metrics` may be null.
  CallGuard(Options options, auth::CallLimits& limits, audit::AuditLog* log, base::Clock& clock,
            base::Metrics* metrics)
      : options_(options), limits_(limits), log_(log), clock_(clock), metrics_(metrics) {}

  // Somebody has shown a good credential: recorded once a day for each identity, kind of
  // credential and address.
  void SignedIn(const CallInfo& call);
  // Nobody was let in: `status` as the caller gets it; RESOURCE_EXHAUSTED in its place when that
  // happens too often from its address.
  absl::Status SignInFailed(const std::string& method, const CallInfo& call,
                            const std::string& address, absl::Status status);
  // Somebody known may not: records it.
  void Refused(const auth::Rule& rule, const CallInfo& call, const absl::Status& status);
  // RESOURCE_EXHAUSTED when it is called too often; else adds to `headers`.
  absl::Status Limit(const auth::Rule& rule, const CallInfo& call, Headers* headers);
  // Calls `done` once, at once or when the entry is durable, with what is to be told of the end
  // (empty: nothing). UNAVAILABLE, RESOURCE_EXHAUSTED: it cannot be recorded, so it must not run.
  // `request` may be null.
  void Begin(const auth::Rule& rule, const CallInfo& call, const google::protobuf::Message* request,
             absl::AnyInvocable<void(absl::StatusOr<Leave>)> done);

 private:
  void Count(const char* group);
  // False when it was seen within a day.
  bool IsNew(const std::string& caller);

  const Options options_;
  auth::CallLimits& limits_;
  audit::AuditLog* const log_;
  base::Clock& clock_;
  base::Metrics* const metrics_;
  absl::Mutex mu_;
  absl::flat_hash_map<std::string, absl::Time> seen_ ABSL_GUARDED_BY(mu_);
};

}  // namespace gateway
