// Metrics and logs of a transition (requirements O16, O17).
#include <algorithm>

#include "orchestrator/engine/partition.h"
#include "orchestrator/history/payload.h"

namespace engine {
namespace {

using Event = v1::HistoryEvent;

using What = core::ActivityNote::What;

const char* StatusLabel(What what) {
  switch (what) {
    case What::kCompleted:
      return "completed";
    case What::kFailed:
      return "failed";
    case What::kTimedOut:
      return "timed_out";
    case What::kCanceled:
      return "canceled";
    case What::kRetried:
    case What::kPaused:
      break;
  }
  return "retried";
}

}  // namespace

base::LogContext Partition::LogOf(const LiveRun& run) const {
  return {.workflow_id = run.row.workflow_id.value(),
          .run_id = run.id.value(),
          .trace_id = run.row.trace_id,
          .correlation_id = run.row.correlation_id};
}

void Partition::ObserveActivity(const LiveRun& run, const core::ActivityNote& note) {
  base::LogContext context = LogOf(run);
  context.activity_name = note.activity_type;
  if (note.what == What::kRetried) {
    metrics_.ActivityRetried(note.activity_type);
    base::Log(base::LogLevel::kWarning, "activity attempt failed; it is tried again", context,
              {{"attempt", note.attempt},
               {"failure", note.failure},
               {"next_attempt_in_seconds", absl::ToDoubleSeconds(note.next_attempt_time - Now())}});
    return;
  }
  if (note.what == What::kPaused) {
    metrics_.WorkflowPaused("activity");
    return base::Log(base::LogLevel::kError,
                     "activity used up its attempts and is PAUSED: retry it now, or cancel",
                     context, {{"attempts", note.attempt}, {"failure", note.failure}});
  }
  metrics_.ActivityClosed(note.activity_type, StatusLabel(note.what));
  const bool completed = note.what == What::kCompleted;
  base::Log(
      completed ? base::LogLevel::kDebug : base::LogLevel::kWarning,
      completed ? "activity completed" : "activity ended without a result", context,
      {{"attempt", note.attempt}, {"status", StatusLabel(note.what)}, {"failure", note.failure}});
}

void Partition::Observe(const LiveRun& run, const core::TransitionBuilder& transition) {
  const std::string& workflow = run.row.workflow_type;
  for (const core::ActivityNote& note : transition.notes()) ObserveActivity(run, note);
  // The row is as of the last write.
  const bool blocked_before = run.row.saga_state == v1::SagaState::COMPENSATION_BLOCKED;
  if (run.state.blocked() && !blocked_before) metrics_.WorkflowStuck("compensation_blocked");
  for (const Event& event : transition.events()) {
    switch (event.attributes_case()) {
      case Event::kWorkflowExecutionStarted:
        metrics_.WorkflowStarted(workflow);
        base::Log(base::LogLevel::kInfo, "workflow started", LogOf(run),
                  {{"workflow_type", workflow}});
        break;
      case Event::kSagaCompensationStarted:
        metrics_.CompensationStarted(event.saga_compensation_started().reason());
        base::Log(base::LogLevel::kInfo, "compensation started", LogOf(run),
                  {{"step", event.saga_compensation_started().step()},
                   {"reason", event.saga_compensation_started().reason()}});
        break;
      case Event::kSagaCompensationFailed: {
        metrics_.CompensationBlocked();
        const auto& failed = event.saga_compensation_failed();
        const auto step = std::find_if(run.state.saga.begin(), run.state.saga.end(),
                                       [&failed](const core::SagaStep& each) {
                                         return each.registration.step() == failed.step();
                                       });
        base::Log(base::LogLevel::kError, "compensation blocked: retry, skip or resolve it",
                  LogOf(run),
                  {{"step", failed.step()},
                   {"why", step == run.state.saga.end() ? "" : WhyBlocked(*step)},
                   {"failure", failed.failure().message()}});
        break;
      }
      default:
        break;
    }
  }
  if (run.state.closed()) {
    const std::string status = v1::RunStatus::Value_Name(run.state.closed_status);
    const absl::Duration lifetime = run.state.close_time - run.state.start_time;
    metrics_.WorkflowClosed(workflow, status, lifetime);
    base::Log(
        base::LogLevel::kInfo, "workflow closed", LogOf(run),
        {{"status", status},
         {"seconds", absl::ToDoubleSeconds(lifetime)},
         {"events", run.state.next_event_id - 1},
         {"failure",
          run.state.failure.has_value() ? history::FromProto(*run.state.failure).ToString() : ""}});
  }
}

}  // namespace engine
