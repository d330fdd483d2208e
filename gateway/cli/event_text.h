// An event of a history in a table: its name and its most telling detail. Pure; thread-safe.
#pragma once

#include <string>

#include "orchestrator/v1/history.pb.h"

namespace cli {

// "ActivityTaskScheduled".
std::string EventName(const orchestrator::v1::HistoryEvent& event);
// "research_phase_activity", "Type: message", ...
std::string EventDetail(const orchestrator::v1::HistoryEvent& event);

}  // namespace cli
