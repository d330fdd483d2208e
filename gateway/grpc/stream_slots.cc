#include "gateway/grpc/stream_slots.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/auth/call_limits.h"
#include "gateway/auth/limit_status.h"

namespace gateway {

namespace {

constexpr absl::Duration kRetryAfter = absl::Seconds(10);

std::string CallerKey(const CallInfo& call) {
  if (call.caller.proven()) return absl::StrCat("caller ", call.caller.identity);
  return absl::StrCat("address ", auth::AddressGroup(call.caller.address));
}

}  // namespace

absl::StatusOr<StreamSlots::Slot> StreamSlots::Take(const CallInfo& call) {
  std::string key = CallerKey(call);
  absl::MutexLock lock(&state_->mu);
  if (state_->total >= options_.max) {
    return auth::LimitExceeded(
        "STREAMS_EXCEEDED", "event streams",
        absl::StrCat("there are ", options_.max,
                     " event streams already; read the progress from time to time instead"),
        kRetryAfter);
  }
  int& own = state_->by_caller[key];
  if (own >= options_.per_caller_max) {
    return auth::LimitExceeded("STREAMS_EXCEEDED", key,
                               absl::StrCat("you have ", options_.per_caller_max,
                                            " event streams open already; close some"),
                               kRetryAfter);
  }
  ++own;
  ++state_->total;
  return Slot(nullptr, [state = state_, key = std::move(key)](void*) {
    absl::MutexLock lock(&state->mu);
    --state->total;
    const auto found = state->by_caller.find(key);
    if (--found->second == 0) state->by_caller.erase(found);
  });
}

int StreamSlots::open() const {
  absl::MutexLock lock(&state_->mu);
  return state_->total;
}

}  // namespace gateway
