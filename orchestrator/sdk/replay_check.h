// The determinism check (DESIGN.md invariant 6): what workflow code asks for on replay must be
// what the history holds. Pure functions; thread-safe.
//
// Example: history holds 12 ActivityTaskScheduled(3, "charge"), the code now asks for
// StartTimer(3) -> event 12, expected ActivityTaskScheduled id=3 type=charge, found
// TimerStarted id=3, at order.cc:40.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "orchestrator/base/ids.h"
#include "orchestrator/v1/history.pb.h"

namespace sdk {

namespace v1 = ::orchestrator::v1;

struct NondeterminismDetail {
  base::EventId event_id = 0;
  std::string expected;  // what the history holds
  std::string found;     // what the code asked for
  std::string source;    // "order.cc:40", when the code asked for something

  // One line for people, with what to do next.
  std::string ToString() const;
};

// True for events that workflow code orders by a command.
bool IsCommandEvent(const v1::HistoryEvent& event);

// A short description: type and identifying fields.
std::string DescribeEvent(const v1::HistoryEvent& event);

// Patches are recorded as markers of this name, followed by the patch's id.
inline constexpr char kPatchMarkerPrefix[] = "patch:";
// Metadata of a marker that DeprecatePatch made.
inline constexpr char kPatchDeprecatedKey[] = "deprecated";

// `recorded` without the markers of deprecated patches that the code no longer asks for.
std::vector<const v1::HistoryEvent*> WithoutDeprecatedPatches(
    const std::vector<const v1::HistoryEvent*>& recorded, const std::vector<v1::Command>& commands);

// Compares the commands of one workflow task with the events recorded for it, in order.
// `next_event_id` is the id that a further event would have.
std::optional<NondeterminismDetail> CheckCommands(
    const std::vector<const v1::HistoryEvent*>& recorded, const std::vector<v1::Command>& commands,
    base::EventId next_event_id);

}  // namespace sdk
