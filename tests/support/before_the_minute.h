// BeforeTheMinute: another clock, set so that a full minute comes a quarter of a second after this
// one is made; cron's minutes are then not waited for. As thread-safe as that clock.
//
// Example:
//   test::BeforeTheMinute clock(system_clock);
#pragma once

#include "orchestrator/base/clock.h"

namespace test {

class BeforeTheMinute : public base::Clock {
 public:
  explicit BeforeTheMinute(base::Clock& clock) : clock_(clock) {
    const absl::Time now = clock.Now();
    offset_ = absl::FromUnixSeconds((absl::ToUnixSeconds(now) / 60 + 1) * 60) -
              absl::Milliseconds(250) - now;
  }
  absl::Time Now() override { return clock_.Now() + offset_; }
  absl::Duration Monotonic() override { return clock_.Monotonic(); }

 private:
  base::Clock& clock_;
  absl::Duration offset_;
};

}  // namespace test
