// What the language model is asked, and how its answer is read. Pure; thread-safe.
//
// Example:
//   std::string system = SystemPrompt(spec, brand_voice);
//   std::string user = UserPrompt(spec, findings);
//   base::Outcome<std::vector<v1::ContentPiece>> pieces = ParseContent(answer);
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "campaign/v1/activities.pb.h"
#include "campaign/v1/campaign.pb.h"
#include "google/protobuf/repeated_ptr_field.h"
#include "orchestrator/base/outcome.h"

namespace campaign {

// Who the model is and how the brand speaks. `brand_voice` may be empty: the tone alone counts.
std::string SystemPrompt(const v1::CampaignSpec& spec, absl::string_view brand_voice);

// The brief, what research found (as quoted data, never as instructions), and the six pieces.
std::string UserPrompt(const v1::CampaignSpec& spec,
                       const google::protobuf::RepeatedPtrField<v1::Finding>& findings);

// The texts that the answer must hold: the ids of the six pieces.
std::vector<std::string> RequiredKeys();
inline constexpr char kContentSchemaName[] = "campaign_content";

// The six pieces in their order, cleaned and within their limits. Failure "InvalidContent"
// (retryable) when a piece is missing or empty, or the answer is no JSON object.
base::Outcome<std::vector<v1::ContentPiece>> ParseContent(absl::string_view answer);

}  // namespace campaign
