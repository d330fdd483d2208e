// A clock that stands until it is moved.
#pragma once

#include "orchestrator/base/clock.h"

namespace auth {

class FakeClock : public base::Clock {
 public:
  absl::Time Now() override { return now_; }
  absl::Duration Monotonic() override { return now_ - absl::UnixEpoch(); }
  void Move(absl::Duration by) { now_ += by; }

 private:
  absl::Time now_ = absl::FromUnixSeconds(1'800'000'000);
};

}  // namespace auth
