#include "activities/campaign/campaign_workflow.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "activities/campaign/activities.h"
#include "activities/campaign/campaign_state.h"
#include "activities/campaign/names.h"
#include "activities/campaign/review_text.h"
#include "activities/campaign/schedule.h"
#include "orchestrator/history/time.h"
#include "orchestrator/sdk/registry.h"
#include "saga/saga.h"

namespace campaign {
namespace {

// Shared with the handlers: a query may come after the workflow's body has ended.
using StatePtr = std::shared_ptr<CampaignState>;

void SetDecisionHandler(sdk::Context ctx, StatePtr state, const char* name, bool approved) {
  ctx.SetUpdateHandler<v1::DecisionInput, v1::ApprovalDecision>(
      name, [state](const v1::DecisionInput& input) { return state->MayDecide(input); },
      [ctx, state, approved](const v1::DecisionInput& input) {
        return sdk::Outcome<v1::ApprovalDecision>(state->Decide(input, approved, ctx.Now()));
      });
}

void SetHandlers(sdk::Context ctx, StatePtr state) {
  SetDecisionHandler(ctx, state, kApproveUpdate, true);
  SetDecisionHandler(ctx, state, kRejectUpdate, false);
  ctx.SetUpdateHandler<v1::UpdateContentInput, v1::UpdateContentOutput>(
      kUpdateContentUpdate,
      [state](const v1::UpdateContentInput& input) { return state->MayUpdateContent(input); },
      [state](const v1::UpdateContentInput& input) {
        return sdk::Outcome<v1::UpdateContentOutput>(state->UpdateContent(input));
      });
  ctx.SetQueryHandler<v1::CampaignProgress, v1::CampaignProgress>(
      kProgressQuery, [ctx, state](const v1::CampaignProgress&) {
        return sdk::Outcome<v1::CampaignProgress>(state->Progress(ctx.Now()));
      });
}

// What the phases hand on to each other and to the result.
struct Products {
  v1::ResearchOutput research;
  v1::ContentOutput content;
  v1::DesignOutput design;
  v1::ReviewOutput review;
  v1::DistributeOutput distribution;
  v1::AnalyticsOutput analytics;
};

// An activity's input with the two fields that all of them begin with.
template <typename In>
In InputOf(const CampaignState& state) {
  In input;
  input.set_workflow_id(state.key());
  *input.mutable_campaign() = state.spec();
  return input;
}

sdk::Workflow<sdk::Unit> Research(sdk::Context ctx, saga::Saga* saga, StatePtr state,
                                  Products* products) {
  state->StartPhase(Phase::kResearch, ctx.Now());
  sdk::Outcome<v1::ResearchOutput> found =
      co_await saga->Run(kResearch, InputOf<v1::ResearchInput>(*state));
  if (!found.ok()) co_return found.failure();
  products->research = *std::move(found);
  state->CompletePhase(Phase::kResearch, ctx.Now());
  co_return sdk::Unit{};
}

sdk::Workflow<sdk::Unit> Content(sdk::Context ctx, saga::Saga* saga, StatePtr state,
                                 Products* products) {
  state->StartPhase(Phase::kContent, ctx.Now());
  v1::ContentInput input = InputOf<v1::ContentInput>(*state);
  *input.mutable_findings() = products->research.findings();
  sdk::Outcome<v1::ContentOutput> content =
      co_await saga->Run(kCreateContent, std::move(input), kDeleteDrafts);
  if (!content.ok()) co_return content.failure();
  products->content = *std::move(content);
  state->SetContent(products->content);
  state->CompletePhase(Phase::kContent, ctx.Now());
  co_return sdk::Unit{};
}

sdk::Workflow<sdk::Unit> Design(sdk::Context ctx, saga::Saga* saga, StatePtr state,
                                Products* products) {
  state->StartPhase(Phase::kDesign, ctx.Now());
  sdk::Outcome<v1::DesignOutput> design =
      co_await saga->Run(kDesignAssets, InputOf<v1::DesignInput>(*state), kDeleteAssets);
  if (!design.ok()) co_return design.failure();
  products->design = *std::move(design);
  state->CompletePhase(Phase::kDesign, ctx.Now());
  co_return sdk::Unit{};
}

// Checks the texts as they are now. A failure of type "ContentBlocked" when the settings say that
// such a campaign may not go on; moderation that cannot be had is a reason too: nothing is reviewed
// unchecked.
sdk::Workflow<sdk::Unit> Moderate(sdk::Context ctx, StatePtr state) {
  // Runs that came to their review before there was moderation stay without.
  if (!ctx.Patched("moderation")) co_return sdk::Unit{};
  v1::ModerateInput input = InputOf<v1::ModerateInput>(*state);
  input.mutable_pieces()->Assign(state->content().begin(), state->content().end());
  sdk::Outcome<v1::ModerateOutput> checked = co_await ctx.Execute(kModerate, input);
  if (!checked.ok()) co_return checked.failure();
  state->SetModeration(*checked);
  if (!checked->blocked()) co_return sdk::Unit{};
  std::vector<std::string> found;
  for (const v1::ModerationFinding& finding : checked->findings()) {
    found.push_back(
        absl::StrCat(finding.content_id(), ": ", finding.rule(), " (\"", finding.excerpt(), "\")"));
  }
  co_return sdk::Failure::Permanent("ContentBlocked",
                                    absl::StrCat("moderation found ", absl::StrJoin(found, "; "),
                                                 "; change the brief, or the rule"));
}

// Shows the reviewers the texts as they are now. One that fails is no reason to end a campaign.
sdk::Workflow<sdk::Unit> RefreshReview(sdk::Context ctx, StatePtr state, const Products* products) {
  v1::CloseReviewInput input = InputOf<v1::CloseReviewInput>(*state);
  *input.mutable_review() = products->review;
  input.mutable_pieces()->Assign(state->content().begin(), state->content().end());
  input.mutable_moderation()->Assign(state->moderation().begin(), state->moderation().end());
  const sdk::Outcome<v1::CloseReviewOutput> shown = co_await ctx.Execute(kRefreshReview, input);
  if (!shown.ok()) {
    state->SetMessage(
        absl::StrCat("waiting for approval; the pull request does not show the "
                     "newest texts: ",
                     shown.failure().message));
  }
  co_return sdk::Unit{};
}

// How a review waits: as its history says, so that a replay waits the same way whatever the
// settings say by then. Runs that are older than this have no policy and wait as they always did.
struct Escalation {
  absl::Duration remind_after = absl::InfiniteDuration();
  absl::Duration expire_after;
  bool waits_on = false;  // after that
};

Escalation EscalationOf(const v1::ReviewOutput& review, absl::Duration approval_timeout) {
  Escalation escalation{.expire_after = approval_timeout};
  if (!review.has_approval()) return escalation;
  const v1::ApprovalPolicy& policy = review.approval();
  if (policy.has_remind_after()) {
    escalation.remind_after = history::FromProto(policy.remind_after());
  }
  escalation.expire_after = history::FromProto(policy.expire_after());
  escalation.waits_on = policy.on_expiry() == "wait";
  return escalation;
}

// Reminders run beside the wait: one that Slack does not take must not hold up a decision.
class Reminders {
 public:
  Reminders(sdk::Context ctx, StatePtr state, const Products* products)
      : ctx_(ctx), state_(std::move(state)), products_(products), asked_at_(ctx.Now()) {}

