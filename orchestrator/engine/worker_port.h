// The port at which the engine meets workers, and the only one: run a workflow task, start and
// stop an activity attempt; the worker answers by WorkerPort. In process both sides call each
// other directly; a remote worker speaks the same verbs over gRPC.
//
// Thread-safety is said per interface.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "orchestrator/base/ids.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/core/decide.h"
#include "orchestrator/v1/history.pb.h"

namespace engine {

namespace v1 = ::orchestrator::v1;
using base::EventId;
using base::RunId;

struct WorkflowUpdate {
  std::string update_id;
  std::string name;
  v1::Payload input;
  std::string identity;
};

struct UpdateVerdict {
  std::string update_id;
  std::optional<v1::Failure> rejected;
};

// An activity that runs beside the workflow code, without being scheduled in the history: only its
// end is recorded, by a marker.
struct LocalActivity {
  int64_t sequence = 0;                                        // names it within the run, from 1
  std::shared_ptr<const v1::ActivityTaskScheduled> scheduled;  // type, input, key, limits
};

struct LocalResult {  // one of the two is set
  int64_t sequence = 0;
  std::optional<v1::Payload> result;
  std::optional<v1::Failure> failure;
};

struct WorkflowTaskResult {
  // Not OK: the task could not be run. Nothing of it is recorded, and the live run is of no use any
  // more; the run becomes STUCK with this message.
  absl::Status status;
  std::vector<v1::Command> commands;
  std::vector<UpdateVerdict> verdicts;          // one an update, in order
  std::vector<LocalActivity> local_activities;  // begun by this task: start them when it is durable
  std::vector<int64_t> local_canceled;          // their results are not wanted any more
  int local_pending = 0;                        // all that were begun and have not ended
};

// One live run of workflow code. Partition thread only.
class LiveWorkflow {
 public:
  virtual ~LiveWorkflow() = default;
  // Runs one workflow task over events that were added since the last one.
  virtual WorkflowTaskResult RunTask(absl::Time now,
                                     const std::vector<const v1::HistoryEvent*>& events,
                                     const std::vector<WorkflowUpdate>& updates) = 0;
  // The commands of the last task became events, the first of them with this id.
  virtual void Recorded(EventId first_event_id) = 0;
  virtual base::Outcome<v1::Payload> Query(const std::string& name, const v1::Payload& input) = 0;
  // The next RunTask sees these ends, in order; those that were canceled leave no trace.
  virtual void LocalEnded(LocalResult result) { (void)result; }
  // After Load: the local activities whose ends the history does not have.
  virtual std::vector<LocalActivity> PendingLocal() const { return {}; }
};

// Makes live runs. Thread-safe.
class WorkflowRunner {
 public:
  virtual ~WorkflowRunner() = default;
  // Replays `events` (from event 1, in served form). Events after the last workflow task wait in
  // the live run for its next task. INTERNAL when the code does not match the history, with the
  // message of DESIGN.md invariant 6; FAILED_PRECONDITION when the type is not registered.
  virtual absl::StatusOr<std::unique_ptr<LiveWorkflow>> Load(
      const std::string& workflow_type, const std::vector<v1::HistoryEvent>& events) = 0;
  // Names the build of the code that runs the tasks; empty: not known. It is recorded in a run's
  // history when it is not that of the task before.
  virtual std::string build_id() const { return ""; }
};

// Names one attempt; a result with another token than the current one is refused (invariant 4).
struct ActivityToken {
  RunId run_id;
  EventId scheduled_event_id = 0;  // of a local activity: its sequence, negated
  int attempt = 0;
  uint64_t dispatch = 0;  // grows with every dispatch of a partition's life
  int64_t epoch = 0;      // of the partition's lease
  int partition = 0;
  friend bool operator==(const ActivityToken&, const ActivityToken&) = default;
};

struct ActivityTask {
  ActivityToken token;
  std::string ns;
  std::string workflow_id;
  std::string workflow_type;
  std::string traceparent;
  std::string correlation_id;
  std::shared_ptr<const v1::ActivityTaskScheduled> scheduled;
  absl::Time scheduled_time;
  absl::Time started_time;
  std::optional<v1::Payload> last_heartbeat;
};

// Runs attempts. Thread-safe; neither call blocks.
class ActivityExecutor {
 public:
  virtual ~ActivityExecutor() = default;
  virtual void Start(ActivityTask task) = 0;
  // Asks the attempt to stop; it still answers with its outcome.
  virtual void Stop(const ActivityToken& token, const std::string& reason) = 0;
  // How many attempts may run at once.
  virtual int slots() const = 0;
};

// The engine's side for workers. Thread-safe; callbacks run on an engine thread.
class WorkerPort {
 public:
  virtual ~WorkerPort() = default;
  // OK when it is durable. NOT_FOUND: the attempt is not current any more, drop the result.
  // UNAVAILABLE: not recorded, send it again.
  virtual void CompleteActivity(ActivityToken token, core::ActivityOutcome outcome,
                                absl::AnyInvocable<void(absl::Status)> done) = 0;
  // OK when the details are durable; NOT_FOUND when the attempt should stop.
  virtual void RecordHeartbeat(ActivityToken token, v1::Payload details,
                               absl::AnyInvocable<void(absl::Status)> done) = 0;
};

}  // namespace engine
