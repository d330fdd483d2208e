// ActivitySet: the campaign's activities and compensations over the clients. Every method may run
// again after a crash or a lost answer: it finds what an earlier attempt made by names derived
// from the workflow id, or by what that attempt recorded with RecordHeartbeat.
//
// A failure of an activity with effects has effect_unknown set unless nothing can have happened,
// so that the saga undoes it.
//
// Thread-safety: I/O loop thread only; constant. It outlives every attempt (Register shares it
// with the registered functions), and so does the ActivityContext given to a method.
//
// Example:
//   auto set = std::make_shared<ActivitySet>(settings, connectors);
//   sdk::Outcome<v1::ResearchOutput> found = co_await set->Research(ctx, input);
#pragma once

#include <string>
#include <vector>

#include "activities/campaign/channel.h"
#include "activities/campaign/connectors.h"
#include "activities/campaign/moderation_rules.h"
#include "activities/campaign/pieces.h"
#include "activities/campaign/prompt.h"
#include "activities/campaign/settings.h"
#include "activities/outbound/call.h"
#include "campaign/v1/activities.pb.h"
#include "orchestrator/sdk/activity_context.h"
#include "saga/saga.h"

namespace campaign {

class UndoReport;

template <typename In, typename Out>
using UndoOf = saga::Undo<In, Out>;
template <typename T>
using Result = base::Task<base::Outcome<T>>;

class ActivitySet {
 public:
  // The settings' prompts must be valid (Prompts::Make), and so must its rules
  // (ModerationRules::Make).
  ActivitySet(Settings settings, Connectors connectors);

  Result<v1::ResearchOutput> Research(sdk::ActivityContext& ctx, v1::ResearchInput input) const;
  Result<v1::ContentOutput> CreateContent(sdk::ActivityContext& ctx, v1::ContentInput input) const;
  Result<v1::DesignOutput> DesignAssets(sdk::ActivityContext& ctx, v1::DesignInput input) const;
  Result<v1::ModerateOutput> Moderate(sdk::ActivityContext& ctx, v1::ModerateInput input) const;
  Result<v1::ReviewOutput> RequestReview(sdk::ActivityContext& ctx, v1::ReviewInput input) const;
  Result<v1::DistributeOutput> Distribute(sdk::ActivityContext& ctx,
                                          v1::DistributeInput input) const;
  Result<v1::AnalyticsOutput> SetUpAnalytics(sdk::ActivityContext& ctx,
                                             v1::AnalyticsInput input) const;
  Result<v1::CloseReviewOutput> RefreshReview(sdk::ActivityContext& ctx,
                                              v1::CloseReviewInput input) const;
  Result<v1::RemindReviewOutput> RemindReview(sdk::ActivityContext& ctx,
                                              v1::RemindReviewInput input) const;
  Result<v1::CloseReviewOutput> CloseReview(sdk::ActivityContext& ctx,
                                            v1::CloseReviewInput input) const;

  Result<v1::PlanOutput> PlanDryRun(sdk::ActivityContext& ctx, v1::PlanInput input) const;

  Result<v1::UndoOutput> DeleteDrafts(sdk::ActivityContext& ctx,
                                      UndoOf<v1::ContentInput, v1::ContentOutput> undo) const;
  Result<v1::UndoOutput> DeleteAssets(sdk::ActivityContext& ctx,
                                      UndoOf<v1::DesignInput, v1::DesignOutput> undo) const;
  Result<v1::UndoOutput> WithdrawReview(sdk::ActivityContext& ctx,
                                        UndoOf<v1::ReviewInput, v1::ReviewOutput> undo) const;
  Result<v1::UndoOutput> RollbackDistribution(
      sdk::ActivityContext& ctx, UndoOf<v1::DistributeInput, v1::DistributeOutput> undo) const;
  Result<v1::UndoOutput> CleanupAnalytics(
      sdk::ActivityContext& ctx, UndoOf<v1::AnalyticsInput, v1::AnalyticsOutput> undo) const;

 private:
  struct SourceResult {
    v1::SourceError source;  // source and target; the message when it failed
    base::Outcome<std::vector<v1::Finding>> findings;
  };
  base::Task<SourceResult> SearchNotion(std::string database_id, std::string query,
                                        outbound::CallContext call) const;
  base::Task<SourceResult> ReadPage(std::string url, outbound::CallContext call) const;
  base::Task<SourceResult> RecallMemory(std::string query, outbound::CallContext call) const;
  v1::Finding MakeFinding(absl::string_view source, absl::string_view title,
                          absl::string_view summary, absl::string_view url) const;

  Result<std::string> BrandVoice(v1::CampaignSpec spec, outbound::CallContext call) const;
  Result<v1::ContentOutput> Write(sdk::ActivityContext& ctx, v1::ContentInput input,
                                  outbound::CallContext call) const;

  std::string NodeFor(const v1::CampaignSpec& spec, int channel) const;
  Result<v1::Asset> MakeAsset(std::string workflow_id, std::string channel, std::string node,
                              outbound::CallContext call) const;

  // Gives a request that is still on its way the time to arrive.
  base::Task<void> Settle(sdk::ActivityContext& ctx) const;

  Result<github::PullRequest> EnsureReviewPull(v1::ReviewInput input, absl::Time date,
                                               outbound::CallContext call) const;
  Result<slack::Posted> EnsureReviewMessage(sdk::ActivityContext& ctx, v1::ReviewInput input,
                                            std::string pr_url, outbound::CallContext call) const;
  Result<Assets> StoredAssets(std::string workflow_id, v1::CampaignSpec spec) const;
  Result<base::Unit> ShowPieces(v1::CloseReviewInput input, absl::Time date,
                                outbound::CallContext call) const;
  Result<bool> EndPull(v1::CloseReviewInput input, absl::Time date,
                       outbound::CallContext call) const;
  // The pull request's URL, "" when there is none.
  base::Task<std::string> WithdrawPull(std::string branch, std::string comment, UndoReport* report,
                                       outbound::CallContext call) const;
  base::Task<void> WithdrawMessage(v1::ReviewInput input, slack::Posted posted, std::string reason,
                                   std::string pr_url, UndoReport* report,
                                   outbound::CallContext call) const;
  base::Task<void> FindAndWithdrawMessage(v1::ReviewInput input, absl::Time since,
                                          std::string reason, std::string pr_url, bool second_look,
                                          UndoReport* report, outbound::CallContext call) const;

  base::Done CheckDistribution(const v1::CampaignSpec& spec) const;

  const Settings settings_;
  const Prompts prompts_;
  const ModerationRules rules_;
  const Connectors connectors_;
  const Channels channels_;
};

// On whose behalf the activity's calls are made.
outbound::CallContext CallFor(const sdk::ActivityContext& ctx);

// `failure` of an activity that may have done something already.
base::Failure MayHaveHappened(base::Failure failure);

}  // namespace campaign
