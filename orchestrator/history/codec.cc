#include "orchestrator/history/codec.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace history {

absl::Status Expand(const std::string& stored, std::vector<v1::HistoryEvent>* events,
                    int64_t* lease) {
  v1::Transition transition;
  if (!transition.ParseFromString(stored)) {
    return absl::DataLossError("a stored transition cannot be parsed");
  }
  if (lease != nullptr) *lease = transition.lease();
  int64_t id = transition.first_event_id();
  const int64_t expected =
      events->empty() ? std::max<int64_t>(id, 1) : events->back().event_id() + 1;
  if (id != expected) {
    return absl::DataLossError(
        absl::StrCat("history has a gap: expected event ", expected, ", found ", id));
  }
  const auto add = [&](v1::HistoryEvent event) {
    event.set_event_id(id++);
    *event.mutable_event_time() = transition.time();
    events->push_back(std::move(event));
  };
  for (v1::HistoryEvent& event : *transition.mutable_events()) {
    if (event.attributes_case() == v1::HistoryEvent::ATTRIBUTES_NOT_SET) {
      return absl::DataLossError(absl::StrCat(
          "event ", id, " is of a type that this version does not know; run a newer one"));
    }
    if (!event.has_workflow_task()) {
      add(std::move(event));
      continue;
    }
    const int64_t scheduled_id = id;
    v1::HistoryEvent scheduled;
    scheduled.mutable_workflow_task_scheduled();
    add(std::move(scheduled));
    v1::HistoryEvent started;
    started.mutable_workflow_task_started()->set_scheduled_event_id(scheduled_id);
    started.mutable_workflow_task_started()->set_continue_as_new_suggested(
        event.workflow_task().continue_as_new_suggested());
    started.mutable_workflow_task_started()->set_history_bytes(
        event.workflow_task().history_bytes());
    add(std::move(started));
    v1::HistoryEvent completed;
    completed.mutable_workflow_task_completed()->set_scheduled_event_id(scheduled_id);
    completed.mutable_workflow_task_completed()->set_started_event_id(scheduled_id + 1);
    const v1::WorkflowTaskTriple& task = event.workflow_task();
    completed.mutable_workflow_task_completed()->set_build_id(task.build_id());
    completed.mutable_workflow_task_completed()->set_local_activities_pending(
        task.local_activities_pending());
    add(std::move(completed));
  }
  return absl::OkStatus();
}

}  // namespace history
