// The stored form of a transition (docs/internals/history-format.md): events without ids and
// times, and the workflow-task triple folded into one entry that counts three ids.
// Pure functions; thread-safe.
//
// Example: stored [ActivityTaskCompleted, WorkflowTaskTriple, TimerStarted] with first id 8
// expands to 8 ActivityTaskCompleted, 9 WorkflowTaskScheduled, 10 WorkflowTaskStarted,
// 11 WorkflowTaskCompleted, 12 TimerStarted.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "orchestrator/base/ids.h"
#include "orchestrator/v1/history.pb.h"

namespace history {

namespace v1 = ::orchestrator::v1;

// How many event ids an entry of a stored transition takes.
inline int64_t IdsOf(const v1::HistoryEvent& event) { return event.has_workflow_task() ? 3 : 1; }

// Appends the events of a stored transition in their served form. DATA_LOSS when the bytes cannot
// be read, or do not continue `events`. `lease`, when given, is set to that under which it was
// written.
absl::Status Expand(const std::string& stored, std::vector<v1::HistoryEvent>* events,
                    int64_t* lease = nullptr);

}  // namespace history
