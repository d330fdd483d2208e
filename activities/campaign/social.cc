// The channel "social" of distribute_campaign_activity: one post a Buffer channel, all at once,
// each within its network's rules. What is known of each is recorded, so that the undo takes back
// exactly what got through.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "activities/campaign/activity_set.h"
#include "activities/campaign/combine_failures.h"
#include "activities/campaign/distribute_journal.h"
#include "activities/campaign/names.h"
#include "activities/campaign/platform_rules.h"
#include "orchestrator/history/time.h"

namespace campaign {
namespace {

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

}  // namespace

std::string ActivitySet::SocialText(const v1::DistributeInput& input,
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

Result<v1::SocialPost> ActivitySet::PostTo(SocialChannel channel, v1::DistributeInput input,
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
  spec.text = SocialText(input, channel.service);
  spec.marker = SocialMarker(input.workflow_id());
  spec.due_at = history::FromProto(journal->checkpoint().email_send_at());
  spec.since = history::FromProto(journal->checkpoint().social_started_at());
  spec.image_url = AssetUrl(input.assets(), kSocial);
  base::Outcome<buffer::Post> made = co_await connectors_.buffer.EnsurePost(std::move(spec), call);
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

Result<v1::ChannelResult> ActivitySet::PostSocial(v1::DistributeInput input,
                                                  DistributeJournal* journal,
                                                  outbound::CallContext call) const {
  std::vector<base::Task<base::Outcome<v1::SocialPost>>> sends;
  for (const std::string& line : settings_.social.channels) {
    sends.push_back(PostTo(ParseSocialChannel(line), input, journal, call));
  }
  const std::vector<base::Outcome<v1::SocialPost>> posts = co_await base::WhenAll(std::move(sends));
  v1::ChannelResult result;
  result.set_state("scheduled");
  *result.mutable_send_at() = journal->checkpoint().email_send_at();
  std::vector<base::Failure> causes;
  std::string message;
  for (size_t i = 0; i < posts.size(); ++i) {
    if (posts[i].ok()) {
      *result.add_posts() = *posts[i];
      continue;
    }
    causes.push_back(posts[i].failure());
    absl::StrAppend(&message, message.empty() ? "" : "; ", settings_.social.channels[i], ": ",
                    posts[i].failure().message);
  }
  if (!causes.empty()) {
    co_return CombineFailures(causes.front().type, std::move(message), causes, RetryWhen::kAllMay);
  }
  result.set_id(absl::StrJoin(result.posts(), ",", [](std::string* out, const v1::SocialPost& p) {
    absl::StrAppend(out, p.post_id());
  }));
  co_return result;
}

}  // namespace campaign
