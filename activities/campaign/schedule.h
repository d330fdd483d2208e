// When a campaign's parts go out. Pure; thread-safe.
//
// Example: now 09:00, schedule_time 12:00, undo window 15 min: a campaign of mails and posts starts
// its distribution at 11:45 and they go out at 12:00; one with a blog page starts at 12:00 (a page
// is public at once), its mails and posts go out at 12:15. Without schedule_time all starts at
// 09:00 and mails and posts go out at 09:15.
#pragma once

#include <optional>

#include "absl/time/time.h"
#include "campaign/v1/campaign.pb.h"

namespace campaign {

// SendGrid takes mails at most 72 hours ahead (vendor-apis.md section 7).
inline constexpr absl::Duration kSendAheadMax = absl::Hours(72);
// SendGrid promises a cancellation only this long before the mail goes out.
inline constexpr absl::Duration kCancelAheadMin = absl::Minutes(10);

std::optional<absl::Time> ScheduleTime(const v1::CampaignSpec& spec);

// When distribution begins; `now` at the earliest.
absl::Time DistributionStart(const v1::CampaignSpec& spec, absl::Time now,
                             absl::Duration undo_window);

// When mails and posts go out that are handed over now: not before schedule_time, and never with
// less than the undo window to take them back. Whole seconds.
absl::Time SendAt(const v1::CampaignSpec& spec, absl::Time now, absl::Duration undo_window);

// "2026-03-01 12:00 UTC".
std::string TimeText(absl::Time time);

}  // namespace campaign
