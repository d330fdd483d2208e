// What an Instance begins in other runs: children, signals and cancel requests.
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "orchestrator/history/time.h"
#include "orchestrator/sdk/instance.h"

namespace sdk {
namespace {

using Event = v1::HistoryEvent;

v1::ParentClosePolicy::Value ToProto(ParentClosePolicy policy) {
  switch (policy) {
    case ParentClosePolicy::kTerminate:
      return v1::ParentClosePolicy::TERMINATE;
    case ParentClosePolicy::kAbandon:
      return v1::ParentClosePolicy::ABANDON;
    case ParentClosePolicy::kRequestCancel:
      return v1::ParentClosePolicy::REQUEST_CANCEL;
  }
  return v1::ParentClosePolicy::UNSPECIFIED;
}

v1::WorkflowIdReusePolicy::Value ToProto(WorkflowIdReusePolicy policy) {
  switch (policy) {
    case WorkflowIdReusePolicy::kAllowDuplicate:
      return v1::WorkflowIdReusePolicy::ALLOW_DUPLICATE;
    case WorkflowIdReusePolicy::kAllowDuplicateFailedOnly:
      return v1::WorkflowIdReusePolicy::ALLOW_DUPLICATE_FAILED_ONLY;
    case WorkflowIdReusePolicy::kRejectDuplicate:
      return v1::WorkflowIdReusePolicy::REJECT_DUPLICATE;
  }
  return v1::WorkflowIdReusePolicy::UNSPECIFIED;
}

Failure CanceledFailure(const std::string& reason) {
  return Failure::Canceled(reason.empty() ? "canceled" : reason);
}

}  // namespace

Context::ChildFutures Instance::StartChild(const std::string& type, v1::Payload input,
                                           const ChildOptions& options,
                                           const internal::ScopePtr& scope,
                                           std::source_location where) {
  internal::FutureStatePtr started = NewFuture();
  internal::FutureStatePtr result = NewFuture();
  if (const auto* canceled = internal::CanceledBy(scope.get())) {
    Resolve(started, CanceledFailure(canceled->reason));
    Resolve(result, CanceledFailure(canceled->reason));
    return {options.workflow_id, std::move(started), std::move(result)};
  }
  RequireWritable("ExecuteChild");
  const int64_t sequence = ++last_sequence_;
  started->id = result->id = absl::StrCat(sequence);
  PendingChild& child = children_[sequence];
  child.workflow_id =
      options.workflow_id.empty() ? absl::StrCat(info_.run_id, "_", sequence) : options.workflow_id;
  child.started = started;
  child.result = result;
  child.scope = scope;
  scheduled_.emplace_back(commands_.size(), sequence);
  auto* initiated = AddCommand(where)->mutable_start_child_workflow_execution_initiated();
  initiated->set_workflow_id(child.workflow_id);
  initiated->set_workflow_type(type);
  initiated->set_task_queue(options.task_queue.empty() ? info_.task_queue : options.task_queue);
  *initiated->mutable_input() = std::move(input);
  if (options.execution_timeout > absl::ZeroDuration()) {
    *initiated->mutable_execution_timeout() = history::ToProto(options.execution_timeout);
  }
  if (options.run_timeout > absl::ZeroDuration()) {
    *initiated->mutable_run_timeout() = history::ToProto(options.run_timeout);
  }
  initiated->set_parent_close_policy(ToProto(options.parent_close_policy));
  initiated->set_workflow_id_reuse_policy(ToProto(options.id_reuse_policy));
  initiated->set_cron_schedule(options.cron_schedule);
  if (options.search_attributes.fields_size() > 0) {
    *initiated->mutable_search_attributes() = options.search_attributes;
  }
  if (options.memo.fields_size() > 0) *initiated->mutable_memo() = options.memo;
  return {child.workflow_id, std::move(started), std::move(result)};
}

internal::FutureStatePtr Instance::CallExternal(const char* what, const internal::ScopePtr& scope,
                                                std::source_location where,
                                                absl::FunctionRef<void(Event&)> fill) {
  internal::FutureStatePtr future = NewFuture();
  if (const auto* canceled = internal::CanceledBy(scope.get())) {
    Resolve(future, CanceledFailure(canceled->reason));
    return future;
  }
  RequireWritable(what);
  const int64_t sequence = ++last_sequence_;
  scheduled_.emplace_back(commands_.size(), sequence);
  fill(*AddCommand(where));
  externals_[sequence] = future;
  return future;
}

internal::FutureStatePtr Instance::SignalExternal(const ExternalRun& run,
                                                  const std::string& signal_name, v1::Payload input,
                                                  const internal::ScopePtr& scope,
                                                  std::source_location where) {
  return CallExternal("SignalExternal", scope, where, [&](Event& command) {
    auto* signal = command.mutable_signal_external_workflow_execution_initiated();
    signal->set_workflow_id(run.workflow_id);
    signal->set_run_id(run.run_id);
    signal->set_signal_name(signal_name);
    *signal->mutable_input() = std::move(input);
  });
}

internal::FutureStatePtr Instance::CancelExternal(const ExternalRun& run, const std::string& reason,
                                                  const internal::ScopePtr& scope,
                                                  std::source_location where) {
  return CallExternal("CancelExternal", scope, where, [&](Event& command) {
    auto* cancel = command.mutable_request_cancel_external_workflow_execution_initiated();
    cancel->set_workflow_id(run.workflow_id);
    cancel->set_run_id(run.run_id);
    cancel->set_reason(reason);
  });
}

bool Instance::CancelChild(const std::string& id, std::source_location where) {
  int64_t sequence = 0;
  if (!absl::SimpleAtoi(id, &sequence)) return false;
  const auto it = children_.find(sequence);
  if (it == children_.end() || it->second.cancel_sent) return false;
  RequestChildCancel(it->second,
                     absl::StrCat("canceled by its parent, workflow ", info_.workflow_id), where);
  return true;
}

void Instance::RequestChildCancel(PendingChild& child, const std::string& reason,
                                  std::source_location where) {
  child.cancel_sent = true;
  auto* cancel = AddCommand(where)->mutable_request_cancel_external_workflow_execution_initiated();
  cancel->set_workflow_id(child.workflow_id);
  cancel->set_reason(reason);
  cancel->set_child(true);
}

void Instance::AdoptChild(int64_t sequence, const Event& recorded) {
  const auto it = children_.find(sequence);
  if (it == children_.end() || !recorded.has_start_child_workflow_execution_initiated()) return;
  it->second.workflow_id = recorded.start_child_workflow_execution_initiated().workflow_id();
}

bool Instance::ApplyChildEvent(const Event& event) {
  const auto failed = [this](const auto& closed) {
    ResolveChild(closed.initiated_event_id(), history::FromProto(closed.failure()));
    return true;
  };
  const auto answered = [this](const auto& answer) {
    if constexpr (requires { answer.failure(); }) {
      ResolveExternal(answer.initiated_event_id(), history::FromProto(answer.failure()));
    } else {
      ResolveExternal(answer.initiated_event_id(), v1::Payload());
    }
    return true;
  };
  switch (event.attributes_case()) {
    case Event::kChildWorkflowExecutionStarted: {
      const auto& started = event.child_workflow_execution_started();
      const auto sequence = scheduled_sequence_.find(started.initiated_event_id());
      if (sequence == scheduled_sequence_.end()) return true;
      Resolve(children_.at(sequence->second).started, history::ToPayload(started));
      return true;
    }
    case Event::kChildWorkflowExecutionCompleted: {
      const auto& completed = event.child_workflow_execution_completed();
      ResolveChild(completed.initiated_event_id(), completed.result());
      return true;
    }
    case Event::kChildWorkflowExecutionTerminated: {
      const auto& terminated = event.child_workflow_execution_terminated();
      ResolveChild(
          terminated.initiated_event_id(),
          Failure::Permanent("ChildWorkflowTerminated",
                             absl::StrCat("child workflow was terminated: ", terminated.reason())));
      return true;
    }
    case Event::kStartChildWorkflowExecutionFailed:
      return failed(event.start_child_workflow_execution_failed());
    case Event::kChildWorkflowExecutionFailed:
      return failed(event.child_workflow_execution_failed());
    case Event::kChildWorkflowExecutionCanceled:
      return failed(event.child_workflow_execution_canceled());
    case Event::kChildWorkflowExecutionTimedOut:
      return failed(event.child_workflow_execution_timed_out());
    case Event::kExternalWorkflowExecutionSignaled:
      return answered(event.external_workflow_execution_signaled());
    case Event::kSignalExternalWorkflowExecutionFailed:
      return answered(event.signal_external_workflow_execution_failed());
    case Event::kExternalWorkflowExecutionCancelRequested:
      return answered(event.external_workflow_execution_cancel_requested());
    case Event::kRequestCancelExternalWorkflowExecutionFailed:
      return answered(event.request_cancel_external_workflow_execution_failed());
    default:
      return false;
  }
}

void Instance::ResolveChild(base::EventId initiated_event_id, Outcome<v1::Payload> outcome) {
  const auto sequence = scheduled_sequence_.find(initiated_event_id);
  if (sequence == scheduled_sequence_.end()) return;
  const PendingChild child = children_.at(sequence->second);
  children_.erase(sequence->second);
  scheduled_sequence_.erase(sequence);
  if (!outcome.ok() && child.cancel_sent && outcome.failure().type == "ChildWorkflowCanceled") {
    outcome.failure().type = Failure::Canceled("").type;  // as this workflow asked for
  }
  if (!outcome.ok()) Resolve(child.started, outcome.failure());  // when it did not start
  Resolve(child.result, std::move(outcome));
}

void Instance::ResolveExternal(base::EventId initiated_event_id, Outcome<v1::Payload> outcome) {
  const auto sequence = scheduled_sequence_.find(initiated_event_id);
  if (sequence == scheduled_sequence_.end()) return;
  const auto it = externals_.find(sequence->second);
  scheduled_sequence_.erase(sequence);
  if (it == externals_.end()) return;
  const internal::FutureStatePtr future = it->second;
  externals_.erase(it);
  Resolve(future, std::move(outcome));
}

}  // namespace sdk
