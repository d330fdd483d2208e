// Reset: a new run that has the history of another one up to the end of a workflow task, and goes
// on from there. docs/operations/runs.md says when to use it, and what it does not undo.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/engine/partition.h"
#include "orchestrator/history/codec.h"
#include "orchestrator/history/time.h"

namespace engine {
namespace {

using Event = v1::HistoryEvent;

bool EndsWorkflowTask(const Event& event) {
  return event.has_workflow_task() || event.has_workflow_task_completed();
}

bool ClosesRun(const Event& event) {
  return event.has_workflow_execution_completed() || event.has_workflow_execution_failed() ||
         event.has_workflow_execution_canceled() || event.has_workflow_execution_timed_out() ||
         event.has_workflow_execution_continued_as_new() ||
         event.has_workflow_execution_terminated();
}

// Events that a workflow task ordered follow its end.
bool IsOrdered(const Event& event) {
  switch (event.attributes_case()) {
    case Event::kActivityTaskScheduled:
    case Event::kActivityTaskCancelRequested:
    case Event::kTimerStarted:
    case Event::kTimerCanceled:
    case Event::kMarkerRecorded:
    case Event::kWorkflowExecutionUpdateAccepted:
    case Event::kWorkflowExecutionUpdateCompleted:
    case Event::kStartChildWorkflowExecutionInitiated:
    case Event::kSignalExternalWorkflowExecutionInitiated:
    case Event::kRequestCancelExternalWorkflowExecutionInitiated:
    case Event::kUpsertWorkflowSearchAttributes:
    case Event::kWorkflowPropertiesModified:
    case Event::kSagaStepRegistered:
    case Event::kSagaPivotPassed:
    case Event::kSagaCompensationStarted:
    case Event::kSagaCompensationCompleted:
    case Event::kSagaCompensationFailed:
    case Event::kSagaCompensationSkipped:
    case Event::kSagaCompensationResolved:
      return true;
    default:
      return ClosesRun(event) && !event.has_workflow_execution_terminated();
  }
}

struct Placed {
  EventId id = 0;  // of its first event
  EventId last = 0;
  int transition = 0;
  const Event* event = nullptr;
};

std::vector<Placed> Flatten(const std::vector<v1::Transition>& transitions) {
  std::vector<Placed> placed;
  for (size_t i = 0; i < transitions.size(); ++i) {
    EventId id = transitions[i].first_event_id();
    for (const Event& event : transitions[i].events()) {
      const EventId next = id + history::IdsOf(event);
      placed.push_back(
          {.id = id, .last = next - 1, .transition = static_cast<int>(i), .event = &event});
      id = next;
    }
  }
  return placed;
}

// The last event of the newest workflow task that ends at or before `event_id` and does not close
// the run; else the run's start.
EventId FindCut(const std::vector<Placed>& events, EventId event_id) {
  EventId cut = 1;
  for (size_t i = 0; i < events.size() && events[i].last <= event_id; ++i) {
    if (!EndsWorkflowTask(*events[i].event)) continue;
    EventId end = events[i].last;
    bool closes = false;
    for (size_t j = i + 1; j < events.size() && IsOrdered(*events[j].event); ++j) {
      end = events[j].last;
      closes |= ClosesRun(*events[j].event);
    }
    if (!closes) cut = end;
  }
  return cut;
}

const core::SagaStep* FindStep(const core::RunState& state, const std::string& name) {
  for (const core::SagaStep& step : state.saga) {
    if (step.registration.step() == name) return &step;
  }
  return nullptr;
}

// The order that the event answers, or 0.
EventId AnsweredOrder(const Event& event) {
  switch (event.attributes_case()) {
    case Event::kStartChildWorkflowExecutionFailed:
      return event.start_child_workflow_execution_failed().initiated_event_id();
    case Event::kChildWorkflowExecutionStarted:
      return event.child_workflow_execution_started().initiated_event_id();
    case Event::kChildWorkflowExecutionCompleted:
      return event.child_workflow_execution_completed().initiated_event_id();
    case Event::kChildWorkflowExecutionFailed:
      return event.child_workflow_execution_failed().initiated_event_id();
    case Event::kChildWorkflowExecutionCanceled:
      return event.child_workflow_execution_canceled().initiated_event_id();
    case Event::kChildWorkflowExecutionTimedOut:
      return event.child_workflow_execution_timed_out().initiated_event_id();
    case Event::kChildWorkflowExecutionTerminated:
      return event.child_workflow_execution_terminated().initiated_event_id();
    case Event::kSignalExternalWorkflowExecutionFailed:
      return event.signal_external_workflow_execution_failed().initiated_event_id();
    case Event::kExternalWorkflowExecutionSignaled:
      return event.external_workflow_execution_signaled().initiated_event_id();
    case Event::kRequestCancelExternalWorkflowExecutionFailed:
      return event.request_cancel_external_workflow_execution_failed().initiated_event_id();
    case Event::kExternalWorkflowExecutionCancelRequested:
      return event.external_workflow_execution_cancel_requested().initiated_event_id();
    default:
      return 0;
  }
}

// The event's link to the child's start, which has another id in the new history.
void SetStartedEventId(Event& event, EventId id) {
  switch (event.attributes_case()) {
    case Event::kChildWorkflowExecutionCompleted:
      return event.mutable_child_workflow_execution_completed()->set_started_event_id(id);
    case Event::kChildWorkflowExecutionFailed:
      return event.mutable_child_workflow_execution_failed()->set_started_event_id(id);
    case Event::kChildWorkflowExecutionCanceled:
      return event.mutable_child_workflow_execution_canceled()->set_started_event_id(id);
    case Event::kChildWorkflowExecutionTimedOut:
      return event.mutable_child_workflow_execution_timed_out()->set_started_event_id(id);
    case Event::kChildWorkflowExecutionTerminated:
      return event.mutable_child_workflow_execution_terminated()->set_started_event_id(id);
    default:
      return;
  }
}

// Answers that came after the cut to what was ordered before it: they do not come again. A message
// that was not answered is delivered by the run that was copied.
void AddAnswers(core::TransitionBuilder& transition, const std::vector<Event>& after) {
  core::RunState& state = transition.state();
  for (const Event& event : after) {
    const EventId order = AnsweredOrder(event);
    if (order == 0) continue;
    const auto child = state.children.find(order);
    if (child == state.children.end() && !state.externals.contains(order)) continue;
    Event copy = event;
    if (child != state.children.end()) SetStartedEventId(copy, child->second.started_event_id);
    transition.Add(std::move(copy));
  }
  std::vector<EventId> open;
  for (const auto& [id, external] : state.externals) open.push_back(id);
  for (const EventId id : open) core::OnExternalAnswer(transition, id, std::nullopt);
}

std::string ResetReason(EventId keep, const std::string& reason) {
  return absl::StrCat("reset to event ", keep, reason.empty() ? "" : ": ", reason);
}

RunId ResetRunId(const RunId& base, const std::string& request_id) {
  return core::ChildRunId(absl::StrCat(base.value(), "/reset/", request_id), 0);
}

}  // namespace

struct Partition::ResetPlan {
  RunId new_run_id;
  EventId keep = 0;                      // the last event that is copied
  std::vector<v1::Transition> copied;    // in stored form
  std::vector<Event> after;              // what came later
  std::vector<std::string> left_behind;  // steps
  std::vector<std::string> undone;
};

absl::StatusOr<Partition::ResetPlan> Partition::PlanReset(LiveRun& base,
                                                          const v1::ResetWorkflowRequest& request) {
  const EventId last = base.state.next_event_id - 1;
  if (request.event_id() < 1 || request.event_id() > last) {
    return absl::InvalidArgumentError(absl::StrCat("event_id is ", request.event_id(),
                                                   "; it must be between 1 and ", last,
                                                   ", the last event of run ", base.id.value()));
  }
  ASSIGN_OR_RETURN(store::StoredRun stored, deps_.store.LoadRun(base.id));
  std::vector<v1::Transition> transitions(stored.transitions.size());
  for (size_t i = 0; i < transitions.size(); ++i) {
    if (!transitions[i].ParseFromString(stored.transitions[i])) {
      return absl::DataLossError(
          absl::StrCat("run=", base.id.value(), ": a stored transition ", "cannot be read"));
    }
  }
  ResetPlan plan;
  const std::vector<Placed> events = Flatten(transitions);
  plan.keep = FindCut(events, request.event_id());
  core::RunState kept;
  int current = -1;
  for (const Placed& placed : events) {
    if (placed.last > plan.keep) {
      plan.after.push_back(*placed.event);
      continue;
    }
    const v1::Transition& from = transitions[placed.transition];
    if (placed.transition != current) {
      current = placed.transition;
      v1::Transition& to = plan.copied.emplace_back();
      to.set_first_event_id(placed.id);
      *to.mutable_time() = from.time();
    }
    *plan.copied.back().add_events() = *placed.event;
    core::Apply(kept, *placed.event, history::FromProto(from.time()));
  }
  for (const std::string& step : base.state.StepsLeftBehind()) {
    if (FindStep(kept, step) == nullptr) plan.left_behind.push_back(step);
  }
  for (const core::SagaStep& step : kept.saga) {
    const core::SagaStep* now = FindStep(base.state, step.registration.step());
    const bool undone_since = step.compensation == v1::CompensationState::NONE && now != nullptr &&
                              now->compensation != v1::CompensationState::NONE;
    if (undone_since) plan.undone.push_back(step.registration.step());
  }
  if (request.force() || (plan.left_behind.empty() && plan.undone.empty())) return plan;
  std::string why;
  if (!plan.left_behind.empty()) {
    absl::StrAppend(&why, "the effects of these saga steps, taken after it, would be left behind: ",
                    absl::StrJoin(plan.left_behind, ", "), "; ");
  }
  if (!plan.undone.empty()) {
    absl::StrAppend(&why, "these saga steps, taken before it, have been undone since: ",
                    absl::StrJoin(plan.undone, ", "), "; ");
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "run ", base.id.value(), " is not reset to event ", plan.keep, ": ", why,
      "choose another event, cancel the run to have its steps undone and start again, or force the "
      "reset and see to these steps by hand"));
}

