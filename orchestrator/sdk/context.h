// Context: everything a workflow may ask of the world. A small handle that is passed by value.
//
// Workflow code must be deterministic: time, randomness, ids and all effects come from here; no
// clock, I/O, threads, globals, unordered iteration. On replay every command is checked against
// the history.
//
// Thread-safety: belongs to its workflow's thread.
//
// Example:
//   sdk::Workflow<Receipt> Order(sdk::Context ctx, OrderInput input) {
//     sdk::Outcome<Stock> stock = co_await ctx.Execute(kReserve, input.item());
//     if (!stock.ok()) co_return stock.failure();
//     sdk::Done waited = co_await ctx.Sleep(absl::Hours(24));
//     ...
//   }
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "orchestrator/sdk/child.h"
#include "orchestrator/sdk/external.h"
#include "orchestrator/sdk/future.h"
#include "orchestrator/sdk/local_activity.h"
#include "orchestrator/sdk/side_effect.h"
#include "orchestrator/v1/history.pb.h"

namespace sdk {

// Facts about the run; the same on every replay.
struct RunInfo {
  std::string ns;
  std::string workflow_id;
  std::string run_id;
  std::string workflow_type;
  std::string task_queue;
  std::string traceparent;
  std::string correlation_id;
  std::string continued_from_run_id;
  absl::Time start_time;
  v1::CarriedSaga carried_saga;            // from the run before, after continue-as-new
  v1::SearchAttributes search_attributes;  // at the start
  v1::Memo memo;                           // at the start
  std::string cron_schedule;
  // Of a cron run: the result of the last run before it that completed, empty when none has; and
  // how the run before it failed, when it did.
  std::optional<v1::Payload> last_completion_result;
  std::optional<Failure> continued_failure;
  std::string first_run_id;  // of the chain
  absl::Time chain_start_time;
  // As of the current workflow task; the same on replay. From the limits
  // engine.continue_as_new_events and engine.continue_as_new_bytes on the engine suggests to
  // continue as new.
  int64_t history_length = 0;
  bool continue_as_new_suggested = false;
};

namespace internal {

// A node of the tree of cancellation scopes; operations hold the one that they were begun in.
struct ScopeState {
  std::shared_ptr<const ScopeState> parent;  // null: a root
  bool canceled = false;
  std::string reason;
};
using ScopePtr = std::shared_ptr<ScopeState>;

// The nearest scope that was canceled, from `scope` outwards; null when there is none.
const ScopeState* CanceledBy(const ScopeState* scope);

}  // namespace internal

class Scope;

class Context {
 public:
  Context(Instance* instance, internal::ScopePtr scope)
      : instance_(instance), scope_(std::move(scope)) {}

  const RunInfo& info() const;
  // Time of the current workflow task; it stands still while the code runs.
  absl::Time Now() const;
  // Seeded from the run's history.
  uint64_t Random();
  // A random UUID (version 4), from Random().
  std::string NewUuid();
  bool is_replaying() const;

  // Calls `fn` and records what it returned; on replay the recorded value is returned and `fn` is
  // not called. For cheap things that are not deterministic and have no effect of their own: a
  // setting, a host name. `fn` may be called again when the process dies before the value is
  // durable; it must not block, and must not use the context. T is a protobuf message, std::string,
  // bool, an integer or a floating-point type. A FailureException of `fn` is recorded and thrown
  // again on replay.
  // Example: const std::string region = ctx.SideEffect<std::string>([] { return CurrentRegion();
  // });
  template <typename T>
  T SideEffect(const std::function<T()>& fn,
               std::source_location where = std::source_location::current());

  // Guards a change of workflow code. True for runs that had not come to this place when the change
  // was deployed: they take the new way, and the history says so by a marker "patch:<id>". False
  // for runs that had passed it before: they stay on the old way. A run gets one answer for an id,
  // also in a loop. In query handlers, validators and conditions it is the answer that the
  // workflow's code got before, else false.
  // Once no open run needs the old way, call DeprecatePatch instead; once no open run holds a
  // marker that was made by Patched, remove that too. Example: if
  // (ctx.Patched("charge-before-shipping")) { new code } else { old code }
  bool Patched(const std::string& id, std::source_location where = std::source_location::current());
  // Says that all code takes the new way of patch `id`. It accepts the markers of Patched, and
  // leaves a marker of its own that later code, without the call, replays too.
  void DeprecatePatch(const std::string& id,
                      std::source_location where = std::source_location::current());

