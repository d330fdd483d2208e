// Fields of wizard requests: ids, and masks over the fields of a campaign. Pure; thread-safe.
#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/field_mask.pb.h>

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "campaign/v1/campaign.pb.h"
#include "gateway/json/field_violations.h"

namespace gateway {

void CheckWizardId(absl::string_view field, const std::string& id, FieldViolations* violations);

// The fields to copy: those of the mask ("tone", "campaign.tone", "*"), or without one those that
// `campaign` sets. What no campaign has is a violation of `mask_field`.
std::vector<const google::protobuf::FieldDescriptor*> MaskedFields(
    const campaign::v1::CampaignSpec& campaign, const google::protobuf::FieldMask& mask,
    absl::string_view mask_field, FieldViolations* violations);

// `to`'s field becomes what it is in `from`, unset included.
void CopyCampaignField(const google::protobuf::FieldDescriptor* field,
                       const campaign::v1::CampaignSpec& from, campaign::v1::CampaignSpec* to);

}  // namespace gateway
