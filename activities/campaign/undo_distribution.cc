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
  if (const auto cms = results.find(std::string(kCms)); cms != results.end()) {
    *checkpoint.mutable_cms_created() = cms->second.send_at();
  }
  return checkpoint;
}

}  // namespace

Result<v1::UndoOutput> ActivitySet::RollbackDistribution(
    sdk::ActivityContext& ctx, UndoOf<v1::DistributeInput, v1::DistributeOutput> undo) const {
  const outbound::CallContext call = CallFor(ctx);
  const v1::DistributeCheckpoint happened = WhatHappened(undo);
  const ChannelUndo known{.input = undo.input,
                          .happened = happened,
                          .since = happened.has_social_started_at()
                                       ? history::FromProto(happened.social_started_at())
                                       : ctx.info().scheduled_time - kLookBack,
                          .now = ctx.loop().clock().Now()};
  UndoReport report;
  for (const auto& channel : channels_) {
    if (!HasChannel(undo.input.campaign(), channel->name())) continue;
    co_await channel->Undo(known, &report, call);
  }
  if (undo.outcome == orchestrator::v1::StepOutcome::UNKNOWN && report.ok()) {
    co_await Settle(ctx);
    for (const auto& channel : channels_) {
      if (!HasChannel(undo.input.campaign(), channel->name())) continue;
      co_await channel->UndoLate(known, &report, call);
    }
  }
  co_return std::move(report).Finish();
}

}  // namespace campaign
