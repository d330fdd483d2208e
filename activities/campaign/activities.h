// The campaign's activities and compensations by name (requirements O3-O8), and their
// registration. The names are part of histories: they never change.
//
// Thread-safety: constants; Register before the worker starts.
//
// Example:
//   campaign::Register(registry, settings, {.notion = notion, .browsers = browsers, ...});
//   sdk::Outcome<v1::ResearchOutput> found = co_await ctx.Execute(campaign::kResearch, input);
#pragma once

#include "activities/campaign/connectors.h"
#include "activities/campaign/settings.h"
#include "campaign/v1/activities.pb.h"
#include "orchestrator/sdk/activity_type.h"
#include "orchestrator/sdk/registry.h"
#include "saga/saga.h"

namespace campaign {

inline constexpr sdk::ActivityType<v1::ResearchInput, v1::ResearchOutput> kResearch{
    "research_phase_activity"};
inline constexpr sdk::ActivityType<v1::ContentInput, v1::ContentOutput> kCreateContent{
    "content_creation_activity"};
inline constexpr sdk::ActivityType<v1::DesignInput, v1::DesignOutput> kDesignAssets{
    "design_assets_activity"};
inline constexpr sdk::ActivityType<v1::ModerateInput, v1::ModerateOutput> kModerate{
    "moderate_content_activity"};
inline constexpr sdk::ActivityType<v1::ReviewInput, v1::ReviewOutput> kRequestReview{
    "review_approval_activity"};
inline constexpr sdk::ActivityType<v1::DistributeInput, v1::DistributeOutput> kDistribute{
    "distribute_campaign_activity"};
inline constexpr sdk::ActivityType<v1::AnalyticsInput, v1::AnalyticsOutput> kSetUpAnalytics{
    "analytics_setup_activity"};
inline constexpr sdk::ActivityType<v1::CloseReviewInput, v1::CloseReviewOutput> kRefreshReview{
    "refresh_review_activity"};
inline constexpr sdk::ActivityType<v1::CloseReviewInput, v1::CloseReviewOutput> kCloseReview{
    "close_review_activity"};

inline constexpr sdk::ActivityType<v1::RemindReviewInput, v1::RemindReviewOutput> kRemindReview{
    "remind_review_activity"};

// What a dry run does instead of the phases.
inline constexpr sdk::ActivityType<v1::PlanInput, v1::PlanOutput> kPlan{"plan_campaign_activity"};

inline constexpr saga::CompensationType<v1::ContentInput, v1::ContentOutput, v1::UndoOutput>
    kDeleteDrafts{"delete_content_drafts_activity"};
inline constexpr saga::CompensationType<v1::DesignInput, v1::DesignOutput, v1::UndoOutput>
    kDeleteAssets{"delete_design_assets_activity"};
inline constexpr saga::CompensationType<v1::ReviewInput, v1::ReviewOutput, v1::UndoOutput>
    kWithdrawReview{"withdraw_review_activity"};
inline constexpr saga::CompensationType<v1::DistributeInput, v1::DistributeOutput, v1::UndoOutput>
    kRollbackDistribution{"rollback_distribution_activity"};
inline constexpr saga::CompensationType<v1::AnalyticsInput, v1::AnalyticsOutput, v1::UndoOutput>
    kCleanupAnalytics{"cleanup_analytics_activity"};

// Adds the workflow "campaign" and everything above, with the settings' options as defaults. The
// clients must outlive the registry's users.
void Register(sdk::Registry& registry, const Settings& settings, Connectors connectors);

}  // namespace campaign
