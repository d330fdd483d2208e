// Runs that talk to runs. Outgoing: what a committed transition ordered is sent, and again until
// there is an answer, which becomes an event; of a closed run the answers only settle what it owes.
// Incoming: what other partitions' runs send, each taken once.
#include <prometheus/counter.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/coverage.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/engine/cron_chain.h"
#include "orchestrator/engine/partition.h"

namespace engine {
namespace {

constexpr absl::Duration kBackoffMin = absl::Milliseconds(50);
constexpr absl::Duration kBackoffMax = absl::Seconds(30);

// Asking again does not change the answer.
bool IsFinal(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kResourceExhausted:  // a limit of the run; a full inbox is UNAVAILABLE
      return true;
    default:
      return false;
  }
}

v1::Failure FailureOf(const absl::Status& status) {
  v1::Failure failure;
  failure.set_non_retryable(true);
  failure.set_message(std::string(status.message()));
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      failure.set_type("WorkflowNotFound");
      break;
    case absl::StatusCode::kAlreadyExists:
      failure.set_type("WorkflowAlreadyStarted");
      break;
    case absl::StatusCode::kFailedPrecondition:
      failure.set_type("WorkflowClosed");
      break;
    case absl::StatusCode::kResourceExhausted:
      failure.set_type("LimitExceeded");
      break;
    default:
      failure.set_type("InvalidRequest");
      break;
  }
  return failure;
}

v1::StartWorkflowRequest ChildStartRequest(const core::RunState& parent,
                                           const core::PendingChild& child) {
  const v1::StartChildWorkflowExecutionInitiated& initiated = *child.initiated;
  v1::StartWorkflowRequest request;
  request.set_namespace_(initiated.namespace_());
  request.set_workflow_id(initiated.workflow_id());
  request.set_workflow_type(initiated.workflow_type());
  request.set_task_queue(initiated.task_queue());
  *request.mutable_input() = initiated.input();
  request.set_request_id(core::MessageId(parent.started.run_id(), child.initiated_event_id));
  if (initiated.has_execution_timeout()) {
    *request.mutable_execution_timeout() = initiated.execution_timeout();
  }
  if (initiated.has_run_timeout()) *request.mutable_run_timeout() = initiated.run_timeout();
  request.set_traceparent(parent.started.traceparent());
  request.set_correlation_id(parent.started.correlation_id());
  request.set_identity(absl::StrCat("workflow ", parent.started.workflow_id()));
  request.set_workflow_id_reuse_policy(initiated.workflow_id_reuse_policy());
  request.set_cron_schedule(initiated.cron_schedule());
  *request.mutable_search_attributes() = initiated.search_attributes();
  *request.mutable_memo() = initiated.memo();
  return request;
}

std::string ByWorkflow(const core::RunState& state) {
  return absl::StrCat("workflow ", state.started.workflow_id());
}

}  // namespace

// Outgoing ------------------------------------------------------------------------------------

void Partition::SendMessages(LiveRun& run) {
  if (run.writes_pending > 0 || closed_) return;
  run.message_waits = false;
  if (run.state.closed()) return SendDebts(run);
  if (run.state.paused || !core::HasMessages(run.state)) return;
  for (const auto& [id, child] : run.state.children) {
    if (child.run_id.empty()) SendStart(run, child);
  }
  for (const auto& [id, external] : run.state.externals) {
    if (core::MayBeSent(run.state, external, {})) SendExternal(run, external);
  }
}

