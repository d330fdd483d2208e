// FieldViolations: every fault of one request, collected and answered together (requirement P8)
// as INVALID_ARGUMENT with a google.rpc.BadRequest detail. Thread-compatible.
//
// Example:
//   FieldViolations violations;
//   if (name.empty()) violations.Add("campaign.campaign_name", "is required");
//   RETURN_IF_ERROR(violations.ToStatus());
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace gateway {

inline constexpr char kBadRequestUrl[] = "type.googleapis.com/google.rpc.BadRequest";
inline constexpr size_t kFieldViolationsMax = 100;

struct FieldViolation {
  std::string field;  // path: "campaign.channels[1]"
  std::string description;
  bool unknown = false;  // it names no field of the request
};

class FieldViolations {
 public:
  // What comes after the hundredth is counted, not kept.
  void Add(absl::string_view field, absl::string_view description);
  void AddUnknown(absl::string_view field, absl::string_view description);
  // Adds what a check found in a request of which the fields that are named here could not be
  // read, so that the check says nothing that is true of them, of what is in them, or of the
  // message that misses them. "a.b" here: "a.b", "a.b.c", "a.b[1]" and "a" are left out.
  void MergeChecked(const FieldViolations& checked);
  bool empty() const { return total_ == 0; }
  size_t total() const { return total_; }
  const std::vector<FieldViolation>& list() const { return list_; }
  // OK when empty, else INVALID_ARGUMENT whose payload kBadRequestUrl holds the list.
  absl::Status ToStatus() const;

 private:
  std::vector<FieldViolation> list_;
  size_t total_ = 0;
};

// The violations in a status made by ToStatus (here or on the other side of a connection).
std::vector<FieldViolation> ViolationsOf(const absl::Status& status);

// One violation as a status.
absl::Status FieldError(absl::string_view field, absl::string_view description);

}  // namespace gateway
