#include "tests/simulation/campaigns.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "activities/campaign/campaign_workflow.h"
#include "activities/campaign/names.h"
#include "campaign/v1/activities.pb.h"
#include "orchestrator/history/payload.h"

namespace sim {
namespace {

constexpr absl::Duration kAnswerTimeout = absl::Seconds(20);

::campaign::v1::CampaignSpec RandomSpec(const std::string& name, Dice& dice) {
  ::campaign::v1::CampaignSpec spec;
  spec.set_campaign_name(name);
  spec.add_campaign_goals("sign up for the spring programme");
  spec.set_target_audience("runners in cities");
  const std::vector<std::vector<const char*>> channels = {
      {"email"}, {"social"}, {"blog"}, {"email", "social"}, {"email", "social", "blog"}};
  for (const char* channel : channels[dice.Below(channels.size())]) spec.add_channels(channel);
  const char* const tones[] = {"professional", "casual", "technical"};
  spec.set_tone(tones[dice.Below(3)]);
  spec.add_research_sources("notion");
  if (dice.Chance(0.5)) spec.add_research_sources("memory");
  if (dice.Chance(0.3)) {
    spec.add_research_sources("web");
    spec.add_competitor_urls(absl::StrCat(kOutsideUrl, "/site/acme"));
  }
  spec.add_reviewers("U0REVIEWER1");
  spec.add_metrics("views");
  return spec;
}

bool IsFinal(v1::RunStatus::Value status) {
  return status == v1::RunStatus::COMPLETED || status == v1::RunStatus::FAILED ||
         status == v1::RunStatus::CANCELED || status == v1::RunStatus::TERMINATED ||
         status == v1::RunStatus::TIMED_OUT;
}

// Undone in time: such a one is no duplicate of its successor.
bool IsUndone(const sandbox::Resource& resource) {
  return resource.state == "cancelled" || resource.state == "closed" ||
         resource.state == "deleted" || resource.state == "trashed";
}

std::string Describe(const sandbox::Resource& resource) {
  return absl::StrCat(resource.vendor, " ", resource.kind, " ", resource.id, " (", resource.state,
                      ")");
}

}  // namespace

void Campaigns::Begin(const std::string& workflow_id, Dice& dice, absl::Duration after,
                      bool gentle) {
  Plan& plan = plans_[workflow_id];
  plan.spec = RandomSpec(workflow_id, dice);
  const Verb verbs[] = {Verb::kApprove, Verb::kApprove, Verb::kApprove, Verb::kApprove,
                        Verb::kReject,  Verb::kEdit,    Verb::kIgnore,  Verb::kCancel};
  plan.verb = verbs[dice.Below(8)];
  if (gentle) plan.verb = Verb::kApprove;
  open_.insert(workflow_id);
  loop_.PostAfter(after, [this, workflow_id] { Start(workflow_id); });
  loop_.PostAfter(after + absl::Seconds(1), [this, workflow_id] { Live(workflow_id); });
}

void Campaigns::Start(const std::string& id) {
  Plan& plan = plans_[id];
  if (plan.started) return;
  loop_.PostAfter(kAnswerTimeout, [this, id] { Start(id); });
  engine::Partition* const partition = route_(id);
  if (partition == nullptr) return;
  v1::StartWorkflowRequest request;
  request.set_workflow_id(id);
  request.set_workflow_type(::campaign::kWorkflowType);
  *request.mutable_input() = history::ToPayload(plan.spec);
  request.set_request_id("start-" + id);
  partition->Start(request, [this, id](absl::StatusOr<v1::StartWorkflowResponse> response) {
    if (!response.ok()) return;
    plans_[id].started = true;
    checker_.OnStarted(response->run_id(), "start-" + id);
  });
}

void Campaigns::Live(const std::string& id) {
  if (!open_.contains(id)) return;
  loop_.PostAfter(
      settling_ ? absl::Seconds(60) : scheduler_.Between(absl::Seconds(1), absl::Seconds(40)),
      [this, id] { Live(id); });
  if (plans_[id].started && scheduler_.now() < quiet_until_) return;
  engine::Partition* const partition = route_(id);
  if (partition == nullptr) return;
  v1::GetWorkflowRequest request;
  request.set_workflow_id(id);
  partition->Describe(request, [this, id](absl::StatusOr<v1::WorkflowInfo> info) {
    if (!info.ok()) return;
    checker_.OnDescribed(*info);
    if (IsFinal(info->status())) {
      open_.erase(id);
    } else if (info->status_reason().starts_with("compensation_blocked")) {
      loop_.Post([this, id] { Unblock(id); });
    } else {
      loop_.Post([this, id] { Act(id); });
    }
  });
}

void Campaigns::Act(const std::string& id) {
  engine::Partition* const partition = route_(id);
  if (partition == nullptr) return;
  Plan& plan = plans_[id];
  if (plan.verb == Verb::kCancel && !plan.canceled && scheduler_.Chance(0.2)) {
    v1::CancelWorkflowRequest cancel;
    cancel.set_workflow_id(id);
    partition->Cancel(cancel, [this, id](absl::StatusOr<v1::CancelWorkflowResponse> response) {
      if (!response.ok()) return;
      plans_[id].canceled = true;
      seen.insert("campaign canceled");
    });
    return;
  }
  v1::QueryWorkflowRequest query;
  query.set_workflow_id(id);
  query.set_query_name(::campaign::kProgressQuery);
  *query.mutable_input() = history::ToPayload(::campaign::v1::CampaignProgress());
  partition->Query(query, [this, id](absl::StatusOr<v1::QueryWorkflowResponse> response) {
    if (!response.ok() || !response->has_result()) return;
    const auto progress =
        history::FromPayload<::campaign::v1::CampaignProgress>(response->result());
    if (progress.ok() && progress->waiting_for_approval()) {
      loop_.Post([this, id] { Decide(id); });
    }
  });
}

void Campaigns::Decide(const std::string& id) {
  engine::Partition* const partition = route_(id);
  if (partition == nullptr) return;
  Plan& plan = plans_[id];
  if (plan.verb == Verb::kIgnore) return;
  v1::UpdateWorkflowRequest update;
  update.set_workflow_id(id);
  update.set_update_id(absl::StrCat("decision-", ++last_request_));
  if (plan.verb == Verb::kEdit && !plan.edited) {
    plan.edited = true;
    ::campaign::v1::UpdateContentInput input;
    input.set_content_id(std::string(::campaign::kHeadline));
    input.set_new_content("Run with us this spring");
    input.set_updated_by("editor");
    update.set_update_name(::campaign::kUpdateContentUpdate);
    *update.mutable_input() = history::ToPayload(input);
  } else {
    ::campaign::v1::DecisionInput input;
    input.set_decided_by("reviewer");
    input.set_via("api");
    update.set_update_name(plan.verb == Verb::kReject ? ::campaign::kRejectUpdate
                                                      : ::campaign::kApproveUpdate);
    *update.mutable_input() = history::ToPayload(input);
  }
  const std::string name = update.update_name();
  partition->Update(update, [this, name](absl::StatusOr<v1::UpdateWorkflowResponse> response) {
    if (!response.ok()) return;
    checker_.OnUpdated(*response);
    seen.insert(absl::StrCat("campaign ", name, response->has_rejected() ? " refused" : ""));
  });
}

// The operator has the vendor mended and tries again; he never leaves anything behind.
void Campaigns::Unblock(const std::string& id) {
  engine::Partition* const partition = route_(id);
  if (partition == nullptr) return;
  v1::GetSagaRequest request;
  request.set_workflow_id(id);
  partition->GetSaga(request, [this, id](absl::StatusOr<v1::SagaInfo> saga) {
    if (!saga.ok()) return;
    for (const v1::SagaStepInfo& step : saga->steps()) {
      if (step.compensation() != v1::CompensationState::BLOCKED) continue;
      loop_.Post([this, id, name = step.step()] {
        engine::Partition* const partition = route_(id);
        if (partition == nullptr) return;
        v1::CompensationVerbInput input;
        input.set_step(name);
        input.set_reason("the vendor is back");
        input.set_identity("operator");
        v1::UpdateWorkflowRequest update;
        update.set_workflow_id(id);
        update.set_update_name("saga.retry");
        update.set_update_id(absl::StrCat("operator-c-", ++last_request_));
        *update.mutable_input() = history::ToPayload(input);
        partition->Update(update, [this](absl::StatusOr<v1::UpdateWorkflowResponse> response) {
          if (response.ok()) seen.insert("campaign unblocked");
        });
      });
    }
  });
}

void Campaigns::CheckEnd() {
  for (const auto& vendor : outside_.sandbox().vendors()) vendor->Advance();
  for (const auto& [id, plan] : plans_) Check(id);
  for (const sandbox::Resource* resource : outside_.sandbox().store().All()) {
    if (resource->alive && !resource->seeded && !plans_.contains(resource->workflow_id)) {
      checker_.Fail(absl::StrCat("nobody's: ", Describe(*resource)));
    }
  }
}

void Campaigns::Check(const std::string& id) {
  const bool late = outside_.late().contains(id) || checker_.overlapped().contains(id);
  const auto fail = [&](const std::string& what) {
    if (!late) return checker_.Fail(what);
    seen.insert("campaign: limit: a late request, or two owners at once");
  };
  const Checker::Shadow* run = checker_.Newest(id);
  if (run == nullptr) return checker_.Fail(absl::StrCat("campaign ", id, " never began"));
  const v1::RunStatus::Value status = run->state.closed_status;
  const bool completed = status == v1::RunStatus::COMPLETED;
  seen.insert(absl::StrCat("campaign ", v1::RunStatus::Value_Name(status)));
  const std::string where =
      absl::StrCat("campaign ", id, " ended ", v1::RunStatus::Value_Name(status), ": ");
  std::set<std::string> vendors;
  std::set<std::string> natural;
  for (const sandbox::Resource* resource : outside_.sandbox().store().OfWorkflow(id)) {
    if (!IsUndone(*resource) && !resource->natural_key.empty() &&
        !natural
             .insert(
                 absl::StrCat(resource->vendor, "/", resource->kind, "/", resource->natural_key))
             .second) {
      fail(absl::StrCat(where, "there twice: ", Describe(*resource)));
    }
    if (!resource->alive) continue;
    vendors.insert(resource->vendor);
    if (!completed) {
      fail(absl::StrCat(where, "left behind: ", Describe(*resource)));
    }
  }
  const std::map<std::string, std::string> vendor_of = {
      {"email", "sendgrid"}, {"social", "buffer"}, {"blog", "github"}};
  for (const std::string& channel : plans_[id].spec.channels()) {
    if (completed && !vendors.contains(vendor_of.at(channel))) {
      fail(absl::StrCat(where, "nothing of it is on ", channel));
    }
  }
  std::error_code none;
  const bool has_assets = std::filesystem::exists(
      absl::StrCat(outside_.assets_dir(), "/", ::campaign::AssetPrefix(id)), none);
  if (!completed && has_assets) fail(absl::StrCat(where, "its images are still there"));
}

}  // namespace sim
