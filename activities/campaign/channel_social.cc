// The channel "social": one post a Buffer channel, all at once, each within its network's rules.
// What is known of each is recorded, so that the undo takes back exactly what got through.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "activities/campaign/channel.h"
#include "activities/campaign/combine_failures.h"
#include "activities/campaign/distribute_journal.h"
#include "activities/campaign/names.h"
#include "activities/campaign/pieces.h"
#include "activities/campaign/platform_rules.h"
#include "activities/campaign/undo_report.h"
#include "orchestrator/history/time.h"

namespace campaign {
namespace {

using base::Outcome;
using base::Task;

constexpr absl::Duration kPostAheadMin = absl::Minutes(1);

const v1::SocialPost* FindPost(const v1::DistributeCheckpoint& checkpoint, const std::string& id) {
  for (const v1::SocialPost& post : checkpoint.social_posts()) {
    if (post.channel_id() == id) return &post;
  }
  return nullptr;
}

bool Started(const v1::DistributeCheckpoint& checkpoint, const std::string& id) {
  const auto& started = checkpoint.social_started();
  return std::find(started.begin(), started.end(), id) != started.end();
}

std::vector<std::string> ChannelIds(const std::vector<std::string>& lines) {
  std::vector<std::string> ids;
  for (const std::string& line : lines) ids.push_back(ParseSocialChannel(line).id);
  return ids;
}

class SocialChannels : public Channel {
 public:
  SocialChannels(const Settings& settings, const Connectors* connectors)
      : settings_(settings), connectors_(connectors) {}

  absl::string_view name() const override { return kSocial; }

  base::Done Check(const v1::CampaignSpec&) const override {
    if (!settings_.social.channels.empty()) return base::Unit{};
    return base::Failure::Permanent(
        "SocialNotConfigured", "no Buffer channel is set (settings: campaign.social.channels)");
  }

  std::vector<ChannelCall> Plan(const ChannelPlan& plan) const override {
    std::vector<ChannelCall> calls;
    for (const std::string& channel : settings_.social.channels) {
      calls.push_back({"buffer", absl::StrCat("post ", plan.when), channel,
                       absl::StrCat("link ", TrackedLink(settings_.link_base_url, plan.campaign_key,
                                                         kSocial))});
    }
    return calls;
  }

  Task<Outcome<v1::ChannelResult>> Publish(v1::DistributeInput input, DistributeJournal* journal,
                                           outbound::CallContext call) const override;
  Task<void> Undo(ChannelUndo undo, UndoReport* report, outbound::CallContext call) const override;
  Task<void> UndoLate(ChannelUndo undo, UndoReport* report,
                      outbound::CallContext call) const override;

 private:
  std::string Text(const v1::DistributeInput& input, const std::string& service) const;
  Task<Outcome<v1::SocialPost>> PostTo(SocialChannel channel, v1::DistributeInput input,
                                       DistributeJournal* journal,
                                       outbound::CallContext call) const;
  // Deletes what is found by the campaign's marker on each of the channels.
  Task<void> FindAndDelete(std::vector<std::string> channels, std::string campaign_key,
                           absl::Time since, bool second_look, UndoReport* report,
                           outbound::CallContext call) const;

