// What a write must have right whatever is stored. Pure; thread-safe.
//
// Example:
//   RETURN_IF_ERROR(CheckWrite(write));
#pragma once

#include "absl/status/status.h"
#include "orchestrator/store/store.h"

namespace store::sqlite {

// INVALID_ARGUMENT when the transition does not continue the run's history without a gap, when an
// id is missing, or when the history is too long for the store; the message names the run.
absl::Status CheckWrite(const RunWrite& write);

}  // namespace store::sqlite
