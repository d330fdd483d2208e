// JSON to protobuf by reflection. Other than protobuf's own parser it does not stop at the first
// fault: every unknown field, wrong type, unknown enum value and bad time of a document is
// reported at once, each with its path.
//
// Reads snake_case and camelCase names; null means unset; 64-bit integers as numbers or strings;
// RFC 3339 times; durations "30s"; field masks "a,b"; bytes in base64. A Payload is read as
// {"metadata","data"}, as {"message_type","value":{...}} with a linked-in message, or as
// {"value": any JSON} (encoding json/plain). Pure; thread-safe. `message` may hold what was
// readable when there are violations.
//
// Example:
//   FieldViolations violations;
//   RETURN_IF_ERROR(ReadJson(body, &request, &violations));   // malformed: line and column
//   RETURN_IF_ERROR(violations.ToStatus());
#pragma once

#include <google/protobuf/message.h>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gateway/json/field_violations.h"

namespace gateway {

inline constexpr int kJsonDepthMax = 64;

// Paths of violations start with `prefix` ("campaign"), when given. Afterwards `update_mask`, a
// FieldMask field at the top of `message` that the text leaves out, names the fields that are
// present in the one other message field ({"campaign": {"tone": ...}} -> "tone").
absl::Status ReadJson(absl::string_view text, google::protobuf::Message* message,
                      FieldViolations* violations, absl::string_view prefix = "");

}  // namespace gateway
