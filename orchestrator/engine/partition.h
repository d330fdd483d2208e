// Partition: owner of a range of slots and of every run that hashes to it. All work of its runs
// happens one after another on its loop; what a turn changes goes to the committer as one batch,
// and nothing of it leaves the process before that batch is durable (commit, then act).
//
// Thread-safety: public methods are thread-safe (they post to the loop); callbacks run on the
// loop's thread.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/base/random.h"
#include "orchestrator/core/decide.h"
#include "orchestrator/engine/committer.h"
#include "orchestrator/engine/engine_metrics.h"
#include "orchestrator/engine/live_run.h"
#include "orchestrator/engine/options.h"
#include "orchestrator/engine/worker_port.h"
#include "orchestrator/store/store.h"
#include "orchestrator/v1/service.pb.h"

namespace engine {

template <typename T>
using Callback = absl::AnyInvocable<void(absl::StatusOr<T>)>;

class Partition {
 public:
  struct Dependencies {
    store::Store& store;
    Committer& committer;
    WorkflowRunner& runner;
    ActivityExecutor& executor;
    base::EventLoop& loop;
    base::Random& random;
    base::Metrics& metrics;
    // The lease was lost: nothing more is written. Called once, on the loop.
    std::function<void(absl::Status)> on_lease_lost;
  };
  Partition(int index, int slot_first, int slot_last, int64_t epoch, EngineOptions options,
            Dependencies dependencies);
  ~Partition();

  // Begins with what is due. Call once, after the loop was started.
  void Open();
  // Takes no more calls and dispatches nothing more; attempts in flight are given back. `done`
  // runs when everything handed over is durable.
  void Close(absl::AnyInvocable<void()> done);

  // partition_calls.cc: one method a client verb.
  void Start(v1::StartWorkflowRequest request, Callback<v1::StartWorkflowResponse> done);
  void Describe(v1::GetWorkflowRequest request, Callback<v1::WorkflowInfo> done);
  void Signal(v1::SignalWorkflowRequest request, Callback<v1::SignalWorkflowResponse> done);
  void Query(v1::QueryWorkflowRequest request, Callback<v1::QueryWorkflowResponse> done);
  void Update(v1::UpdateWorkflowRequest request, UpdateCallback done);
  void Cancel(v1::CancelWorkflowRequest request, Callback<v1::CancelWorkflowResponse> done);
  void Terminate(v1::TerminateWorkflowRequest request,
                 Callback<v1::TerminateWorkflowResponse> done);
  void GetSaga(v1::GetSagaRequest request, Callback<v1::SagaInfo> done);
  void GetResult(v1::GetWorkflowResultRequest request,
                 Callback<v1::GetWorkflowResultResponse> done);
  // Answers when the stored history goes beyond `after_event_id`, the run is closed, or `wait` is
  // over: then the reader reads from the store.
  void AwaitHistory(v1::GetWorkflowHistoryRequest request, Callback<v1::WorkflowInfo> done);

  // partition_activities.cc: the worker's side.
  void CompleteActivity(ActivityToken token, core::ActivityOutcome outcome,
                        absl::AnyInvocable<void(absl::Status)> done);
  void RecordHeartbeat(ActivityToken token, v1::Payload details,
                       absl::AnyInvocable<void(absl::Status)> done);

 private:
  using Action = absl::AnyInvocable<void(absl::Status)>;
  struct Batch {
    store::WriteBatch writes;
    std::vector<Action> after;  // in order, with the commit's status
    std::vector<RunId> runs;
  };
  struct Attempt {  // in flight
    ActivityToken token;
    absl::Time started_time;
    absl::Time heartbeat_time;
  };
  struct Waiter {
    uint64_t id;
    absl::AnyInvocable<bool()> ready;  // true: answered, forget me
    base::TimerId timer;
  };
  using WorkflowKey = std::pair<std::string, std::string>;  // namespace, workflow id
  using AttemptKey = std::pair<RunId, EventId>;

  // partition.cc: turns, commits, due runs.
  void Call(absl::AnyInvocable<void()> fn, absl::AnyInvocable<void(absl::Status)> refuse);
  // Runs `fn(done)` on the loop; answers UNAVAILABLE or RESOURCE_EXHAUSTED when it cannot.
  template <typename T, typename Fn>
  void Enqueue(Callback<T> done, Fn fn) {
    auto shared = std::make_shared<Callback<T>>(std::move(done));
    Call([shared, fn = std::move(fn)]() mutable { fn(std::move(*shared)); },
         [shared](absl::Status status) { (*shared)(std::move(status)); });
  }
  void Write(LiveRun& run, const core::TransitionBuilder& transition);
  void AfterCommit(LiveRun& run, Action action);
  // Answers with `response` when everything of the run that was handed over is durable.
  template <typename T>
  void Answer(LiveRun& run, Callback<T> done, T response) {
    AfterCommit(
        run, [done = std::move(done), response = std::move(response)](absl::Status status) mutable {
          if (status.ok()) {
            done(std::move(response));
          } else {
            done(std::move(status));
          }
        });
  }
  void Flush();
  void OnCommitted(Batch batch, absl::Status status);
  void AfterRunCommitted(const RunId& id);
  void DropUncommitted(const Batch& failed, const absl::Status& status);
  void SetDue(const RunId& id, absl::Time due);
  void UpdateDue(LiveRun& run);
  void ArmTimer();
  void OnDue();
  void RunDue(LiveRun& run);
  void ScanDue();
  std::vector<Action> ActionsOf(Batch& batch);

