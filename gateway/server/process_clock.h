// ProcessClock: the system's clock, which tests of the whole process can step. When the environment
// names a file in CAMPAIGND_TEST_CLOCK_OFFSET, the wall clock is ahead by as many microseconds as
// the 64-bit integer in that file says now (host byte order; negative: behind). The file is mapped:
// what a test writes there counts at once. Monotonic time is never changed. Without the variable it
// is the system's clock. tests/e2e/chaos.py steps it.
//
// Thread-safe.
#pragma once

#include <string>

#include "orchestrator/base/clock.h"

namespace server {

class ProcessClock : public base::Clock {
 public:
  ProcessClock();  // by the environment; the process ends when the file cannot be read
  ~ProcessClock() override;
  ProcessClock(const ProcessClock&) = delete;
  ProcessClock& operator=(const ProcessClock&) = delete;

  absl::Time Now() override;
  absl::Duration Monotonic() override { return system_.Monotonic(); }

 private:
  base::SystemClock system_;
  const int64_t* offset_us_ = nullptr;
};

}  // namespace server
