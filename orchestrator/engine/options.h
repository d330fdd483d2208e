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
  int history_events_max = 50'000;      // at the limit a run is STUCK, not destroyed
  int pending_activities_max = 2'000;   // of one run
  int pending_children_max = 2'000;     // of one run: children, and messages to
                                        // other runs, that were not answered
  int messages_in_flight_max = 10'000;  // to other runs, of one partition
  // Nothing goes out on the word of a lease that was confirmed longer ago than this.
  absl::Duration lease_check_after = absl::Milliseconds(500);
  int signals_pending_max = 10'000;   // of one run: no workflow task saw them yet
  int signals_max = 10'000;           // of one run's history
  int updates_in_flight_max = 1'000;  // of one run
  int updates_max = 10'000;           // of one run's history; their answers are kept
  int identity_bytes_max = 800;       // who asks
  int reason_bytes_max = 4'000;
  int name_bytes_max = 200;             // types, signals, updates, queries, task queues, namespaces
  int continue_as_new_events = 10'000;  // a run is told to continue as new from here on
  int continue_as_new_bytes = 8 * 1024 * 1024;
  int waiters_max = 20'000;                           // long polls that wait at a partition
  absl::Duration wait_max = absl::Seconds(60);        // of one long poll
  absl::Duration due_horizon = absl::Seconds(60);     // timers nearer than this are in memory
  absl::Duration stuck_retry_min = absl::Seconds(1);  // how soon a stuck run is tried again
  absl::Duration stuck_retry_max = absl::Seconds(60);
  int payload_offload_bytes = 64 * 1024;      // larger payloads are kept once, by hash; 0: never
  int search_attributes_max = 50;             // of one run
  int search_attribute_bytes_max = 2 * 1024;  // of one value
  int memo_bytes_max = 32 * 1024;             // of all fields of one run
  // How long closed runs are kept; 0: for ever. `retention_failed` is for those that did not
  // complete; 0: as the others. What is older is written to `archive_dir` and deleted.
  absl::Duration retention = absl::ZeroDuration();
  absl::Duration retention_failed = absl::ZeroDuration();
  absl::Duration retention_interval = absl::Minutes(1);
  std::string archive_dir;
  absl::Duration store_retry = absl::Seconds(1);  // after a failed commit
  // Workflow code that holds its partition's loop for longer is named by the watchdog; 0: no
  // watchdog.
  absl::Duration task_blocked_after = absl::Seconds(1);
};

}  // namespace engine
