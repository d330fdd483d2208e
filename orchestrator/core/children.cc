// Runs that talk to runs: what goes out, and what the answers become.
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "orchestrator/core/decide.h"

namespace core {
namespace {

// FNV-1a, 64 bit, and the finalizer of SplitMix64. A child's run id is made of it and stored, so
// it may never change.
uint64_t Hash(const std::string& text, uint64_t hash) {
  for (const unsigned char c : text) hash = (hash ^ c) * 0x100000001b3ull;
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9ull;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebull;
  return hash ^ (hash >> 31);
}

v1::Failure ChildFailure(const std::string& type, const std::string& message,
                         const std::optional<v1::Failure>& cause) {
  v1::Failure failure;
  failure.set_type(type);
  failure.set_message(message);
  failure.set_non_retryable(true);
  if (cause.has_value()) *failure.mutable_cause() = *cause;
  return failure;
}

// The event that records the end; its failure's type is what the parent's code sees.
v1::HistoryEvent ClosingEvent(const PendingChild& child, const ChildEnd& end) {
  v1::HistoryEvent event;
  const std::string who = absl::StrCat("child workflow \"", end.workflow_id, "\" ");
  const auto put = [&](auto* closing, const char* type, const char* how) {
    closing->set_initiated_event_id(child.initiated_event_id);
    closing->set_started_event_id(child.started_event_id);
    *closing->mutable_failure() = ChildFailure(type, absl::StrCat(who, how), end.failure);
  };
  switch (end.status) {
    case v1::RunStatus::COMPLETED: {
      auto* completed = event.mutable_child_workflow_execution_completed();
      completed->set_initiated_event_id(child.initiated_event_id);
      completed->set_started_event_id(child.started_event_id);
      *completed->mutable_result() = end.result;
      break;
    }
    case v1::RunStatus::CANCELED:
      put(event.mutable_child_workflow_execution_canceled(), "ChildWorkflowCanceled",
          "was canceled");
      break;
    case v1::RunStatus::TIMED_OUT:
      put(event.mutable_child_workflow_execution_timed_out(), "ChildWorkflowTimedOut",
          "exceeded its time-out");
      break;
    case v1::RunStatus::TERMINATED: {
      auto* terminated = event.mutable_child_workflow_execution_terminated();
      terminated->set_initiated_event_id(child.initiated_event_id);
      terminated->set_started_event_id(child.started_event_id);
      terminated->set_reason(end.failure.has_value() ? end.failure->message() : "");
      break;
    }
    default:
      put(event.mutable_child_workflow_execution_failed(), "ChildWorkflowFailed", "failed");
      break;
  }
  return event;
}

}  // namespace

base::RunId ChildRunId(const std::string& parent_run_id, EventId initiated_event_id) {
  const std::string name = absl::StrCat(parent_run_id, "/", initiated_event_id);
  const uint64_t a = Hash(name, 0xcbf29ce484222325ull);
  const uint64_t b = Hash(name, a ^ 0x9e3779b97f4a7c15ull);
  // RFC 9562 section 5.8: version 8 is for ids of one's own making.
  return base::RunId(absl::StrFormat("%08x-%04x-8%03x-%04x-%012x", a >> 32, (a >> 16) & 0xffff,
                                     a & 0xfff, 0x8000 | ((b >> 48) & 0x3fff),
                                     b & 0xffffffffffffull));
}

std::string MessageId(const std::string& run_id, EventId initiated_event_id) {
  return absl::StrCat("run:", run_id, "/", initiated_event_id);
}

v1::ParentWorkflow ParentLink(const RunState& parent, const PendingChild& child) {
  v1::ParentWorkflow link;
  link.set_namespace_(parent.started.namespace_());
  link.set_workflow_id(parent.started.workflow_id());
  link.set_run_id(parent.started.run_id());
  link.set_initiated_event_id(child.initiated_event_id);
  link.set_parent_close_policy(child.initiated->parent_close_policy());
  return link;
}

bool MayBeSent(const RunState& state, const PendingExternal& external,
               const std::set<EventId>& settled) {
  const std::string& to =
      external.signal != nullptr ? external.signal->workflow_id() : external.cancel->workflow_id();
  for (const auto& [id, child] : state.children) {
    const bool unknown =
        child.run_id.empty() && id < external.initiated_event_id && !settled.contains(id);
    if (unknown && child.initiated->workflow_id() == to) return false;
  }
  return true;
}

bool HasMessages(const RunState& state) {
  for (const auto& [id, child] : state.children) {
    if (child.run_id.empty()) return true;
  }
  return !state.externals.empty();
}

bool ReplacedByReset(const RunState& state) {
  return state.closed_status == v1::RunStatus::TERMINATED && state.failure.has_value() &&
         state.failure->type() == kReplacedByReset;
}

bool OwesAfterClose(const RunState& state) {
  if (!state.closed()) return false;
  const bool has_parent = !state.started.parent().run_id().empty() && !ReplacedByReset(state);
  if (has_parent && state.closed_status != v1::RunStatus::CONTINUED_AS_NEW) return true;
  for (const auto& [id, child] : state.children) {
    const bool abandoned = child.initiated->parent_close_policy() == v1::ParentClosePolicy::ABANDON;
    if (!abandoned || child.run_id.empty()) return true;
  }
  return !state.externals.empty();
}

ChildEnd EndOfChild(const RunState& child) {
  const std::string& first = child.started.first_run_id();
  return {.parent = child.started.parent(),
          .workflow_id = child.started.workflow_id(),
          .run_id = first.empty() ? child.started.run_id() : first,
          .status = child.closed_status,
          .result = child.result,
          .failure = child.failure};
}

void OnChildStarted(TransitionBuilder& transition, EventId initiated_event_id,
                    const std::string& run_id) {
  const auto child = transition.state().children.find(initiated_event_id);
  if (transition.state().closed() || child == transition.state().children.end() ||
      !child->second.run_id.empty()) {
    return;
  }
  v1::HistoryEvent event;
  auto* started = event.mutable_child_workflow_execution_started();
  started->set_initiated_event_id(initiated_event_id);
  started->set_workflow_id(child->second.initiated->workflow_id());
  started->set_run_id(run_id);
  transition.Add(std::move(event));
}

void OnChildNotStarted(TransitionBuilder& transition, EventId initiated_event_id,
                       v1::Failure failure) {
  const auto child = transition.state().children.find(initiated_event_id);
  if (transition.state().closed() || child == transition.state().children.end() ||
      !child->second.run_id.empty()) {
    return;
  }
  v1::HistoryEvent event;
  auto* failed = event.mutable_start_child_workflow_execution_failed();
  failed->set_initiated_event_id(initiated_event_id);
  failed->set_workflow_id(child->second.initiated->workflow_id());
  *failed->mutable_failure() =
      ChildFailure("ChildWorkflowNotStarted",
                   absl::StrCat("child workflow \"", child->second.initiated->workflow_id(),
                                "\" was not started"),
                   std::move(failure));
  transition.Add(std::move(event));
}

void OnChildEnd(TransitionBuilder& transition, const ChildEnd& end) {
  RunState& state = transition.state();
  const EventId initiated = end.parent.initiated_event_id();
  if (state.closed() || !state.children.contains(initiated)) return;
  OnChildStarted(transition, initiated, end.run_id);  // its answer may not have come back
  transition.Add(ClosingEvent(state.children.at(initiated), end));
}

void OnExternalAnswer(TransitionBuilder& transition, EventId initiated_event_id,
                      const std::optional<v1::Failure>& failure) {
  RunState& state = transition.state();
  const auto it = state.externals.find(initiated_event_id);
  if (state.closed() || it == state.externals.end()) return;
  v1::HistoryEvent event;
  const auto answer = [&](auto* answered) {
    answered->set_initiated_event_id(initiated_event_id);
    if constexpr (requires { answered->mutable_failure(); }) {
      *answered->mutable_failure() = *failure;
    }
  };
  const bool is_signal = it->second.signal != nullptr;
  if (is_signal && failure.has_value()) {
    answer(event.mutable_signal_external_workflow_execution_failed());
  } else if (is_signal) {
    answer(event.mutable_external_workflow_execution_signaled());
  } else if (failure.has_value()) {
    answer(event.mutable_request_cancel_external_workflow_execution_failed());
  } else {
    answer(event.mutable_external_workflow_execution_cancel_requested());
  }
  transition.Add(std::move(event));
}

}  // namespace core
