#include "absl/strings/match.h"
#include "orchestrator/core/apply.h"

namespace core {

void ApplyWorkflowTask(RunState& state, const std::string& build_id, int local_activities_pending) {
  state.task_pending = false;
  state.begins_at = absl::InfinitePast();
  state.signals_waiting = 0;
  state.local_activities_pending = local_activities_pending;
  if (!build_id.empty()) state.build_id = build_id;
}

void ApplyMarker(RunState& state, const v1::MarkerRecorded& event) {
  constexpr char kPatch[] = "patch:";
  if (absl::StartsWith(event.marker_name(), kPatch)) {
    state.patches.insert(event.marker_name().substr(sizeof(kPatch) - 1));
  }
}

void ApplySearchAttributes(RunState& state, const v1::SearchAttributes& attributes) {
  auto& fields = *state.search_attributes.mutable_fields();
  for (const auto& [name, attribute] : attributes.fields()) {
    if (attribute.value_case() == v1::SearchAttribute::VALUE_NOT_SET) {
      fields.erase(name);
    } else {
      fields[name] = attribute;
    }
  }
}

void ApplyMemo(RunState& state, const v1::Memo& memo) {
  for (const auto& [name, payload] : memo.fields()) {
    (*state.memo.mutable_fields())[name] = payload;
  }
}

void ApplyPaused(RunState& state, const v1::WorkflowExecutionPaused& event) {
  state.paused = true;
  state.paused_reason = event.reason();
  state.paused_by = event.identity();
  if (!event.request_id().empty()) state.control_request_ids.insert(event.request_id());
}

void ApplyResumed(RunState& state, const v1::WorkflowExecutionResumed& event) {
  if (!event.request_id().empty()) state.control_request_ids.insert(event.request_id());
  state.paused = false;
  state.paused_reason.clear();
  state.paused_by.clear();
}

}  // namespace core
