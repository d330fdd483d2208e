// Why an attempt that ran out of time failed: the failure of the attempt before it. Pure.
//
// Example:
//   if (activity.last_failure.has_value()) SetCause(*activity.last_failure, &failure);
#pragma once

#include "orchestrator/v1/common.pb.h"

namespace core {

// Of a row of time-outs only the newest is kept, and what came before the row: a chain with a link
// for each attempt would outgrow what protobuf reads back (100 levels).
inline void SetCause(const orchestrator::v1::Failure& before,
                     orchestrator::v1::Failure* timed_out) {
  orchestrator::v1::Failure* cause = timed_out->mutable_cause();
  *cause = before;
  const bool row = before.type() == "TimedOut" && before.cause().type() == "TimedOut";
  if (!row) return;
  if (before.cause().has_cause()) {
    *cause->mutable_cause() = before.cause().cause();
  } else {
    cause->clear_cause();
  }
}

}  // namespace core
