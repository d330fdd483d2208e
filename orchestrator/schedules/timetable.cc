#include "orchestrator/schedules/timetable.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/history/time.h"

namespace schedules {
namespace {

constexpr int kMissedMax = 10000;     // counted in one call
constexpr int kExcludedMax = 100000;  // times in a row that are left out

}  // namespace

absl::StatusOr<Timetable> Timetable::Make(const std::string& schedule_id,
                                          const v1::ScheduleSpec& spec) {
  Timetable table;
  table.schedule_id_ = schedule_id;
  for (const auto& [texts, crons] : {std::pair{&spec.crons(), &table.crons_},
                                     std::pair{&spec.exclusions(), &table.exclusions_}}) {
    for (const std::string& text : *texts) {
      absl::StatusOr<cron::Cron> cron = cron::Cron::Parse(text);
      if (!cron.ok()) return cron.status();
      crons->push_back(*std::move(cron));
    }
  }
  for (const v1::ScheduleInterval& each : spec.intervals()) {
    const cron::Interval interval = {history::FromProto(each.every()),
                                     history::FromProto(each.offset())};
    if (absl::Status valid = interval.Validate(); !valid.ok()) return valid;
    table.intervals_.push_back(interval);
  }
  if (!spec.time_zone().empty() && !absl::LoadTimeZone(spec.time_zone(), &table.zone_)) {
    return absl::InvalidArgumentError(
        absl::StrCat("time zone \"", spec.time_zone(), "\" is not known"));
  }
  if (spec.has_start_time()) table.start_ = history::FromProto(spec.start_time());
  if (spec.has_end_time()) table.end_ = history::FromProto(spec.end_time());
  table.jitter_ = history::FromProto(spec.jitter());
  return table;
}

absl::Time Timetable::Next(absl::Time after) const {
  if (start_ > after && start_ != absl::InfinitePast()) after = start_ - absl::Nanoseconds(1);
  for (int i = 0; i < kExcludedMax; ++i) {
    const absl::Time next = NextIncluded(after);
    if (next == absl::InfiniteFuture() || next > end_) return absl::InfiniteFuture();
    if (!Excluded(next)) return next;
    after = next;
  }
  return absl::InfiniteFuture();
}

absl::Time Timetable::NextIncluded(absl::Time after) const {
  absl::Time next = absl::InfiniteFuture();
  for (const cron::Cron& cron : crons_) next = std::min(next, cron.Next(after, zone_));
  for (const cron::Interval& interval : intervals_) next = std::min(next, interval.Next(after));
  return next;
}

bool Timetable::Excluded(absl::Time time) const {
  const absl::Time minute = absl::FromUnixSeconds(absl::ToUnixSeconds(time) / 60 * 60);
  return std::any_of(exclusions_.begin(), exclusions_.end(), [&](const cron::Cron& cron) {
    return cron.Next(minute - absl::Nanoseconds(1), zone_) == minute;
  });
}

absl::Time Timetable::WithJitter(absl::Time scheduled) const {
  if (jitter_ <= absl::ZeroDuration()) return scheduled;
  const absl::Duration maximum = std::min(jitter_, Next(scheduled) - scheduled);
  const std::string key = absl::StrCat(schedule_id_, "/", absl::ToUnixMillis(scheduled));
  return scheduled + cron::Jitter(key, maximum);
}

v1::DueTimes Timetable::Due(absl::Time cursor, absl::Time now, absl::Duration window,
                            int due_max) const {
  v1::DueTimes result;
  int missed = 0;
  absl::Time next = Next(cursor);
  while (next != absl::InfiniteFuture() && WithJitter(next) <= now) {
    if (now - WithJitter(next) > window) {
      result.set_missed(++missed);
    } else if (result.due_size() < due_max) {
      *result.add_due() = history::ToProto(next);
    } else {
      result.set_more(true);
      break;
    }
    cursor = next;
    // A clock that steps over years must not hold the loop: the rest of the gap is not counted.
    if (missed == kMissedMax) cursor = std::max(cursor, now - window - absl::Nanoseconds(1));
    next = Next(cursor);
  }
  *result.mutable_cursor() = history::ToProto(cursor);
  if (next != absl::InfiniteFuture()) *result.mutable_next() = history::ToProto(WithJitter(next));
  return result;
}

}  // namespace schedules
