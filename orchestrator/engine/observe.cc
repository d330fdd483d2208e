// Metrics and logs of a transition (requirements O16, O17).
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include "orchestrator/engine/partition.h"
#include "orchestrator/history/payload.h"

namespace engine {
namespace {

using Event = v1::HistoryEvent;

using What = core::ActivityNote::What;

const char* StatusLabel(What what) {
  switch (what) {
    case What::kCompleted: return "completed";
    case What::kFailed: return "failed";
    case What::kTimedOut: return "timed_out";
    case What::kCanceled: return "canceled";
    case What::kRetried: break;
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
    deps_.metrics
        .Counter("activity_retry_count", "Attempts that failed and are tried again.",
                 {{"activity", note.activity_type}})
        .Increment();
    base::Log(base::LogLevel::kWarning, "activity attempt failed; it is tried again", context,
              {{"attempt", note.attempt},
               {"failure", note.failure},
               {"next_attempt_in_seconds",
                absl::ToDoubleSeconds(note.next_attempt_time - Now())}});
    return;
  }
  deps_.metrics
      .Counter("activity_executions_total", "Closed activities, by how they ended.",
               {{"activity", note.activity_type}, {"status", StatusLabel(note.what)}})
      .Increment();
  const bool completed = note.what == What::kCompleted;
  base::Log(completed ? base::LogLevel::kDebug : base::LogLevel::kWarning,
            completed ? "activity completed" : "activity ended without a result", context,
            {{"attempt", note.attempt},
             {"status", StatusLabel(note.what)},
             {"failure", note.failure}});
}

void Partition::Observe(const LiveRun& run, const core::TransitionBuilder& transition) {
  const std::string& workflow = run.row.workflow_type;
  for (const core::ActivityNote& note : transition.notes()) ObserveActivity(run, note);
  for (const Event& event : transition.events()) {
    switch (event.attributes_case()) {
      case Event::kWorkflowExecutionStarted:
        deps_.metrics
            .Counter("workflow_starts_total", "Workflow runs started.", {{"workflow", workflow}})
            .Increment();
        base::Log(base::LogLevel::kInfo, "workflow started", LogOf(run),
                  {{"workflow_type", workflow}});
        break;
      case Event::kSagaCompensationStarted:
        deps_.metrics
            .Counter("saga_compensations_total", "Compensations started, by reason.",
                     {{"reason", event.saga_compensation_started().reason()}})
            .Increment();
        base::Log(base::LogLevel::kInfo, "compensation started", LogOf(run),
                  {{"step", event.saga_compensation_started().step()},
                   {"reason", event.saga_compensation_started().reason()}});
        break;
      case Event::kSagaCompensationFailed:
        deps_.metrics
            .Counter("saga_compensations_blocked_total",
                     "Compensations that used up their retries and wait for an operator.")
            .Increment();
        base::Log(base::LogLevel::kError, "compensation blocked: retry, skip or resolve it",
                  LogOf(run),
                  {{"step", event.saga_compensation_failed().step()},
                   {"failure", event.saga_compensation_failed().failure().message()}});
        break;
      default:
        break;
    }
  }
  if (run.state.closed()) {
    const std::string status = v1::RunStatus::Value_Name(run.state.closed_status);
    deps_.metrics
        .Counter("workflow_executions_total", "Closed workflow runs, by how they ended.",
                 {{"workflow", workflow}, {"status", status}})
        .Increment();
    const double seconds = absl::ToDoubleSeconds(run.state.close_time - run.state.start_time);
    deps_.metrics
        .Histogram("workflow_duration_seconds", "Life of closed workflow runs.",
                   {{"workflow", workflow}}, base::Metrics::LifetimeBuckets())
        .Observe(seconds);
    base::Log(base::LogLevel::kInfo, "workflow closed", LogOf(run),
              {{"status", status},
               {"seconds", seconds},
               {"events", run.state.next_event_id - 1},
               {"failure", run.state.failure.has_value()
                               ? history::FromProto(*run.state.failure).ToString()
                               : ""}});
  }
}

}  // namespace engine
