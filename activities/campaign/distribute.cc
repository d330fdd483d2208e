// distribute_campaign_activity (requirement O7): all channels at once, each repeat-safe. Mails and
// posts are scheduled behind the undo window. When a channel does not get through the activity
// fails and the saga takes back what the others did.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "activities/campaign/activity_set.h"
#include "activities/campaign/blog_page.h"
#include "activities/campaign/combine_failures.h"
#include "activities/campaign/distribute_journal.h"
#include "activities/campaign/email_text.h"
#include "activities/campaign/names.h"
#include "activities/campaign/schedule.h"
#include "orchestrator/history/time.h"

namespace campaign {
namespace {

v1::ChannelResult Scheduled(std::string id, absl::Time send_at) {
  v1::ChannelResult result;
  result.set_state("scheduled");
  result.set_id(std::move(id));
  *result.mutable_send_at() = history::ToProto(send_at);
  return result;
}

// The journal outlives the send: both belong to the attempt.
base::Task<base::Done> SaveBatches(DistributeJournal* journal, std::vector<std::string> ids) {
  base::Done saved = co_await journal->Save([ids](v1::DistributeCheckpoint& checkpoint) {
    checkpoint.mutable_email_batch_ids()->Assign(ids.begin(), ids.end());
  });
  co_return saved;
}

// When mails and posts go out: chosen by the first attempt; a later one that finds nothing handed
// over gives itself a whole undo window again.
absl::Time SendTime(const v1::DistributeCheckpoint& checkpoint, const v1::CampaignSpec& spec,
                    absl::Time now, absl::Duration undo_window) {
  const absl::Time fresh = SendAt(spec, now, undo_window);
  if (!checkpoint.has_email_send_at()) return fresh;
  const absl::Time chosen = history::FromProto(checkpoint.email_send_at());
  const bool handed_over =
      HasChannel(spec, kEmail) ? checkpoint.email_accepted() : !checkpoint.social_posts().empty();
  return handed_over ? chosen : std::max(chosen, fresh);
}

// When to stop trying so that mails and posts handed over can still be taken back for certain.
absl::Time LastChance(const v1::CampaignSpec& spec, absl::Time send_at) {
  if (HasChannel(spec, kEmail)) return send_at - kCancelAheadMin - absl::Minutes(1);
  return HasChannel(spec, kSocial) ? send_at - absl::Minutes(1) : absl::InfiniteFuture();
}

}  // namespace

base::Done ActivitySet::CheckDistribution(const v1::CampaignSpec& spec) const {
  for (const std::string& channel : spec.channels()) {
    if (AssetType(channel).empty()) {
      return base::Failure::Permanent("InvalidInput",
                                      absl::StrCat("channels: there is no channel \"", channel,
                                                   "\"; known are email, social, blog"));
    }
  }
  if (HasChannel(spec, kEmail)) {
    const size_t recipients = Recipients(spec).size();
    if (settings_.email.from_address.empty()) {
      return base::Failure::Permanent("EmailNotConfigured",
                                      "no sender is set (settings: campaign.email.from_address)");
    }
    if (recipients == 0 || recipients > sendgrid::kRecipientsMax) {
      return base::Failure::Permanent(
          "InvalidRecipients",
          absl::StrCat("a mail goes to 1 to ", sendgrid::kRecipientsMax, " recipients, not ",
                       recipients, " (email_recipients, or settings: campaign.email.recipients)"));
    }
  }
  if (HasChannel(spec, kSocial) && settings_.social.channels.empty()) {
    return base::Failure::Permanent(
        "SocialNotConfigured", "no Buffer channel is set (settings: campaign.social.channels)");
  }
  return base::Unit{};
}

std::vector<sendgrid::Address> ActivitySet::Recipients(const v1::CampaignSpec& spec) const {
  std::vector<sendgrid::Address> recipients;
  for (const std::string& email : spec.email_recipients()) recipients.push_back({.email = email});
  if (!recipients.empty()) return recipients;
  for (const std::string& email : settings_.email.recipients) {
    recipients.push_back({.email = email});
  }
  return recipients;
}

Result<v1::ChannelResult> ActivitySet::SendEmail(v1::DistributeInput input,
                                                 DistributeJournal* journal,
                                                 outbound::CallContext call) const {
  const v1::DistributeCheckpoint& checkpoint = journal->checkpoint();
  const absl::Time send_at = history::FromProto(checkpoint.email_send_at());
  const std::vector<std::string> used(checkpoint.email_batch_ids().begin(),
                                      checkpoint.email_batch_ids().end());
  if (checkpoint.email_accepted()) co_return Scheduled(used.empty() ? "" : used.back(), send_at);

  const Email email = MakeEmail(input.campaign(), input.pieces(),
                                TrackedLink(settings_.link_base_url, input.workflow_id(), kEmail),
                                AssetUrl(input.assets(), kEmail));
  sendgrid::Message message;
  message.from = {settings_.email.from_address, settings_.email.from_name};
  message.to = Recipients(input.campaign());
  message.subject = email.subject;
  message.text = email.text;
  message.html = email.html;
  message.categories = {"campaign"};
  message.custom_args = {{"workflow_id", input.workflow_id()}};
  base::Outcome<sendgrid::Scheduled> sent = co_await connectors_.sendgrid.SendOnce(
      std::move(message), send_at, used,
      [journal](std::vector<std::string> ids) { return SaveBatches(journal, std::move(ids)); },
      call);
  if (!sent.ok()) co_return sent.failure();
  const base::Done saved = co_await journal->Save(
      [](v1::DistributeCheckpoint& saving) { saving.set_email_accepted(true); });
  if (!saved.ok()) co_return saved.failure();
  co_return Scheduled(sent->batch_id, sent->send_at);
}

Result<v1::ChannelResult> ActivitySet::PublishBlog(v1::DistributeInput input,
                                                   DistributeJournal* journal,
                                                   outbound::CallContext call) const {
  const std::string path = PagePath(settings_.blog.page_dir, input.workflow_id());
  base::Outcome<github::Page> page = co_await connectors_.github.EnsurePage(
      path,
      BlogPage(input.campaign(), input.pieces(),
               TrackedLink(settings_.link_base_url, input.workflow_id(), kBlog),
               AssetUrl(input.assets(), kBlog)),
      absl::StrCat("campaign: publish ", CleanLine(input.campaign().campaign_name(), 100)), call);
  if (!page.ok()) co_return page.failure();
  const base::Done saved = co_await journal->Save(
      [](v1::DistributeCheckpoint& saving) { saving.set_blog_published(true); });
  if (!saved.ok()) co_return saved.failure();
  v1::ChannelResult result;
  result.set_state("published");
  result.set_id(path);
  result.set_url(page->url);
  co_return result;
}

Result<v1::DistributeOutput> ActivitySet::Distribute(sdk::ActivityContext& ctx,
                                                     v1::DistributeInput input) const {
  const v1::CampaignSpec& spec = input.campaign();
  const base::Done checked = CheckDistribution(spec);
  if (!checked.ok()) co_return checked.failure();
  DistributeJournal journal(ctx);
  const absl::Time now = journal.Now();
  const absl::Time send_at = SendTime(journal.checkpoint(), spec, now, settings_.undo_window);
  const base::Done saved = co_await journal.Save([send_at](v1::DistributeCheckpoint& saving) {
    *saving.mutable_email_send_at() = history::ToProto(send_at);
  });
  if (!saved.ok()) co_return MayHaveHappened(saved.failure());

  outbound::CallContext call = CallFor(ctx);
  const absl::Time last_chance = LastChance(spec, send_at);
  const bool bounded = last_chance > now && last_chance < call.deadline;
  if (bounded) call.deadline = last_chance;
  std::vector<base::Task<base::Outcome<v1::ChannelResult>>> sends;
  for (const std::string& channel : spec.channels()) {
    if (channel == kEmail) sends.push_back(SendEmail(input, &journal, call));
    if (channel == kSocial) sends.push_back(PostSocial(input, &journal, call));
    if (channel == kBlog) sends.push_back(PublishBlog(input, &journal, call));
  }
  const std::vector<base::Outcome<v1::ChannelResult>> results =
      co_await base::WhenAll(std::move(sends));

  v1::DistributeOutput output;
  std::string message;
  std::vector<base::Failure> causes;
  for (size_t i = 0; i < results.size(); ++i) {
    const std::string& channel = spec.channels(static_cast<int>(i));
    if (results[i].ok()) {
      output.add_published_channels(channel);
      (*output.mutable_results())[channel] = *results[i];
      continue;
    }
    const base::Failure& cause = results[i].failure();
    absl::StrAppend(&message, message.empty() ? "" : "; ", channel,
                    " did not get through: ", cause.message);
    causes.push_back(cause);
  }
  if (causes.empty()) co_return output;
  base::Failure failure =
      CombineFailures("DistributionFailed", std::move(message), causes, RetryWhen::kAllMay);
  if (ctx.cancel().canceled()) failure = base::Failure::Canceled(ctx.cancel().reason());
  if (bounded && journal.Now() >= last_chance) {
    failure.retryable = false;
    failure.not_attempted = false;
    absl::StrAppend(&failure.message, " (given up while what was handed over can be taken back)");
  }
  co_return MayHaveHappened(failure);
}

}  // namespace campaign
