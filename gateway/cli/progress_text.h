// Progress of a campaign as text. Pure; thread-safe.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "campaign/v1/campaign.pb.h"

namespace cli {

// A block of lines: name, bar, phases with their times, links, what to do next.
// `color` uses ANSI colors; `width` cuts lines (a redraw counts on one row each).
std::string ProgressBlock(const campaign::v1::CampaignProgress& progress, absl::Time now,
                          bool color, size_t width);

// "09:30:05   60 %  review        waiting for approval".
std::string ProgressLine(const campaign::v1::CampaignProgress& progress, absl::Time now);

}  // namespace cli
