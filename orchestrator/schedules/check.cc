#include "orchestrator/schedules/check.h"

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "orchestrator/cron/cron.h"
#include "orchestrator/cron/interval.h"
#include "orchestrator/history/time.h"
#include "orchestrator/schedules/timetable.h"

namespace schedules {
namespace {

using Problems = std::vector<Problem>;

constexpr size_t kTypeLengthMax = 200;
constexpr size_t kPrefixLengthMax = 200;
constexpr char kIdCharacters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-";

void Add(Problems* problems, absl::string_view prefix, absl::string_view field,
         absl::string_view description) {
  problems->push_back(
      {absl::StrCat(std::string(prefix), ".", std::string(field)), std::string(description)});
}

void CheckDuration(const google::protobuf::Duration& value, absl::Duration least,
                   absl::Duration most, absl::string_view prefix, absl::string_view field,
                   Problems* problems) {
  const absl::Duration duration = history::FromProto(value);
  if (duration >= least && duration <= most) return;
  Add(problems, prefix, field,
      absl::StrCat("must be from ", absl::FormatDuration(least), " to ", absl::FormatDuration(most),
                   ", is ", absl::FormatDuration(duration)));
}

template <typename List>
void CheckCrons(const List& crons, absl::string_view prefix, absl::string_view field,
                Problems* problems) {
  if (crons.size() > kCronsMax) {
    Add(problems, prefix, field,
        absl::StrCat("may have ", kCronsMax, " elements, has ", crons.size()));
  }
  for (int i = 0; i < crons.size(); ++i) {
    const absl::StatusOr<cron::Cron> cron = cron::Cron::Parse(crons.Get(i));
    if (cron.ok()) continue;
    Add(problems, prefix, absl::StrCat(std::string(field), "[", i, "]"), cron.status().message());
  }
}

}  // namespace

Problems CheckSpec(const v1::ScheduleSpec& spec, absl::string_view prefix) {
  Problems problems;
  if (spec.crons().empty() && spec.intervals().empty()) {
    Add(&problems, prefix, "crons", "or intervals must have an element");
  }
  CheckCrons(spec.crons(), prefix, "crons", &problems);
  CheckCrons(spec.exclusions(), prefix, "exclusions", &problems);
  if (spec.intervals_size() > kCronsMax) {
    Add(&problems, prefix, "intervals",
        absl::StrCat("may have ", kCronsMax, " elements, has ", spec.intervals_size()));
  }
  for (int i = 0; i < spec.intervals_size(); ++i) {
    const cron::Interval interval = {history::FromProto(spec.intervals(i).every()),
                                     history::FromProto(spec.intervals(i).offset())};
    const absl::Status valid = interval.Validate();
    if (!valid.ok()) Add(&problems, prefix, absl::StrCat("intervals[", i, "]"), valid.message());
  }
  absl::TimeZone zone;
  if (!spec.time_zone().empty() && !absl::LoadTimeZone(spec.time_zone(), &zone)) {
    Add(&problems, prefix, "time_zone",
        absl::StrCat("\"", spec.time_zone(), "\" is not known; an example is Europe/Berlin"));
  }
  CheckDuration(spec.jitter(), absl::ZeroDuration(), kJitterMax, prefix, "jitter", &problems);
  if (spec.has_start_time() && spec.has_end_time() &&
      history::FromProto(spec.end_time()) <= history::FromProto(spec.start_time())) {
    Add(&problems, prefix, "end_time", "must be after start_time");
  }
  return problems;
}

Problems CheckAction(const v1::ScheduleAction& action, absl::string_view prefix) {
  Problems problems;
  const std::string& type = action.workflow_type();
  if (type.empty()) {
    Add(&problems, prefix, "workflow_type", "is required");
  } else if (type.size() > kTypeLengthMax) {
    Add(&problems, prefix, "workflow_type",
        absl::StrCat("may have ", kTypeLengthMax, " characters, has ", type.size()));
  } else if (absl::StartsWith(type, "system.")) {
    Add(&problems, prefix, "workflow_type", "must not be one of the system's own");
  }
  const std::string& id = action.workflow_id_prefix();
  if (id.size() > kPrefixLengthMax || id.find_first_not_of(kIdCharacters) != id.npos) {
    Add(&problems, prefix, "workflow_id_prefix",
        absl::StrCat("may have ", kPrefixLengthMax,
                     " letters, digits and . _ : - and nothing else"));
  }
  const absl::Duration most = absl::Hours(24 * 3660);
  CheckDuration(action.execution_timeout(), absl::ZeroDuration(), most, prefix, "execution_timeout",
                &problems);
  CheckDuration(action.run_timeout(), absl::ZeroDuration(), most, prefix, "run_timeout", &problems);
  return problems;
}

Problems CheckPolicies(const v1::SchedulePolicies& policies, absl::string_view prefix) {
  Problems problems;
  if (!v1::OverlapPolicy::Value_IsValid(policies.overlap())) {
    Add(&problems, prefix, "overlap",
        "is none of SKIP, BUFFER_ONE, BUFFER_ALL, ALLOW, CANCEL_OTHER, TERMINATE_OTHER");
  }
  if (policies.has_catch_up_window()) {
    CheckDuration(policies.catch_up_window(), kCatchUpWindowMin, kCatchUpWindowMax, prefix,
                  "catch_up_window", &problems);
  }
  return problems;
}

Problems CheckSchedule(const v1::Schedule& schedule, absl::string_view prefix) {
  const std::string path(prefix);
  Problems problems = CheckSpec(schedule.spec(), absl::StrCat(path, ".spec"));
  for (Problem& p : CheckAction(schedule.action(), absl::StrCat(path, ".action"))) {
    problems.push_back(std::move(p));
  }
  for (Problem& p : CheckPolicies(schedule.policies(), absl::StrCat(path, ".policies"))) {
    problems.push_back(std::move(p));
  }
  return problems;
}

Problems CheckBackfill(const std::string& schedule_id, const v1::ScheduleSpec& spec,
                       const v1::ScheduleBackfill& backfill, absl::string_view prefix) {
  Problems problems;
  if (!backfill.has_start_time()) Add(&problems, prefix, "start_time", "is required");
  if (!backfill.has_end_time()) Add(&problems, prefix, "end_time", "is required");
  switch (backfill.overlap()) {
    case v1::OverlapPolicy::UNSPECIFIED:
    case v1::OverlapPolicy::BUFFER_ALL:
    case v1::OverlapPolicy::ALLOW:
      break;
    default:
      Add(&problems, prefix, "overlap", "must be BUFFER_ALL or ALLOW");
  }
  if (!problems.empty()) return problems;
  const absl::Time start = history::FromProto(backfill.start_time());
  const absl::Time end = history::FromProto(backfill.end_time());
  if (end < start) {
    Add(&problems, prefix, "end_time", "must not be before start_time");
    return problems;
  }
  const absl::StatusOr<Timetable> table = Timetable::Make(schedule_id, spec);
  if (!table.ok()) return problems;  // the spec's own problem
  int times = 0;
  for (absl::Time at = table->Next(start - absl::Nanoseconds(1)); at <= end; at = table->Next(at)) {
    if (at == absl::InfiniteFuture()) break;
    if (++times <= kBackfillTimesMax) continue;
    Add(&problems, prefix, "end_time",
        absl::StrCat("the range may hold ", kBackfillTimesMax,
                     " times, it holds more; the limit "
                     "is reached at ",
                     absl::FormatTime(at, absl::UTCTimeZone())));
    break;
  }
  if (times == 0) Add(&problems, prefix, "end_time", "the range holds no time of the schedule");
  return problems;
}

std::string ToText(const Problems& problems) {
  return absl::StrJoin(problems, "; ", [](std::string* out, const Problem& p) {
    absl::StrAppend(out, p.field, ": ", p.description);
  });
}

}  // namespace schedules
