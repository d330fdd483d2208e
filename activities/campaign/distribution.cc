#include "activities/campaign/distribution.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "activities/campaign/activity_set.h"
#include "activities/campaign/combine_failures.h"
#include "activities/campaign/distribute_journal.h"
#include "activities/campaign/names.h"
#include "activities/campaign/schedule.h"
#include "activities/campaign/undo_report.h"
#include "orchestrator/base/log.h"
#include "orchestrator/history/time.h"

namespace campaign {
namespace {

// Before a post goes out it can be deleted until then.
constexpr absl::Duration kDeleteAheadMin = absl::Seconds(30);
// Taking back takes some calls, and so does noticing that it is time.
constexpr absl::Duration kTakeBackTime = absl::Minutes(1);

// One attempt.
class Distribution {
 public:
  Distribution(const Channels& channels, DistributionOptions options, sdk::ActivityContext& ctx,
               v1::DistributeInput input)
      : channels_(channels),
        options_(options),
        ctx_(ctx),
        input_(std::move(input)),
        journal_(ctx) {}

  base::Task<base::Outcome<v1::DistributeOutput>> Run();

 private:
  struct Tried {
    v1::DistributeOutput output;
    std::optional<base::Failure> failure;
    std::vector<std::string> away;  // channels that did not get through
    bool unknown = false;           // something may have happened that no answer told of
  };
  base::Task<Tried> HandOver(absl::Time deadline);
  // Hands over the channels that are `away`, or those that are not, and adds what came of it.
  base::Task<base::Unit> HandOverSome(bool away, absl::Time deadline, Tried* tried);
  bool IsAway(absl::string_view channel) const;
  // Mails and posts that are not handed over.
  std::vector<std::string> Missing() const;
  // Whether what waits for its time has to be taken back when nothing is done for `pause`.
  bool MustTakeBack(absl::Duration pause) const;
  base::Task<base::Outcome<base::Unit>> TakeBack(std::vector<std::string> away, bool unknown);
  base::Task<base::Outcome<v1::UndoOutput>> TakeBackChannel(const Channel* channel, bool unknown);
  base::Task<base::Done> ChooseSendTime();

