// LiveRun: a run that its partition holds in memory: the folded state, the live workflow code,
// and what has been handed to the committer. Partition thread only.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/core/run_state.h"
#include "orchestrator/engine/worker_port.h"
#include "orchestrator/store/store.h"
#include "orchestrator/v1/service.pb.h"

namespace engine {

// A local activity of a run; known only while this process works on it.
struct LiveLocal {
  std::shared_ptr<const v1::ActivityTaskScheduled> scheduled;
  absl::Time begun;
  int attempt = 1;
  absl::Time next_attempt_time;
  bool queued = false;
  bool in_flight = false;
  absl::Time started_time;
  std::optional<v1::Failure> last_failure;
  bool effect_unknown = false;
};

using UpdateCallback = absl::AnyInvocable<void(absl::StatusOr<v1::UpdateWorkflowResponse>)>;

struct LiveRun {
  RunId id;
  core::RunState state;
  store::RunRow row;                       // as of the last write
  std::unique_ptr<LiveWorkflow> workflow;  // null until it is needed
  // The stored events, from loading until the workflow is made from them.
  std::optional<std::vector<v1::HistoryEvent>> history;

  EventId stored_next_event_id = 0;  // what the store holds once all handed-over writes are done
  bool is_new = true;                // no write was handed over yet
  int64_t history_bytes = 0;         // as stored
  int writes_pending = 0;            // in the batch being filled or being synced
  uint64_t last_batch = 0;

  std::string stuck_reason;  // not empty: its code cannot go on
  absl::Time stuck_retry_at = absl::InfiniteFuture();
  absl::Duration stuck_backoff = absl::ZeroDuration();

  // Closed, and other runs have not been told all that they must be (its row is due until then).
  bool owes = false;
  std::set<EventId> settled;   // what they were told since this process took it up
  int messages = 0;            // to other runs, on their way
  bool message_waits = false;  // one could not be sent now

  std::map<int64_t, LiveLocal> locals;     // by sequence, until they end
  std::vector<LocalResult> local_results;  // that no workflow task has seen yet

  std::map<std::string, std::vector<UpdateCallback>> update_waiters;  // by update id
  std::list<RunId>::iterator lru;

  bool pinned() const;  // has work in memory that must not be evicted
};

// The run's row after its state changed: status, reason, wake-up, close time.
void ProjectRow(LiveRun& run);

// What the API says of a run.
v1::WorkflowInfo DescribeRow(const store::RunRow& row);
v1::WorkflowInfo DescribeRun(const LiveRun& run, absl::Time now);
// Why the run's status is PAUSED.
std::string PausedReason(const core::RunState& state);
// Why a blocked compensation is not tried any more: "cannot be retried", "used up its 10 attempts",
// "ran out of time".
std::string WhyBlocked(const core::SagaStep& step);
v1::SagaInfo DescribeSaga(const core::RunState& state, absl::Time now);

}  // namespace engine
