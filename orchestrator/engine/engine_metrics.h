// EngineMetrics: the engine's metrics with their handles kept, so that a transition costs no
// look-up by name (requirement O17; docs/operations/runbook.md says what each means).
// The series of what is known before it happens are there from the start with 0: Prometheus sees
// an increase only between two values, so an alert would miss the first event of a series that
// comes with it.
// Thread-safety: one object a partition, partition thread only.
//
// Example:
//   EngineMetrics(metrics).Announce(registry.WorkflowTypes(), registry.ActivityTypes());  // once
//   metrics_.ActivityClosed("charge_card", "completed");
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "orchestrator/base/metrics.h"

namespace engine {

class EngineMetrics {
 public:
  explicit EngineMetrics(base::Metrics& metrics);

  // Makes the series of these types, with every way that a run or an activity can end.
  void Announce(const std::vector<std::string>& workflows,
                const std::vector<std::string>& activities);

  void WorkflowStarted(const std::string& workflow);
  void WorkflowClosed(const std::string& workflow, const std::string& status,
                      absl::Duration lifetime);
  void WorkflowReplayed();
  void WorkflowStuck(const std::string& reason);
  void WorkflowPaused(const std::string& by);

  void ActivityStarted(absl::Duration waited);
  void ActivityClosed(const std::string& activity, const std::string& status);
  void ActivityRetried(const std::string& activity);
  void SetActivities(size_t queued, size_t in_flight);

  void CompensationStarted(const std::string& reason);
  void CompensationBlocked();

 private:
  // The counter of a family for one or two label values, made on first use.
  class CounterFamily {
   public:
    CounterFamily(base::Metrics& metrics, std::string name, std::string help,
                  std::string first_label, std::string second_label = "");
    void Increment(const std::string& first, const std::string& second = "");
    // Makes the series, with 0 when it is new.
    prometheus::Counter& Of(const std::string& first, const std::string& second = "");

   private:
    base::Metrics& metrics_;
    const std::string name_;
    const std::string help_;
    const std::string first_label_;
    const std::string second_label_;
    absl::flat_hash_map<std::pair<std::string, std::string>, prometheus::Counter*> counters_;
  };

  prometheus::Histogram& LifetimeOf(const std::string& workflow);

  base::Metrics& metrics_;
  CounterFamily workflow_starts_;
  CounterFamily workflow_executions_;
  CounterFamily workflow_stuck_;
  CounterFamily workflow_paused_;
  CounterFamily activity_executions_;
  CounterFamily activity_retries_;
  CounterFamily compensations_;
  absl::flat_hash_map<std::string, prometheus::Histogram*> lifetimes_;  // by workflow type
  prometheus::Counter& replays_;
  prometheus::Counter& compensations_blocked_;
  prometheus::Histogram& schedule_to_start_;
  prometheus::Gauge& queue_depth_;
  prometheus::Gauge& in_flight_;
};

}  // namespace engine
