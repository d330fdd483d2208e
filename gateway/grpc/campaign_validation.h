// What a campaign may look like (requirements O1, P8): every limit of CampaignSpec in one place.
// docs/campaign-guide.md lists the same limits for people. Pure; thread-safe.
//
// Example:
//   FieldViolations violations;
//   CheckCampaign(request.campaign(), "campaign", Completeness::kComplete, clock.Now(),
//                 &violations);
#pragma once

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "campaign/v1/campaign.pb.h"
#include "gateway/json/field_violations.h"

namespace gateway {

enum class Completeness {
  kDraft,     // required fields may be missing
  kComplete,  // ready to start
};

// Adds every fault with its path under `prefix`, in the order of the message's fields.
void CheckCampaign(const campaign::v1::CampaignSpec& spec, absl::string_view prefix,
                   Completeness completeness, absl::Time now, FieldViolations* violations);

// The six pieces of content that update_content may change.
bool IsContentId(absl::string_view id);
absl::string_view ContentIdsText();

}  // namespace gateway
