#include <algorithm>
#include <limits>
#include <set>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/coverage.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/engine/partition.h"
#include "orchestrator/engine/tenant.h"
#include "orchestrator/history/codec.h"
#include "orchestrator/history/time.h"

namespace engine {
namespace {

absl::Status NoSuchWorkflow(const std::string& workflow_id) {
  return absl::NotFoundError(absl::StrCat("no workflow with id \"", workflow_id, "\""));
}

// The attempts that are stored beside the history, and what is not known of the others. Clocks
// have no say in it: `first_own_event` is the first event that this owner of the partition wrote.
void RestoreAttempts(core::RunState& state, const std::vector<v1::ActivityAttemptState>& rows,
                     int64_t lease, EventId first_own_event, absl::Time now) {
  std::set<EventId> own;  // planned by this owner, which knows whether it dispatched them
  for (const v1::ActivityAttemptState& row : rows) {
    const auto it = state.activities.find(row.scheduled_event_id());
    if (it == state.activities.end()) continue;
    core::PendingActivity& activity = it->second;
    activity.attempt_stored = true;
    activity.attempt = row.attempt();
    activity.next_attempt_time = history::FromProto(row.next_attempt_time());
    if (row.has_last_failure()) {
      activity.last_failure = row.last_failure();
      activity.effect_unknown = row.last_failure().effect_unknown();
    }
    activity.effect_unknown |= row.effect_unknown();
    activity.paused = row.paused();
    activity.postponed = row.postponed();
    if (row.has_last_heartbeat()) activity.last_heartbeat = row.last_heartbeat();
    REACHED("attempt restored");
    if (row.lease() == lease) own.insert(row.scheduled_event_id());
  }
  for (auto& [id, activity] : state.activities) {
    // What an earlier owner planned it may have dispatched, whatever its clock said, and what came
    // of that may have been lost with it. An own row of the attempt holds this mark already.
    if (id < first_own_event && !own.contains(id)) {
      REACHED("takeover: effect unknown");
      activity.effect_unknown = true;
    }
    // The clock has stepped back since: a first attempt waits for nothing.
    if (activity.attempt == 1 && activity.postponed == 0) {
      activity.next_attempt_time = std::min(activity.next_attempt_time, now);
    }
  }
}

}  // namespace

absl::StatusOr<LiveRun*> Partition::FindByWorkflow(const std::string& given_ns,
                                                   const std::string& workflow_id,
                                                   const std::string& run_id) {
  const std::string& ns = NamespaceOr(given_ns);
  if (!run_id.empty()) {
    ASSIGN_OR_RETURN(LiveRun * run, Find(RunId(run_id)));
    // A run id opens no door to other tenants.
    if (run->row.workflow_id.value() != workflow_id || run->row.ns.value() != ns) {
      return NoSuchWorkflow(workflow_id);
    }
    return run;
  }
  const auto known = current_.find(WorkflowKey(ns, workflow_id));
  if (known != current_.end()) return Find(known->second);
  ASSIGN_OR_RETURN(std::optional<store::RunRow> row,
                   deps_.store.FindRun(base::Namespace(ns), base::WorkflowId(workflow_id)));
  if (!row.has_value()) return NoSuchWorkflow(workflow_id);
  return Find(row->run_id);
}

absl::StatusOr<LiveRun*> Partition::FindOpen(const std::string& ns, const std::string& workflow_id,
                                             const std::string& run_id) {
  ASSIGN_OR_RETURN(LiveRun * run, FindByWorkflow(ns, workflow_id, run_id));
  if (run->state.closed()) {
    return absl::FailedPreconditionError(
        absl::StrCat("workflow \"", workflow_id, "\" is closed (",
                     v1::RunStatus::Value_Name(run->state.closed_status), ")"));
  }
  return run;
}

absl::StatusOr<LiveRun*> Partition::Find(const RunId& id) {
  const auto live = runs_.find(id);
  if (live != runs_.end()) {
    Touch(*live->second);
    return live->second.get();
  }
  ASSIGN_OR_RETURN(store::StoredRun stored, deps_.store.LoadRun(id));
  auto run = std::make_unique<LiveRun>();
  run->id = id;
  run->row = std::move(stored.row);
  run->is_new = false;
  run->stored_next_event_id = run->row.next_event_id;
  std::vector<v1::HistoryEvent> events;
  EventId first_own_event = std::numeric_limits<EventId>::max();
  for (const std::string& transition : stored.transitions) {
    const size_t before = events.size();
    run->history_bytes += static_cast<int64_t>(transition.size());
    int64_t lease = 0;
    absl::Status expanded = history::Expand(transition, &events, &lease);
    if (expanded.ok() && lease == lease_ && events.size() > before) {
      first_own_event = std::min(first_own_event, events[before].event_id());
    }
    if (!expanded.ok()) {
      return absl::DataLossError(absl::StrCat("run=", id.value(), ": ", expanded.message()));
    }
  }
  for (const v1::HistoryEvent& event : events) {
    core::Apply(run->state, event, history::FromProto(event.event_time()));
  }
  if (!run->state.corruption.empty()) {
    return absl::DataLossError(
        absl::StrCat("run=", id.value(), " cannot be read: ", run->state.corruption));
  }
  if (run->state.next_event_id != run->row.next_event_id) {
    return absl::DataLossError(absl::StrCat("run=", id.value(), " has ",
                                            run->state.next_event_id - 1, " events, its row says ",
                                            run->row.next_event_id - 1));
  }
  RestoreAttempts(run->state, stored.attempts, lease_, first_own_event, Now());
  for (auto& [scheduled_id, activity] : run->state.activities) {
    const auto attempt = attempts_.find({id, scheduled_id});
    if (attempt == attempts_.end()) continue;
    REACHED("attempt in flight outlived its run in memory");
    activity.in_flight = attempt->second.token.attempt == activity.attempt;
    activity.started_time = attempt->second.started_time;
    activity.heartbeat_time = attempt->second.heartbeat_time;
  }
  const bool stuck_in_code =
      run->row.status == v1::RunStatus::STUCK && !run->state.blocked() && !run->state.closed();
  if (stuck_in_code) {
    REACHED("stuck run loaded");
    run->stuck_reason = run->row.status_reason;
    run->stuck_retry_at = Now();  // the code may have changed since
    run->stuck_backoff = options_.stuck_retry_min;
  }
  run->history = std::move(events);
  run->owes = run->state.closed() && run->row.wake_at != absl::InfiniteFuture();
  run->messages = CountMessages(*run);
  // Whoever loads the run, what it has to send goes out.
  run->message_waits = !run->state.closed() && !run->state.paused && core::HasMessages(run->state);
  for (auto& [event_id, external] : run->state.externals) external.in_flight = true;  // perhaps
  lru_.push_front(id);
  run->lru = lru_.begin();
  LiveRun* found = run.get();
  runs_[id] = std::move(run);
  const WorkflowKey key(found->row.ns.value(), found->row.workflow_id.value());
  if (!found->state.closed()) current_[key] = id;
  if (!found->state.closed() || found->owes) UpdateDue(*found);
  return found;
}

LiveRun& Partition::NewRun(RunId id, const v1::WorkflowExecutionStarted& started,
                           const LiveRun* previous) {
  auto run = std::make_unique<LiveRun>();
  run->id = id;
  store::RunRow& row = run->row;
  row.ns = base::Namespace(started.namespace_());
  row.workflow_id = base::WorkflowId(started.workflow_id());
  row.run_id = id;
  row.workflow_type = started.workflow_type();
  row.task_queue = started.task_queue();
  row.parent_workflow_id = started.parent().workflow_id();
  row.request_id = started.request_id();
  row.correlation_id = started.correlation_id();
  // traceparent: 00-<32 hex trace id>-<16 hex span id>-<flags>
  if (started.traceparent().size() >= 35) row.trace_id = started.traceparent().substr(3, 32);
  row.start_time = Now();
  // The newest run of a workflow id is the one that started last, also when the clock stepped back.
  if (previous != nullptr) {
    if (row.start_time <= previous->row.start_time) REACHED("run begins before the one before it");
    row.start_time = std::max(row.start_time, previous->row.start_time + absl::Microseconds(1));
  }
  run->history.emplace();
  run->stored_next_event_id = 1;
  lru_.push_front(id);
  run->lru = lru_.begin();
  current_[WorkflowKey(started.namespace_(), started.workflow_id())] = id;
  LiveRun& added = *run;
  runs_[id] = std::move(run);
  return added;
}

void Partition::Touch(LiveRun& run) { lru_.splice(lru_.begin(), lru_, run.lru); }

void Partition::Evict() {
  int looked_at = 0;
  auto it = lru_.end();
  while (static_cast<int>(runs_.size()) > options_.live_runs_max && it != lru_.begin() &&
         ++looked_at < 256) {
    --it;
    const RunId id = *it;
    const LiveRun& run = *runs_.at(id);
    if (run.pinned()) continue;
    const absl::Time wake_at = run.row.wake_at;
    // The live run may know better: "at once" is later when the clock has stepped back.
    const auto known = due_of_.find(id);
    // When it knows of nothing, whatever its row says can wait: it would only be loaded at once
    // again.
    const absl::Time due =
        std::max(wake_at, known == due_of_.end() ? Now() + options_.store_retry : known->second);
    ++it;  // Forget erases the entry before it
    Forget(id);
    REACHED("eviction");
    if (wake_at <= horizon_) {
      REACHED("eviction of a run with something due");
      SetDue(id, due);
    }
  }
}

void Partition::Forget(const RunId& id) {
  const auto it = runs_.find(id);
  if (it == runs_.end()) return;
  const LiveRun& run = *it->second;
  const auto current = current_.find(WorkflowKey(run.row.ns.value(), run.row.workflow_id.value()));
  if (current != current_.end() && current->second == id) current_.erase(current);
  SetDue(id, absl::InfiniteFuture());
  lru_.erase(run.lru);
  runs_.erase(it);
}

}  // namespace engine