absl::StatusOr<v1::ResetWorkflowResponse> Partition::FindReset(
    const LiveRun& base, const v1::ResetWorkflowRequest& request) {
  const absl::Status unknown = absl::NotFoundError("no such reset");
  if (request.request_id().empty()) return unknown;
  LiveRun* run = nullptr;
  if (base.state.control_request_ids.contains(request.request_id())) {
    ASSIGN_OR_RETURN(run, Find(base.id));
  } else {
    ASSIGN_OR_RETURN(run, Find(ResetRunId(base.id, request.request_id())));
  }
  if (run->writes_pending > 0) return absl::UnavailableError("the reset is being written");
  ASSIGN_OR_RETURN(store::StoredRun stored, deps_.store.LoadRun(run->id));
  for (const std::string& row : stored.transitions) {
    v1::Transition transition;
    if (!transition.ParseFromString(row)) return absl::DataLossError("a transition is damaged");
    const Event& first = transition.events(0);
    const v1::WorkflowExecutionReset& reset = first.workflow_execution_reset();
    if (!first.has_workflow_execution_reset() || reset.request_id() != request.request_id()) {
      continue;
    }
    v1::ResetWorkflowResponse response;
    response.set_workflow_id(run->row.workflow_id.value());
    response.set_run_id(reset.new_run_id());
    response.set_reset_event_id(reset.base_event_id());
    int signals = 0;
    for (const Event& event : transition.events())
      signals += event.has_workflow_execution_signaled();
    response.set_signals_reapplied(signals);
    absl::StatusOr<LiveRun*> from = Find(RunId(reset.base_run_id()));
    if (!from.ok()) return response;  // it was deleted since
    v1::ResetWorkflowRequest again;
    again.set_event_id(reset.base_event_id());
    again.set_force(true);
    ASSIGN_OR_RETURN(ResetPlan plan, PlanReset(**from, again));
    for (std::string& step : plan.left_behind) response.add_steps_left_behind(std::move(step));
    for (std::string& step : plan.undone) response.add_steps_undone(std::move(step));
    return response;
  }
  return unknown;
}

