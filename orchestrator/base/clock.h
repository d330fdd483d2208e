// Time as an interface: wall time for what is stored, monotonic time for waiting. Thread-safe.
//
// Example:
//   absl::Time now = clock.Now();
#pragma once

#include "absl/time/time.h"

namespace base {

class Clock {
 public:
  virtual ~Clock() = default;
  // Wall clock; may step in either direction.
  virtual absl::Time Now() = 0;
  // Time since an arbitrary point; never goes back.
  virtual absl::Duration Monotonic() = 0;
};

class SystemClock : public Clock {
 public:
  absl::Time Now() override;
  absl::Duration Monotonic() override;
};

}  // namespace base
