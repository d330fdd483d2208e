// Cron: the times of a cron expression, in a time zone.
//
// Five fields: minute (0-59), hour (0-23), day of month (1-31), month (1-12 or JAN-DEC), day of
// week (0-7 or SUN-SAT; 0 and 7 are Sunday). A field is "*" or "?", or a list of values, ranges
// "a-b" and steps "*/n", "a-b/n", "a/n" (from a to the end). Instead of the fields: @yearly,
// @annually, @monthly, @weekly, @daily, @midnight, @hourly. A prefix "CRON_TZ=Europe/Berlin " (or
// "TZ=") names the zone.
// When day of month and day of week are both restricted, a day matches if either does (POSIX
// crontab).
//
// Daylight saving:
// - An expression whose hour field holds all 24 hours counts real hours: in a gap it has no time,
//   in an overlap it has the times of both hours.
// - Any other has each of its local times once: a time in a gap moves to the gap's end (several
//   become one), in an overlap the first one counts.
//
// Thread-safety: a value; const members may be called from any thread.
//
// Example:
//   absl::StatusOr<cron::Cron> cron = cron::Cron::Parse("CRON_TZ=Europe/Berlin 30 9 * * MON-FRI");
//   if (!cron.ok()) return cron.status();
//   absl::Time next = cron->Next(now);
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace cron {

class Cron {
 public:
  // INVALID_ARGUMENT: the text is no cron expression, or no day ever matches it (30 February).
  // The message names the field and the value.
  static absl::StatusOr<Cron> Parse(absl::string_view text);

  // The first time after `after` (never `after` itself), in the zone of the prefix, else in
  // `zone`. InfiniteFuture() when there is none within 12 years.
  absl::Time Next(absl::Time after, absl::TimeZone zone = absl::UTCTimeZone()) const;

  // The zone of the prefix.
  const std::optional<absl::TimeZone>& zone() const { return zone_; }
  // As it was given.
  const std::string& text() const { return text_; }

 private:
  friend class Parser;
  Cron() = default;
  bool DayMatches(absl::CivilDay day) const;
  bool CountsRealHours() const;
  std::optional<absl::CivilMinute> NextLocal(absl::CivilMinute from) const;
  absl::Time NextOfLocalTimes(absl::Time after, const absl::TimeZone& zone) const;
  absl::Time NextOfRealHours(absl::Time after, const absl::TimeZone& zone) const;

  std::string text_;
  std::optional<absl::TimeZone> zone_;
  // Bit n: the value n matches.
  uint64_t minutes_ = 0;
  uint64_t hours_ = 0;
  uint64_t days_of_month_ = 0;
  uint64_t months_ = 0;
  uint64_t days_of_week_ = 0;  // 0 is Sunday
  bool any_day_of_month_ = false;
  bool any_day_of_week_ = false;
};

}  // namespace cron