void Partition::SendDebts(LiveRun& run) {
  if (!run.owes) return;
  const core::RunState& state = run.state;
  bool open = false;
  // A parent hears of the end of the chain.
  const bool goes_on = state.closed_status == v1::RunStatus::CONTINUED_AS_NEW ||
                       NextCronTime(state) != absl::InfiniteFuture();
  if (!state.started.parent().run_id().empty() && !run.settled.contains(0) &&
      !core::ReplacedByReset(state) && !goes_on) {
    open = true;
    SendEnd(run);
  }
  const bool may_have_heir = state.closed_status == v1::RunStatus::TERMINATED;
  for (const auto& [id, child] : state.children) {
    if (run.settled.contains(id)) continue;
    const bool abandoned = child.initiated->parent_close_policy() == v1::ParentClosePolicy::ABANDON;
    const bool nothing_to_do = abandoned
                                   ? !child.run_id.empty()
                                   : may_have_heir && HeirOf(run, id, child.run_id) != nullptr;
    if (nothing_to_do) {
      run.settled.insert(id);
      continue;
    }
    open = true;
    REACHED("closed run sees to its child");
    abandoned ? SendStart(run, child) : SendStop(run, child);
  }
  for (const auto& [id, external] : state.externals) {
    if (run.settled.contains(id)) continue;
    open = true;
    if (core::MayBeSent(state, external, run.settled)) SendExternal(run, external);
  }
  if (open) return;
  run.owes = false;
  core::TransitionBuilder nothing(run.state, Now());
  Write(run, nothing);
}

void Partition::SendStart(LiveRun& run, const core::PendingChild& child) {
  const RunId child_run_id = core::ChildRunId(run.id.value(), child.initiated_event_id);
  SendMessage(run, {.run_id = run.id,
                    .event_id = child.initiated_event_id,
                    .kind = "start_child",
                    .starts = true,
                    .send = [request = ChildStartRequest(run.state, child),
                             parent = core::ParentLink(run.state, child),
                             child_run_id](PeerPort& peers, Done done) {
                      peers.StartChild(request, parent, child_run_id, std::move(done));
                    }});
}

void Partition::SendStop(LiveRun& run, const core::PendingChild& child) {
  ChildStop stop{.parent = core::ParentLink(run.state, child),
                 .workflow_id = child.initiated->workflow_id(),
                 .first_run_id = child.run_id.empty()
                                     ? core::ChildRunId(run.id.value(), child.initiated_event_id)
                                     : RunId(child.run_id)};
  SendMessage(run, {.run_id = run.id,
                    .event_id = child.initiated_event_id,
                    .kind = "stop_child",
                    .send = [stop = std::move(stop)](PeerPort& peers, Done done) {
                      peers.StopChild(stop, std::move(done));
                    }});
}

void Partition::SendEnd(LiveRun& run) {
  SendMessage(run, {.run_id = run.id,
                    .kind = "end_child",
                    .send = [end = core::EndOfChild(run.state)](PeerPort& peers, Done done) {
                      peers.EndChild(end, std::move(done));
                    }});
}

void Partition::SendExternal(LiveRun& run, const core::PendingExternal& external) {
  const EventId event_id = external.initiated_event_id;
  const std::string message_id = core::MessageId(run.id.value(), event_id);
  Message message{.run_id = run.id, .event_id = event_id};
  if (external.signal != nullptr) {
    ExternalSignal signal{.ns = external.signal->namespace_(), .repeated = external.in_flight};
    signal.request.set_workflow_id(external.signal->workflow_id());
    signal.request.set_run_id(external.signal->run_id());
    signal.request.set_signal_name(external.signal->signal_name());
    *signal.request.mutable_input() = external.signal->input();
    signal.request.set_identity(ByWorkflow(run.state));
    signal.request.set_request_id(message_id);
    message.kind = "signal";
    message.send = [signal = std::move(signal)](PeerPort& peers, Done done) mutable {
      peers.SignalExternal(signal, std::move(done));
      signal.repeated = true;
    };
  } else {
    ExternalCancel cancel{.ns = external.cancel->namespace_(),
                          .workflow_id = external.cancel->workflow_id(),
                          .run_id = external.cancel->run_id(),
                          .reason = external.cancel->reason(),
                          .identity = ByWorkflow(run.state),
                          .request_id = message_id};
    // Of a child the run that was started, and those that continued it.
    if (external.cancel->child()) cancel.first_run_id = std::exchange(cancel.run_id, "");
    message.kind = "cancel";
    message.send = [cancel = std::move(cancel)](PeerPort& peers, Done done) {
      peers.CancelExternal(cancel, std::move(done));
    };
  }
  SendMessage(run, std::move(message));
}