  const Settings& settings_;
  const Connectors* const connectors_;
};

std::string SocialChannels::Text(const v1::DistributeInput& input,
                                 const std::string& service) const {
  const PlatformRules& rules = RulesOf(service);
  const std::string post = PieceText(input.pieces(), kSocialPost);
  const std::string link = TrackedLink(settings_.link_base_url, input.workflow_id(), kSocial);
  const size_t limit = settings_.social.text_characters_max;
  if (!settings_.social.escape_linkedin || service != "linkedin") {
    return FitPost(rules, post, link, limit);
  }
  // Escapes count too, and they must not touch the link.
  return FitPost(rules, EscapeLinkedIn(FitPost(rules, post, "", limit)), link, limit);
}

Task<Outcome<v1::SocialPost>> SocialChannels::PostTo(SocialChannel channel,
                                                     v1::DistributeInput input,
                                                     DistributeJournal* journal,
                                                     outbound::CallContext call) const {
  if (const v1::SocialPost* made = FindPost(journal->checkpoint(), channel.id)) co_return *made;
  buffer::PostSpec spec;
  spec.first_try = !Started(journal->checkpoint(), channel.id);
  if (spec.first_try) {
    const absl::Time now = journal->Now();
    const base::Done saved =
        co_await journal->Save([now, &channel](v1::DistributeCheckpoint& saving) {
          saving.add_social_started(channel.id);
          if (saving.has_social_started_at()) return;
          *saving.mutable_social_started_at() = history::ToProto(now);
        });
    if (!saved.ok()) co_return saved.failure();
  }
  spec.channel_id = channel.id;
  spec.text = Text(input, channel.service);
  spec.marker = SocialMarker(input.workflow_id());
  // The chosen time may be over when the mail has gone out and Buffer was away.
  spec.due_at = std::max(history::FromProto(journal->checkpoint().email_send_at()),
                         journal->Now() + kPostAheadMin);
  spec.since = history::FromProto(journal->checkpoint().social_started_at());
  spec.image_url = AssetUrl(input.assets(), kSocial);
  Outcome<buffer::Post> made = co_await connectors_->buffer.EnsurePost(std::move(spec), call);
  if (!made.ok()) co_return made.failure();
  v1::SocialPost post;
  post.set_channel_id(channel.id);
  post.set_service(channel.service);
  post.set_post_id(made->id);
  const base::Done saved = co_await journal->Save(
      [&post](v1::DistributeCheckpoint& saving) { *saving.add_social_posts() = post; });
  if (!saved.ok()) co_return saved.failure();
  co_return post;
}

Task<Outcome<v1::ChannelResult>> SocialChannels::Publish(v1::DistributeInput input,
                                                         DistributeJournal* journal,
                                                         outbound::CallContext call) const {
  std::vector<Task<Outcome<v1::SocialPost>>> sends;
  for (const std::string& line : settings_.social.channels) {
    sends.push_back(PostTo(ParseSocialChannel(line), input, journal, call));
  }
  const std::vector<Outcome<v1::SocialPost>> posts = co_await base::WhenAll(std::move(sends));
  v1::ChannelResult result;
  result.set_state("scheduled");
  *result.mutable_send_at() = journal->checkpoint().email_send_at();
  std::vector<std::string> refused;
  std::vector<base::Failure> causes;
  for (size_t i = 0; i < posts.size(); ++i) {
    if (posts[i].ok()) {
      *result.add_posts() = *posts[i];
      continue;
    }
    refused.push_back(settings_.social.channels[i]);
    causes.push_back(posts[i].failure());
  }
  if (!causes.empty()) {
    co_return CombineFailures(causes.front().type, JoinFailures(refused, causes), causes,
                              RetryWhen::kAllMay);
  }
  result.set_id(absl::StrJoin(result.posts(), ",", [](std::string* out, const v1::SocialPost& p) {
    absl::StrAppend(out, p.post_id());
  }));
  co_return result;
}

Task<void> SocialChannels::FindAndDelete(std::vector<std::string> channels,
                                         std::string campaign_key, absl::Time since,
                                         bool second_look, UndoReport* report,
                                         outbound::CallContext call) const {
  for (const std::string& channel : channels) {
    const Outcome<std::vector<std::string>> deleted =
        co_await connectors_->buffer.DeletePosts(channel, SocialMarker(campaign_key), since, call);
    const std::string what = absl::StrCat("social: post of the campaign on ", channel);
    if (!deleted.ok()) {
      report->AddFailure(deleted.failure(), what);
      continue;
    }
    for (const std::string& id : *deleted) {
      report->AddUndone(
          absl::StrCat("social: post ", id, " on ", channel, second_look ? " (arrived late)" : ""));
    }
    if (deleted->empty() && !second_look) report->AddGone(what);
  }
}

Task<void> SocialChannels::Undo(ChannelUndo undo, UndoReport* report,
                                outbound::CallContext call) const {
  std::vector<std::string> unknown = ChannelIds(settings_.social.channels);
  for (const v1::SocialPost& post : undo.happened.social_posts()) {
    const Outcome<bool> deleted = co_await connectors_->buffer.DeletePost(post.post_id(), call);
    report->Add(deleted, absl::StrCat("social: post ", post.post_id(), " on ", post.channel_id()));
    unknown.erase(std::remove(unknown.begin(), unknown.end(), post.channel_id()), unknown.end());
  }
  co_await FindAndDelete(std::move(unknown), undo.input.workflow_id(), undo.since, false, report,
                         call);
}

Task<void> SocialChannels::UndoLate(ChannelUndo undo, UndoReport* report,
                                    outbound::CallContext call) const {
  co_await FindAndDelete(ChannelIds(settings_.social.channels), undo.input.workflow_id(),
                         undo.since, true, report, call);
}

}  // namespace

std::unique_ptr<Channel> MakeSocialChannel(const Settings& settings, const Connectors* connectors) {
  return std::make_unique<SocialChannels>(settings, connectors);
}

}  // namespace campaign
