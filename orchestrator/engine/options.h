// Limits and times of the engine (DESIGN.md invariant 7); every one is a setting. Plain data.
#pragma once

#include <string>

#include "absl/time/time.h"

namespace engine {

struct EngineOptions {
  std::string node = "local";  // names the owner of the leases
  int partitions = 1;
  int live_runs_max = 10'000;   // runs kept in memory, a partition; parked ones beyond are evicted
  int inbox_max = 100'000;      // calls waiting at a partition
  int due_runs_per_turn = 200;  // due runs that a partition handles before it looks at its inbox
  int payload_bytes_max = 2 * 1024 * 1024;
  int history_events_max = 50'000;                    // at the limit a run is STUCK, not destroyed
  int pending_activities_max = 2'000;                 // of one run
  int waiters_max = 20'000;                           // long polls that wait at a partition
  absl::Duration wait_max = absl::Seconds(60);        // of one long poll
  absl::Duration due_horizon = absl::Seconds(60);     // timers nearer than this are in memory
  absl::Duration stuck_retry_min = absl::Seconds(1);  // how soon a stuck run is tried again
  absl::Duration stuck_retry_max = absl::Seconds(60);
  absl::Duration store_retry = absl::Seconds(1);  // after a failed commit
};

}  // namespace engine
