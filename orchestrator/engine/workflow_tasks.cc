#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/coverage.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/engine/partition.h"
#include "orchestrator/engine/properties.h"
#include "orchestrator/history/codec.h"
#include "orchestrator/history/time.h"

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
    if (events.empty() || events.back().event_id() + 1 != run.stored_next_event_id) {
      // Code that is made from it would be ahead of the state in memory.
      REACHED("history written by another owner");
      LoseLease(absl::AbortedError(
          absl::StrCat("run ", run.id.value(), " was written by another owner of its partition")));
      return absl::UnavailableError("the run has another owner");
    }
    run.history = std::move(events);
  }
  if (!run.history->empty()) {
    metrics_.WorkflowReplayed();
  }
  const LoopWatch::Work replay{.kind = LoopWatch::Kind::kReplay,
                               .row = &run.row,
                               .events = static_cast<int64_t>(run.history->size())};
  absl::StatusOr<std::unique_ptr<LiveWorkflow>> workflow = [&] {
    const LoopWatch::Scope watched(watch_, replay, deps_.loop.clock().Monotonic());
    return deps_.runner.Load(run.row.workflow_type, *run.history);
  }();
  if (!workflow.ok()) return workflow.status();
  run.workflow = *std::move(workflow);
  run.history.reset();
  if (!run.state.closed()) AdoptLocals(run, run.workflow->PendingLocal());
  return absl::OkStatus();
}

void Partition::MarkStuck(LiveRun& run, const absl::Status& status) {
  const bool is_new = run.stuck_reason.empty();
  if (!is_new && Now() < run.stuck_retry_at) return;  // it was not tried, so nothing new is known
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
  state.BeginIfDue(transition.now());
  const bool idle = !state.task_pending && updates.empty() && run.stuck_reason.empty() &&
                    run.local_results.empty() && !NeedsCodeForLocals(run);
  if (state.closed()) return outcome;
  if (idle || state.paused) {
    // The code gets these events with the others when it runs again: from the history.
    if (transition.has_events()) run.workflow.reset();
    return outcome;
  }
  RETURN_IF_ERROR(CheckLimits(run));
  if (MustWaitForHistory(run)) return outcome;  // UpdateDue sees to it when it is written
  RETURN_IF_ERROR(EnsureWorkflow(run));
  run.stuck_reason.clear();
  int delivered = 0;
  const auto has_work = [&] {
    return state.task_pending || !updates.empty() || !run.local_results.empty();
  };
  for (int task = 0; !state.closed() && has_work(); ++task) {
    if (task == kTasksPerTurnMax) {
      return absl::ResourceExhaustedError(absl::StrCat(
          "more than ", kTasksPerTurnMax, " workflow tasks in one turn (limit kTasksPerTurnMax)"));
    }
    std::vector<const v1::HistoryEvent*> events;
    // What its event will be, so that the code can ask how long the history is.
    v1::HistoryEvent begun;
    const bool suggest = SuggestsContinueAsNew(run);
    begun.set_event_id(state.next_event_id + 1);
    begun.mutable_workflow_task_started()->set_continue_as_new_suggested(suggest);
    if (suggest) begun.mutable_workflow_task_started()->set_history_bytes(run.history_bytes);
    events.push_back(&begun);
    for (; delivered < transition.events().size(); ++delivered) {
      events.push_back(&transition.events().Get(delivered));
    }
    for (LocalResult& end : std::exchange(run.local_results, {})) {
      run.workflow->LocalEnded(std::move(end));
    }
    WorkflowTaskResult result = [&] {
      const LoopWatch::Work work{.kind = LoopWatch::Kind::kTask, .row = &run.row};
      const LoopWatch::Scope watched(watch_, work, deps_.loop.clock().Monotonic());
      return run.workflow->RunTask(transition.now(), events, updates);
    }();
    RETURN_IF_ERROR(result.status);
    RETURN_IF_ERROR(CheckUpserts(state, result.commands, options_));
    const bool refused = !result.verdicts.empty() &&
                         std::all_of(result.verdicts.begin(), result.verdicts.end(),
                                     [](const UpdateVerdict& v) { return v.rejected.has_value(); });
    for (UpdateVerdict& verdict : result.verdicts) outcome.verdicts.push_back(std::move(verdict));
    updates.clear();
    // Refused updates alone leave no trace.
    if (!state.task_pending && refused && state.begins_at != absl::InfinitePast()) {
      // For its validators the code ran ahead of its time: it begins again when that has come.
      REACHED("refused update of a run that has not begun");
      run.workflow.reset();
      DropAllLocals(run, "the run has not begun");
      break;
    }
    if (!state.task_pending && result.commands.empty()) break;
    transition.AddWorkflowTask(build_id_, suggest, suggest ? run.history_bytes : 0,
                               result.local_pending);
    const EventId first_command = state.next_event_id;
    delivered += 1 + static_cast<int>(result.commands.size());
    const std::string new_run_id = base::NewRunId(transition.now(), deps_.random).value();
    for (core::AttemptToStop& attempt :
         core::AddCommands(transition, std::move(result.commands), new_run_id)) {
      outcome.stop.push_back(std::move(attempt));
    }
    run.workflow->Recorded(first_command);
    for (core::AttemptToStop& attempt :
         DropLocals(run, result.local_canceled, "canceled by the workflow")) {
      outcome.stop.push_back(std::move(attempt));
    }
    AdoptLocals(run, std::move(result.local_activities));  // they start when this is durable
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
  const size_t others = run.state.children.size() + run.state.externals.size();
  if (static_cast<int>(others) > options_.pending_children_max) {
    return absl::ResourceExhaustedError(absl::StrCat(
        others, " children and messages to other runs are pending (limit pending_children_max = ",
        options_.pending_children_max, ")"));
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
    if (run.state.closed()) FollowByCron(run);
  }
  if (run.state.closed()) {
    for (core::AttemptToStop& attempt : DropAllLocals(run, "the workflow ended")) {
      stop.push_back(std::move(attempt));
    }
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
  started.set_initiator(v1::ContinueInitiator::WORKFLOW);
  started.clear_first_workflow_task_delay();
  if (started.has_execution_timeout() && !started.has_chain_start_time()) {
    *started.mutable_chain_start_time() = history::ToProto(run.state.start_time);
  }
  *started.mutable_search_attributes() = run.state.search_attributes;
  *started.mutable_memo() = run.state.memo;
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
