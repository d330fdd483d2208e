#include "orchestrator/sdk/replay_check.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace sdk {
namespace {

using Event = v1::HistoryEvent;

// A child's default workflow id begins with its parent's run id, which is another one after a
// reset: only the number after it says which child it is.
std::string ChildId(const std::string& workflow_id) {
  constexpr size_t kUuidSize = 36;
  const bool is_default =
      workflow_id.size() > kUuidSize + 1 && workflow_id[kUuidSize] == '_' &&
      workflow_id[8] == '-' && workflow_id[23] == '-' &&
      workflow_id.find_first_not_of("0123456789", kUuidSize + 1) == std::string::npos;
  return is_default ? absl::StrCat("#", workflow_id.substr(kUuidSize + 1)) : workflow_id;
}

// The identity of a command: equal on replay when code and history agree. A run that its own
// time-out canceled is recorded as TimedOut, whatever way the code ended.
std::string Identity(const Event& event) {
  switch (event.attributes_case()) {
    case Event::kWorkflowExecutionCompleted:
      return "WorkflowExecutionCompleted";
    case Event::kWorkflowExecutionFailed:
      return "WorkflowExecutionFailed";
    case Event::kWorkflowExecutionTimedOut:
    case Event::kWorkflowExecutionCanceled:
      return "WorkflowExecutionCanceled";
    case Event::kWorkflowExecutionContinuedAsNew:
      return "WorkflowExecutionContinuedAsNew";
    case Event::kActivityTaskScheduled:
      return absl::StrCat(
          "ActivityTaskScheduled id=", event.activity_task_scheduled().activity_id(),
          " type=", event.activity_task_scheduled().activity_type());
    case Event::kActivityTaskCancelRequested:
      return absl::StrCat("ActivityTaskCancelRequested id=",
                          event.activity_task_cancel_requested().activity_id());
    case Event::kTimerStarted:
      return absl::StrCat("TimerStarted id=", event.timer_started().timer_id());
    case Event::kTimerCanceled:
      return absl::StrCat("TimerCanceled id=", event.timer_canceled().timer_id());
    case Event::kMarkerRecorded:
      return absl::StrCat("MarkerRecorded name=", event.marker_recorded().marker_name());
    case Event::kWorkflowExecutionUpdateAccepted:
      return absl::StrCat("UpdateAccepted id=",
                          event.workflow_execution_update_accepted().update_id());
    case Event::kWorkflowExecutionUpdateCompleted:
      return absl::StrCat("UpdateCompleted id=",
                          event.workflow_execution_update_completed().update_id());
    case Event::kStartChildWorkflowExecutionInitiated: {
      const auto& child = event.start_child_workflow_execution_initiated();
      return absl::StrCat("StartChildWorkflowExecutionInitiated id=", ChildId(child.workflow_id()),
                          " type=", child.workflow_type());
    }
    case Event::kSignalExternalWorkflowExecutionInitiated: {
      const auto& signal = event.signal_external_workflow_execution_initiated();
      return absl::StrCat("SignalExternalWorkflowExecutionInitiated id=",
                          ChildId(signal.workflow_id()), " name=", signal.signal_name());
    }
    case Event::kRequestCancelExternalWorkflowExecutionInitiated:
      return absl::StrCat(
          "RequestCancelExternalWorkflowExecutionInitiated id=",
          ChildId(event.request_cancel_external_workflow_execution_initiated().workflow_id()));
    // The values may follow from data that code changes; that there is one at this place may not.
    case Event::kUpsertWorkflowSearchAttributes:
      return "UpsertWorkflowSearchAttributes";
    case Event::kWorkflowPropertiesModified:
      return "WorkflowPropertiesModified";
    case Event::kSagaStepRegistered:
      return absl::StrCat("SagaStepRegistered step=", event.saga_step_registered().step());
    case Event::kSagaPivotPassed:
      return "SagaPivotPassed";
    case Event::kSagaCompensationStarted:
      return absl::StrCat("SagaCompensationStarted step=",
                          event.saga_compensation_started().step());
    case Event::kSagaCompensationCompleted:
      return absl::StrCat("SagaCompensationCompleted step=",
                          event.saga_compensation_completed().step());
    case Event::kSagaCompensationFailed:
      return absl::StrCat("SagaCompensationFailed step=", event.saga_compensation_failed().step());
    case Event::kSagaCompensationSkipped:
      return absl::StrCat("SagaCompensationSkipped step=",
                          event.saga_compensation_skipped().step());
    case Event::kSagaCompensationResolved:
      return absl::StrCat("SagaCompensationResolved step=",
                          event.saga_compensation_resolved().step());
    default:
      return "";
  }
}

}  // namespace

std::string NondeterminismDetail::ToString() const {
  return absl::StrCat("workflow code does not match the history at event ", event_id, ": expected ",
                      expected, ", found ", found,
                      source.empty() ? "" : absl::StrCat(" at ", source),
                      ". Nothing was recorded; put the old code back, or guard the change, and "
                      "the run goes on");
}

bool IsCommandEvent(const v1::HistoryEvent& event) { return !Identity(event).empty(); }

std::string DescribeEvent(const v1::HistoryEvent& event) { return Identity(event); }

std::vector<const v1::HistoryEvent*> WithoutDeprecatedPatches(
    const std::vector<const v1::HistoryEvent*>& recorded,
    const std::vector<v1::Command>& commands) {
  std::vector<const v1::HistoryEvent*> kept;
  kept.reserve(recorded.size());
  for (const v1::HistoryEvent* event : recorded) {
    const v1::MarkerRecorded& marker = event->marker_recorded();
    const auto is_same = [&marker](const v1::Command& command) {
      return command.event().marker_recorded().marker_name() == marker.marker_name();
    };
    const bool dropped = marker.marker_name().starts_with(kPatchMarkerPrefix) &&
                         marker.details().metadata().contains(kPatchDeprecatedKey) &&
                         std::none_of(commands.begin(), commands.end(), is_same);
    if (!dropped) kept.push_back(event);
  }
  return kept;
}

std::optional<NondeterminismDetail> CheckCommands(
    const std::vector<const v1::HistoryEvent*>& recorded, const std::vector<v1::Command>& commands,
    base::EventId next_event_id) {
  const size_t count = std::max(recorded.size(), commands.size());
  for (size_t i = 0; i < count; ++i) {
    const std::string expected = i < recorded.size() ? Identity(*recorded[i]) : "no command";
    const std::string found = i < commands.size() ? Identity(commands[i].event()) : "no command";
    if (expected == found) continue;
    return NondeterminismDetail{
        .event_id = i < recorded.size() ? recorded[i]->event_id() : next_event_id,
        .expected = expected,
        .found = found,
        .source = i < commands.size() ? commands[i].source() : ""};
  }
  return std::nullopt;
}

}  // namespace sdk
