// Instance: one live run of workflow code. It is given the run's events, task by task, advances
// the coroutines until all of them wait, and returns the commands they gave. Replaying a history
// and running live are the same code.
//
// Internal to the SDK and its worker. Thread-safety: one thread at a time. Destroying an Instance
// destroys its coroutine frames.
//
// Example:
//   Instance instance(registry, workflow);
//   RETURN_IF_ERROR(instance.Replay(events));
//   TaskResult result = instance.RunTask(now, new_events, updates);
//   instance.Recorded(first_event_id_of_the_commands);
#pragma once

#include <coroutine>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "orchestrator/base/random.h"
#include "orchestrator/sdk/context.h"
#include "orchestrator/sdk/local_activity.h"
#include "orchestrator/sdk/registry.h"
#include "orchestrator/sdk/replay_check.h"

namespace sdk {

struct UpdateRequest {
  std::string update_id;
  std::string name;
  v1::Payload input;
  std::string identity;
};

struct UpdateVerdict {
  std::string update_id;
  std::optional<Failure> rejected;
};

struct TaskResult {
  std::vector<v1::Command> commands;
  std::vector<UpdateVerdict> verdicts;  // one an update, in order
  std::vector<LocalStart> locals;       // local activities that were begun
  std::vector<int64_t> locals_canceled;
  int locals_pending = 0;  // of all tasks
};

class Instance {
 public:
  Instance(const Registry& registry, const Registry::RawWorkflow& workflow);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  // Runs the complete workflow tasks of `events` (from event 1, triples expanded) and checks
  // every command. External events after the last task are kept for the next RunTask.
  // INTERNAL with a NondeterminismDetail's text on a mismatch; DATA_LOSS on a broken history.
  absl::Status Replay(const std::vector<v1::HistoryEvent>& events);

  // One workflow task: external events since the last one, then updates, then the code.
  TaskResult RunTask(absl::Time now, const std::vector<const v1::HistoryEvent*>& events,
                     const std::vector<UpdateRequest>& updates,
                     const std::vector<LocalEnd>& locals = {});
  // Local activities that were begun and have not ended.
  std::vector<LocalStart> PendingLocals() const;
  // The commands of the last task became events, the first of them with this id.
  void Recorded(base::EventId first_event_id);

  Outcome<v1::Payload> Query(const std::string& name, const v1::Payload& input);

  // Set after Replay of a history whose run is closed, or after a closing command.
  bool closed() const { return closed_; }
  // External events are waiting for a task (left by Replay).
  bool has_backlog() const { return !backlog_.empty(); }

 private:
  friend class Context;
  friend class Scope;
  struct Driver;
  struct PendingActivity {
    internal::FutureStatePtr future;
    internal::ScopePtr scope;
    bool cancel_sent = false;
  };
  struct PendingTimer {
    internal::FutureStatePtr future;
    internal::ScopePtr scope;
  };
  struct PendingChild {
    std::string workflow_id;
    internal::FutureStatePtr started;
    internal::FutureStatePtr result;
    internal::ScopePtr scope;
    bool cancel_sent = false;
  };
  struct PendingLocal {
    v1::ActivityTaskScheduled scheduled;
    internal::FutureStatePtr future;
    internal::ScopePtr scope;
  };
  struct Condition {
    std::function<bool()> holds;
    internal::FutureStatePtr future;
    internal::ScopePtr scope;
  };
  // While it lives, RequireWritable throws.
  class ReadOnly {
   public:
    explicit ReadOnly(Instance* instance)
        : instance_(instance), before_(std::exchange(instance->read_only_, true)) {}
    ~ReadOnly() { instance_->read_only_ = before_; }
    ReadOnly(const ReadOnly&) = delete;
    ReadOnly& operator=(const ReadOnly&) = delete;

   private:
    Instance* instance_;
    const bool before_;
  };
  struct UpdateHandler {
    Context::RawValidator validate;
    Context::RawUpdate handle;
  };

  // Events.
  void Apply(const v1::HistoryEvent& event);
  void TaskStarted(const v1::HistoryEvent& event);
  void Start(const v1::WorkflowExecutionStarted& started, const v1::HistoryEvent& event);
  void ResolveActivity(base::EventId scheduled_event_id, Outcome<v1::Payload> outcome,
                       const v1::Payload* checkpoint);
  void CancelRequested(const v1::WorkflowExecutionCancelRequested& request);
  // Ends what was begun in `scope` and in the scopes within it.
  void CancelScope(internal::ScopeState& scope, const std::string& reason,
                   std::source_location where);
  // instance_children.cc. True when the event was one of children or external runs.
  bool ApplyChildEvent(const v1::HistoryEvent& event);
  void ResolveChild(base::EventId initiated_event_id, Outcome<v1::Payload> outcome);
  void ResolveExternal(base::EventId initiated_event_id, Outcome<v1::Payload> outcome);
  // A child keeps the workflow id that the history has.
  void AdoptChild(int64_t sequence, const v1::HistoryEvent& recorded);
  UpdateVerdict DeliverUpdate(const UpdateRequest& update, bool validate);

  // Coroutines.
  static Driver Drive(Workflow<v1::Payload> workflow,
                      std::function<void(Outcome<v1::Payload>)> done);
  void Launch(Workflow<v1::Payload> workflow, std::function<void(Outcome<v1::Payload>)> done);
  void Resolve(const internal::FutureStatePtr& future, Outcome<v1::Payload> outcome);
  void Drain();
  bool ResolveOneCondition();
  void CloseWith(Outcome<v1::Payload> outcome);

