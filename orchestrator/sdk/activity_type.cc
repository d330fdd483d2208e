#include "orchestrator/sdk/activity_type.h"

#include "orchestrator/history/time.h"

namespace sdk {

v1::RetryPolicy ToProto(const RetryPolicy& policy) {
  v1::RetryPolicy proto;
  *proto.mutable_initial_interval() = history::ToProto(policy.initial_interval);
  proto.set_backoff_coefficient(policy.backoff_coefficient);
  if (policy.maximum_interval > absl::ZeroDuration()) {
    *proto.mutable_maximum_interval() = history::ToProto(policy.maximum_interval);
  }
  proto.set_maximum_attempts(policy.maximum_attempts);
  for (const std::string& type : policy.non_retryable_error_types) {
    proto.add_non_retryable_error_types(type);
  }
  proto.set_jitter(policy.jitter);
  switch (policy.on_exhausted) {
    case OnExhausted::kFail:
      break;
    case OnExhausted::kPause:
      proto.set_on_exhausted(v1::OnExhausted::PAUSE);
      break;
    case OnExhausted::kCompensate:
      proto.set_on_exhausted(v1::OnExhausted::COMPENSATE);
      break;
  }
  return proto;
}

}  // namespace sdk