  // partition_load.cc: which runs are in memory.
  absl::StatusOr<LiveRun*> FindByWorkflow(const std::string& ns, const std::string& workflow_id,
                                          const std::string& run_id);
  absl::StatusOr<LiveRun*> Find(const RunId& id);
  absl::StatusOr<LiveRun*> FindOpen(const std::string& ns, const std::string& workflow_id,
                                    const std::string& run_id);
  // `previous` is the newest run of the same workflow id, if there is one.
  LiveRun& NewRun(RunId id, const v1::WorkflowExecutionStarted& started, const LiveRun* previous);
  void Touch(LiveRun& run);
  void Evict();
  void Forget(const RunId& id);

  // workflow_tasks.cc: running workflow code.
  struct TaskOutcome {
    std::vector<UpdateVerdict> verdicts;
    std::vector<core::AttemptToStop> stop;
  };
  absl::StatusOr<TaskOutcome> RunWorkflowTasks(LiveRun& run, core::TransitionBuilder& transition,
                                               std::vector<WorkflowUpdate> updates);
  absl::Status EnsureWorkflow(LiveRun& run);
  void MarkStuck(LiveRun& run, const absl::Status& status);
  // Runs workflow tasks, writes the transition, and stops attempts after the commit. A run whose
  // code cannot go on becomes STUCK and keeps what came from outside.
  void Advance(LiveRun& run, core::TransitionBuilder& transition,
               std::vector<core::AttemptToStop> stop);
  // The same with updates; INTERNAL when the run is STUCK.
  absl::StatusOr<std::vector<UpdateVerdict>> AdvanceUpdates(LiveRun& run,
                                                            core::TransitionBuilder& transition,
                                                            std::vector<core::AttemptToStop> stop,
                                                            std::vector<WorkflowUpdate> updates);
  void ContinueRun(LiveRun& run, const core::TransitionBuilder& transition);
  absl::Status CheckLimits(const LiveRun& run) const;

  // partition_activities.cc.
  void QueueReady(LiveRun& run);
  void Pump();
  void StopAttempts(const RunId& id, std::vector<core::AttemptToStop> attempts);
  absl::StatusOr<LiveRun*> FindAttempt(const ActivityToken& token);

  // observe.cc: logs and metrics of a transition.
  void Observe(const LiveRun& run, const core::TransitionBuilder& transition);
  void ObserveActivity(const LiveRun& run, const core::ActivityNote& note);
  base::LogContext LogOf(const LiveRun& run) const;

  void AddWaiter(const RunId& id, absl::Duration wait, absl::AnyInvocable<bool()> ready,
                 absl::AnyInvocable<void()> expired);
  void WakeWaiters(const RunId& id);
  absl::Time Now() { return deps_.loop.clock().Now(); }

  // Constant after construction.
  const int index_;
  const int slot_first_;
  const int slot_last_;
  const int64_t epoch_;
  const EngineOptions options_;
  Dependencies deps_;
  EngineMetrics metrics_;
  const absl::Time opened_at_;  // what was ready before may have run in an earlier process

  // Any thread.
  std::atomic<int> inbox_{0};
  std::atomic<bool> closed_{false};

  // Loop thread only.
  absl::flat_hash_map<RunId, std::unique_ptr<LiveRun>> runs_;
  absl::flat_hash_map<WorkflowKey, RunId> current_;  // newest run of a workflow id, when live
  std::list<RunId> lru_;                             // most recently used first

  Batch filling_;
  uint64_t filling_number_ = 1;
  bool flush_posted_ = false;
  bool syncing_ = false;
  std::vector<Action> syncing_after_;  // actions for the batch that is being synced

  std::set<std::pair<absl::Time, RunId>> due_;
  absl::flat_hash_map<RunId, absl::Time> due_of_;
  base::TimerId timer_ = 0;
  absl::Time timer_at_ = absl::InfiniteFuture();
  absl::Time horizon_ = absl::InfinitePast();
  bool scanning_ = false;

  std::deque<AttemptKey> ready_;
  absl::flat_hash_map<AttemptKey, Attempt> attempts_;  // the current ones in flight
  absl::flat_hash_set<uint64_t> running_;              // dispatches that have not come back
  uint64_t last_dispatch_ = 0;

  absl::flat_hash_map<RunId, std::vector<std::shared_ptr<Waiter>>> waiters_;
  size_t waiters_count_ = 0;
  uint64_t last_waiter_ = 0;
  absl::AnyInvocable<void()> close_done_;
};

}  // namespace engine
