#include "gateway/json/field_violations.h"

#include <optional>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"

namespace gateway {

namespace {
constexpr size_t kNamedInMessage = 3;
}  // namespace

void FieldViolations::Add(absl::string_view field, absl::string_view description) {
  ++total_;
  if (list_.size() >= kFieldViolationsMax) return;
  list_.push_back({std::string(field), std::string(description)});
}

absl::Status FieldViolations::ToStatus() const {
  if (empty()) return absl::OkStatus();
  google::rpc::BadRequest detail;
  std::string message =
      total_ == 1 ? "invalid request: " : absl::StrCat(total_, " invalid fields: ");
  for (size_t i = 0; i < list_.size(); ++i) {
    auto* violation = detail.add_field_violations();
    violation->set_field(list_[i].field);
    violation->set_description(list_[i].description);
    if (i < kNamedInMessage) {
      absl::StrAppend(&message, i == 0 ? "" : "; ", list_[i].field, " ", list_[i].description);
    }
  }
  if (total_ > kNamedInMessage) {
    absl::StrAppend(&message, "; and ", total_ - kNamedInMessage, " more");
  }
  absl::Status status = absl::InvalidArgumentError(message);
  const std::string bytes = detail.SerializeAsString();
  status.SetPayload(kBadRequestUrl, absl::Cord(absl::string_view(bytes)));
  return status;
}

std::vector<FieldViolation> ViolationsOf(const absl::Status& status) {
  std::vector<FieldViolation> list;
  const absl::optional<absl::Cord> payload = status.GetPayload(kBadRequestUrl);
  google::rpc::BadRequest detail;
  if (!payload.has_value() || !detail.ParseFromString(std::string(*payload))) return list;
  for (const auto& violation : detail.field_violations()) {
    list.push_back({violation.field(), violation.description()});
  }
  return list;
}

absl::Status FieldError(absl::string_view field, absl::string_view description) {
  FieldViolations violations;
  violations.Add(field, description);
  return violations.ToStatus();
}

}  // namespace gateway