  const Channels& channels_;
  const DistributionOptions options_;
  sdk::ActivityContext& ctx_;
  const v1::DistributeInput input_;
  DistributeJournal journal_;
};

bool Distribution::MustTakeBack(absl::Duration pause) const {
  const absl::Time now = journal_.Now();
  const Waiting waiting = WaitingOf(journal_.checkpoint(), input_.campaign());
  return waiting.CanBeTakenBack(now) && now + pause >= waiting.last_chance;
}

base::Task<base::Done> Distribution::ChooseSendTime() {
  const absl::Time send_at =
      SendTime(journal_.checkpoint(), input_.campaign(), journal_.Now(), options_.undo_window);
  base::Done saved = co_await journal_.Save([send_at](v1::DistributeCheckpoint& saving) {
    *saving.mutable_email_send_at() = history::ToProto(send_at);
  });
  co_return saved;
}

base::Task<base::Outcome<v1::DistributeOutput>> Distribution::Run() {
  // Begun by an attempt that did not end it, or nobody looked in time.
  if (journal_.checkpoint().taking_back() || MustTakeBack(absl::ZeroDuration())) {
    const base::Outcome<base::Unit> taken = co_await TakeBack(Missing(), /*unknown=*/true);
    if (!taken.ok()) co_return MayHaveHappened(taken.failure());
  }
  const base::Done chosen = co_await ChooseSendTime();
  if (!chosen.ok()) co_return MayHaveHappened(chosen.failure());

  // Nothing is handed over so late that it could not be taken back.
  const absl::Time last_chance = WaitingOf(journal_.checkpoint(), input_.campaign()).last_chance;
  const bool bounded = last_chance > journal_.Now();
  Tried tried = co_await HandOver(bounded ? last_chance : absl::InfiniteFuture());
  if (!tried.failure.has_value()) co_return std::move(tried.output);
  if (ctx_.cancel().canceled()) {
    co_return MayHaveHappened(base::Failure::Canceled(ctx_.cancel().reason()));
  }
  base::Failure failure = *std::move(tried.failure);
  // Without an answer the next attempt comes when the vendor says; with one that says no for good
  // the saga takes everything back.
  if (failure.retryable && MustTakeBack(failure.retry_after)) {
    const base::Outcome<base::Unit> taken = co_await TakeBack(tried.away, tried.unknown);
    if (!taken.ok()) co_return MayHaveHappened(taken.failure());
    absl::StrAppend(&failure.message,
                    " (what was handed over was taken back; it is handed over again)");
  }
  co_return MayHaveHappened(failure);
}

bool Distribution::IsAway(absl::string_view channel) const {
  const auto& away = journal_.checkpoint().away();
  return std::find(away.begin(), away.end(), channel) != away.end();
}

std::vector<std::string> Distribution::Missing() const {
  const Waiting waiting = WaitingOf(journal_.checkpoint(), input_.campaign());
  std::vector<std::string> missing;
  if (!waiting.mail) missing.emplace_back(kEmail);
  if (!waiting.posts) missing.emplace_back(kSocial);
  return missing;
}

// All at once; but what was taken back because a vendor was away follows only when that one is
// through: else it would be handed over and taken back in turns as long as the outage lasts.
base::Task<Distribution::Tried> Distribution::HandOver(absl::Time deadline) {
  Tried tried;
  co_await HandOverSome(/*away=*/true, deadline, &tried);
  if (!tried.failure.has_value()) co_await HandOverSome(/*away=*/false, deadline, &tried);
  co_return tried;
}

base::Task<base::Unit> Distribution::HandOverSome(bool away, absl::Time deadline, Tried* tried) {
  outbound::CallContext call = CallFor(ctx_);
  call.deadline = std::min(call.deadline, deadline);
  std::vector<base::Task<base::Outcome<v1::ChannelResult>>> sends;
  std::vector<std::string> names;
  for (const auto& channel : channels_) {
    if (!HasChannel(input_.campaign(), channel->name()) || IsAway(channel->name()) != away)
      continue;
    names.emplace_back(channel->name());
    sends.push_back(channel->Publish(input_, &journal_, call));
  }
  const std::vector<base::Outcome<v1::ChannelResult>> results =
      co_await base::WhenAll(std::move(sends));
  std::vector<std::string> refused;
  std::vector<base::Failure> causes;
  for (size_t i = 0; i < results.size(); ++i) {
    if (results[i].ok()) {
      tried->output.add_published_channels(names[i]);
      (*tried->output.mutable_results())[names[i]] = *results[i];
      continue;
    }
    const base::Failure& cause = results[i].failure();
    refused.push_back(names[i]);
    tried->unknown |= cause.effect_unknown;
    tried->away.push_back(names[i]);
    causes.push_back(cause);
  }
  if (!causes.empty()) {
    tried->failure = CombineFailures(
        "DistributionFailed", absl::StrCat("did not get through: ", JoinFailures(refused, causes)),
        causes, RetryWhen::kAllMay);
  }
  co_return base::Unit{};
}

// As the compensation does, but only what waits for its time. Durable: an attempt that begins
// amidst it goes on with it.
base::Task<base::Outcome<base::Unit>> Distribution::TakeBack(std::vector<std::string> away,
                                                             bool unknown) {
  const base::Done begun = co_await journal_.Save([&away](v1::DistributeCheckpoint& saving) {
    if (!saving.taking_back()) saving.mutable_away()->Assign(away.begin(), away.end());
    saving.set_taking_back(true);
  });
  if (!begun.ok()) co_return begun.failure();
  base::Failure failure;
  bool failed = false;
  for (const auto& channel : channels_) {
    const bool email = channel->name() == kEmail;
    if (!email && channel->name() != kSocial) continue;
    if (!HasChannel(input_.campaign(), channel->name())) continue;
    const Waiting waiting = WaitingOf(journal_.checkpoint(), input_.campaign());
    const bool in_time = journal_.Now() < (email ? waiting.mail_until : waiting.posts_until);
    base::Outcome<v1::UndoOutput> undone = v1::UndoOutput();
    if (in_time) undone = co_await TakeBackChannel(channel.get(), unknown);
    if (!undone.ok() && undone.failure().retryable) {
      failure = undone.failure();
      failed = true;
      continue;
    }
    // Too late, or refused for good: it goes out, and the rest follows when it can. Batches stay
    // known, as each is canceled for good, and so do the channels that a post was begun on: they
    // are looked at before there is another.
    const bool taken = in_time && undone.ok();
    const base::Done saved =
        co_await journal_.Save([taken, email](v1::DistributeCheckpoint& saving) {
          if (email && taken) saving.set_email_accepted(false);
          if (!email) saving.clear_social_posts();
        });
    if (!saved.ok()) co_return saved.failure();
  }
  if (failed) {
    failure.message = absl::StrCat("taking back what was handed over: ", failure.message);
    co_return failure;
  }
  const base::Done ended = co_await journal_.Save([](v1::DistributeCheckpoint& saving) {
    saving.set_taking_back(false);
    saving.set_taken_back(saving.taken_back() + 1);
  });
  if (!ended.ok()) co_return ended.failure();
  base::Log(base::LogLevel::kInfo, "a distribution was taken back, to be made again",
            {.workflow_id = ctx_.info().workflow_id,
             .run_id = ctx_.info().run_id,
             .activity_name = ctx_.info().activity_type,
             .correlation_id = ctx_.info().correlation_id});
  co_return base::Unit{};
}

base::Task<base::Outcome<v1::UndoOutput>> Distribution::TakeBackChannel(const Channel* channel,
                                                                        bool unknown) {
  const v1::DistributeCheckpoint& happened = journal_.checkpoint();
  const ChannelUndo undo{
      .input = input_,
      .happened = happened,
      .since = history::FromProto(happened.has_social_started_at() ? happened.social_started_at()
                                                                   : happened.email_send_at()),
      .now = journal_.Now()};
  UndoReport report;
  co_await channel->Undo(undo, &report, CallFor(ctx_));
  if (unknown && report.ok()) {
    co_await base::Sleep(ctx_.loop(), options_.settle_delay, ctx_.cancel());
    co_await channel->UndoLate(undo, &report, CallFor(ctx_));
  }
  co_return std::move(report).Finish();
}

}  // namespace

Waiting WaitingOf(const v1::DistributeCheckpoint& checkpoint, const v1::CampaignSpec& spec) {
  Waiting waiting{.mail = checkpoint.email_accepted(),
                  .posts = !checkpoint.social_posts().empty(),
                  .send_at = history::FromProto(checkpoint.email_send_at())};
  waiting.mail_until = waiting.send_at - kCancelAheadMin;
  waiting.posts_until = waiting.send_at - kDeleteAheadMin;
  waiting.last_chance = absl::InfiniteFuture();
  if (HasChannel(spec, kSocial)) waiting.last_chance = waiting.posts_until - kTakeBackTime;
  if (HasChannel(spec, kEmail)) waiting.last_chance = waiting.mail_until - kTakeBackTime;
  return waiting;
}

absl::Time SendTime(const v1::DistributeCheckpoint& checkpoint, const v1::CampaignSpec& spec,
                    absl::Time now, absl::Duration undo_window) {
  const absl::Time fresh = SendAt(spec, now, undo_window);
  if (!checkpoint.has_email_send_at()) return fresh;
  const Waiting waiting = WaitingOf(checkpoint, spec);
  const bool together = waiting.mail || (waiting.posts && now < waiting.last_chance);
  return together ? waiting.send_at : std::max(waiting.send_at, fresh);
}

base::Task<base::Outcome<v1::DistributeOutput>> RunDistribution(const Channels& channels,
                                                                DistributionOptions options,
                                                                sdk::ActivityContext& ctx,
                                                                v1::DistributeInput input) {
  Distribution distribution(channels, options, ctx, std::move(input));
  base::Outcome<v1::DistributeOutput> output = co_await distribution.Run();
  co_return output;
}

}  // namespace campaign
