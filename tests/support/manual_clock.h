// ManualClock: a clock that stands still until a test moves it.
// Thread-safe.
//
// Example:
//   test::ManualClock clock;
//   clock.Advance(absl::Seconds(10));
#pragma once

#include "absl/synchronization/mutex.h"
#include "orchestrator/base/clock.h"

namespace test {

class ManualClock : public base::Clock {
 public:
  // Where the wall clock of every ManualClock stands at first.
  static absl::Time Start() { return absl::FromUnixSeconds(1'790'000'000); }

  absl::Time Now() override {
    absl::MutexLock lock(&mu_);
    return Start() + elapsed_ + step_;
  }
  absl::Duration Monotonic() override {
    absl::MutexLock lock(&mu_);
    return elapsed_;
  }
  void Advance(absl::Duration by) {
    absl::MutexLock lock(&mu_);
    elapsed_ += by;
  }
  // The wall clock jumps.
  void Step(absl::Duration by) {
    absl::MutexLock lock(&mu_);
    step_ += by;
  }

 private:
  absl::Mutex mu_;
  absl::Duration elapsed_ = absl::ZeroDuration();
  absl::Duration step_ = absl::ZeroDuration();
};

}  // namespace test
