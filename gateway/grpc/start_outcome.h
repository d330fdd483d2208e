// What the status of a failed start says about its run. Pure.
//
// Example:
//   if (!started.ok() && StartHadNoEffect(started.status())) Release(reservation);
#pragma once

#include "absl/status/status.h"

namespace gateway {

// The start has certainly not begun a run. After other errors it may have.
inline bool StartHadNoEffect(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kPermissionDenied:
      return true;
    default:
      return false;
  }
}

}  // namespace gateway