LiveRun& Partition::ForkRun(LiveRun& base, const ResetPlan& plan,
                            const v1::ResetWorkflowRequest& request) {
  v1::WorkflowExecutionStarted started = plan.copied.front().events(0).workflow_execution_started();
  started.set_run_id(plan.new_run_id.value());
  started.set_initiator(v1::ContinueInitiator::RESET);
  LiveRun& run = NewRun(plan.new_run_id, started, &base);
  std::vector<Event> kept;
  for (const v1::Transition& copied : plan.copied) {
    core::TransitionBuilder transition(run.state, history::FromProto(copied.time()));
    for (const Event& event : copied.events()) {
      Event copy = event;
      if (copy.has_workflow_execution_started()) {
        *copy.mutable_workflow_execution_started() = started;
      }
      transition.Add(std::move(copy));
    }
    const absl::Status expanded = history::Expand(transition.Serialize(lease_), &kept);
    CHECK(expanded.ok()) << expanded << " run=" << run.id.value();
    Write(run, transition);
  }
  run.history = std::move(kept);  // its code is made from these
  core::TransitionBuilder transition(run.state, Now());
  Event event;
  v1::WorkflowExecutionReset* reset = event.mutable_workflow_execution_reset();
  reset->set_base_run_id(base.id.value());
  reset->set_base_event_id(plan.keep);
  reset->set_new_run_id(run.id.value());
  reset->set_reason(request.reason());
  reset->set_identity(request.identity());
  reset->set_request_id(request.request_id());
  transition.Add(std::move(event));
  AddAnswers(transition, plan.after);
  for (const Event& later : plan.after) {
    if (request.drop_signals() || !later.has_workflow_execution_signaled()) continue;
    transition.Add(later);
  }
  Advance(run, transition, {});
  return run;
}

