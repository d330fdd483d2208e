// WizardPreviewer: what a campaign would do and cost, from the settings alone: the plan of a dry
// run, an estimate by the model's prices, what would surprise, and what keeps it from starting.
//
// Thread-safety: constant after construction; thread-safe.
//
// Example:
//   WizardPreviewer previewer(settings);
//   cv1::PreviewWizardResponse preview = previewer.Preview(wizard, clock.Now());
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "activities/campaign/prompt.h"
#include "activities/campaign/settings.h"
#include "campaign/v1/service.pb.h"
#include "gateway/grpc/campaign_needs.h"
#include "gateway/json/field_violations.h"

namespace gateway {

struct PreviewSettings {
  campaign::Settings campaign;  // its prompts must be valid (campaign::Prompts::Make)
  std::string model;
  // The most tokens that a prompt of so many bytes has, and what tokens cost in USD. Without a
  // price `cost` is empty.
  std::function<int64_t(size_t bytes)> tokens_at_most;
  std::function<double(int64_t prompt_tokens, int64_t completion_tokens)> cost;
  bool cms_set = true;  // there is a CMS to publish in
  // Keys of settings that campaigns need and that are not set: "vendors.slack.token
  // (SLACK_BOT_TOKEN)".
  std::vector<std::string> missing_keys;
};

class WizardPreviewer {
 public:
  explicit WizardPreviewer(PreviewSettings settings);

  // Without `violations`: whether it may start is CheckStart's business.
  campaign::v1::PreviewWizardResponse Preview(const campaign::v1::Wizard& wizard,
                                              absl::Time now) const;

  // All that keeps a campaign from starting: what CheckCampaign finds in it, and what it needs of
  // the settings that is not set. A dry run calls nobody and needs nothing.
  void CheckStart(const campaign::v1::CampaignSpec& spec, absl::string_view prefix, absl::Time now,
                  FieldViolations* violations) const;

 private:
  std::vector<Need> Needs(const campaign::v1::CampaignSpec& spec, absl::Time now) const;
  campaign::v1::CostEstimate Cost(const campaign::v1::CampaignSpec& spec) const;
  void AddWarnings(const campaign::v1::CampaignSpec& spec, absl::Time now,
                   campaign::v1::PreviewWizardResponse* preview) const;

  const PreviewSettings settings_;
  const campaign::Prompts prompts_;
};

}  // namespace gateway
