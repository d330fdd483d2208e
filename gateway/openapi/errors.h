// What an operation may be refused with beyond what all may: 404 and 409 with their reasons.
// Constant; thread-safe.
#pragma once

#include <vector>

#include "absl/strings/string_view.h"

namespace openapi {

struct OperationError {
  absl::string_view operation;  // "ApproveWizard"
  int http_status;
  absl::string_view text;  // when, and with which code
};

const std::vector<OperationError>& OperationErrors();

}  // namespace openapi
