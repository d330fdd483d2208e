// Timetable: the times of a ScheduleSpec, those of all its crons and intervals in order, without
// the excluded ones and those outside of its start and end.
//
// Thread-safety: constant after Make; thread-safe.
//
// Example:
//   absl::StatusOr<Timetable> table = Timetable::Make("nightly", schedule.spec());
//   absl::Time next = table->Next(now);
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "orchestrator/cron/cron.h"
#include "orchestrator/cron/interval.h"
#include "orchestrator/v1/schedule.pb.h"

namespace schedules {

namespace v1 = ::orchestrator::v1;

class Timetable {
 public:
  // INVALID_ARGUMENT for what CheckSpec finds.
  static absl::StatusOr<Timetable> Make(const std::string& schedule_id,
                                        const v1::ScheduleSpec& spec);

  // The first time after `after`; InfiniteFuture() when there is none.
  absl::Time Next(absl::Time after) const;
  // When the start of a time of the table is made: later by its jitter, before the time after it.
  absl::Time WithJitter(absl::Time scheduled) const;
  // What is due at `now` of the times after `cursor`; at most `due_max` of them. Times that are
  // late by more than `window` are missed; they are counted up to a limit of 10,000 a call.
  v1::DueTimes Due(absl::Time cursor, absl::Time now, absl::Duration window, int due_max) const;

 private:
  absl::Time NextIncluded(absl::Time after) const;
  bool Excluded(absl::Time time) const;

  std::string schedule_id_;
  std::vector<cron::Cron> crons_;
  std::vector<cron::Interval> intervals_;
  std::vector<cron::Cron> exclusions_;
  absl::TimeZone zone_ = absl::UTCTimeZone();
  absl::Time start_ = absl::InfinitePast();
  absl::Time end_ = absl::InfiniteFuture();
  absl::Duration jitter_;
};

}  // namespace schedules
