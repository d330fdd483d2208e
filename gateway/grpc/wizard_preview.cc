#include "gateway/grpc/wizard_preview.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "activities/campaign/plan.h"
#include "activities/campaign/schedule.h"
#include "gateway/grpc/campaign_validation.h"
#include "orchestrator/base/check.h"
#include "orchestrator/history/time.h"

namespace gateway {

namespace {

namespace cv1 = campaign::v1;

constexpr const char* kPhases[] = {"research", "content",      "design",
                                   "review",   "distribution", "analytics"};

campaign::Prompts ValidPrompts(const campaign::PromptSettings& settings) {
  auto prompts = campaign::Prompts::Make(settings);
  CHECK(prompts.ok()) << prompts.status().ToString();
  return *std::move(prompts);
}

bool Has(const google::protobuf::RepeatedPtrField<std::string>& list, absl::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

// "3 calls: github, slack".
std::string Summary(const cv1::PreviewPhase& phase) {
  if (phase.calls().empty()) return "nothing to do";
  std::vector<std::string> vendors;
  for (const auto& call : phase.calls()) {
    if (std::find(vendors.begin(), vendors.end(), call.vendor()) == vendors.end()) {
      vendors.push_back(call.vendor());
    }
  }
  return absl::StrCat(phase.calls_size(), phase.calls_size() == 1 ? " call: " : " calls: ",
                      absl::StrJoin(vendors, ", "));
}

}  // namespace

WizardPreviewer::WizardPreviewer(PreviewSettings settings)
    : settings_(std::move(settings)), prompts_(ValidPrompts(settings_.campaign.content.prompts)) {}

cv1::PreviewWizardResponse WizardPreviewer::Preview(const cv1::Wizard& wizard,
                                                    absl::Time now) const {
  const cv1::CampaignSpec& spec = wizard.campaign();
  cv1::PreviewWizardResponse preview;
  preview.set_wizard_id(wizard.wizard_id());
  preview.set_etag(wizard.etag());
  *preview.mutable_channels() = spec.channels();
  const cv1::PlanOutput plan = campaign::PlanCampaign(absl::StrCat("campaign-", wizard.wizard_id()),
                                                      spec, settings_.campaign, prompts_, now);
  for (const char* name : kPhases) {
    cv1::PreviewPhase* phase = preview.add_phases();
    phase->set_phase(name);
    for (const cv1::PlannedCall& call : plan.would_send()) {
      if (call.phase() == name) *phase->add_calls() = call;
    }
    phase->set_summary(Summary(*phase));
  }
  *preview.mutable_cost() = Cost(spec);
  const absl::Duration undo_window = settings_.campaign.undo_window;
  *preview.mutable_sends_at() = history::ToProto(
      campaign::SendAt(spec, campaign::DistributionStart(spec, now, undo_window), undo_window));
  AddWarnings(spec, now, &preview);
  return preview;
}

std::vector<Need> WizardPreviewer::Needs(const cv1::CampaignSpec& spec, absl::Time now) const {
  // Who is called follows from little of the campaign.
  cv1::CampaignSpec outline;
  *outline.mutable_channels() = spec.channels();
  *outline.mutable_research_sources() = spec.research_sources();
  std::vector<std::string> vendors;
  const cv1::PlanOutput plan =
      campaign::PlanCampaign("campaign", outline, settings_.campaign, prompts_, now);
  for (const cv1::PlannedCall& call : plan.would_send()) vendors.push_back(call.vendor());
  return UnmetNeeds(spec, vendors,
                    {.campaign = settings_.campaign,
                     .cms_set = settings_.cms_set,
                     .missing_keys = settings_.missing_keys});
}

void WizardPreviewer::CheckStart(const cv1::CampaignSpec& spec, absl::string_view prefix,
                                 absl::Time now, FieldViolations* violations) const {
  CheckCampaign(spec, prefix, Completeness::kComplete, now, violations);
  if (spec.dry_run()) return;
  for (const Need& need : Needs(spec, now)) {
    if (!need.fatal) continue;
    violations->Add(
        need.field.empty() ? std::string(prefix) : absl::StrCat(prefix, ".", need.field),
        need.problem);
  }
}

cv1::CostEstimate WizardPreviewer::Cost(const cv1::CampaignSpec& spec) const {
  const campaign::ResearchSettings& research = settings_.campaign.research;
  size_t findings = 0;
  if (Has(spec.research_sources(), "notion")) {
    findings += research.notion_results_max * std::max<size_t>(1, research.notion_databases.size());
  }
  if (Has(spec.research_sources(), "web")) findings += spec.competitor_urls_size();
  if (Has(spec.research_sources(), "memory")) findings += research.memory_results_max;
  findings = std::min<size_t>(findings, research.findings_max);
  const size_t bytes = prompts_.System(spec, "").size() + prompts_.User(spec, {}).size() +
                       findings * (research.title_characters_max + research.summary_characters_max);
  cv1::CostEstimate cost;
  cost.set_model(settings_.model);
  cost.set_prompt_tokens(settings_.tokens_at_most ? settings_.tokens_at_most(bytes)
                                                  : static_cast<int64_t>(bytes / 2));
  cost.set_completion_tokens_max(settings_.campaign.content.output_tokens_max);
  if (settings_.cost) {
    cost.set_price_known(true);
    cost.set_usd_max(settings_.cost(cost.prompt_tokens(), cost.completion_tokens_max()));
  }
  return cost;
}

void WizardPreviewer::AddWarnings(const cv1::CampaignSpec& spec, absl::Time now,
                                  cv1::PreviewWizardResponse* preview) const {
  const auto warn = [preview](std::string subject, std::string message) {
    cv1::PreviewWarning* warning = preview->add_warnings();
    warning->set_subject(std::move(subject));
    warning->set_message(std::move(message));
  };
  // What keeps it from starting is said by `violations`.
  for (const Need& need : Needs(spec, now)) {
    if (need.fatal && !spec.dry_run()) continue;
    warn(need.field.empty() ? "campaign" : absl::StrCat("campaign.", need.field), need.problem);
  }
  if (spec.reviewers().empty()) {
    warn("campaign.reviewers", "no reviewers are named: anybody who may decide has to see it");
  }
  const cv1::CostEstimate& cost = preview->cost();
  if (!cost.price_known()) {
    warn("vendors.openai.prices", absl::StrCat("there is no price for ", cost.model()));
  } else if (spec.budget_usd() > 0 && cost.usd_max() > spec.budget_usd()) {
    warn("campaign.budget_usd",
         absl::StrFormat("the texts may cost up to %.4f USD, more than the budget of %.4f USD",
                         cost.usd_max(), spec.budget_usd()));
  }
  const auto schedule = campaign::ScheduleTime(spec);
  if (schedule.has_value() && *schedule > now && *schedule < now + settings_.campaign.undo_window) {
    warn("campaign.schedule_time",
         absl::StrCat("is nearer than the undo window of ",
                      absl::FormatDuration(settings_.campaign.undo_window),
                      "; it goes out after it"));
  }
  if (spec.dry_run()) warn("campaign.dry_run", "is set: nothing is sent");
}

}  // namespace gateway
