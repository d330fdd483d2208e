// What a schedule may look like: every limit in one place. The gateway checks requests by it, the
// workflow its input and updates. Pure; thread-safe.
//
// Example:
//   for (const Problem& p : CheckSchedule("nightly", schedule, "schedule")) ...
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "orchestrator/v1/schedule.pb.h"

namespace schedules {

namespace v1 = ::orchestrator::v1;

inline constexpr int kCronsMax = 100;
inline constexpr int kBackfillTimesMax = 10000;
inline constexpr int kBackfillsMax = 20;
inline constexpr absl::Duration kCatchUpWindowDefault = absl::Hours(24);
inline constexpr absl::Duration kCatchUpWindowMin = absl::Seconds(10);
inline constexpr absl::Duration kCatchUpWindowMax = absl::Hours(24 * 366);
inline constexpr absl::Duration kJitterMax = absl::Hours(24);

struct Problem {
  std::string field;  // path: "schedule.spec.crons[1]"
  std::string description;
};

// Every fault, with its path under `prefix`.
std::vector<Problem> CheckSpec(const v1::ScheduleSpec& spec, absl::string_view prefix);
std::vector<Problem> CheckAction(const v1::ScheduleAction& action, absl::string_view prefix);
std::vector<Problem> CheckPolicies(const v1::SchedulePolicies& policies, absl::string_view prefix);
std::vector<Problem> CheckSchedule(const v1::Schedule& schedule, absl::string_view prefix);
// Of a backfill of a schedule with this spec.
std::vector<Problem> CheckBackfill(const std::string& schedule_id, const v1::ScheduleSpec& spec,
                                   const v1::ScheduleBackfill& backfill, absl::string_view prefix);

// "a: is wrong; b: is wrong too".
std::string ToText(const std::vector<Problem>& problems);

}  // namespace schedules
