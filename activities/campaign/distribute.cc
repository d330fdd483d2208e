// distribute_campaign_activity (requirement O7): all channels at once (distribution.h). When a
// channel does not get through for good the activity fails and the saga takes back what the others
// did.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "activities/campaign/activity_set.h"
#include "activities/campaign/distribution.h"
#include "activities/campaign/names.h"

namespace campaign {

Channels MakeChannels(const Settings& settings, const Connectors* connectors) {
  Channels channels;
  channels.push_back(MakeEmailChannel(settings, connectors));
  channels.push_back(MakeSocialChannel(settings, connectors));
  channels.push_back(MakeBlogChannel(settings, connectors));
  channels.push_back(MakeCmsChannel(settings, connectors));
  return channels;
}

base::Done ActivitySet::CheckDistribution(const v1::CampaignSpec& spec) const {
  std::vector<absl::string_view> known;
  for (const auto& channel : channels_) known.push_back(channel->name());
  for (const std::string& wanted : spec.channels()) {
    if (std::find(known.begin(), known.end(), wanted) != known.end()) continue;
    return base::Failure::Permanent(
        "InvalidInput", absl::StrCat("channels: there is no channel \"", wanted, "\"; known are ",
                                     absl::StrJoin(known, ", ")));
  }
  for (const auto& channel : channels_) {
    if (!HasChannel(spec, channel->name())) continue;
    base::Done checked = channel->Check(spec);
    if (!checked.ok()) return checked;
  }
  return base::Unit{};
}

Result<v1::DistributeOutput> ActivitySet::Distribute(sdk::ActivityContext& ctx,
                                                     v1::DistributeInput input) const {
  const base::Done checked = CheckDistribution(input.campaign());
  if (!checked.ok()) co_return checked.failure();
  base::Outcome<v1::DistributeOutput> output = co_await RunDistribution(
      channels_, {.undo_window = settings_.undo_window, .settle_delay = settings_.settle_delay},
      ctx, std::move(input));
  co_return output;
}

}  // namespace campaign
