#include "gateway/grpc/wizard_fields.h"

#include <google/protobuf/message.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace gateway {

using campaign::v1::CampaignSpec;
using google::protobuf::FieldDescriptor;

void CheckWizardId(absl::string_view field, const std::string& id, FieldViolations* violations) {
  const bool known_characters = std::all_of(
      id.begin(), id.end(), [](unsigned char c) { return absl::ascii_isalnum(c) || c == '-'; });
  if (id.empty()) {
    violations->Add(field, "is required");
  } else if (id.size() > 64 || !known_characters) {
    violations->Add(field, "is not a wizard id");
  }
}

std::vector<const FieldDescriptor*> MaskedFields(const CampaignSpec& campaign,
                                                 const google::protobuf::FieldMask& mask,
                                                 absl::string_view mask_field,
                                                 FieldViolations* violations) {
  std::vector<const FieldDescriptor*> fields;
  const auto* type = CampaignSpec::descriptor();
  if (mask.paths().empty()) {
    campaign.GetReflection()->ListFields(campaign, &fields);
    return fields;
  }
  for (absl::string_view path : mask.paths()) {
    if (path == "*") {
      for (int i = 0; i < type->field_count(); ++i) fields.push_back(type->field(i));
      continue;
    }
    if (absl::StartsWith(path, "campaign.")) path.remove_prefix(9);
    const auto* field = type->FindFieldByName(std::string(path));
    if (field == nullptr) {
      violations->Add(mask_field, absl::StrCat("names ", path, ", which no campaign has"));
    } else {
      fields.push_back(field);
    }
  }
  return fields;
}

void CopyCampaignField(const FieldDescriptor* field, const CampaignSpec& from, CampaignSpec* to) {
  CampaignSpec only = from;
  std::vector<const FieldDescriptor*> set;
  only.GetReflection()->ListFields(only, &set);
  for (const auto* other : set) {
    if (other != field) only.GetReflection()->ClearField(&only, other);
  }
  to->GetReflection()->ClearField(to, field);
  to->MergeFrom(only);
}

}  // namespace gateway
