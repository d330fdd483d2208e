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
#include "orchestrator/engine/peer_port.h"
#include "orchestrator/engine/watchdog.h"
#include "orchestrator/engine/worker_port.h"
#include "orchestrator/store/store.h"
#include "orchestrator/v1/service.pb.h"

namespace engine {

template <typename T>
using Callback = absl::AnyInvocable<void(absl::StatusOr<T>)>;

class Partition : public PeerPort {
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
    // Reaches the partitions of other runs; null: all runs are this partition's.
    PeerPort* peers = nullptr;
  };
  Partition(int index, int slot_first, int slot_last, int64_t epoch, EngineOptions options,
            Dependencies dependencies);
  ~Partition() override;

  // Begins with what is due. Call once, after the loop was started.
  void Open();
  // Answers those who wait, and those who come to wait, with UNAVAILABLE.
  void EndWaits();
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
  // partition_start.cc: a start together with its first message, in one transition.
  void SignalWithStart(v1::SignalWithStartWorkflowRequest request,
                       Callback<v1::SignalWithStartWorkflowResponse> done);
  void UpdateWithStart(v1::UpdateWithStartWorkflowRequest request,
                       Callback<v1::UpdateWithStartWorkflowResponse> done);
  // partition_control.cc: what operators do.
  void Pause(v1::PauseWorkflowRequest request, Callback<v1::PauseWorkflowResponse> done);
  void Resume(v1::ResumeWorkflowRequest request, Callback<v1::ResumeWorkflowResponse> done);
  void RetryNow(v1::RetryWorkflowNowRequest request, Callback<v1::RetryWorkflowNowResponse> done);
  // Removes a closed run; FAILED_PRECONDITION while it is open.
  void Delete(v1::DeleteWorkflowRequest request, Callback<v1::DeleteWorkflowResponse> done);
  // The same for a row that the store has given, without loading the run.
  void DeleteClosed(store::RunRow row, absl::AnyInvocable<void(absl::Status)> done);
  void GetSaga(v1::GetSagaRequest request, Callback<v1::SagaInfo> done);
  // partition_reset.cc: forks a run at an event; FAILED_PRECONDITION when saga steps are in the
  // way.
  void Reset(v1::ResetWorkflowRequest request, Callback<v1::ResetWorkflowResponse> done);
  void GetResult(v1::GetWorkflowResultRequest request,
                 Callback<v1::GetWorkflowResultResponse> done);
  // Answers when the stored history goes beyond `after_event_id`, the run is closed, or `wait` is
  // over: then the reader reads from the store.
  void AwaitHistory(v1::GetWorkflowHistoryRequest request, Callback<v1::WorkflowInfo> done);

  // partition_peers.cc: what runs of other partitions send to runs of this one.
  void StartChild(v1::StartWorkflowRequest request, v1::ParentWorkflow parent, RunId run_id,
                  Done done) override;
  void EndChild(core::ChildEnd end, Done done) override;
  void StopChild(ChildStop stop, Done done) override;
  void SignalExternal(ExternalSignal signal, Done done) override;
  void CancelExternal(ExternalCancel cancel, Done done) override;

  // partition_activities.cc: the worker's side.
  void CompleteActivity(ActivityToken token, core::ActivityOutcome outcome,
                        absl::AnyInvocable<void(absl::Status)> done);
  void RecordHeartbeat(ActivityToken token, v1::Payload details,
                       absl::AnyInvocable<void(absl::Status)> done);

  // What the loop's workflow code is doing, for the watchdog. Thread-safe.
  LoopWatch& watch() { return watch_; }

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
    absl::AnyInvocable<void()> ended;  // instead, when waits end
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
  void Write(LiveRun& run, core::TransitionBuilder& transition);
  // Puts the write into the batch that is being filled.
  void HandOver(LiveRun& run, store::RunWrite write);
  void AddWrite(store::RunWrite write);
  // partition_delete.cc: takes a closed run out of the store.
  void Remove(LiveRun& run);
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
  // The lease was lost: nothing more goes out.
  void LoseLease(const absl::Status& status);
  // False when it cannot be said that the lease is held now (it was lost, or the store does not
  // answer and Pump runs again later).
  bool HoldsLease();

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

