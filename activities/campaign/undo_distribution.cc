// rollback_distribution_activity: takes back what went out, channel by channel, by what the step
// recorded before each effect (its checkpoint) and by looking: the outcome may be unknown, and
// only some of the channels may have got through. Every channel is tried before it fails.
#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "activities/campaign/activity_set.h"
#include "activities/campaign/names.h"
#include "activities/campaign/schedule.h"
#include "activities/campaign/undo_report.h"
#include "orchestrator/history/time.h"

namespace campaign {
namespace {

// How far back a post is looked for when nothing says when it was made.
constexpr absl::Duration kLookBack = absl::Hours(24);

// What may have happened: the last checkpoint, completed by the result.
v1::DistributeCheckpoint WhatHappened(
    const UndoOf<v1::DistributeInput, v1::DistributeOutput>& undo) {
  v1::DistributeCheckpoint checkpoint =
      undo.Checkpoint<v1::DistributeCheckpoint>().value_or(v1::DistributeCheckpoint());
  if (!undo.result.has_value()) return checkpoint;
  const auto& results = undo.result->results();
  if (const auto email = results.find(std::string(kEmail)); email != results.end()) {
    const auto& ids = checkpoint.email_batch_ids();
    if (ids.empty() || ids.at(ids.size() - 1) != email->second.id()) {
      checkpoint.add_email_batch_ids(email->second.id());
    }
    checkpoint.set_email_accepted(true);
    *checkpoint.mutable_email_send_at() = email->second.send_at();
  }
  if (const auto social = results.find(std::string(kSocial)); social != results.end()) {
    checkpoint.mutable_social_posts()->CopyFrom(social->second.posts());
  }
  return checkpoint;
}

std::vector<std::string> ChannelIds(const std::vector<std::string>& lines) {
  std::vector<std::string> ids;
  for (const std::string& line : lines) ids.push_back(ParseSocialChannel(line).id);
  return ids;
}

}  // namespace

base::Task<void> ActivitySet::UndoEmail(v1::DistributeCheckpoint checkpoint, absl::Time now,
                                        UndoReport* report, outbound::CallContext call) const {
  if (checkpoint.email_batch_ids().empty()) {
    report->AddGone("email: nothing was handed over");
    co_return;
  }
  const absl::Time send_at = history::FromProto(checkpoint.email_send_at());
  for (const std::string& id : checkpoint.email_batch_ids()) {
    const base::Outcome<bool> canceled = co_await connectors_.sendgrid.CancelBatch(id, call);
    std::string what = absl::StrCat("email: batch ", id);
    if (checkpoint.email_accepted() && canceled.ok() && *canceled && now >= send_at) {
      report->AddFailure(
          base::Failure::Permanent(
              "MailAlreadySent",
              absl::StrCat("the mail went out at ", TimeText(send_at),
                           " and cannot be taken back; skip this compensation with a reason")),
          what);
      continue;
    }
    if (canceled.ok() && *canceled && now >= send_at) {
      absl::StrAppend(&what, " (nobody knows whether it was taken; it was due at ",
                      TimeText(send_at), ")");
    } else if (canceled.ok() && *canceled && now > send_at - kCancelAheadMin) {
      absl::StrAppend(&what, " (", absl::FormatDuration(send_at - now),
                      " before it was due; SendGrid promises a cancellation only ",
                      absl::FormatDuration(kCancelAheadMin), " before)");
    }
    report->Add(canceled, what);
  }
}

base::Task<void> ActivitySet::FindAndDeletePosts(std::string workflow_id,
                                                 std::vector<std::string> channels,
                                                 absl::Time since, bool second_look,
                                                 UndoReport* report,
                                                 outbound::CallContext call) const {
  for (const std::string& channel : channels) {
    const base::Outcome<std::vector<std::string>> deleted =
        co_await connectors_.buffer.DeletePosts(channel, SocialMarker(workflow_id), since, call);
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

base::Task<void> ActivitySet::UndoSocial(std::string workflow_id,
                                         v1::DistributeCheckpoint checkpoint, absl::Time since,
                                         UndoReport* report, outbound::CallContext call) const {
  std::vector<std::string> unknown = ChannelIds(settings_.social.channels);
  for (const v1::SocialPost& post : checkpoint.social_posts()) {
    const base::Outcome<bool> deleted =
        co_await connectors_.buffer.DeletePost(post.post_id(), call);
    report->Add(deleted, absl::StrCat("social: post ", post.post_id(), " on ", post.channel_id()));
    unknown.erase(std::remove(unknown.begin(), unknown.end(), post.channel_id()), unknown.end());
  }
  co_await FindAndDeletePosts(std::move(workflow_id), std::move(unknown), since, false, report,
                              call);
}

base::Task<void> ActivitySet::UndoBlog(std::string workflow_id, UndoReport* report,
                                       outbound::CallContext call) const {
  const std::string path = PagePath(settings_.blog.page_dir, workflow_id);
  const base::Outcome<bool> deleted = co_await connectors_.github.DeletePage(
      path, "", absl::StrCat("campaign: withdraw ", Slug(workflow_id)), call);
  report->Add(deleted, absl::StrCat("blog: page ", path));
}

Result<v1::UndoOutput> ActivitySet::RollbackDistribution(
    sdk::ActivityContext& ctx, UndoOf<v1::DistributeInput, v1::DistributeOutput> undo) const {
  const outbound::CallContext call = CallFor(ctx);
  const v1::CampaignSpec& spec = undo.input.campaign();
  const std::string& workflow_id = undo.input.workflow_id();
  const v1::DistributeCheckpoint happened = WhatHappened(undo);
  const absl::Time since = happened.has_social_started_at()
                               ? history::FromProto(happened.social_started_at())
                               : ctx.info().scheduled_time - kLookBack;
  UndoReport report;
  // Mails first: of everything that is out they are the hardest to take back.
  if (HasChannel(spec, kEmail)) {
    co_await UndoEmail(happened, ctx.loop().clock().Now(), &report, call);
  }
  if (HasChannel(spec, kSocial)) {
    co_await UndoSocial(workflow_id, happened, since, &report, call);
  }
  if (HasChannel(spec, kBlog)) co_await UndoBlog(workflow_id, &report, call);

  if (undo.outcome == orchestrator::v1::StepOutcome::UNKNOWN && report.ok()) {
    co_await Settle(ctx);
    if (HasChannel(spec, kSocial)) {
      co_await FindAndDeletePosts(workflow_id, ChannelIds(settings_.social.channels), since, true,
                                  &report, call);
    }
    if (HasChannel(spec, kBlog)) {
      const std::string path = PagePath(settings_.blog.page_dir, workflow_id);
      const base::Outcome<bool> late = co_await connectors_.github.DeletePage(
          path, "", absl::StrCat("campaign: withdraw ", Slug(workflow_id)), call);
      report.AddSecondLook(late, absl::StrCat("blog: page ", path));
    }
  }
  co_return std::move(report).Finish();
}

}  // namespace campaign
