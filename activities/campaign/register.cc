#include <memory>
#include <utility>

#include "activities/campaign/activities.h"
#include "activities/campaign/activity_set.h"
#include "activities/campaign/campaign_workflow.h"

namespace campaign {
namespace {

using SetPtr = std::shared_ptr<const ActivitySet>;

// The registered functions are no coroutines: they return the one that a member function made.
// The set lives in the registry, which outlives every attempt.
template <typename In, typename Out>
void Add(sdk::Registry& registry, SetPtr set, sdk::ActivityType<In, Out> type,
         Result<Out> (ActivitySet::*method)(sdk::ActivityContext&, In) const,
         const sdk::ActivityOptions& options) {
  registry.AddActivity(
      type,
      [set, method](sdk::ActivityContext& ctx, In input) {
        return (set.get()->*method)(ctx, std::move(input));
      },
      options);
}

template <typename In, typename Out>
void AddUndo(sdk::Registry& registry, SetPtr set,
             saga::CompensationType<In, Out, v1::UndoOutput> type,
             Result<v1::UndoOutput> (ActivitySet::*method)(sdk::ActivityContext&, UndoOf<In, Out>)
                 const,
             const sdk::ActivityOptions& options) {
  saga::AddCompensation(
      registry, type,
      [set, method](sdk::ActivityContext& ctx, UndoOf<In, Out> undo) {
        return (set.get()->*method)(ctx, std::move(undo));
      },
      options);
}

}  // namespace

void Register(sdk::Registry& registry, const Settings& settings, Connectors connectors) {
  RegisterWorkflow(registry, {.approval_timeout = settings.approval.expire_after,
                              .undo_window = settings.undo_window});

  const auto set = std::make_shared<const ActivitySet>(settings, connectors);
  const ActivitySettings& options = settings.activities;
  Add(registry, set, kResearch, &ActivitySet::Research, options.research);
  Add(registry, set, kCreateContent, &ActivitySet::CreateContent, options.content);
  Add(registry, set, kDesignAssets, &ActivitySet::DesignAssets, options.design);
  Add(registry, set, kModerate, &ActivitySet::Moderate, options.moderate);
  Add(registry, set, kRequestReview, &ActivitySet::RequestReview, options.review);
  Add(registry, set, kDistribute, &ActivitySet::Distribute, options.distribute);
  Add(registry, set, kSetUpAnalytics, &ActivitySet::SetUpAnalytics, options.analytics);
  Add(registry, set, kRefreshReview, &ActivitySet::RefreshReview, options.refresh_review);
  Add(registry, set, kRemindReview, &ActivitySet::RemindReview, options.remind_review);
  Add(registry, set, kCloseReview, &ActivitySet::CloseReview, options.close_review);
  Add(registry, set, kPlan, &ActivitySet::PlanDryRun, options.moderate);
  AddUndo(registry, set, kDeleteDrafts, &ActivitySet::DeleteDrafts, options.compensation);
  AddUndo(registry, set, kDeleteAssets, &ActivitySet::DeleteAssets, options.compensation);
  AddUndo(registry, set, kWithdrawReview, &ActivitySet::WithdrawReview, options.compensation);
  AddUndo(registry, set, kRollbackDistribution, &ActivitySet::RollbackDistribution,
          options.compensation);
  AddUndo(registry, set, kCleanupAnalytics, &ActivitySet::CleanupAnalytics, options.compensation);
}

}  // namespace campaign
