#include "activities/campaign/schedule.h"

#include <algorithm>

#include "activities/campaign/names.h"
#include "orchestrator/history/time.h"

namespace campaign {

std::optional<absl::Time> ScheduleTime(const v1::CampaignSpec& spec) {
  if (!spec.has_schedule_time()) return std::nullopt;
  return history::FromProto(spec.schedule_time());
}

absl::Time DistributionStart(const v1::CampaignSpec& spec, absl::Time now,
                             absl::Duration undo_window) {
  const std::optional<absl::Time> schedule = ScheduleTime(spec);
  if (!schedule.has_value()) return now;
  const auto has = [&spec](absl::string_view channel) {
    return std::find(spec.channels().begin(), spec.channels().end(), channel) !=
           spec.channels().end();
  };
  const bool at_once = has(kBlog) || has(kCms);  // what they publish is out
  return std::max(now, at_once ? *schedule : *schedule - undo_window);
}

absl::Time SendAt(const v1::CampaignSpec& spec, absl::Time now, absl::Duration undo_window) {
  const absl::Time earliest = now + undo_window;
  const absl::Time wanted = std::max(ScheduleTime(spec).value_or(earliest), earliest);
  const absl::Time send_at = std::min(wanted, now + kSendAheadMax - absl::Minutes(1));
  return absl::FromUnixSeconds(
      absl::ToUnixSeconds(send_at + absl::Seconds(1) - absl::Nanoseconds(1)));
}

std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M UTC", time, absl::UTCTimeZone());
}

}  // namespace campaign
