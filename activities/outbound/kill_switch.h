// KillSwitch: while it is on no call leaves for a vendor. The state in memory; what makes it last
// is the operations database (gateway).
//
// Thread-safety: thread-safe.
//
// Example:
//   outbound::KillSwitch kill_switch(metrics);
//   kill_switch.Set({.on = true, .reason = "wrong price", .changed_by = "ann", .changed_at = now});
//   if (kill_switch.on()) return kill_switch.Hold(random);
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/base/outcome.h"

namespace outbound {

struct KillSwitchState {
  bool on = false;
  std::string reason;
  std::string changed_by;
  absl::Time changed_at = absl::InfinitePast();  // never
};

class KillSwitch {
 public:
  // `recheck`: how often a call that is held asks again.
  KillSwitch(base::Metrics& metrics, absl::Duration recheck);

  // In force when it returns: no call starts after it.
  void Set(KillSwitchState state);
  KillSwitchState Get() const;
  bool on() const { return on_.load(); }
  // What a call that was held ends with; `random` in [0, 1) spreads them. Counted.
  base::Failure Hold(const std::string& what, double random);
  int64_t calls_held() const { return held_.load(); }

 private:
  base::Metrics& metrics_;
  const absl::Duration recheck_;
  std::atomic<bool> on_ = false;
  std::atomic<int64_t> held_ = 0;
  mutable absl::Mutex mu_;
  KillSwitchState state_ ABSL_GUARDED_BY(mu_);
};

}  // namespace outbound
