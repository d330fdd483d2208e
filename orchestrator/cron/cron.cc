#include "orchestrator/cron/cron.h"

#include "orchestrator/cron/parser.h"

namespace cron {
namespace {

constexpr int kYearsAhead = 12;  // two 29 February are at most 8 years apart
constexpr uint64_t kAllHours = (uint64_t{1} << 24) - 1;

bool Has(uint64_t bits, int value) { return (bits >> value & 1) != 0; }

}  // namespace

absl::StatusOr<Cron> Cron::Parse(absl::string_view text) { return Parser::Parse(text); }

absl::Time Cron::Next(absl::Time after, absl::TimeZone zone) const {
  if (after == absl::InfiniteFuture() || after == absl::InfinitePast()) {
    return absl::InfiniteFuture();
  }
  if (zone_.has_value()) zone = *zone_;
  return CountsRealHours() ? NextOfRealHours(after, zone) : NextOfLocalTimes(after, zone);
}

bool Cron::CountsRealHours() const { return hours_ == kAllHours; }

// Local times in their order have times that never go back: a gap's are all its end, an overlap's
// are the first ones. So the first later than `after` is the answer.
absl::Time Cron::NextOfLocalTimes(absl::Time after, const absl::TimeZone& zone) const {
  absl::CivilMinute from = absl::ToCivilMinute(after, zone);
  const absl::civil_year_t last = from.year() + kYearsAhead;
  while (true) {
    const std::optional<absl::CivilMinute> local = NextLocal(from);
    if (!local.has_value() || local->year() > last) return absl::InfiniteFuture();
    const absl::TimeZone::TimeInfo info = zone.At(absl::CivilSecond(*local));
    const absl::Time time = info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre;
    if (time > after) return time;
    from = *local + 1;
  }
}

// Goes from one change of the zone's offset to the next; between them local time runs like real
// time.
absl::Time Cron::NextOfRealHours(absl::Time after, const absl::TimeZone& zone) const {
  const absl::civil_year_t last = absl::ToCivilMinute(after, zone).year() + kYearsAhead;
  absl::Time at = after;  // the first minute that begins at or after it is looked for
  bool inclusive = false;
  while (true) {
    const absl::CivilMinute minute = absl::ToCivilMinute(at, zone);
    const absl::Time begin =
        at - (absl::ToCivilSecond(at, zone) - absl::CivilSecond(minute)) * absl::Seconds(1) -
        zone.At(at).subsecond;
    const std::optional<absl::CivilMinute> local =
        NextLocal(inclusive && begin == at ? minute : minute + 1);
    absl::TimeZone::CivilTransition change;
    const bool changes = zone.NextTransition(at, &change);
    const absl::Time changed = changes ? zone.At(change.to).trans : absl::InfiniteFuture();
    if (local.has_value() && local->year() <= last) {
      const absl::Time time = begin + absl::Minutes(*local - minute);
      if (time < changed) return time;
    }
    if (!changes || absl::ToCivilMinute(changed, zone).year() > last) {
      return absl::InfiniteFuture();
    }
    at = changed;
    inclusive = true;
  }
}

bool Cron::DayMatches(absl::CivilDay day) const {
  // absl::Weekday counts from Monday.
  const int weekday = (static_cast<int>(absl::GetWeekday(day)) + 1) % 7;
  const bool of_month = Has(days_of_month_, day.day());
  const bool of_week = Has(days_of_week_, weekday);
  if (any_day_of_month_ || any_day_of_week_) return of_month && of_week;
  return of_month || of_week;
}

// The first matching local minute at or after `from`.
std::optional<absl::CivilMinute> Cron::NextLocal(absl::CivilMinute from) const {
  const absl::civil_year_t last = from.year() + kYearsAhead;
  absl::CivilMinute at = from;
  while (at.year() <= last) {
    if (!Has(months_, at.month())) {
      at = absl::CivilMinute(absl::CivilMonth(at) + 1);
    } else if (!DayMatches(absl::CivilDay(at))) {
      at = absl::CivilMinute(absl::CivilDay(at) + 1);
    } else if (!Has(hours_, at.hour())) {
      at = absl::CivilMinute(absl::CivilHour(at) + 1);
    } else if (!Has(minutes_, at.minute())) {
      ++at;
    } else {
      return at;
    }
  }
  return std::nullopt;
}

}  // namespace cron
