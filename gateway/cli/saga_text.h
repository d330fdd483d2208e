// A saga and what became of its undoing, as text. Pure; thread-safe.
#pragma once

#include <string>

#include "orchestrator/v1/service.pb.h"

namespace cli {

// "COMPENSATED"; of a run that ended before its saga did: "was COMPENSATING"; empty: the run has
// ended, and nothing was undone.
std::string SagaStateText(orchestrator::v1::SagaState::Value state,
                          orchestrator::v1::RunStatus::Value status);

// The saga of a run whose status is `status`: its state, a table of its steps, what is not undone,
// and what an operator may do.
std::string SagaText(const orchestrator::v1::SagaInfo& saga,
                     orchestrator::v1::RunStatus::Value status);

// A table of what became of each undo, from the detail of the failure that a run with a saga ends
// with; empty when there was none, or when the detail is of something else.
std::string UndoText(const std::string& detail_json);

// An error for a cell of a table: cut when it is long, and then it says where the rest is.
std::string ErrorCell(const std::string& text);

}  // namespace cli
