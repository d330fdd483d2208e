// Replays a whole history on the workflow code of this program: what a release does before it goes
// out, over histories that were exported from the one before. No effects happen.
//
// Thread-safe, as far as the workflow code is.
//
// Example:
//   ASSIGN_OR_RETURN(history::HistoryFile file, history::ReadHistoryFile(text));
//   EXPECT_TRUE(sdk::ReplayHistory(registry, file.events).ok());
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "orchestrator/sdk/registry.h"
#include "orchestrator/v1/history.pb.h"

namespace sdk {

namespace v1 = ::orchestrator::v1;

// `events` are a served history, from event 1. `type` is the workflow type whose code is used;
// empty: the one that the history names.
// INVALID_ARGUMENT: no served history. NOT_FOUND: the type is not registered. INTERNAL: the code
// does not match, with the text of NondeterminismDetail. DATA_LOSS: the history contradicts itself.
absl::Status ReplayHistory(const Registry& registry, const std::vector<v1::HistoryEvent>& events,
                           const std::string& type = "");

}  // namespace sdk
