#include "orchestrator/sdk/replay.h"

#include "absl/strings/str_cat.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/core/run_state.h"
#include "orchestrator/history/history_file.h"
#include "orchestrator/history/time.h"
#include "orchestrator/sdk/instance.h"

namespace sdk {

absl::Status ReplayHistory(const Registry& registry, const std::vector<v1::HistoryEvent>& events,
                           const std::string& type) {
  RETURN_IF_ERROR(history::CheckServed(events));
  const std::string& name =
      type.empty() ? events.front().workflow_execution_started().workflow_type() : type;
  const Registry::RawWorkflow* workflow = registry.FindWorkflow(name);
  if (workflow == nullptr) {
    return absl::NotFoundError(
        absl::StrCat("this program has no code for the workflow type \"", name, "\""));
  }
  core::RunState state;
  for (const v1::HistoryEvent& event : events) {
    core::Apply(state, event, history::FromProto(event.event_time()));
  }
  if (!state.corruption.empty()) return absl::DataLossError(state.corruption);
  Instance instance(registry, *workflow);
  return instance.Replay(events);
}

}  // namespace sdk
