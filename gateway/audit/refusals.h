// Refusals: failed sign-ins, missing permissions and limited calls on their way into the audit
// trail. The first of a caller is recorded as it is; those after it are counted and recorded
// together, after a minute, then two, four ... an hour. So a flood of them writes little,
// however many it is and wherever it comes from: at most kCallersAtOnce lines of single callers at
// once, and one more a minute; what is beyond is counted by what was refused, not by whom.
//
// Pure: time is given. Thread-compatible.
//
// Example:
//   if (std::optional<Event> event = refusals.Add(refused, now)) log.AppendLater(*event);
//   for (Event& event : refusals.Sweep(now)) log.AppendLater(std::move(event));
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gateway/audit/entry.h"

namespace audit {

class Refusals {
 public:
  static constexpr int kCallersAtOnce = 100;
  static constexpr absl::Duration kFirstReport = absl::Minutes(1);
  static constexpr absl::Duration kReportMax = absl::Hours(1);

  // The event to record now, if it is to be.
  std::optional<Event> Add(Event event, absl::Time now);
  // The summaries that are due; `all`: those that are not, too.
  std::vector<Event> Sweep(absl::Time now, bool all = false);

 private:
  struct Slot {
    Event last;
    int64_t more = 0;  // since what was recorded last
    absl::Time since;
    absl::Time report_at;
    absl::Duration wait = kFirstReport;
  };
  static Event Summary(const Slot& slot, absl::Time now, bool of_many);

  std::map<std::string, Slot> callers_;  // by action, actor and address
  std::map<std::string, Slot> others_;   // by action, of which there are a few
  double budget_ = kCallersAtOnce;
  absl::Time refilled_ = absl::InfinitePast();
};

}  // namespace audit
