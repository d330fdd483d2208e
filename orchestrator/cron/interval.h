// Interval: times at equal distances from 1970-01-01T00:00:00Z, moved by an offset. Also jitter.
//
// Thread-safety: values and pure functions.
//
// Example: cron::Interval{absl::Hours(1), absl::Minutes(15)}.Next(now)  // a quarter past the hour
#pragma once

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace cron {

struct Interval {
  absl::Duration every;
  absl::Duration offset;

  // INVALID_ARGUMENT unless every >= 1 s and 0 <= offset < every.
  absl::Status Validate() const;
  // The first time after `after` (never `after` itself). Needs a valid interval.
  absl::Time Next(absl::Time after) const;
};

// A delay in [0, maximum) that follows from `key` alone, to the millisecond: the same key always
// has the same delay, and keys spread evenly. Zero when `maximum` is not positive.
absl::Duration Jitter(absl::string_view key, absl::Duration maximum);

}  // namespace cron