void Partition::SendMessage(LiveRun& run, Message message) {
  const AttemptKey key(run.id, message.event_id);
  if (sending_.contains(key)) return;
  if (static_cast<int>(sending_.size()) >= options_.messages_in_flight_max || !HoldsLease()) {
    run.message_waits = true;
    return;
  }
  message.number = ++last_message_;
  message.backoff = kBackoffMin;
  auto shared = std::make_shared<Message>(std::move(message));
  sending_[key] = shared;
  ++run.messages;
  Deliver(shared);
}

void Partition::Deliver(const MessagePtr& message) {
  PeerPort& peers = deps_.peers != nullptr ? *deps_.peers : *this;
  message->send(peers, [this, message](absl::Status status) {
    deps_.loop.Post([this, message, status] { OnAnswer(message, status); });
  });
}

void Partition::OnAnswer(const MessagePtr& message, const absl::Status& status) {
  if (closed_) return;  // it is sent again by the next owner
  const AttemptKey key(message->run_id, message->event_id);
  const auto again = [this, message] {
    deps_.loop.PostAfter(message->backoff, [this, message] {
      if (closed_) return;
      HoldsLease() ? Deliver(message)
                   : OnAnswer(message, absl::UnavailableError("the lease is not confirmed"));
    });
    message->backoff = std::min(message->backoff * 2, kBackoffMax);
  };
  deps_.metrics
      .Counter("run_messages_total", "Messages of runs to other runs, by kind and answer.",
               {{"kind", message->kind}, {"code", absl::StatusCodeToString(status.code())}})
      .Increment();
  if (!IsFinal(status)) {
    REACHED("message to a run sent again");
    return again();
  }
  absl::StatusOr<LiveRun*> found = Find(message->run_id);
  if (!found.ok() && !absl::IsNotFound(found.status())) return again();
  sending_.erase(key);
  if (!found.ok()) return;  // the run was deleted
  --(*found)->messages;
  OnFinalAnswer(**found, *message, status);
}

void Partition::OnFinalAnswer(LiveRun& run, const Message& message, const absl::Status& status) {
  const auto child = run.state.children.find(message.event_id);
  if (run.state.closed()) {
    REACHED("answer to a closed run");
    // A child that has begun although its parent closed is stopped next, unless it may stay.
    // One that has ended meanwhile, and was recorded, is no child any more.
    const bool stop_next =
        message.starts && status.ok() && child != run.state.children.end() &&
        child->second.initiated->parent_close_policy() != v1::ParentClosePolicy::ABANDON;
    if (!stop_next) run.settled.insert(message.event_id);
    if (!status.ok()) {
      base::Log(base::LogLevel::kWarning, "a message of a closed run was refused", LogOf(run),
                {{"kind", message.kind}, {"status", status.ToString()}});
    }
    SendMessages(run);
    return UpdateDue(run);
  }
  core::TransitionBuilder transition(run.state, Now());
  if (child == run.state.children.end()) {
    core::OnExternalAnswer(transition, message.event_id,
                           status.ok() ? std::nullopt : std::optional(FailureOf(status)));
  } else if (status.ok()) {
    core::OnChildStarted(transition, message.event_id,
                         core::ChildRunId(run.id.value(), message.event_id).value());
  } else {
    core::OnChildNotStarted(transition, message.event_id, FailureOf(status));
  }
  if (!transition.empty()) Advance(run, transition, {});
}

