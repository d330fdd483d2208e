// Local activities: activities that run in the worker, beside the workflow, and leave only a marker
// with their end in the history ("local_activity:<sequence>:<type>"). They save two events and a
// dispatch, and cost: their attempts are not stored, so after a crash they begin again, and the
// run stays in memory while one runs. Retries are made in the worker and are short.
//
// Thread-safety: plain data.
//
// Example:
//   sdk::Outcome<Address> address = co_await ctx.ExecuteLocal(kCheckAddress, input.address());
#pragma once

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/sdk/activity_type.h"
#include "orchestrator/v1/history.pb.h"

namespace sdk {

struct LocalActivityOptions {
  absl::Duration start_to_close_timeout = absl::Seconds(10);    // of one attempt
  absl::Duration schedule_to_close_timeout = absl::Minutes(1);  // of all attempts and waits
  RetryPolicy retry = {.initial_interval = absl::Milliseconds(100),
                       .maximum_interval = absl::Seconds(5),
                       .maximum_attempts = 5};
};

// Markers of this name, followed by the sequence, ":" and the activity's type, hold an end: the
// result, or a v1::Failure when the metadata has kLocalFailedKey.
inline constexpr char kLocalMarkerPrefix[] = "local_activity:";
inline constexpr char kLocalFailedKey[] = "failed";

// Of an Instance's task.
struct LocalStart {
  int64_t sequence = 0;
  v1::ActivityTaskScheduled scheduled;
};
struct LocalEnd {
  int64_t sequence = 0;
  Outcome<v1::Payload> outcome;
};

}  // namespace sdk
