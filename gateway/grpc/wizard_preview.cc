#include "gateway/grpc/wizard_preview.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "activities/campaign/plan.h"
#include "activities/campaign/schedule.h"
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

// Where a missing setting matters: "vendors.slack.token" where Slack is called, and settings of
// the campaign where their vendor is.
bool Matters(const std::string& key, const std::vector<std::string>& vendors) {
  static const auto* const kVendorOf =
      new std::map<std::string, std::string>{{"campaign.figma.file_key", "figma"},
                                             {"campaign.review.slack_channel", "slack"},
                                             {"campaign.email.from_address", "sendgrid"}};
  const std::string path = key.substr(0, key.find(' '));
  if (path == "campaign.social.channels") return false;  // has a warning of its own
  const auto of_campaign = kVendorOf->find(path);
  return std::any_of(vendors.begin(), vendors.end(), [&](const std::string& vendor) {
    return absl::StartsWith(path, absl::StrCat("vendors.", vendor, ".")) ||
           (of_campaign != kVendorOf->end() && of_campaign->second == vendor);
  });
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
  std::vector<std::string> vendors;
  for (const auto& phase : preview->phases()) {
    for (const auto& call : phase.calls()) vendors.push_back(call.vendor());
  }
  for (const std::string& key : settings_.missing_keys) {
    if (Matters(key, vendors)) warn(key.substr(0, key.find(' ')), "is not set: " + key);
  }
  if (Has(spec.channels(), "email") && spec.email_recipients().empty() &&
      settings_.campaign.email.recipients.empty()) {
    warn("campaign.email_recipients", "nobody gets the mail: the settings name nobody either");
  }
  if (Has(spec.channels(), "social") && settings_.campaign.social.channels.empty()) {
    warn("campaign.social.channels", "no channel to post to is set");
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
