#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/engine/partition.h"
#include "orchestrator/history/codec.h"

namespace engine {
namespace {

// Workflow tasks of one turn of one run: canceled activities that close at once may ask for more.
constexpr int kTasksPerTurnMax = 1000;

}  // namespace

absl::Status Partition::EnsureWorkflow(LiveRun& run) {
  if (run.workflow != nullptr) return absl::OkStatus();
  if (!run.stuck_reason.empty() && Now() < run.stuck_retry_at) {
    return absl::InternalError(run.stuck_reason);
  }
  if (!run.history.has_value()) {
    if (run.writes_pending > 0) return absl::UnavailableError("the run is being written");
    ASSIGN_OR_RETURN(store::StoredRun stored, deps_.store.LoadRun(run.id));
    std::vector<v1::HistoryEvent> events;
    for (const std::string& row : stored.transitions) {
      RETURN_IF_ERROR(history::Expand(row, &events));
    }
    run.history = std::move(events);
  }
  if (!run.history->empty()) {
    metrics_.WorkflowReplayed();
  }
  absl::StatusOr<std::unique_ptr<LiveWorkflow>> workflow =
      deps_.runner.Load(run.row.workflow_type, *run.history);
  if (!workflow.ok()) return workflow.status();
  run.workflow = *std::move(workflow);
  run.history.reset();
  return absl::OkStatus();
}

void Partition::MarkStuck(LiveRun& run, const absl::Status& status) {
  const bool is_new = run.stuck_reason.empty();
  const std::string kind = absl::IsInternal(status)            ? "nondeterminism"
                           : absl::IsResourceExhausted(status) ? "limit"
                                                               : "workflow_task_failed";
  const std::string reason = absl::StrCat(kind, ": ", status.message());
  run.stuck_backoff =
      is_new ? options_.stuck_retry_min : std::min(run.stuck_backoff * 2, options_.stuck_retry_max);
  run.stuck_retry_at = Now() + run.stuck_backoff;
  run.workflow.reset();
  // A store that cannot be read now says nothing new of a run that was stuck before.
  if (!is_new && absl::IsUnavailable(status)) return;
  if (!is_new && run.stuck_reason == reason) return;
  run.stuck_reason = reason;
  metrics_.WorkflowStuck(kind);
  base::Log(base::LogLevel::kError, "run is STUCK: " + reason, LogOf(run));
}

absl::StatusOr<Partition::TaskOutcome> Partition::RunWorkflowTasks(
    LiveRun& run, core::TransitionBuilder& transition, std::vector<WorkflowUpdate> updates) {
  TaskOutcome outcome;
  core::RunState& state = run.state;
  // A stuck run is tried again even when nothing waits: so it is seen that its code is mended.
  const bool idle = !state.task_pending && updates.empty() && run.stuck_reason.empty();
  if (state.closed() || idle) return outcome;
  RETURN_IF_ERROR(CheckLimits(run));
  RETURN_IF_ERROR(EnsureWorkflow(run));
  run.stuck_reason.clear();
  int delivered = 0;
  for (int task = 0; !state.closed() && (state.task_pending || !updates.empty()); ++task) {
    if (task == kTasksPerTurnMax) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "more than ", kTasksPerTurnMax, " workflow tasks in one turn (limit kTasksPerTurnMax)"));
    }
    std::vector<const v1::HistoryEvent*> events;
    for (; delivered < transition.events().size(); ++delivered) {
      events.push_back(&transition.events().Get(delivered));
    }
    WorkflowTaskResult result = run.workflow->RunTask(transition.now(), events, updates);
    for (UpdateVerdict& verdict : result.verdicts) outcome.verdicts.push_back(std::move(verdict));
    updates.clear();
    // Refused updates alone leave no trace.
    if (!state.task_pending && result.commands.empty()) break;
    transition.AddWorkflowTask();
    const EventId first_command = state.next_event_id;
    delivered += 1 + static_cast<int>(result.commands.size());
    const std::string new_run_id = base::NewRunId(transition.now(), deps_.random).value();
    for (core::AttemptToStop& attempt :
         core::AddCommands(transition, std::move(result.commands), new_run_id)) {
      outcome.stop.push_back(std::move(attempt));
    }
    run.workflow->Recorded(first_command);
  }
  return outcome;
}

absl::Status Partition::CheckLimits(const LiveRun& run) const {
  if (run.state.next_event_id > options_.history_events_max) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the history has ", run.state.next_event_id - 1, " events (limit history_events_max = ",
        options_.history_events_max, "); use continue-as-new, or raise the limit"));
  }
  if (static_cast<int>(run.state.activities.size()) > options_.pending_activities_max) {
    return absl::ResourceExhaustedError(absl::StrCat(
        run.state.activities.size(), " activities are pending (limit pending_activities_max = ",
        options_.pending_activities_max, ")"));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<UpdateVerdict>> Partition::AdvanceUpdates(
    LiveRun& run, core::TransitionBuilder& transition, std::vector<core::AttemptToStop> stop,
    std::vector<WorkflowUpdate> updates) {
  const std::string stuck_before = run.stuck_reason;
  absl::StatusOr<TaskOutcome> outcome = RunWorkflowTasks(run, transition, std::move(updates));
  absl::Status status = outcome.status();
  if (!status.ok()) {
    // Nothing of the task is recorded; what came from outside is a fact and stays.
    MarkStuck(run, status);
  } else {
    for (core::AttemptToStop& attempt : outcome->stop) stop.push_back(std::move(attempt));
  }
  if (!transition.empty() || run.stuck_reason != stuck_before) {
    Observe(run, transition);
    Write(run, transition);
    if (run.state.closed_status == v1::RunStatus::CONTINUED_AS_NEW) ContinueRun(run, transition);
  }
  // The attempts that are over are refused from now on; they are told to stop after the commit.
  if (!stop.empty()) {
    AfterCommit(run, [this, id = run.id, stop = std::move(stop)](absl::Status committed) mutable {
      if (committed.ok()) StopAttempts(id, std::move(stop));
    });
  }
  if (!status.ok()) {
    UpdateDue(run);
    return status;
  }
  return std::move(outcome->verdicts);
}

void Partition::Advance(LiveRun& run, core::TransitionBuilder& transition,
                        std::vector<core::AttemptToStop> stop) {
  const auto advanced = AdvanceUpdates(run, transition, std::move(stop), {});
  if (!advanced.ok()) return;  // said where it was marked STUCK
}

void Partition::ContinueRun(LiveRun& run, const core::TransitionBuilder& transition) {
  const v1::WorkflowExecutionContinuedAsNew& closing =
      transition.events().rbegin()->workflow_execution_continued_as_new();
  v1::WorkflowExecutionStarted started = run.state.started;
  *started.mutable_input() = closing.input();
  *started.mutable_carried_saga() = closing.carried_saga();
  started.set_run_id(closing.new_run_id());
  started.set_continued_from_run_id(run.id.value());
  if (started.first_run_id().empty()) started.set_first_run_id(run.id.value());
  started.set_random_seed(deps_.random.Next());
  LiveRun& next = NewRun(RunId(closing.new_run_id()), started, &run);
  core::TransitionBuilder first(next.state, transition.now());
  core::Start(first, std::move(started));
  Advance(next, first, {});
}

}  // namespace engine