  // partition_start.cc.
  struct Beginning {
    LiveRun* run = nullptr;       // it is there: an open run, or the one of this request
    bool same_request = false;    // this request started it, or the chain that it belongs to
    LiveRun* previous = nullptr;  // else: the newest run of the workflow id, perhaps still open
  };
  // What a start means for its workflow id. Changes nothing.
  absl::StatusOr<Beginning> FindBeginning(const v1::StartWorkflowRequest& request,
                                          v1::WorkflowIdConflictPolicy::Value conflict);
  absl::Status CheckStart(const v1::StartWorkflowRequest& request) const;
  v1::WorkflowExecutionStarted StartedOf(v1::StartWorkflowRequest request,
                                         v1::ParentWorkflow parent, const RunId& id);
  // Makes the run, and ends `previous` if it is open. The caller adds event 1.
  LiveRun& BeginRun(const v1::WorkflowExecutionStarted& started, LiveRun* previous);
  // A new update, on an open run; `transition` may hold its start.
  void RunUpdate(LiveRun& run, core::TransitionBuilder& transition, WorkflowUpdate update,
                 UpdateCallback done);
  // Answers `done` with the update's outcome when it is durable.
  void AwaitUpdate(LiveRun& run, const std::string& update_id, UpdateCallback done);
  // The cron run that follows the closed one, if one does.
  void FollowByCron(LiveRun& run);
  // Limits of names, reasons and messages; each error names the limit and the value.
  bool SuggestsContinueAsNew(const LiveRun& run) const {
    return run.state.next_event_id > options_.continue_as_new_events ||
           run.history_bytes >= options_.continue_as_new_bytes;
  }
  // partition_limits.cc.
  absl::Status CheckPayloadSize(const v1::Payload& payload) const;
  absl::Status CheckIdentity(const std::string& identity) const;
  absl::Status CheckReason(const std::string& reason) const;
  absl::Status CheckName(const char* what, const std::string& name) const;
  absl::Status CheckSignal(const LiveRun& run) const;
  absl::Status CheckUpdate(const LiveRun& run) const;
  // The code cannot be made now, because the history that it is made from is being written.
  bool MustWaitForHistory(const LiveRun& run) const {
    return run.workflow == nullptr && !run.history.has_value() && run.writes_pending > 0;
  }

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

  // partition_peers.cc: what runs of this partition send to other runs, after the commit.
  struct Message {
    RunId run_id;
    EventId event_id = 0;  // that ordered it; 0: the end of a child
    const char* kind = "";
    bool starts = false;  // it starts a child
    uint64_t number = 0;
    absl::Duration backoff;
    absl::AnyInvocable<void(PeerPort&, Done)> send;  // may be called again
  };
  using MessagePtr = std::shared_ptr<Message>;
  void StartRun(v1::StartWorkflowRequest request, v1::ParentWorkflow parent, RunId id,
                Callback<v1::StartWorkflowResponse> done);
  void SendMessages(LiveRun& run);
  void SendDebts(LiveRun& run);
  void SendStart(LiveRun& run, const core::PendingChild& child);
  void SendExternal(LiveRun& run, const core::PendingExternal& external);
  void SendStop(LiveRun& run, const core::PendingChild& child);
  void SendEnd(LiveRun& run);
  // Sends, and again until there is an answer that will not change.
  void SendMessage(LiveRun& run, Message message);
  void Deliver(const MessagePtr& message);
  void OnAnswer(const MessagePtr& message, const absl::Status& status);
  void OnFinalAnswer(LiveRun& run, const Message& message, const absl::Status& status);
  int CountMessages(const LiveRun& run) const;
  // The open run that a reset of `closed` made, if it has the child pending.
  LiveRun* HeirOf(const LiveRun& closed, EventId initiated_event_id,
                  const std::string& child_run_id);
  // Runs `fn(done)` on the loop; answers UNAVAILABLE when it cannot.
  template <typename Fn>
  void Receive(Done done, Fn fn) {
    auto shared = std::make_shared<Done>(std::move(done));
    Call([shared, fn = std::move(fn)]() mutable { fn(std::move(*shared)); },
         [shared](const absl::Status& status) {
           (*shared)(absl::UnavailableError(status.message()));
         });
  }
  absl::StatusOr<LiveRun*> FindChain(const std::string& ns, const std::string& workflow_id,
                                     const std::string& first_run_id);

