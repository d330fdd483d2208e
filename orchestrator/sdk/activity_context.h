// ActivityContext: what an activity may ask of the engine. Activities are coroutines on an I/O
// loop; they do the effects that workflows may not. Every attempt of an activity has the same
// idempotency key; an attempt may run again after a crash, so effects must be repeat-safe.
//
// Thread-safety: I/O loop thread only. Lives as long as the attempt.
//
// Example:
//   base::Task<sdk::Outcome<ChargeOutput>> Charge(sdk::ActivityContext& ctx, ChargeInput input) {
//     sdk::Done saved = co_await ctx.RecordHeartbeat(checkpoint);   // durable before we go on
//     if (!saved.ok()) co_return saved.failure();
//     ...
//   }
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "orchestrator/base/cancel.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/task.h"
#include "orchestrator/history/payload.h"
#include "orchestrator/sdk/activity_type.h"

namespace sdk {

struct ActivityInfo {
  std::string ns;
  std::string workflow_id;
  std::string run_id;
  std::string workflow_type;
  std::string activity_id;
  std::string activity_type;
  std::string idempotency_key;
  int attempt = 1;
  int maximum_attempts = 0;  // 0 = no limit
  absl::Time scheduled_time;
  absl::Time started_time;
  absl::Time deadline = absl::InfiniteFuture();  // the attempt is canceled then
  std::string traceparent;
  std::string correlation_id;
};

class ActivityContext {
 public:
  virtual ~ActivityContext() = default;

  const ActivityInfo& info() const { return info_; }
  // Canceled when the attempt timed out, the workflow asked for it, or the worker stops.
  const base::CancelToken& cancel() const { return cancel_; }
  base::EventLoop& loop() const { return *loop_; }
  base::LogContext log_context() const;

  // Records liveness and progress. Awaiting it waits until `details` is durable: the next attempt
  // finds it in last_heartbeat, and a compensation receives it as the step's checkpoint. Ends with
  // a "Canceled" failure when the attempt should stop.
  base::Task<Done> RecordHeartbeat(const google::protobuf::MessageLite& details) {
    return RecordHeartbeatRaw(history::ToPayload(details));
  }
  virtual base::Task<Done> RecordHeartbeatRaw(v1::Payload details) = 0;

  // What an earlier attempt (or this one) recorded last; nullopt when nothing, or another type.
  template <typename T>
  std::optional<T> last_heartbeat() const {
    if (!last_heartbeat_.has_value()) return std::nullopt;
    absl::StatusOr<T> details = history::FromPayload<T>(*last_heartbeat_);
    if (!details.ok()) return std::nullopt;
    return *std::move(details);
  }

 protected:
  ActivityInfo info_;
  base::CancelToken cancel_;
  base::EventLoop* loop_ = nullptr;
  std::optional<v1::Payload> last_heartbeat_;
};

}  // namespace sdk