void Partition::Reset(v1::ResetWorkflowRequest request, Callback<v1::ResetWorkflowResponse> done) {
  Enqueue(std::move(done), [this, request = std::move(request)](auto done) mutable {
    if (absl::Status who = CheckIdentity(request.identity()); !who.ok()) return done(who);
    if (absl::Status why = CheckReason(request.reason()); !why.ok()) return done(why);
    absl::StatusOr<LiveRun*> found =
        FindByWorkflow(request.namespace_(), request.workflow_id(), request.run_id());
    if (!found.ok()) return done(found.status());
    LiveRun& base = **found;
    // The copy is made from the store.
    if (base.writes_pending > 0) {
      return AfterCommit(base, [this, request = std::move(request),
                                done = std::move(done)](absl::Status status) mutable {
        status.ok() ? Reset(std::move(request), std::move(done)) : done(std::move(status));
      });
    }
    absl::StatusOr<v1::ResetWorkflowResponse> known = FindReset(base, request);
    if (known.ok() || !absl::IsNotFound(known.status())) return done(std::move(known));
    absl::StatusOr<ResetPlan> plan = PlanReset(base, request);
    if (!plan.ok()) return done(plan.status());
    plan->new_run_id = request.request_id().empty() ? base::NewRunId(Now(), deps_.random)
                                                    : ResetRunId(base.id, request.request_id());
    absl::StatusOr<LiveRun*> newest =
        FindByWorkflow(request.namespace_(), request.workflow_id(), "");
    if (!newest.ok()) return done(newest.status());
    LiveRun& open = **newest;
    if (open.id != base.id && !open.state.closed() && !request.force()) {
      return done(absl::FailedPreconditionError(absl::StrCat(
          "workflow \"", request.workflow_id(), "\" has a newer run ", open.id.value(),
          " that is open; force the reset to terminate it, with what its steps leave behind")));
    }
    if (!open.state.closed()) {
      if (open.id != base.id) {
        for (std::string& step : open.state.StepsLeftBehind()) {
          plan->left_behind.push_back(std::move(step));
        }
      }
      core::TransitionBuilder transition(open.state, Now());
      std::vector<core::AttemptToStop> stop = core::InFlight(open.state, "the workflow was reset");
      Event event;
      v1::WorkflowExecutionTerminated* terminated = event.mutable_workflow_execution_terminated();
      terminated->set_reason(ResetReason(plan->keep, request.reason()));
      terminated->set_identity(request.identity());
      for (const std::string& step : plan->left_behind) terminated->add_steps_left_behind(step);
      if (open.id == base.id) {
        terminated->set_reset_event_id(plan->keep);
        terminated->set_reset_children(request.children() == v1::ResetChildPolicy::TERMINATE
                                           ? v1::ParentClosePolicy::TERMINATE
                                       : request.children() == v1::ResetChildPolicy::REQUEST_CANCEL
                                           ? v1::ParentClosePolicy::REQUEST_CANCEL
                                           : v1::ParentClosePolicy::ABANDON);
      }
      transition.Add(std::move(event));
      open.stuck_reason.clear();
      Advance(open, transition, std::move(stop));
    }
    LiveRun& run = ForkRun(base, *plan, request);
    base::Log(base::LogLevel::kInfo, "run was reset", LogOf(run),
              {{"base_run_id", base.id.value()},
               {"event_id", plan->keep},
               {"by", request.identity()},
               {"reason", request.reason()},
               {"steps_left_behind", absl::StrJoin(plan->left_behind, ",")}});
    v1::ResetWorkflowResponse response;
    response.set_workflow_id(request.workflow_id());
    response.set_run_id(run.id.value());
    response.set_reset_event_id(plan->keep);
    int signals = 0;
    for (const Event& event : plan->after) signals += event.has_workflow_execution_signaled();
    response.set_signals_reapplied(request.drop_signals() ? 0 : signals);
    for (std::string& step : plan->left_behind) response.add_steps_left_behind(std::move(step));
    for (std::string& step : plan->undone) response.add_steps_undone(std::move(step));
    Answer(run, std::move(done), std::move(response));
  });
}

}  // namespace engine