int Partition::CountMessages(const LiveRun& run) const {
  int count = sending_.contains(AttemptKey(run.id, 0)) ? 1 : 0;
  for (const auto& [id, child] : run.state.children) count += sending_.contains({run.id, id});
  for (const auto& [id, external] : run.state.externals) count += sending_.contains({run.id, id});
  return count;
}

LiveRun* Partition::HeirOf(const LiveRun& closed, EventId initiated_event_id,
                           const std::string& child_run_id) {
  absl::StatusOr<LiveRun*> newest =
      FindByWorkflow(closed.row.ns.value(), closed.row.workflow_id.value(), "");
  if (!newest.ok() || (*newest)->state.closed() || child_run_id.empty()) return nullptr;
  const auto child = (*newest)->state.children.find(initiated_event_id);
  const bool same =
      child != (*newest)->state.children.end() && child->second.run_id == child_run_id;
  return same ? *newest : nullptr;
}

// Incoming ------------------------------------------------------------------------------------

void Partition::StartChild(v1::StartWorkflowRequest request, v1::ParentWorkflow parent,
                           RunId run_id, Done done) {
  Receive(std::move(done), [this, request = std::move(request), parent = std::move(parent),
                            run_id = std::move(run_id)](Done done) mutable {
    StartRun(
        std::move(request), std::move(parent), std::move(run_id),
        [this, done = std::move(done)](absl::StatusOr<v1::StartWorkflowResponse> started) mutable {
          if (absl::IsAlreadyExists(started.status()) &&
              !deps_.store.CheckEpoch(index_, epoch_).ok()) {
            return done(absl::UnavailableError("the lease is not confirmed"));
          }
          done(started.status());
        });
  });
}

void Partition::EndChild(core::ChildEnd end, Done done) {
  Receive(std::move(done), [this, end = std::move(end)](Done done) mutable {
    absl::StatusOr<LiveRun*> found = Find(RunId(end.parent.run_id()));
    if (absl::IsNotFound(found.status())) return done(absl::OkStatus());
    if (!found.ok()) return done(found.status());
    LiveRun* parent = *found;
    if (parent->state.closed()) {
      LiveRun* heir = HeirOf(*parent, end.parent.initiated_event_id(), end.run_id);
      if (heir != nullptr) parent = heir;
    }
    core::TransitionBuilder transition(parent->state, Now());
    core::OnChildEnd(transition, end);
    if (!transition.empty()) Advance(*parent, transition, {});
    if (transition.empty()) REACHED("child's end told again");
    // "Nothing to do" may be said from memory only by the owner that no other has followed.
    if (transition.empty() && !deps_.store.CheckEpoch(index_, epoch_).ok()) {
      REACHED("message refused by a former owner");
      return done(absl::UnavailableError("the lease is not confirmed"));
    }
    // Also what came before must be durable: that it was recorded, or that the parent closed.
    AfterCommit(*parent, std::move(done));
  });
}

void Partition::StopChild(ChildStop stop, Done done) {
  Receive(std::move(done), [this, stop = std::move(stop)](Done done) mutable {
    absl::StatusOr<LiveRun*> found =
        FindChain(stop.parent.namespace_(), stop.workflow_id, stop.first_run_id.value());
    if (absl::IsNotFound(found.status())) return done(absl::OkStatus());
    if (!found.ok()) return done(found.status());
    LiveRun& run = **found;
    const std::string reason =
        absl::StrCat("its parent, workflow \"", stop.parent.workflow_id(), "\", closed");
    const std::string identity = absl::StrCat("workflow ", stop.parent.workflow_id());
    core::TransitionBuilder transition(run.state, Now());
    std::vector<core::AttemptToStop> attempts;
    if (run.state.closed()) {
      REACHED("child to stop has ended");
      // Nothing is left to stop.
    } else if (stop.parent.parent_close_policy() == v1::ParentClosePolicy::REQUEST_CANCEL) {
      core::RequestCancel(transition, reason, identity);
    } else {
      attempts = core::Terminate(transition, reason, identity);
      run.stuck_reason.clear();
    }
    if (!transition.empty()) Advance(run, transition, std::move(attempts));
    AfterCommit(run, std::move(done));
  });
}

