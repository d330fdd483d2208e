#include "tests/simulation/checker.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wrappers.pb.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "orchestrator/engine/options.h"
#include "orchestrator/history/codec.h"
#include "orchestrator/history/payload.h"
#include "orchestrator/history/time.h"

namespace sim {
namespace {

// Maps in a message have no order; for the trace they need one.
std::string StableBytes(const google::protobuf::MessageLite& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

std::string EventName(const v1::HistoryEvent& event) {
  const auto* oneof = v1::HistoryEvent::descriptor()->FindOneofByName("attributes");
  const auto* field = v1::HistoryEvent::GetReflection()->GetOneofFieldDescriptor(event, oneof);
  return field == nullptr ? "none" : std::string(field->name());
}

// The scheduled event that an event closes; 0: none.
base::EventId ClosedBy(const v1::HistoryEvent& event) {
  if (event.has_activity_task_completed()) {
    return event.activity_task_completed().scheduled_event_id();
  }
  if (event.has_activity_task_failed()) return event.activity_task_failed().scheduled_event_id();
  if (event.has_activity_task_timed_out()) {
    return event.activity_task_timed_out().scheduled_event_id();
  }
  if (event.has_activity_task_canceled()) {
    return event.activity_task_canceled().scheduled_event_id();
  }
  return 0;
}

// The order to start a child whose end an event records; 0: none.
base::EventId ChildClosedBy(const v1::HistoryEvent& event) {
  if (event.has_child_workflow_execution_completed()) {
    return event.child_workflow_execution_completed().initiated_event_id();
  }
  if (event.has_child_workflow_execution_failed()) {
    return event.child_workflow_execution_failed().initiated_event_id();
  }
  if (event.has_child_workflow_execution_canceled()) {
    return event.child_workflow_execution_canceled().initiated_event_id();
  }
  if (event.has_child_workflow_execution_timed_out()) {
    return event.child_workflow_execution_timed_out().initiated_event_id();
  }
  if (event.has_child_workflow_execution_terminated()) {
    return event.child_workflow_execution_terminated().initiated_event_id();
  }
  return 0;
}

// "workflow/3.1" -> 3.
int PlaceOf(const std::string& step) {
  int place = -1;
  const std::string number = step.substr(step.rfind('/') + 1);
  (void)absl::SimpleAtoi(number.substr(0, number.find('.')), &place);
  return place;
}

bool IsUndoneStatus(v1::RunStatus::Value status) {
  return status == v1::RunStatus::FAILED || status == v1::RunStatus::CANCELED ||
         status == v1::RunStatus::TIMED_OUT;
}

}  // namespace

void Checker::Fail(const std::string& what) {
  if (!violation_.empty()) return;
  violation_ = what;
  scheduler_.Log([&] { return "VIOLATION: " + what; });
}

const Checker::Shadow* Checker::Newest(const std::string& workflow_id) const {
  const auto it = newest_.find(workflow_id);
  return it == newest_.end() ? nullptr : &runs_.at(it->second);
}

void Checker::OnWritten(const store::WriteBatch& batch) {
  for (const store::RunWrite& write : batch.writes) {
    const base::RunId& id = write.row.run_id;
    const bool known = runs_.contains(id);
    Shadow& run = runs_[id];
    if (known == write.is_new) Fail(absl::StrCat("run ", id.value(), " was created twice"));
    // Of a closed run only what it owes to other runs may change.
    if (known && run.state.closed() &&
        (!write.transition.empty() || !write.attempts_put.empty() ||
         write.row.status != run.row.status || write.row.status_reason != run.row.status_reason ||
         write.row.close_time != run.row.close_time)) {
      Fail(absl::StrCat("closed run ", id.value(), " was written to"));
    }
    if (!write.transition.empty()) {
      v1::Transition transition;
      if (!transition.ParseFromString(write.transition)) return Fail("a transition is no message");
      if (transition.first_event_id() != run.state.next_event_id ||
          write.first_event_id != run.state.next_event_id) {
        Fail(absl::StrCat("run ", id.value(), ": event ids are not contiguous: next is ",
                          run.state.next_event_id, ", written is ", transition.first_event_id()));
      }
      const absl::Time time = history::FromProto(transition.time());
      if (time > scheduler_.latest_wall()) {
        Fail(absl::StrCat("run ", id.value(), ": the transition at event ",
                          transition.first_event_id(), " has a time that has not been yet"));
      }
      scheduler_.trace().Mix(id.value());
      scheduler_.trace().Mix(StableBytes(transition));
      for (const v1::HistoryEvent& event : transition.events()) {
        CheckEvent(run, event, time);
        core::Apply(run.state, event, time);
      }
      run.transitions.push_back(write.transition);
    }
    run.row = write.row;
    run.written_at = scheduler_.now();
    CheckRow(run, write.row);
    if (write.is_new) {
      const std::string& workflow_id = write.row.workflow_id.value();
      newest_[workflow_id] = id;
      if (run.state.started.continued_from_run_id().empty()) {
        const auto [it, added] = starts_.emplace(write.row.request_id, id);
        if (!added) Fail(absl::StrCat("request ", write.row.request_id, " started two runs"));
      }
    }
    scheduler_.Log([&] {
      return absl::StrCat("epoch ", batch.epoch, " wrote ", write.row.workflow_id.value(), " ",
                          id.value(), " to event ", write.row.next_event_id - 1, " ",
                          v1::RunStatus::Value_Name(write.row.status));
    });
  }
}

void Checker::CheckEvent(Shadow& run, const v1::HistoryEvent& event, absl::Time time) {
  const core::RunState& state = run.state;
  const std::string name = EventName(event);
  events_seen.insert(name);
  scheduler_.Log([&] { return absl::StrCat("  event ", state.next_event_id, " ", name); });
  const std::string where =
      absl::StrCat("run ", run.state.started.run_id(), " event ", state.next_event_id, ": ");
  if (state.closed()) Fail(where + name + " after the run closed");
  if (event.has_timer_fired()) {
    const auto timer = state.timers.find(event.timer_fired().timer_id());
    if (timer == state.timers.end()) {
      Fail(where + "a timer fired that does not run");
    } else if (time < timer->second.fire_at || scheduler_.latest_wall() < timer->second.fire_at) {
      Fail(where + "a timer fired early");
    }
  }
  if (state.paused && event.has_workflow_task()) {
    Fail(where + "workflow code ran although the run is paused");
  }
  if (event.has_workflow_execution_signaled()) {
    const std::string& request = event.workflow_execution_signaled().request_id();
    if (!request.empty() && state.signal_request_ids.contains(request)) {
      Fail(absl::StrCat(where, "the signal ", request, " was recorded twice"));
    }
    if (absl::StartsWith(request, "run:") &&
        !messages_.insert(std::string(absl::StripAsciiWhitespace(request))).second) {
      Fail(absl::StrCat(where, "the message ", request, " was recorded twice"));
    }
  }
  if (const base::EventId child = ChildClosedBy(event); child != 0) {
    if (!state.children.contains(child)) {
      Fail(absl::StrCat(where, "child ", child, " ended twice"));
    }
  }
  if (event.has_workflow_execution_started() &&
      event.workflow_execution_started().continued_from_run_id().empty()) {
    const auto& started = event.workflow_execution_started();
    const auto program = history::FromPayload<google::protobuf::StringValue>(started.input());
    if (program.ok()) programs_[started.workflow_id()] = program->value();
  }
  if (event.has_activity_task_scheduled()) {
    run.keys[state.next_event_id] = event.activity_task_scheduled().idempotency_key();
  }
  if (event.has_activity_task_started()) {
    run.started_attempts[event.activity_task_started().scheduled_event_id()] =
        event.activity_task_started().attempt();
  }
  if (const base::EventId scheduled = ClosedBy(event); scheduled != 0) {
    if (!state.activities.contains(scheduled)) {
      Fail(absl::StrCat(where, "activity ", scheduled, " ended twice"));
    }
  }
  if (event.has_activity_task_completed()) {
    const auto& completed = event.activity_task_completed();
    const auto result = history::FromPayload<google::protobuf::StringValue>(completed.result());
    const size_t mark = result.ok() ? result->value().find('#') : std::string::npos;
    const int attempt = run.started_attempts[completed.scheduled_event_id()];
    if (mark != std::string::npos && result->value().substr(mark + 1) != absl::StrCat(attempt)) {
      Fail(absl::StrCat(where, "the result ", result->value(), " was recorded for attempt ",
                        attempt));
    }
  }
}

// The row is a projection of the history.
void Checker::CheckRow(const Shadow& run, const store::RunRow& row) {
  const core::RunState& state = run.state;
  const std::string where = absl::StrCat("run ", row.run_id.value(), ": its row says ");
  if (row.next_event_id != state.next_event_id) {
    Fail(absl::StrCat(where, "next event ", row.next_event_id, ", its history ",
                      state.next_event_id));
  }
  const bool row_closed = row.close_time != absl::InfiniteFuture();
  if (row_closed != state.closed() || (state.closed() && row.status != state.closed_status)) {
    Fail(absl::StrCat(where, v1::RunStatus::Value_Name(row.status), ", its history ",
                      v1::RunStatus::Value_Name(state.closed_status)));
  }
  if (!state.closed() && !state.paused && state.blocked() && row.status != v1::RunStatus::STUCK) {
    Fail(where + "it is not stuck, its saga is blocked");
  }
  if (row.saga_state != state.saga_state()) Fail(where + "another saga state than its history");
  if (row.status_reason.starts_with("nondeterminism")) Fail(where + row.status_reason);
  for (const auto& [id, timer] : state.timers) {
    if (!state.closed() && row.wake_at > timer.fire_at) Fail(where + "it wakes after its timer");
  }
}

void Checker::OnAccepted(const store::WriteBatch& batch) {
  if (batch.epoch < epoch(batch.partition)) {
    Fail(absl::StrCat("a commit of epoch ", batch.epoch, " was accepted, the partition is at ",
                      epoch(batch.partition)));
  }
  for (const store::RunWrite& write : batch.writes) {
    for (const auto& attempt : write.attempts_put) {
      promised_attempts_[{write.row.run_id, attempt.scheduled_event_id()}] = attempt.attempt();
    }
  }
}

void Checker::OnAttemptEnded(const engine::ActivityToken& token, int node) {
  running_[{token.run_id, token.scheduled_event_id}].erase(node);
}

void Checker::OnNodeEnded(int node) {
  for (auto& [attempt, nodes] : running_) nodes.erase(node);
}

void Checker::OnDispatch(const engine::ActivityTask& task, int node) {
  std::set<int>& nodes = running_[{task.token.run_id, task.token.scheduled_event_id}];
  nodes.insert(node);
  if (nodes.size() > 1) overlapped_.insert(task.workflow_id);
  const auto run = runs_.find(task.token.run_id);
  const base::EventId scheduled = task.token.scheduled_event_id;
  const std::string where =
      absl::StrCat("attempt ", task.token.attempt, " of ", task.scheduled->idempotency_key());
  scheduler_.Log([&] {
    return absl::StrCat("epoch ", task.token.epoch, " dispatch ", task.token.dispatch, ": ", where);
  });
  if (scheduled < 0) return;  // a local activity: not in the history
  if (run != runs_.end() && run->second.state.paused) {
    Fail(absl::StrCat(where, " was dispatched although its run is paused"));
  }
  const auto put_off = put_off_.find({task.token.run_id, scheduled});
  if (put_off != put_off_.end()) {
    if (task.token.attempt > put_off->second) {
      Fail(absl::StrCat(where, ": attempt ", put_off->second, " was put off and counted"));
    }
    put_off_.erase(put_off);
  }
  if (run == runs_.end() || !run->second.keys.contains(scheduled) ||
      run->second.keys.at(scheduled) != task.scheduled->idempotency_key()) {
    return Fail(where + " was dispatched before it was durable");
  }
  const Lease& lease = leases_[task.token.partition];
  if (task.token.epoch < lease.epoch) {
    const absl::Duration ago = scheduler_.now() - lease.since;
    if (ago > engine::EngineOptions().lease_check_after) {
      Fail(absl::StrCat(where, " was dispatched by an owner that lost its lease ",
                        absl::FormatDuration(ago), " ago"));
    }
  }
  const auto promised = promised_attempts_.find({task.token.run_id, scheduled});
  if (task.token.epoch == lease.epoch && promised != promised_attempts_.end() &&
      task.token.attempt < promised->second) {
    Fail(absl::StrCat(where, " was dispatched although attempt ", promised->second,
                      " was planned durably"));
  }
}

void Checker::OnStarted(const std::string& run_id, const std::string& request_id) {
  if (!runs_.contains(base::RunId(run_id)) || !starts_.contains(request_id)) {
    Fail(absl::StrCat("the start ", request_id, " was acknowledged and is not stored"));
  }
}

void Checker::OnSignaled(const std::string& run_id, const std::string& request_id) {
  const auto run = runs_.find(base::RunId(run_id));
  if (run == runs_.end() || !run->second.state.signal_request_ids.contains(request_id)) {
    Fail(absl::StrCat("the signal ", request_id, " was acknowledged and is not stored"));
  }
}

void Checker::OnPaused(const std::string& run_id, const std::string& request_id) {
  const auto run = runs_.find(base::RunId(run_id));
  if (run == runs_.end() || !run->second.state.control_request_ids.contains(request_id)) {
    Fail(absl::StrCat("the pause ", request_id, " was acknowledged and is not stored"));
  }
}

void Checker::OnOutcome(const engine::ActivityToken& token, const core::ActivityOutcome& outcome) {
  const std::pair<base::RunId, base::EventId> key(token.run_id, token.scheduled_event_id);
  if (outcome.failure.has_value() && outcome.failure->not_attempted()) {
    put_off_[key] = token.attempt;
  } else {
    put_off_.erase(key);
  }
}

std::string Checker::OpenChildOf(const std::string& workflow_id) const {
  for (const auto& [id, run] : runs_) {
    if (!run.state.closed() && run.state.started.parent().workflow_id() == workflow_id) {
      return run.row.workflow_id.value();
    }
  }
  return "";
}

bool Checker::AllClosed() const {
  for (const auto& [id, run] : runs_) {
    if (!run.state.closed()) return false;
  }
  return true;
}

void Checker::OnUpdated(const v1::UpdateWorkflowResponse& response) {
  if (response.has_rejected()) return;
  const auto run = runs_.find(base::RunId(response.run_id()));
  if (run != runs_.end()) {
    const auto update = run->second.state.updates.find(response.update_id());
    if (update != run->second.state.updates.end() && update->second.completed) return;
  }
  Fail(absl::StrCat("the update ", response.update_id(), " was answered and is not stored"));
}

void Checker::OnDescribed(const v1::WorkflowInfo& info) {
  const auto run = runs_.find(base::RunId(info.run_id()));
  if (run == runs_.end()) return Fail("a run was described that is not stored");
  const core::RunState& state = run->second.state;
  if (info.history_length() >= state.next_event_id) {
    return Fail(absl::StrCat("run ", info.run_id(), " was described with ", info.history_length(),
                             " events, ", state.next_event_id - 1, " are stored"));
  }
  // Of the same length it must be the same: replay(history) is the live state.
  if (info.history_length() != state.next_event_id - 1) return;
  std::set<std::string> live;
  std::set<std::string> folded;
  for (const auto& activity : info.pending_activities()) {
    // Local activities are not in the history.
    if (!absl::StartsWith(activity.activity_id(), "local-")) live.insert(activity.activity_id());
  }
  for (const auto& [id, event] : state.activity_ids) folded.insert(id);
  if (live != folded || info.saga_state() != state.saga_state() ||
      info.has_close_time() != state.closed()) {
    Fail(absl::StrCat("run ", info.run_id(), ": replay(history) is not the live state at event ",
                      info.history_length()));
  }
}

void Checker::CheckNothingOverdue() {
  for (const auto& [id, run] : runs_) {
    if (run.state.closed() || run.state.paused) continue;
    if (run.row.wake_at > scheduler_.wall() - absl::Minutes(3)) continue;
    if (run.written_at > scheduler_.now() - absl::Minutes(3)) continue;
    Fail(absl::StrCat("run ", id.value(), " is due and nothing happens"));
  }
}

void Checker::CheckDisk(const store::SimulatedDisk& disk) {
  const store::SimulatedDisk::Content content = disk.Snapshot();
  for (const auto& [id, run] : runs_) {
    const auto stored = content.runs.find(id);
    if (stored == content.runs.end()) return Fail(absl::StrCat("run ", id.value(), " is gone"));
    std::vector<std::string> transitions;
    for (const auto& [first, bytes] : stored->second.transitions) transitions.push_back(bytes);
    if (transitions != run.transitions) {
      return Fail(absl::StrCat("run ", id.value(), ": its history changed: ", transitions.size(),
                               " transitions, ", run.transitions.size(), " were written"));
    }
    if (stored->second.row.status != run.row.status) {
      return Fail(absl::StrCat("run ", id.value(), ": its row changed"));
    }
  }
}

void Checker::CheckEnd(const std::map<std::string, std::string>& programs,
                       engine::WorkflowRunner& runner) {
  for (const auto& [id, run] : runs_) {
    if (!run.state.closed()) Fail(absl::StrCat("run ", id.value(), " did not end"));
    CheckReplay(run, runner);
  }
  std::map<std::string, int> times;
  for (const auto& [key, effect] : vendor_.effects()) {
    // Every run of a cron does its steps.
    const bool cron = absl::StartsWith(effect.step, "cron/");
    times[cron ? key : effect.step] += effect.times;
  }
  for (const auto& [step, count] : times) {
    if (count > 1) Fail(absl::StrCat("the effect of ", step, " happened ", count, " times"));
  }
  for (const auto& [workflow_id, program] : programs) {
    if (!programs_.contains(workflow_id)) Fail(absl::StrCat(workflow_id, " never began"));
  }
  for (const auto& [workflow_id, program] : programs_) CheckWorkflow(workflow_id, program);
}

void Checker::CheckReplay(const Shadow& run, engine::WorkflowRunner& runner) {
  std::vector<v1::HistoryEvent> events;
  for (const std::string& transition : run.transitions) {
    const absl::Status expanded = history::Expand(transition, &events);
    if (!expanded.ok()) return Fail(std::string(expanded.message()));
  }
  core::RunState folded;
  base::EventId next = 1;
  for (const v1::HistoryEvent& event : events) {
    if (event.event_id() != next++) Fail("served event ids are not contiguous");
    core::Apply(folded, event, history::FromProto(event.event_time()));
  }
  if (folded.next_event_id != run.state.next_event_id ||
      folded.closed_status != run.state.closed_status ||
      folded.saga_state() != run.state.saga_state()) {
    Fail("the served history folds to another state than the stored one");
  }
  const auto replayed = runner.Load(run.row.workflow_type, events);
  if (!replayed.ok()) {
    Fail(absl::StrCat("run ", run.row.run_id.value(),
                      " does not replay: ", replayed.status().message()));
  }
}

void Checker::CheckWorkflow(const std::string& workflow_id, const std::string& program) {
  const Shadow* last = Newest(workflow_id);
  if (last == nullptr) return Fail(absl::StrCat("workflow ", workflow_id, " never began"));
  const core::RunState& state = last->state;
  const v1::RunStatus::Value status = state.closed_status;
  const auto undone = vendor_.undo_order().find(workflow_id);
  if (undone != vendor_.undo_order().end()) {
    if (status == v1::RunStatus::COMPLETED) {
      Fail(absl::StrCat("workflow ", workflow_id, " completed, yet something was undone"));
    }
    const std::vector<std::string>& order = undone->second;
    for (size_t i = 1; i < order.size(); ++i) {
      if (PlaceOf(order[i]) > PlaceOf(order[i - 1])) {
        Fail(absl::StrCat("step ", order[i], " was undone after the older ", order[i - 1]));
      }
    }
  }
  std::map<std::string, const Effect*> alive;  // by key
  for (const auto& [key, effect] : vendor_.effects()) {
    if (effect.done && effect.step.starts_with(workflow_id + "/")) alive[key] = &effect;
  }
  std::set<std::string> decided;  // by an operator
  std::map<std::string, std::string> carried;
  for (const auto& step : state.started.carried_saga().steps()) {
    carried[step.registration().step()] = step.input().step_idempotency_key();
  }
  for (const core::SagaStep& step : state.saga) {
    const std::string& name = step.registration.step();
    const std::string key = carried.contains(name)
                                ? carried[name]
                                : absl::StrCat(workflow_id, "/", last->row.run_id.value(), "/",
                                               step.registration.activity_id());
    const std::string where =
        absl::StrCat("workflow ", workflow_id, " ended ", v1::RunStatus::Value_Name(status),
                     ": step ", name, " (", v1::StepOutcome::Value_Name(step.outcome), ") ");
    if (step.compensation == v1::CompensationState::SKIPPED ||
        step.compensation == v1::CompensationState::RESOLVED) {
      decided.insert(key);
    }
    if (status == v1::RunStatus::COMPLETED && step.outcome == v1::StepOutcome::SUCCEEDED &&
        !alive.contains(key)) {
      Fail(where + "has no effect");
    }
    if (!IsUndoneStatus(status) || state.pivot_passed) continue;
    const bool needed =
        (step.outcome == v1::StepOutcome::SUCCEEDED || step.outcome == v1::StepOutcome::UNKNOWN) &&
        !step.registration.compensation_type().empty();
    if (needed != (step.compensation != v1::CompensationState::NONE)) {
      Fail(absl::StrCat(where, "its compensation is ",
                        v1::CompensationState::Value_Name(step.compensation)));
    }
  }
  if (!IsUndoneStatus(status) || state.pivot_passed) return;
  for (const auto& [key, effect] : alive) {
    const std::string step = effect->step.substr(workflow_id.size() + 1);
    if (decided.contains(key) || absl::StrContains(program, absl::StrCat("act:", step, ":")) ||
        absl::StrContains(program, absl::StrCat("scope:", step, ":"))) {
      continue;
    }
    Fail(absl::StrCat("workflow ", workflow_id, " ended ", v1::RunStatus::Value_Name(status),
                      " and was undone, yet the effect of ", effect->step, " is there"));
  }
}

}  // namespace sim
