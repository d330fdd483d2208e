// What a campaign needs of the server's settings: somebody who gets its mails, a place for its
// posts, the credentials of the vendors that it calls. Previews and starts ask this one. Pure;
// thread-safe.
//
// Example:
//   for (const Need& need : UnmetNeeds(spec, vendors, settings)) {
//     if (need.fatal) violations->Add(absl::StrCat("campaign.", need.field), need.problem);
//   }
#pragma once

#include <string>
#include <vector>

#include "activities/campaign/settings.h"
#include "campaign/v1/campaign.pb.h"

namespace gateway {

// What the settings have.
struct NeedSettings {
  const campaign::Settings& campaign;
  bool cms_set = true;  // vendors.cms.base_url
  // Keys that campaigns need and that are not set: "vendors.slack.token (SLACK_BOT_TOKEN)".
  const std::vector<std::string>& missing_keys;
};

struct Need {
  std::string field;    // of the campaign: "channels[1]"; empty: the campaign as a whole
  std::string problem;  // what to do about it: "is required: ..."
  // The campaign would surely fail, else it does without: one source of several.
  bool fatal = true;
};

// `vendors`: those that the campaign calls, by the names of their settings.
std::vector<Need> UnmetNeeds(const campaign::v1::CampaignSpec& spec,
                             const std::vector<std::string>& vendors, const NeedSettings& settings);

}  // namespace gateway
