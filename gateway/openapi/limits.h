// The limits of request fields as the API's document states them. The services check them
// (gateway/grpc/validate.h and its users); tests/e2e/openapi_limits_test.py holds the document
// against a server, field by field, in both directions. Constant; thread-safe.
//
// Example:
//   const Limit* limit = FindLimit("StartWorkflowRequest", "workflow_id");
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "absl/strings/string_view.h"

namespace openapi {

inline constexpr double kNoLimit = std::numeric_limits<double>::infinity();

struct Limit {
  // "Message.field", or "field" for every message whose name ends in Request.
  absl::string_view field;
  bool required = false;
  // Of strings, in characters; of the elements of a list.
  int64_t length_min = 0;
  int64_t length_max = -1;  // -1: none
  absl::string_view pattern;
  absl::string_view format;
  std::vector<absl::string_view> words;  // the only values
  // Of numbers.
  double least = -kNoLimit;
  double most = kNoLimit;
  // Of lists.
  int64_t items_min = 0;
  int64_t items_max = -1;
  bool unique = false;
  // For people, where no schema can say it.
  absl::string_view text;
};

// Null: nothing limits it but the size of the request.
const Limit* FindLimit(absl::string_view message, absl::string_view field);
const std::vector<Limit>& Limits();

}  // namespace openapi