  // Schedules an activity. The future ends with its result, or its last failure after the
  // retries: the activity's own, or type "TimedOut" (effect unknown) or "Canceled".
  template <typename In, typename Out>
  Future<Out> Execute(const ActivityType<In, Out>& type, const In& input,
                      const ActivityOptions& options = {},
                      std::source_location where = std::source_location::current()) {
    return Future<Out>(Schedule(type.name, history::ToPayload(input), options, where));
  }
  // The same with an encoded input and result.
  Future<v1::Payload> ExecuteRaw(const std::string& type, v1::Payload input,
                                 const ActivityOptions& options = {},
                                 std::source_location where = std::source_location::current()) {
    return Future<v1::Payload>(Schedule(type, std::move(input), options, where));
  }

  // Runs an activity in the worker, beside the workflow, without scheduling it in the history: only
  // its end is recorded, in the task that sees it. For short work (a look-up, a check) that is
  // asked for often. It may run again, from its first attempt, after a crash; every attempt has the
  // same idempotency key. It has no heartbeats, and no saga undoes it. When it is canceled its
  // future ends at once with "Canceled". See local_activity.h.
  template <typename In, typename Out>
  Future<Out> ExecuteLocal(const ActivityType<In, Out>& type, const In& input,
                           const LocalActivityOptions& options = {},
                           std::source_location where = std::source_location::current()) {
    return Future<Out>(ExecuteLocalRaw(type.name, history::ToPayload(input), options, where));
  }

  // Starts a workflow as a child of this one, and gives a handle to it (child.h). It is started
  // when this task is durable; co_await child.started() to know that it runs.
  template <typename In, typename Out>
  ChildWorkflow<Out> ExecuteChild(const WorkflowType<In, Out>& type, const In& input,
                                  const ChildOptions& options = {},
                                  std::source_location where = std::source_location::current()) {
    auto [id, started, result] = StartChild(type.name, history::ToPayload(input), options, where);
    return ChildWorkflow<Out>(std::move(id), std::move(started), std::move(result));
  }
  // Sends a signal to another workflow, a child for example, once. The future is ready when it is
  // durable there; it ends with a failure of type "WorkflowNotFound" or "WorkflowClosed" when there
  // is nobody to take it. To a child that is not started yet it is sent when it is.
  template <typename In>
  Future<Unit> SignalExternal(const ExternalRun& run, const std::string& signal_name,
                              const In& input,
                              std::source_location where = std::source_location::current()) {
    return Future<Unit>(SignalExternalRaw(run, signal_name, history::ToPayload(input), where));
  }
  // Asks another workflow to end: it undoes what it did. Ready when the request is durable there;
  // failures as of SignalExternal.
  Future<Unit> CancelExternal(const ExternalRun& run, const std::string& reason = "",
                              std::source_location where = std::source_location::current());

  // A durable timer; it fires not earlier than `delay` from Now().
  Future<Unit> Sleep(absl::Duration delay,
                     std::source_location where = std::source_location::current());

  // Cancels a timer that has not fired: its future ends at once with a failure of type "Canceled".
  // False, and nothing happens, when it is no timer that is running.
  bool CancelTimer(const Future<Unit>& timer,
                   std::source_location where = std::source_location::current()) {
    return CancelRaw(timer.state(), /*timers_only=*/true, where);
  }
  // Cancels one activity or timer. An activity's future ends with "Canceled" when no attempt is in
  // flight, else when the attempt has stopped; it may still succeed. False, and nothing happens,
  // when the future is ready, or was canceled before, or is of neither kind (see
  // NewScope).
  template <typename T>
  bool Cancel(const Future<T>& future,
              std::source_location where = std::source_location::current()) {
    return CancelRaw(future.state(), /*timers_only=*/false, where);
  }
  // Asks a child to end. Its result is ready when it has ended: with "Canceled", or as it chose.
  template <typename T>
  bool Cancel(const ChildWorkflow<T>& child,
              std::source_location where = std::source_location::current()) {
    return Cancel(child.result(), where);
  }

  // Waits until `condition` holds; it is looked at after every event. Ends with a failure of type
  // "TimedOut" after `timeout`, or "Canceled".
  Workflow<Unit> WaitUntil(std::function<bool()> condition,
                           absl::Duration timeout = absl::InfiniteDuration(),
                           std::source_location where = std::source_location::current());

  // Runs `workflow` next to the caller.
  template <typename T>
  Future<T> Spawn(Workflow<T> workflow);

  // The next signal of this name; signals wait in order until they are received. Null payload
  // metadata is possible. Empty when there is none (use WaitUntil with HasSignal).
  bool HasSignal(const std::string& name) const;
  template <typename T>
  Outcome<T> TakeSignal(const std::string& name) {
    return internal::Decode<T>(TakeSignalRaw(name));
  }

