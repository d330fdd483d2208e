// Search attributes, memo and patches of a run: their limits, and their way into the run's row.
//
// Thread-safety: pure functions.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "orchestrator/core/transition.h"
#include "orchestrator/engine/options.h"
#include "orchestrator/store/store.h"

namespace engine {

// INVALID_ARGUMENT for a name or value that cannot be; RESOURCE_EXHAUSTED names limit and value.
absl::Status CheckSearchAttributes(const core::v1::SearchAttributes& attributes,
                                   const EngineOptions& options);
absl::Status CheckMemo(const core::v1::Memo& memo, const EngineOptions& options);

// What the commands would make of the run's attributes and memo. Costs nothing when none of them
// is about these.
absl::Status CheckUpserts(const core::RunState& state,
                          const std::vector<core::v1::Command>& commands,
                          const EngineOptions& options);

// Whether the transition changed what a row's properties are made of.
bool ChangesProperties(const core::TransitionBuilder& transition);
// Null when there are none.
std::shared_ptr<const store::RunProperties> PropertiesOf(const core::RunState& state);

}  // namespace engine