  // `reminder` 0: the time is over. One that is still under way stands for the next one, too.
  void Send(int reminder, absl::Time deadline) {
    if (under_way_.has_value() && !under_way_->is_ready()) return;
    v1::RemindReviewInput input = InputOf<v1::RemindReviewInput>(*state_);
    *input.mutable_review() = products_->review;
    input.set_reminder(reminder);
    *input.mutable_asked_at() = history::ToProto(asked_at_);
    if (deadline < absl::InfiniteFuture()) *input.mutable_expires_at() = history::ToProto(deadline);
    input.set_on_expiry(products_->review.approval().on_expiry());
    under_way_ = ctx_.Execute(kRemindReview, input);
  }
  // There is a decision: nobody needs to be reminded.
  void Stop() {
    if (under_way_.has_value() && !under_way_->is_ready()) ctx_.Cancel(*under_way_);
  }

 private:
  sdk::Context ctx_;
  const StatePtr state_;
  const Products* const products_;
  const absl::Time asked_at_;
  std::optional<sdk::Future<v1::RemindReviewOutput>> under_way_;
};

// Waits for the first decision; the review shows every change of the texts meanwhile. `shown` is
// the revision that it shows now.
sdk::Workflow<sdk::Unit> AwaitDecision(sdk::Context ctx, StatePtr state, const Products* products,
                                       Escalation escalation, int shown) {
  Reminders reminders(ctx, state, products);
  absl::Time deadline = ctx.Now() + escalation.expire_after;
  absl::Time remind_at = ctx.Now() + escalation.remind_after;
  int reminder = 0;
  state->SetExpiry(products->review.has_approval() ? deadline : absl::InfiniteFuture());
  while (true) {
    const sdk::Done waited = co_await ctx.WaitUntil(
        [state, shown] { return state->decided() || state->content_revision() != shown; },
        std::min(deadline, remind_at) - ctx.Now());
    const bool timed_out = !waited.ok() && waited.failure().type == "TimedOut";
    if (state->decided() || (!waited.ok() && !timed_out)) {
      reminders.Stop();
      co_return waited;
    }
    if (timed_out && ctx.Now() >= deadline) {
      if (!escalation.waits_on) {
        reminders.Stop();
        co_return waited;
      }
      deadline = absl::InfiniteFuture();
      remind_at = ctx.Now() + escalation.remind_after;
      state->SetExpiry(deadline);
      state->SetMessage(absl::StrCat("waiting for approval of ", products->review.github_pr_url(),
                                     ", longer than it should"));
      reminders.Send(0, deadline);
      continue;
    }
    if (timed_out) {
      remind_at = ctx.Now() + escalation.remind_after;
      state->SetReminders(++reminder);
      reminders.Send(reminder, deadline);
      continue;
    }
    shown = state->content_revision();
    const sdk::Done moderated = co_await Moderate(ctx, state);
    if (!moderated.ok()) co_return moderated;
    (void)co_await RefreshReview(ctx, state, products);
  }
}

// Asks the reviewers and waits for the first decision, for days if need be.
sdk::Workflow<sdk::Unit> Review(sdk::Context ctx, saga::Saga* saga, StatePtr state,
                                Products* products, absl::Duration approval_timeout) {
  state->StartPhase(Phase::kReview, ctx.Now());
  const sdk::Done moderated = co_await Moderate(ctx, state);
  if (!moderated.ok()) co_return moderated.failure();
  const int shown = state->content_revision();
  v1::ReviewInput input = InputOf<v1::ReviewInput>(*state);
  input.mutable_pieces()->Assign(state->content().begin(), state->content().end());
  *input.mutable_assets() = products->design.assets();
  input.mutable_moderation()->Assign(state->moderation().begin(), state->moderation().end());
  sdk::Outcome<v1::ReviewOutput> review =
      co_await saga->Run(kRequestReview, std::move(input), kWithdrawReview);
  if (!review.ok()) co_return review.failure();
  products->review = *std::move(review);
  state->SetReview(products->review);
  if (!state->decided()) {
    state->SetWaitingForApproval(true);
    state->SetMessage(absl::StrCat("waiting for approval of ", products->review.github_pr_url()));
  }
  const Escalation escalation = EscalationOf(products->review, approval_timeout);
  const sdk::Done decided = co_await AwaitDecision(ctx, state, products, escalation, shown);
  state->SetWaitingForApproval(false);
  if (!state->decided()) {
    if (decided.ok() || decided.failure().type != "TimedOut") co_return decided.failure();
    co_return sdk::Failure::Permanent(
        "ApprovalTimedOut", absl::StrCat("nobody approved or rejected the campaign within ",
                                         absl::FormatDuration(escalation.expire_after)));
  }
  state->CompletePhase(Phase::kReview, ctx.Now());
  if (state->approved()) co_return sdk::Unit{};
  sdk::Failure rejected = sdk::Failure::Permanent(
      "CampaignRejected", absl::StrCat(kRejectedBy, state->decision().decided_by()));
  if (!state->decision().comment().empty()) {
    absl::StrAppend(&rejected.message, ": ", state->decision().comment());
  }
  co_return rejected;
}

sdk::Workflow<sdk::Unit> Distribute(sdk::Context ctx, saga::Saga* saga, StatePtr state,
                                    Products* products, absl::Duration undo_window) {
  if (state->spec().has_schedule_time()) {
    const absl::Time start = DistributionStart(state->spec(), ctx.Now(), undo_window);
    state->AwaitPhase(Phase::kDistribution,
                      absl::StrCat("scheduled for ", TimeText(*ScheduleTime(state->spec())),
                                   ", distribution begins ", TimeText(start)));
    // Also when it is due: the order of commands must not depend on the settings.
    const sdk::Done due = co_await ctx.Sleep(start - ctx.Now());
    if (!due.ok()) co_return due.failure();
  }
  state->StartPhase(Phase::kDistribution, ctx.Now());
  v1::DistributeInput input = InputOf<v1::DistributeInput>(*state);
  input.mutable_pieces()->Assign(state->content().begin(), state->content().end());
  *input.mutable_assets() = products->design.assets();
  sdk::Outcome<v1::DistributeOutput> distribution =
      co_await saga->Run(kDistribute, std::move(input), kRollbackDistribution);
  if (!distribution.ok()) co_return distribution.failure();
  products->distribution = *std::move(distribution);
  state->CompletePhase(Phase::kDistribution, ctx.Now());
  co_return sdk::Unit{};
}

sdk::Workflow<sdk::Unit> Analytics(sdk::Context ctx, saga::Saga* saga, StatePtr state,
                                   Products* products) {
  state->StartPhase(Phase::kAnalytics, ctx.Now());
  v1::AnalyticsInput input = InputOf<v1::AnalyticsInput>(*state);
  *input.mutable_published_channels() = products->distribution.published_channels();
  sdk::Outcome<v1::AnalyticsOutput> analytics =
      co_await saga->Run(kSetUpAnalytics, std::move(input), kCleanupAnalytics);
  if (!analytics.ok()) co_return analytics.failure();
  products->analytics = *std::move(analytics);
  state->SetDashboardUrl(products->analytics.dashboard_url());
  state->CompletePhase(Phase::kAnalytics, ctx.Now());
  co_return sdk::Unit{};
}

// The phases in their order; the first failure ends them.
sdk::Workflow<sdk::Unit> RunPhases(sdk::Context ctx, saga::Saga* saga, StatePtr state,
                                   Products* products, WorkflowSettings settings) {
  const sdk::Done researched = co_await Research(ctx, saga, state, products);
  if (!researched.ok()) co_return researched;
  const sdk::Done written = co_await Content(ctx, saga, state, products);
  if (!written.ok()) co_return written;
  const sdk::Done designed = co_await Design(ctx, saga, state, products);
  if (!designed.ok()) co_return designed;
  const sdk::Done reviewed = co_await Review(ctx, saga, state, products, settings.approval_timeout);
  if (!reviewed.ok()) co_return reviewed;
  const sdk::Done distributed =
      co_await Distribute(ctx, saga, state, products, settings.undo_window);
  if (!distributed.ok()) co_return distributed;
  const sdk::Done measured = co_await Analytics(ctx, saga, state, products);
  co_return measured;
}

// What the saga says of the phases whose steps had to be undone, in their order.
std::vector<CampaignState::PhaseUndo> UndosOf(const saga::Saga& saga) {
  using Compensation = orchestrator::v1::CompensationState;
  using Result = CampaignState::PhaseUndo::Result;
  static constexpr std::pair<const char*, Phase> kSteps[] = {
      {kCreateContent.name, Phase::kContent},
      {kDesignAssets.name, Phase::kDesign},
      {kRequestReview.name, Phase::kReview},
      {kDistribute.name, Phase::kDistribution},
      {kSetUpAnalytics.name, Phase::kAnalytics}};
  std::vector<CampaignState::PhaseUndo> undos;
  for (const saga::StepReport& step : saga.Steps()) {
    const auto found = std::find_if(std::begin(kSteps), std::end(kSteps),
                                    [&step](const auto& each) { return step.step == each.first; });
    if (found == std::end(kSteps) || step.compensation == Compensation::NONE) continue;
    const Result result = step.compensation == Compensation::COMPLETED  ? Result::kUndone
                          : step.compensation == Compensation::RESOLVED ? Result::kByHand
                                                                        : Result::kSkipped;
    undos.push_back({.phase = found->second,
                     .result = result,
                     .decided_by = step.decided_by,
                     .reason = step.reason});
  }
  return undos;
}

// What went less well than asked for, without failing the campaign.
void AddWarnings(const CampaignState& state, const Products& products, v1::CampaignResult* result) {
  for (const v1::SourceError& error : products.research.errors()) {
    result->add_warnings(absl::StrCat("research: ", error.source(),
                                      error.target().empty() ? "" : " ", error.target(),
                                      " gave nothing: ", error.message()));
  }
  if (!state.spec().brand_voice_id().empty() && products.content.brand_voice().empty()) {
    result->add_warnings(absl::StrCat("content: the brand voice \"", state.spec().brand_voice_id(),
                                      "\" is not in memory; the tone alone was used"));
  }
  for (const v1::SourceError& error : products.design.errors()) {
    result->add_warnings(absl::StrCat("design: no ", error.target(), ": ", error.message()));
  }
}

v1::CampaignResult MakeResult(const CampaignState& state, const Products& products) {
  v1::CampaignResult result;
  result.set_campaign_name(state.spec().campaign_name());
  result.set_outcome("published");
  *result.mutable_published_channels() = products.distribution.published_channels();
  for (const std::string& channel : products.distribution.published_channels()) {
    const auto published = products.distribution.results().find(channel);
    if (published == products.distribution.results().end()) continue;
    if (published->second.url().empty()) continue;
    (*result.mutable_channel_urls())[channel] = published->second.url();
  }
  result.set_github_pr_url(products.review.github_pr_url());
  result.set_slack_message_ts(products.review.slack_message_ts());
  result.set_dashboard_url(products.analytics.dashboard_url());
  *result.mutable_metrics_tracked() = products.analytics.metrics_tracked();
  for (const v1::Asset& asset : products.design.assets()) result.add_asset_urls(asset.url());
  *result.mutable_decision() = state.decision();
  result.set_total_sources(products.research.total_sources());
  result.set_successful_sources(products.research.successful_sources());
  result.set_model_used(products.content.model_used());
  result.set_tokens_used(products.content.tokens_used());
  result.set_cost_usd(products.content.cost_usd());
  result.set_prompt_version(products.content.prompt_version());
  result.mutable_moderation()->Assign(state.moderation().begin(), state.moderation().end());
  AddWarnings(state, products, &result);
  return result;
}

// The campaign is out; a pull request that cannot be closed does not undo that.
sdk::Workflow<v1::CampaignResult> CloseReview(sdk::Context ctx, StatePtr state,
                                              const Products* products) {
  state->SetMessage("published; closing the review");
  v1::CampaignResult result = MakeResult(*state, *products);
  v1::CloseReviewInput input = InputOf<v1::CloseReviewInput>(*state);
  *input.mutable_review() = products->review;
  input.set_outcome("approved");
  *input.mutable_decision() = state->decision();
  if (state->content_revision() > 1) {  // else the pull request holds it already
    input.mutable_pieces()->Assign(state->content().begin(), state->content().end());
  }
  const sdk::Outcome<v1::CloseReviewOutput> closed =
      co_await ctx.Shielded().Execute(kCloseReview, input);
  if (!closed.ok()) {
    result.add_warnings(
        absl::StrCat("review: the pull request or the Slack message is not up to "
                     "date: ",
                     closed.failure().message));
  }
  state->Complete(absl::StrCat("published to ",
                               absl::StrJoin(products->distribution.published_channels(), ", ")));
  co_return result;
}

// Says what would be sent, and sends nothing: no step of the saga runs.
sdk::Workflow<v1::CampaignResult> DryRun(sdk::Context ctx, StatePtr state) {
  v1::PlanInput input;
  input.set_workflow_id(state->key());
  *input.mutable_campaign() = state->spec();
  sdk::Outcome<v1::PlanOutput> plan = co_await ctx.Execute(kPlan, std::move(input));
  if (!plan.ok()) co_return plan.failure();
  state->SetPlan(*plan);
  state->Complete(
      absl::StrCat("dry run: ", plan->would_send_size(), " calls would be made, nothing was sent"));
  v1::CampaignResult result;
  result.set_campaign_name(state->spec().campaign_name());
  result.set_outcome("dry_run");
  *result.mutable_would_send() = plan->would_send();
  co_return result;
}

}  // namespace

sdk::Workflow<v1::CampaignResult> RunCampaign(sdk::Context ctx, v1::CampaignSpec spec,
                                              WorkflowSettings settings) {
  const auto state = std::make_shared<CampaignState>(
      std::move(spec),
      CampaignState::Identity{.workflow_id = ctx.info().workflow_id,
                              .key = CampaignKey(ctx.info().ns, ctx.info().workflow_id),
                              .run_id = ctx.info().run_id,
                              .started_at = ctx.info().start_time});
  SetHandlers(ctx, state);
  if (state->spec().dry_run()) {
    sdk::Outcome<v1::CampaignResult> planned = co_await DryRun(ctx, state);
    co_return planned;
  }
  saga::Saga saga(ctx);
  Products products;
  const sdk::Done published = co_await RunPhases(ctx, &saga, state, &products, settings);
  if (!published.ok()) {
    state->BeginUndo(published.failure(), ctx.Now());
    const bool rejected = published.failure().type == "CampaignRejected";
    sdk::Failure failure = co_await saga.Abort(published.failure(), rejected ? "rejected" : "");
    using End = CampaignState::End;
    state->EndUndo(!failure.is_canceled() ? End::kFailed
                   : ctx.timed_out()      ? End::kTimedOut
                                          : End::kCanceled,
                   UndosOf(saga));
    co_return failure;
  }
  saga.Pivot();
  sdk::Outcome<v1::CampaignResult> result = co_await CloseReview(ctx, state, &products);
  co_return result;
}

void RegisterWorkflow(sdk::Registry& registry, const WorkflowSettings& settings) {
  registry.AddWorkflow<v1::CampaignSpec, v1::CampaignResult>(
      kWorkflowType, [settings](sdk::Context ctx, v1::CampaignSpec spec) {
        return RunCampaign(ctx, std::move(spec), settings);
      });
}

}  // namespace campaign