  // Answers a query; must not change anything. Register handlers before the first await. A closed
  // run answers queries too, when the locals of the workflow's body are gone: a query handler owns
  // what it reads (capture a std::shared_ptr by value, never a local by reference).
  template <typename Req, typename Resp>
  void SetQueryHandler(const std::string& name, std::function<Outcome<Resp>(const Req&)> handler);

  // Handles an update. `validator` may refuse it (then the history holds nothing of it); it must
  // not change anything. `handler` runs when the update is accepted; its outcome is the answer.
  template <typename Req, typename Resp>
  void SetUpdateHandler(const std::string& name, std::function<Done(const Req&)> validator,
                        std::function<Outcome<Resp>(const Req&)> handler);
  // The same with a coroutine: the update is answered when it ends.
  template <typename Req, typename Resp>
  void SetAsyncUpdateHandler(const std::string& name, std::function<Done(const Req&)> validator,
                             std::function<Workflow<Resp>(Req)> handler);

  // True after a cancel request. What was begun through a context that is not shielded then ends
  // with a failure of type "Canceled".
  bool cancel_requested() const;
  const std::string& cancel_reason() const;
  // True when the run's own execution time-out asked for the cancellation.
  bool timed_out() const;
  // A context whose activities, timers and waits go on when the workflow is canceled: for
  // compensations and other clean-up.
  Context Shielded() const;
  // A part of the workflow that can be canceled by itself: see Scope. The workflow's cancellation,
  // and that of the scope that this context belongs to, cancel it too; a scope of Shielded() is
  // canceled by nothing but its own Cancel.
  Scope NewScope() const;
  // True when this context's scope, or one around it, was canceled: what is begun through it ends
  // at once with "Canceled".
  bool canceled() const { return internal::CanceledBy(scope_.get()) != nullptr; }

  // Ends this run and starts a new one of the same workflow id and type: return its value from
  // the workflow, as in `co_return ctx.ContinueAsNew(input);`. `saga` carries a saga's stack.
  template <typename In>
  Failure ContinueAsNew(const In& input, v1::CarriedSaga saga = {},
                        std::source_location where = std::source_location::current()) {
    return ContinueAsNewRaw(history::ToPayload(input), std::move(saga), where);
  }

  // Sets search attributes: facts by which lists and counts find the run. A field without a value
  // is removed; others stay. Names and limits: docs/operations/search.md; a run that goes beyond
  // them becomes STUCK. SearchAttributes in search_attributes.h builds them:
  // Example: ctx.UpsertSearchAttributes(sdk::SearchAttributes().Keyword("Region", "eu"));
  void UpsertSearchAttributes(v1::SearchAttributes attributes,
                              std::source_location where = std::source_location::current());
  // Sets fields of the memo: facts that are shown with the run and not searched.
  void UpsertMemo(v1::Memo memo, std::source_location where = std::source_location::current());
  template <typename T>
  void UpsertMemo(const std::string& name, const T& value,
                  std::source_location where = std::source_location::current()) {
    v1::Memo memo;
    (*memo.mutable_fields())[name] = history::ToPayload(value);
    UpsertMemo(std::move(memo), where);
  }

  // Records a marker or saga event in the history, in command order. For libraries.
  void Record(v1::HistoryEvent event, std::source_location where = std::source_location::current());

 private:
  friend class Instance;
  using RawQuery = std::function<Outcome<v1::Payload>(const v1::Payload&)>;
  using RawValidator = std::function<Done(const v1::Payload&)>;
  using RawUpdate = std::function<Workflow<v1::Payload>(v1::Payload)>;
  internal::FutureStatePtr Schedule(const std::string& type, v1::Payload input,
                                    const ActivityOptions& options, std::source_location where);
  internal::FutureStatePtr ExecuteLocalRaw(const std::string& type, v1::Payload input,
                                           const LocalActivityOptions& options,
                                           std::source_location where);
  struct ChildFutures {
    std::string workflow_id;
    internal::FutureStatePtr started;
    internal::FutureStatePtr result;
  };
  ChildFutures StartChild(const std::string& type, v1::Payload input, const ChildOptions& options,
                          std::source_location where);
  internal::FutureStatePtr SignalExternalRaw(const ExternalRun& run, const std::string& signal_name,
                                             v1::Payload input, std::source_location where);
  Failure ContinueAsNewRaw(v1::Payload input, v1::CarriedSaga saga, std::source_location where);
  Outcome<v1::Payload> TakeSignalRaw(const std::string& name);
  v1::Payload SideEffectRaw(const std::function<v1::Payload()>& fn, std::source_location where);
  bool CancelRaw(const internal::FutureStatePtr& future, bool timers_only,
                 std::source_location where);
  internal::FutureStatePtr SpawnRaw(Workflow<v1::Payload> workflow);
  void SetRawQueryHandler(const std::string& name, RawQuery handler);
  void SetRawUpdateHandler(const std::string& name, RawValidator validator, RawUpdate handler);

