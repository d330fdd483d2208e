// Channel: one way out of a campaign (email, social, blog, cms), as the dry run, the distribution
// and its compensation use it. docs/adding-a-connector.md adds one step by step.
//
// Each keeps three promises. Publish may run again after a crash or a lost answer and makes
// nothing twice: by the vendor's idempotency key, by a name that follows from the campaign's key,
// or by what the journal says. Undo takes back what may be there, and needs no answer of Publish
// for it. Plan sends nothing.
//
// Thread-safety: I/O loop thread only; constant. Channels outlive the tasks that they make.
//
// Example:
//   for (const auto& channel : MakeChannels(settings, &connectors)) {
//     if (HasChannel(spec, channel->name())) sends.push_back(channel->Publish(input, &journal,
//     call));
//   }
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "activities/campaign/connectors.h"
#include "activities/campaign/settings.h"
#include "activities/outbound/call.h"
#include "campaign/v1/activities.pb.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/task.h"

namespace campaign {

class DistributeJournal;
class UndoReport;

// What a dry run asks for.
struct ChannelPlan {
  std::string campaign_key;
  const v1::CampaignSpec& spec;
  std::string when;  // "15m after the approval", "at 2026-11-20 12:00 UTC"
};
struct ChannelCall {
  std::string vendor, action, target, content;
};

// What a compensation knows.
struct ChannelUndo {
  v1::DistributeInput input;
  v1::DistributeCheckpoint happened;  // recorded before each effect
  absl::Time since;                   // nothing was made before
  absl::Time now;
};

class Channel {
 public:
  virtual ~Channel() = default;

  // As in CampaignSpec.channels.
  virtual absl::string_view name() const = 0;
  // A permanent failure when the settings or the campaign lack what the channel needs.
  virtual base::Done Check(const v1::CampaignSpec& spec) const = 0;
  // The calls that Publish would make.
  virtual std::vector<ChannelCall> Plan(const ChannelPlan& plan) const = 0;
  virtual base::Task<base::Outcome<v1::ChannelResult>> Publish(
      v1::DistributeInput input, DistributeJournal* journal, outbound::CallContext call) const = 0;
  // Reports all that it took back, found gone or could not take back.
  virtual base::Task<void> Undo(ChannelUndo undo, UndoReport* report,
                                outbound::CallContext call) const = 0;
  // A second look, when a request of Publish may have arrived after Undo.
  virtual base::Task<void> UndoLate(ChannelUndo undo, UndoReport* report,
                                    outbound::CallContext call) const = 0;
};

using Channels = std::vector<std::unique_ptr<Channel>>;

// All channels, the hardest to take back first. The arguments outlive them. Without connectors
// they can only plan.
Channels MakeChannels(const Settings& settings, const Connectors* connectors);

// One file each.
std::unique_ptr<Channel> MakeEmailChannel(const Settings& settings, const Connectors* connectors);
std::unique_ptr<Channel> MakeSocialChannel(const Settings& settings, const Connectors* connectors);
std::unique_ptr<Channel> MakeBlogChannel(const Settings& settings, const Connectors* connectors);
std::unique_ptr<Channel> MakeCmsChannel(const Settings& settings, const Connectors* connectors);

}  // namespace campaign
