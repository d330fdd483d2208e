// What a dry run shows: the calls that a campaign would make, in the order of its phases. Nobody is
// called, so what depends on a vendor's answer (the texts above all) is named, not shown. Pure.
//
// Example:
//   v1::PlanOutput plan = PlanCampaign("spring", spec, settings, prompts, now);
#pragma once

#include <string>

#include "absl/time/time.h"
#include "activities/campaign/channel.h"
#include "activities/campaign/prompt.h"
#include "activities/campaign/settings.h"
#include "campaign/v1/activities.pb.h"

namespace campaign {

v1::PlanOutput PlanCampaign(const std::string& workflow_id, const v1::CampaignSpec& spec,
                            const Settings& settings, const Prompts& prompts,
                            const Channels& channels, absl::Time now);
// With channels made from the settings alone.
v1::PlanOutput PlanCampaign(const std::string& workflow_id, const v1::CampaignSpec& spec,
                            const Settings& settings, const Prompts& prompts, absl::Time now);

}  // namespace campaign