  // partition_local.cc: activities that run beside the code. Their attempts are those of a token
  // with a negative event id.
  void AdoptLocals(LiveRun& run, std::vector<LocalActivity> begun);
  std::vector<core::AttemptToStop> DropLocals(LiveRun& run, const std::vector<int64_t>& sequences,
                                              const std::string& reason);
  std::vector<core::AttemptToStop> DropAllLocals(LiveRun& run, const std::string& reason);
  void QueueReadyLocals(LiveRun& run);
  void StartLocal(LiveRun& run, int64_t sequence);
  absl::Time LocalsDue(const LiveRun& run) const;  // the next time-out or attempt
  void LocalTimeouts(LiveRun& run);
  // True when the run's code must be made because its local activities have to run.
  bool NeedsCodeForLocals(const LiveRun& run) const;
  void CompleteLocal(const ActivityToken& token, core::ActivityOutcome outcome,
                     absl::AnyInvocable<void(absl::Status)> done);
  void EndLocalAttempt(LiveRun& run, int64_t sequence, core::ActivityOutcome outcome);

  // partition_reset.cc.
  struct ResetPlan;
  absl::StatusOr<ResetPlan> PlanReset(LiveRun& base, const v1::ResetWorkflowRequest& request);
  absl::StatusOr<v1::ResetWorkflowResponse> FindReset(const LiveRun& base,
                                                      const v1::ResetWorkflowRequest& request);
  LiveRun& ForkRun(LiveRun& base, const ResetPlan& plan, const v1::ResetWorkflowRequest& request);

  // partition_activities.cc.
  void QueueReady(LiveRun& run);
  void Pump();
  // Gives an attempt that began at `task.started_time` to a worker; `key`: the scheduled event, or
  // minus a local activity's sequence.
  void Dispatch(LiveRun& run, int64_t key, int attempt, ActivityTask task);
  void StopAttempts(const RunId& id, std::vector<core::AttemptToStop> attempts);
  absl::StatusOr<LiveRun*> FindAttempt(const ActivityToken& token);

  // observe.cc: logs and metrics of a transition.
  void Observe(const LiveRun& run, const core::TransitionBuilder& transition);
  void ObserveActivity(const LiveRun& run, const core::ActivityNote& note);
  base::LogContext LogOf(const LiveRun& run) const;

  void AddWaiter(const RunId& id, absl::Duration wait, absl::AnyInvocable<bool()> ready,
                 absl::AnyInvocable<void()> expired, absl::AnyInvocable<void()> ended);
  void WakeWaiters(const RunId& id);
  void AnswerWaiters();
  static absl::Status Stopping();
  absl::Time Now() { return deps_.loop.clock().Now(); }

  // Constant after construction.
  const int index_;
  const int slot_first_;
  const int slot_last_;
  const int64_t epoch_;
  const int64_t lease_;  // names the epoch among those of all partitions (v1::Transition)
  const EngineOptions options_;
  Dependencies deps_;
  const std::string build_id_;  // of the workflows' code
  EngineMetrics metrics_;

  // Any thread.
  LoopWatch watch_;
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
  absl::Duration lease_seen_ = -absl::InfiniteDuration();  // monotonic, when the lease held
  bool lease_retry_ = false;                               // HoldsLease asks again by a timer
  std::vector<Action> syncing_after_;  // actions for the batch that is being synced

  std::set<std::pair<absl::Time, RunId>> due_;
  absl::flat_hash_map<RunId, absl::Time> due_of_;
  base::TimerId timer_ = 0;
  absl::Time timer_at_ = absl::InfiniteFuture();
  absl::Time horizon_ = absl::InfinitePast();
  bool scanning_ = false;

  std::deque<AttemptKey> ready_;
  absl::flat_hash_map<AttemptKey, Attempt> attempts_;    // the current ones in flight
  absl::flat_hash_map<AttemptKey, MessagePtr> sending_;  // messages to other runs, on their way
  uint64_t last_message_ = 0;
  absl::flat_hash_set<uint64_t> running_;  // dispatches that have not come back
  uint64_t last_dispatch_ = 0;

  absl::flat_hash_map<RunId, std::vector<std::shared_ptr<Waiter>>> waiters_;
  size_t waiters_count_ = 0;
  bool waits_ended_ = false;
  uint64_t last_waiter_ = 0;
  absl::AnyInvocable<void()> close_done_;
};

}  // namespace engine
