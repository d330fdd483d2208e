#include "orchestrator/cron/interval.h"

#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"

namespace cron {

absl::Status Interval::Validate() const {
  if (every < absl::Seconds(1)) {
    return absl::InvalidArgumentError(
        absl::StrCat("an interval must be at least 1s, it is ", absl::FormatDuration(every)));
  }
  if (offset < absl::ZeroDuration() || offset >= every) {
    return absl::InvalidArgumentError(absl::StrCat("an offset must be at least 0 and below the ",
                                                   "interval of ", absl::FormatDuration(every),
                                                   ", it is ", absl::FormatDuration(offset)));
  }
  return absl::OkStatus();
}

absl::Time Interval::Next(absl::Time after) const {
  const absl::Time base = absl::UnixEpoch() + offset;
  const absl::Duration since = after - base;
  absl::Time next = base + absl::Floor(since, every) + every;
  if (next <= after) next += every;  // Floor rounds towards zero for negative durations
  return next;
}

absl::Duration Jitter(absl::string_view key, absl::Duration maximum) {
  if (maximum <= absl::ZeroDuration()) return absl::ZeroDuration();
  uint64_t hash = 14695981039346656037ull;  // FNV-1a, then the finalizer of SplitMix64
  for (const char c : key) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1099511628211ull;
  }
  hash ^= hash >> 30;
  hash *= 0xbf58476d1ce4e5b9ull;
  hash ^= hash >> 27;
  hash *= 0x94d049bb133111ebull;
  hash ^= hash >> 31;
  const int64_t steps = absl::ToInt64Milliseconds(maximum);
  if (steps <= 0) return absl::ZeroDuration();
  return absl::Milliseconds(static_cast<int64_t>(hash % static_cast<uint64_t>(steps)));
}

}  // namespace cron
