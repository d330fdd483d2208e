#include "gateway/json/field_violations.h"

#include <algorithm>
#include <optional>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "google/rpc/error_details.pb.h"

namespace gateway {

namespace {

constexpr size_t kNamedInMessage = 3;

bool IsWithin(absl::string_view path, absl::string_view outer) {
  return absl::StartsWith(path, outer) &&
         (path.size() == outer.size() || path[outer.size()] == '.' || path[outer.size()] == '[');
}

// Whether what a check says of `checked` may follow from `unread` not having been read. Lists keep
// their size: what is said of one holds although one of its elements is not known.
bool FollowsFrom(absl::string_view checked, absl::string_view unread) {
  return IsWithin(checked, unread) || (IsWithin(unread, checked) && unread[checked.size()] == '.');
}

}  // namespace

void FieldViolations::Add(absl::string_view field, absl::string_view description) {
  ++total_;
  if (list_.size() >= kFieldViolationsMax) return;
  list_.push_back({std::string(field), std::string(description)});
}

void FieldViolations::AddUnknown(absl::string_view field, absl::string_view description) {
  Add(field, description);
  if (total_ == list_.size()) list_.back().unknown = true;
}

void FieldViolations::MergeChecked(const FieldViolations& checked) {
  const std::vector<FieldViolation> unread = list_;
  for (const FieldViolation& violation : checked.list_) {
    const bool follows =
        std::any_of(unread.begin(), unread.end(), [&](const FieldViolation& fault) {
          return !fault.unknown && FollowsFrom(violation.field, fault.field);
        });
    if (!follows) Add(violation.field, violation.description);
  }
  total_ += checked.total_ - checked.list_.size();
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