void Partition::SignalExternal(ExternalSignal signal, Done done) {
  Receive(std::move(done), [this, signal = std::move(signal)](Done done) mutable {
    const v1::SignalWorkflowRequest& request = signal.request;
    absl::StatusOr<LiveRun*> found =
        FindByWorkflow(signal.ns, request.workflow_id(), request.run_id());
    if (!found.ok()) return done(found.status());
    LiveRun& run = **found;
    // A run may have taken it and continued as new since.
    for (LiveRun* before = &run; before != nullptr;) {
      if (before->state.signal_request_ids.contains(request.request_id())) {
        REACHED("message to a run came again");
        return AfterCommit(*before, std::move(done));
      }
      const std::string& previous = before->state.started.continued_from_run_id();
      if (!signal.repeated || previous.empty() || !request.run_id().empty()) break;
      absl::StatusOr<LiveRun*> loaded = Find(RunId(previous));
      if (!loaded.ok() && !absl::IsNotFound(loaded.status())) return done(loaded.status());
      before = loaded.ok() ? *loaded : nullptr;
    }
    if (run.state.closed()) {
      return done(absl::FailedPreconditionError(
          absl::StrCat("workflow \"", request.workflow_id(), "\" is closed (",
                       v1::RunStatus::Value_Name(run.state.closed_status), ")")));
    }
    if (absl::Status limits = CheckLimits(run); !limits.ok()) return done(limits);
    if (absl::Status limits = CheckSignal(run); !limits.ok()) return done(limits);
    v1::WorkflowExecutionSignaled event;
    event.set_signal_name(request.signal_name());
    *event.mutable_input() = request.input();
    event.set_identity(request.identity());
    event.set_request_id(request.request_id());
    core::TransitionBuilder transition(run.state, Now());
    core::Signal(transition, std::move(event));
    Advance(run, transition, {});
    AfterCommit(run, std::move(done));
  });
}

void Partition::CancelExternal(ExternalCancel cancel, Done done) {
  Receive(std::move(done), [this, cancel = std::move(cancel)](Done done) mutable {
    absl::StatusOr<LiveRun*> found =
        cancel.first_run_id.empty() ? FindByWorkflow(cancel.ns, cancel.workflow_id, cancel.run_id)
                                    : FindChain(cancel.ns, cancel.workflow_id, cancel.first_run_id);
    if (!found.ok()) return done(found.status());
    LiveRun& run = **found;
    if (run.state.closed() && !run.state.cancel_requested) {
      return done(absl::FailedPreconditionError(
          absl::StrCat("workflow \"", cancel.workflow_id, "\" is closed (",
                       v1::RunStatus::Value_Name(run.state.closed_status), ")")));
    }
    core::TransitionBuilder transition(run.state, Now());
    if (!run.state.closed()) {
      core::RequestCancel(
          transition,
          cancel.reason.empty() ? absl::StrCat("canceled by ", cancel.identity) : cancel.reason,
          cancel.identity, cancel.request_id);
    }
    if (!transition.empty()) Advance(run, transition, {});
    AfterCommit(run, std::move(done));
  });
}

absl::StatusOr<LiveRun*> Partition::FindChain(const std::string& ns, const std::string& workflow_id,
                                              const std::string& first_run_id) {
  ASSIGN_OR_RETURN(LiveRun * run, FindByWorkflow(ns, workflow_id, ""));
  const std::string& first = run->state.started.first_run_id();
  if ((first.empty() ? run->id.value() : first) == first_run_id) return run;
  return absl::NotFoundError(absl::StrCat("the run ", first_run_id, " of workflow \"", workflow_id,
                                          "\" and those that continued it are closed"));
}

}  // namespace engine