  // For Context.
  // Throws a FailureException in query handlers, validators, conditions and side effects: what they
  // ask for would not be there on replay.
  void RequireWritable(const char* verb) const;
  v1::HistoryEvent* AddCommand(std::source_location where);
  v1::Payload SideEffect(const std::function<v1::Payload()>& fn, std::source_location where);
  bool Patched(const std::string& id, bool deprecated, std::source_location where);
  // The marker among the recorded commands of the task that is replayed; null when there is none.
  const v1::MarkerRecorded* ReplayedMarker(const std::string& name) const;
  internal::FutureStatePtr NewFuture();
  internal::FutureStatePtr Schedule(const std::string& type, v1::Payload input,
                                    const ActivityOptions& options, const internal::ScopePtr& scope,
                                    std::source_location where);
  internal::FutureStatePtr StartTimer(absl::Duration delay, const internal::ScopePtr& scope,
                                      std::source_location where);
  // False when there is nothing to cancel.
  bool CancelTimer(const std::string& timer_id, std::source_location where);
  bool CancelActivity(const std::string& activity_id, std::source_location where);
  Context::ChildFutures StartChild(const std::string& type, v1::Payload input,
                                   const ChildOptions& options, const internal::ScopePtr& scope,
                                   std::source_location where);
  // `fill` makes the command; `what` names it in refusals.
  internal::FutureStatePtr CallExternal(const char* what, const internal::ScopePtr& scope,
                                        std::source_location where,
                                        absl::FunctionRef<void(v1::HistoryEvent&)> fill);
  internal::FutureStatePtr SignalExternal(const ExternalRun& run, const std::string& signal_name,
                                          v1::Payload input, const internal::ScopePtr& scope,
                                          std::source_location where);
  internal::FutureStatePtr CancelExternal(const ExternalRun& run, const std::string& reason,
                                          const internal::ScopePtr& scope,
                                          std::source_location where);
  bool CancelChild(const std::string& id, std::source_location where);
  // instance_local.cc.
  internal::FutureStatePtr StartLocal(const std::string& type, v1::Payload input,
                                      const LocalActivityOptions& options,
                                      const internal::ScopePtr& scope, std::source_location where);
  bool EndLocal(const LocalEnd& end);
  // While replaying: the ends that the task's markers hold. True when there are some.
  bool EndRecordedLocals();
  bool CancelLocal(const std::string& id, const std::string& reason);
  void CancelLocals(const std::string& reason);  // of scopes that are canceled now
  void RequestChildCancel(PendingChild& child, const std::string& reason,
                          std::source_location where);
  bool Look(const std::function<bool()>& holds);
  internal::FutureStatePtr AddCondition(std::function<bool()> holds,
                                        const internal::ScopePtr& scope);
  static Workflow<Unit> WaitUntil(Instance* instance, internal::ScopePtr scope,
                                  std::function<bool()> holds, absl::Duration timeout,
                                  std::source_location where);

  const Registry& registry_;
  const Registry::RawWorkflow& workflow_;

  // What the workflow's cancellation cancels, and what nothing cancels.
  const internal::ScopePtr root_scope_ = std::make_shared<internal::ScopeState>();
  const internal::ScopePtr shielded_scope_ = std::make_shared<internal::ScopeState>();

  RunInfo info_;
  std::unique_ptr<base::SeededRandom> random_;
  absl::Time now_;
  bool replaying_ = false;
  bool read_only_ = false;
  bool closed_ = false;
  bool cancel_requested_ = false;
  bool timed_out_ = false;
  std::string cancel_reason_;
  int64_t last_sequence_ = 0;
  uint64_t last_resolved_ = 0;
  int64_t last_side_effect_ = 0;

  std::vector<v1::Command> commands_;
  std::vector<std::pair<size_t, int64_t>> scheduled_;  // (command index, sequence) of last task
  std::map<int64_t, PendingActivity> activities_;      // by sequence
  std::map<base::EventId, int64_t> scheduled_sequence_;
  std::map<int64_t, PendingTimer> timers_;
  std::map<int64_t, PendingChild> children_;
  std::map<int64_t, internal::FutureStatePtr> externals_;  // messages that were not answered
  std::map<int64_t, PendingLocal> locals_;                 // by sequence
  std::vector<LocalStart> locals_begun_;                   // by the current task
  std::vector<int64_t> locals_canceled_;                   // by the current task
  std::list<Condition> conditions_;
  std::map<std::string, std::deque<v1::Payload>> signals_;
  std::map<std::string, Context::RawQuery> queries_;
  std::map<std::string, UpdateHandler> updates_;
  v1::HistoryEvent continue_as_new_;  // set by Context::ContinueAsNew
  std::string close_source_;

  std::map<std::string, bool> patches_;  // answers of Patched, by id
  // While replaying: the recorded commands of the task, and all patch markers of the history.
  const std::vector<const v1::HistoryEvent*>* recorded_ = nullptr;
  std::set<std::string> patches_recorded_;

  std::vector<v1::HistoryEvent> backlog_;
  std::deque<std::coroutine_handle<>> ready_;
  std::list<Driver> drivers_;
};

}  // namespace sdk
