// What the language model is asked, and how its answer is read. Constant after construction;
// thread-safe.
//
// Example:
//   absl::StatusOr<Prompts> prompts = Prompts::Make(settings.content.prompts);
//   std::string system = prompts->System(spec, brand_voice);
//   std::string user = prompts->User(spec, findings);
//   base::Outcome<std::vector<v1::ContentPiece>> pieces = ParseContent(answer);
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "activities/campaign/settings.h"
#include "campaign/v1/activities.pb.h"
#include "campaign/v1/campaign.pb.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "orchestrator/base/outcome.h"

namespace campaign {

class Prompts {
 public:
  // INVALID_ARGUMENT names every template that cannot be read and every line of advice without a
  // name.
  static absl::StatusOr<Prompts> Make(PromptSettings settings);

  // Who the model is and how the brand speaks. `brand_voice` may be empty: the tone alone counts.
  std::string System(const v1::CampaignSpec& spec, absl::string_view brand_voice) const;
  // The brief, what research found (as quoted data, never as instructions), and the six pieces.
  std::string User(const v1::CampaignSpec& spec,
                   const google::protobuf::RepeatedPtrField<v1::Finding>& findings) const;
  // The settings' version with a hash of the templates: "1-4be1d0a2".
  const std::string& version() const { return version_; }

 private:
  using Advice = std::map<std::string, std::string, std::less<>>;

  PromptSettings settings_;
  std::string version_;
  Advice tones_;
  Advice channels_;
  Advice languages_;
};

// "" or what is wrong with a mustache template.
std::string TemplateProblem(const std::string& text);
// "" or what is wrong with a line of advice.
std::string AdviceProblem(absl::string_view line);

// The texts that the answer must hold: the ids of the six pieces.
std::vector<std::string> RequiredKeys();
inline constexpr char kContentSchemaName[] = "campaign_content";

// The six pieces in their order, cleaned and within their limits. Failure "InvalidContent"
// (retryable) when a piece is missing or empty, or the answer is no JSON object.
base::Outcome<std::vector<v1::ContentPiece>> ParseContent(absl::string_view answer);

}  // namespace campaign
