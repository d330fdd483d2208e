// The work of distribute_campaign_activity over any channels: all at once, each repeat-safe.
//
// An outage postpones, it does not fail campaigns. Mails and posts wait for their time at the
// vendor, behind the undo window; when a channel's vendor is away until after it, what was handed
// over is taken back while that is certain, and handed over again when the vendor is back and has
// taken its part, with a whole undo window again. What is public at once (a page, an article)
// stays. What went out meanwhile, because the server was down or nobody could be asked, stays too:
// from then on the distribution only goes forward.
//
//   09:00  mail handed over for 09:15; the posts' vendor is down
//   09:03  the last moment to take the mail back for certain comes before the next try: taken back
//   10:10  the vendor is back: mail and posts handed over for 10:25
//
// Thread-safety: loop thread only. The arguments outlive the task.
//
// Example:
//   v1::DistributeOutput output = co_await RunDistribution(channels, options, ctx, input);
#pragma once

#include "absl/time/time.h"
#include "activities/campaign/channel.h"
#include "campaign/v1/activities.pb.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/task.h"
#include "orchestrator/sdk/activity_context.h"

namespace campaign {

struct DistributionOptions {
  absl::Duration undo_window;
  absl::Duration settle_delay;  // how long a request that was on its way may still arrive
};

base::Task<base::Outcome<v1::DistributeOutput>> RunDistribution(const Channels& channels,
                                                                DistributionOptions options,
                                                                sdk::ActivityContext& ctx,
                                                                v1::DistributeInput input);

// What waits at vendors for its time, and how long it can be taken back for certain. Pure.
struct Waiting {
  bool mail = false;
  bool posts = false;
  absl::Time send_at;
  absl::Time mail_until;   // a mail can be taken back before
  absl::Time posts_until;  // posts can be deleted before
  // When it has to be taken back unless all channels are through: what is not yet handed over would
  // come too late to be taken back itself.
  absl::Time last_chance;

  // Something is there that can be taken back at `now`.
  bool CanBeTakenBack(absl::Time now) const {
    return (mail && now < mail_until) || (!mail && posts && now < posts_until);
  }
};
Waiting WaitingOf(const v1::DistributeCheckpoint& checkpoint, const v1::CampaignSpec& spec);

// When mails and posts go out that are handed over now: the time that was chosen when something
// waits for it already and may do so, else a whole undo window from now. Pure.
absl::Time SendTime(const v1::DistributeCheckpoint& checkpoint, const v1::CampaignSpec& spec,
                    absl::Time now, absl::Duration undo_window);

}  // namespace campaign