  Instance* instance_;
  internal::ScopePtr scope_;

  friend class Scope;
};

// A cancellation scope: a Context that can be canceled on its own. Activities, timers, waits and
// further scopes that were begun through it (also by coroutines that it was handed to as their
// Context) then end with a failure of type "Canceled", as they would when the workflow is
// canceled. Copies are views of the same scope; a scope that is dropped is not canceled.
//
// Example:
//   sdk::Scope upload = ctx.NewScope();
//   sdk::Future<Report> report = ctx.Spawn<Report>(UploadAll(upload, files));
//   sdk::Future<sdk::Unit> patience = ctx.Sleep(absl::Hours(1));
//   if (co_await sdk::Select(report, patience) == 1) upload.Cancel("took more than an hour");
//   sdk::Outcome<Report> uploaded = co_await report;  // its part of the work has ended
class Scope : public Context {
 public:
  using Context::Cancel;  // of one future
  // Cancels everything in the scope. No effect when it was canceled before.
  void Cancel(const std::string& reason = "scope canceled",
              std::source_location where = std::source_location::current());

 private:
  friend class Context;
  explicit Scope(Context context) : Context(std::move(context)) {}
};

namespace internal {

template <typename T>
Outcome<v1::Payload> Encode(const Outcome<T>& outcome) {
  if (!outcome.ok()) return outcome.failure();
  if constexpr (std::is_same_v<T, Unit>) {
    return v1::Payload();
  } else if constexpr (std::is_same_v<T, v1::Payload>) {
    return *outcome;
  } else {
    return history::ToPayload(*outcome);
  }
}

template <typename T>
Workflow<v1::Payload> EncodeResult(Workflow<T> workflow) {
  Outcome<T> outcome = co_await std::move(workflow);
  co_return Encode<T>(outcome);
}

template <typename T>
Workflow<T> Immediate(Outcome<T> outcome) {
  co_return outcome;
}

}  // namespace internal

template <typename T>
T Context::SideEffect(const std::function<T()>& fn, std::source_location where) {
  using Message = internal::SideEffectMessage<T>;
  const v1::Payload recorded =
      SideEffectRaw([&fn] { return history::ToPayload(internal::ToSideEffect<T>(fn())); }, where);
  const Outcome<Message> message = internal::Decode<Message>(Outcome<v1::Payload>(recorded));
  return internal::FromSideEffect<T>(message.value());
}

template <typename T>
Future<T> Context::Spawn(Workflow<T> workflow) {
  return Future<T>(SpawnRaw(internal::EncodeResult<T>(std::move(workflow))));
}

template <typename Req, typename Resp>
void Context::SetQueryHandler(const std::string& name,
                              std::function<Outcome<Resp>(const Req&)> handler) {
  SetRawQueryHandler(name, [handler = std::move(handler)](const v1::Payload& input) {
    Outcome<Req> request = internal::Decode<Req>(input);
    if (!request.ok()) return Outcome<v1::Payload>(request.failure());
    return internal::Encode<Resp>(handler(*request));
  });
}

template <typename Req, typename Resp>
void Context::SetUpdateHandler(const std::string& name, std::function<Done(const Req&)> validator,
                               std::function<Outcome<Resp>(const Req&)> handler) {
  SetAsyncUpdateHandler<Req, Resp>(name, std::move(validator),
                                   [handler = std::move(handler)](Req request) {
                                     return internal::Immediate<Resp>(handler(request));
                                   });
}

template <typename Req, typename Resp>
void Context::SetAsyncUpdateHandler(const std::string& name,
                                    std::function<Done(const Req&)> validator,
                                    std::function<Workflow<Resp>(Req)> handler) {
  SetRawUpdateHandler(
      name,
      [validator = std::move(validator)](const v1::Payload& input) -> Done {
        Outcome<Req> request = internal::Decode<Req>(input);
        if (!request.ok()) return request.failure();
        return validator == nullptr ? Done(Unit{}) : validator(*request);
      },
      [handler = std::move(handler)](v1::Payload input) {
        return internal::EncodeResult<Resp>(
            handler(*internal::Decode<Req>(Outcome<v1::Payload>(std::move(input)))));
      });
}

}  // namespace sdk
