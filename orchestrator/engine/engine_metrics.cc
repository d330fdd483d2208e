#include "orchestrator/engine/engine_metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include "orchestrator/v1/common.pb.h"

namespace engine {
namespace {

namespace v1 = orchestrator::v1;

constexpr v1::RunStatus::Value kEndings[] = {
    v1::RunStatus::COMPLETED,  v1::RunStatus::FAILED,    v1::RunStatus::CANCELED,
    v1::RunStatus::TERMINATED, v1::RunStatus::TIMED_OUT, v1::RunStatus::CONTINUED_AS_NEW};
constexpr const char* kActivityEndings[] = {"completed", "failed", "timed_out", "canceled"};
constexpr const char* kStuckReasons[] = {"nondeterminism", "limit", "workflow_task_failed",
                                         "compensation_blocked"};
constexpr const char* kPausedBy[] = {"operator", "activity"};
constexpr const char* kCompensationReasons[] = {"failed", "rejected", "canceled", "timed_out"};

}  // namespace

EngineMetrics::CounterFamily::CounterFamily(base::Metrics& metrics, std::string name,
                                            std::string help, std::string first_label,
                                            std::string second_label)
    : metrics_(metrics),
      name_(std::move(name)),
      help_(std::move(help)),
      first_label_(std::move(first_label)),
      second_label_(std::move(second_label)) {}

prometheus::Counter& EngineMetrics::CounterFamily::Of(const std::string& first,
                                                      const std::string& second) {
  prometheus::Counter*& counter = counters_[std::make_pair(first, second)];
  if (counter == nullptr) {
    base::Metrics::Labels labels = {{first_label_, first}};
    if (!second_label_.empty()) labels[second_label_] = second;
    counter = &metrics_.Counter(name_, help_, labels);
  }
  return *counter;
}

void EngineMetrics::CounterFamily::Increment(const std::string& first, const std::string& second) {
  Of(first, second).Increment();
}

EngineMetrics::EngineMetrics(base::Metrics& metrics)
    : metrics_(metrics),
      workflow_starts_(metrics, "workflow_starts_total", "Workflow runs started.", "workflow"),
      workflow_executions_(metrics, "workflow_executions_total",
                           "Closed workflow runs, by how they ended.", "workflow", "status"),
      workflow_stuck_(metrics, "workflow_stuck_total", "Runs that became STUCK, by reason.",
                      "reason"),
      workflow_paused_(metrics, "workflow_paused_total",
                       "Runs that were paused: by an operator, or by an activity whose attempts "
                       "are used up.",
                       "by"),
      activity_executions_(metrics, "activity_executions_total",
                           "Closed activities, by how they ended.", "activity", "status"),
      activity_retries_(metrics, "activity_retry_count",
                        "Attempts that failed and are tried again.", "activity"),
      compensations_(metrics, "saga_compensations_total", "Compensations started, by reason.",
                     "reason"),
      replays_(metrics.Counter("workflow_replays_total", "Histories replayed to wake a run.")),
      compensations_blocked_(
          metrics.Counter("saga_compensations_blocked_total",
                          "Compensations that failed for good and wait for an operator.")),
      schedule_to_start_(metrics.Histogram("activity_schedule_to_start_seconds",
                                           "Time from an attempt being ready to its start.", {},
                                           base::Metrics::LatencyBuckets())),
      queue_depth_(metrics.Gauge("task_queue_depth", "Activity attempts that wait for a worker.",
                                 {{"task_queue", "default"}})),
      in_flight_(metrics.Gauge("activities_in_flight", "Activity attempts that run now.")) {
  for (const char* reason : kStuckReasons) workflow_stuck_.Of(reason);
  for (const char* by : kPausedBy) workflow_paused_.Of(by);
  for (const char* reason : kCompensationReasons) compensations_.Of(reason);
}

void EngineMetrics::Announce(const std::vector<std::string>& workflows,
                             const std::vector<std::string>& activities) {
  for (const std::string& workflow : workflows) {
    workflow_starts_.Of(workflow);
    for (const auto ending : kEndings) {
      workflow_executions_.Of(workflow, v1::RunStatus::Value_Name(ending));
    }
    LifetimeOf(workflow);
  }
  for (const std::string& activity : activities) {
    for (const char* ending : kActivityEndings) activity_executions_.Of(activity, ending);
    activity_retries_.Of(activity);
  }
}

void EngineMetrics::WorkflowStarted(const std::string& workflow) {
  workflow_starts_.Increment(workflow);
}

void EngineMetrics::WorkflowClosed(const std::string& workflow, const std::string& status,
                                   absl::Duration lifetime) {
  workflow_executions_.Increment(workflow, status);
  LifetimeOf(workflow).Observe(absl::ToDoubleSeconds(lifetime));
}

prometheus::Histogram& EngineMetrics::LifetimeOf(const std::string& workflow) {
  prometheus::Histogram*& histogram = lifetimes_[workflow];
  if (histogram == nullptr) {
    histogram = &metrics_.Histogram("workflow_duration_seconds", "Life of closed workflow runs.",
                                    {{"workflow", workflow}}, base::Metrics::LifetimeBuckets());
  }
  return *histogram;
}

void EngineMetrics::WorkflowReplayed() { replays_.Increment(); }

void EngineMetrics::WorkflowStuck(const std::string& reason) { workflow_stuck_.Increment(reason); }

void EngineMetrics::WorkflowPaused(const std::string& by) { workflow_paused_.Increment(by); }

void EngineMetrics::ActivityStarted(absl::Duration waited) {
  schedule_to_start_.Observe(absl::ToDoubleSeconds(waited));
}

void EngineMetrics::ActivityClosed(const std::string& activity, const std::string& status) {
  activity_executions_.Increment(activity, status);
}

void EngineMetrics::ActivityRetried(const std::string& activity) {
  activity_retries_.Increment(activity);
}

void EngineMetrics::SetActivities(size_t queued, size_t in_flight) {
  queue_depth_.Set(static_cast<double>(queued));
  in_flight_.Set(static_cast<double>(in_flight));
}

void EngineMetrics::CompensationStarted(const std::string& reason) {
  compensations_.Increment(reason);
}

void EngineMetrics::CompensationBlocked() { compensations_blocked_.Increment(); }

}  // namespace engine
