#include "orchestrator/schedules/schedule_state.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/history/payload.h"
#include "orchestrator/history/time.h"
#include "orchestrator/schedules/check.h"

namespace schedules {
namespace {

using Policy = v1::OverlapPolicy;

absl::Time TimeOf(const google::protobuf::Timestamp& time) { return history::FromProto(time); }

template <typename List>
void KeepLast(List* list, int count) {
  if (list->size() > count) list->DeleteSubrange(0, list->size() - count);
}

}  // namespace

ScheduleRun::ScheduleRun(v1::ScheduleInput input, Timetable table, absl::Time now)
    : input_(std::move(input)), table_(std::move(table)) {
  if (input_.has_state()) return;
  v1::ScheduleState& state = *input_.mutable_state();
  *state.mutable_create_time() = history::ToProto(now);
  *state.mutable_cursor() = history::ToProto(now);
  state.set_paused(input_.paused());
  state.set_note(input_.note());
  Changed(now);
}

bool ScheduleRun::MustAsk(absl::Time now) const {
  if (state().paused() || state().pending_size() >= kPendingMax) return false;
  return !known_ || next_ <= now;
}

v1::DueTimes ScheduleRun::AskDue(absl::Time now) const {
  return table_.Due(TimeOf(state().cursor()), now, CatchUpWindow(), kDueAtOnceMax);
}

void ScheduleRun::Take(const v1::DueTimes& due) {
  for (const auto& time : due.due()) {
    v1::PendingStart* start = state().add_pending();
    *start->mutable_scheduled_time() = time;
    start->set_reason(v1::StartReason::TIME);
  }
  state().mutable_counts()->set_missed(state().counts().missed() + due.missed());
  *state().mutable_cursor() = due.cursor();
  known_ = true;
  next_ = due.has_next() ? TimeOf(due.next()) : absl::InfiniteFuture();
}

bool ScheduleRun::MustAskBackfill() const {
  return !state().backfills().empty() && state().pending().empty() && state().buffer().empty();
}

v1::DueTimes ScheduleRun::AskBackfill() const {
  const v1::ScheduleBackfill& backfill = state().backfills(0);
  const absl::Time end = TimeOf(backfill.end_time());
  absl::Time cursor = backfill.has_done_until()
                          ? TimeOf(backfill.done_until())
                          : TimeOf(backfill.start_time()) - absl::Nanoseconds(1);
  v1::DueTimes result;
  while (result.due_size() < kDueAtOnceMax) {
    const absl::Time next = table_.Next(cursor);
    if (next > end || next == absl::InfiniteFuture()) break;
    *result.add_due() = history::ToProto(next);
    cursor = next;
  }
  *result.mutable_cursor() = history::ToProto(cursor);
  result.set_more(result.due_size() == kDueAtOnceMax);
  return result;
}

void ScheduleRun::TakeBackfill(const v1::DueTimes& due) {
  v1::ScheduleBackfill* backfill = state().mutable_backfills(0);
  for (const auto& time : due.due()) {
    v1::PendingStart* start = state().add_pending();
    *start->mutable_scheduled_time() = time;
    start->set_reason(v1::StartReason::BACKFILL);
    start->set_overlap(backfill->overlap() == Policy::ALLOW ? Policy::ALLOW : Policy::BUFFER_ALL);
  }
  *backfill->mutable_done_until() = due.cursor();
  if (!due.more()) state().mutable_backfills()->DeleteSubrange(0, 1);
}

absl::Time ScheduleRun::NextWake() const {
  return state().paused() || !known_ ? absl::InfiniteFuture() : next_;
}

bool ScheduleRun::Ended() const {
  return state().deleted() ||
         (known_ && next_ == absl::InfiniteFuture() && !state().paused() &&
          state().pending().empty() && state().buffer().empty() && state().backfills().empty());
}

Policy::Value ScheduleRun::PolicyOf(const v1::PendingStart& start) const {
  if (start.overlap() != Policy::UNSPECIFIED) return start.overlap();
  const Policy::Value policy = input_.schedule().policies().overlap();
  return policy == Policy::UNSPECIFIED ? Policy::SKIP : policy;
}

std::string ScheduleRun::WorkflowId(const v1::PendingStart& start) const {
  const std::string& prefix = input_.schedule().action().workflow_id_prefix();
  // Triggers have milliseconds, so that they are never taken for a time of the timetable.
  const char* format =
      start.reason() == v1::StartReason::TRIGGER ? "%Y-%m-%dT%H:%M:%E3SZ" : "%Y-%m-%dT%H:%M:%SZ";
  return absl::StrCat(
      prefix.empty() ? input_.schedule_id() : prefix, "-",
      absl::FormatTime(format, TimeOf(start.scheduled_time()), absl::UTCTimeZone()));
}

v1::StartWorkflowRequest ScheduleRun::StartRequest(const v1::PendingStart& start) const {
  const v1::ScheduleAction& action = input_.schedule().action();
  v1::StartWorkflowRequest request;
  request.set_workflow_id(WorkflowId(start));
  request.set_workflow_type(action.workflow_type());
  *request.mutable_input() = action.input();
  request.set_request_id(absl::StrCat("schedule:", input_.schedule_id(), ":",
                                      absl::ToUnixMillis(TimeOf(start.scheduled_time()))));
  request.set_task_queue(action.task_queue());
  if (action.has_execution_timeout()) {
    *request.mutable_execution_timeout() = action.execution_timeout();
  }
  if (action.has_run_timeout()) *request.mutable_run_timeout() = action.run_timeout();
  request.set_identity(absl::StrCat("schedule:", input_.schedule_id()));
  // A time has one start, also when it is backfilled and its run has ended.
  request.set_workflow_id_reuse_policy(v1::WorkflowIdReusePolicy::REJECT_DUPLICATE);
  *request.mutable_search_attributes() = action.search_attributes();
  auto& fields = *request.mutable_search_attributes()->mutable_fields();
  fields["ScheduleId"].set_keyword(input_.schedule_id());
  *fields["ScheduledTime"].mutable_datetime() = start.scheduled_time();
  *request.mutable_memo() = action.memo();
  return request;
}

void ScheduleRun::Started(const v1::PendingStart& start, const v1::StartWorkflowRequest& request,
                          const base::Outcome<v1::StartWorkflowResponse>& outcome, absl::Time now) {
  v1::ScheduleCounts* counts = state().mutable_counts();
  v1::ScheduledRun run;
  run.set_workflow_id(request.workflow_id());
  *run.mutable_scheduled_time() = start.scheduled_time();
  *run.mutable_start_time() = history::ToProto(now);
  run.set_reason(start.reason());
  if (!outcome.ok()) {
    *run.mutable_failure() = history::ToProto(outcome.failure());
    // A time whose run had another input, before the schedule was changed.
    run.set_already_started(outcome.failure().type == "AlreadyExists" &&
                            start.reason() == v1::StartReason::BACKFILL);
    if (run.already_started()) {
      counts->set_already_started(counts->already_started() + 1);
    } else {
      counts->set_failed(counts->failed() + 1);
    }
  } else {
    run.set_run_id(outcome->run_id());
    // A start whose answer was lost is made twice and says so too; only a backfill can tell.
    run.set_already_started(outcome->already_started() &&
                            start.reason() == v1::StartReason::BACKFILL);
    if (run.already_started()) {
      counts->set_already_started(counts->already_started() + 1);
    } else {
      counts->set_started(counts->started() + 1);
    }
    *state().add_running() = run;
    KeepLast(state().mutable_running(), kRunningMax);
  }
  *state().add_recent() = std::move(run);
  KeepLast(state().mutable_recent(), kRecentMax);
}

bool ScheduleRun::Overlaps(const v1::PendingStart& start) {
  v1::ScheduleCounts* counts = state().mutable_counts();
  auto* buffer = state().mutable_buffer();
  const Policy::Value policy = PolicyOf(start);
  switch (policy) {
    case Policy::CANCEL_OTHER:
    case Policy::TERMINATE_OTHER:
      counts->set_skipped(counts->skipped() + buffer->size());
      buffer->Clear();
      *buffer->Add() = start;
      return true;
    case Policy::BUFFER_ONE:
    case Policy::BUFFER_ALL:
      if (buffer->size() < (policy == Policy::BUFFER_ONE ? 1 : kBufferMax)) {
        *buffer->Add() = start;
        return false;
      }
      [[fallthrough]];
    default:
      counts->set_skipped(counts->skipped() + 1);
      return false;
  }
}

absl::Duration ScheduleRun::CatchUpWindow() const {
  const v1::SchedulePolicies& policies = input_.schedule().policies();
  return policies.has_catch_up_window() ? history::FromProto(policies.catch_up_window())
                                        : kCatchUpWindowDefault;
}

void ScheduleRun::Changed(absl::Time now) {
  state().set_revision(state().revision() + 1);
  *state().mutable_update_time() = history::ToProto(now);
}

void ScheduleRun::Pause(bool paused, const std::string& note, absl::Time now) {
  if (state().paused() && !paused) {
    // Times that passed meanwhile are not made up for. A clock that went back starts none twice.
    if (TimeOf(state().cursor()) < now) *state().mutable_cursor() = history::ToProto(now);
    known_ = false;
  }
  if (paused) {
    DropTimes(state().mutable_pending());
    DropTimes(state().mutable_buffer());
  }
  state().set_paused(paused);
  state().set_note(note);
  Changed(now);
}

// Starts that the timetable asked for and that were not made.
void ScheduleRun::DropTimes(google::protobuf::RepeatedPtrField<v1::PendingStart>* starts) {
  for (int i = starts->size() - 1; i >= 0; --i) {
    if (starts->Get(i).reason() != v1::StartReason::TIME) continue;
    starts->DeleteSubrange(i, 1);
    state().mutable_counts()->set_skipped(state().counts().skipped() + 1);
  }
}

std::string ScheduleRun::Trigger(const v1::TriggerScheduleRequest& request, absl::Time now) {
  const auto known = state().request_ids().find(request.request_id());
  if (known != state().request_ids().end()) return known->second;
  absl::Time at = absl::FromUnixMillis(absl::ToUnixMillis(now));
  if (state().has_last_trigger()) {
    at = std::max(at, TimeOf(state().last_trigger()) + absl::Milliseconds(1));
  }
  *state().mutable_last_trigger() = history::ToProto(at);
  v1::PendingStart start;
  *start.mutable_scheduled_time() = history::ToProto(at);
  start.set_reason(v1::StartReason::TRIGGER);
  start.set_overlap(request.overlap() == Policy::UNSPECIFIED ? Policy::ALLOW : request.overlap());
  const std::string workflow_id = WorkflowId(start);
  *state().add_pending() = std::move(start);
  Remember(request.request_id(), workflow_id);
  return workflow_id;
}

void ScheduleRun::Backfill(const v1::BackfillScheduleRequest& request) {
  if (state().request_ids().contains(request.request_id())) return;
  for (v1::ScheduleBackfill backfill : request.backfills()) {
    backfill.clear_done_until();
    *state().add_backfills() = std::move(backfill);
  }
  Remember(request.request_id(), "");
}

void ScheduleRun::Remember(const std::string& request_id, const std::string& workflow_id) {
  if (request_id.empty()) return;
  (*state().mutable_request_ids())[request_id] = workflow_id;
  state().add_request_order(request_id);
  while (state().request_order_size() > kRequestIdsMax) {
    state().mutable_request_ids()->erase(state().request_order(0));
    state().mutable_request_order()->DeleteSubrange(0, 1);
  }
}

void ScheduleRun::Update(const v1::Schedule& schedule, Timetable table, absl::Time now) {
  *input_.mutable_schedule() = Merge(input_.schedule(), schedule);
  table_ = std::move(table);
  if (schedule.has_spec()) {
    if (TimeOf(state().cursor()) < now) *state().mutable_cursor() = history::ToProto(now);
    known_ = false;
  }
  Changed(now);
}

v1::ScheduleInfo ScheduleRun::Describe(absl::Time now, int next_times) const {
  v1::ScheduleInfo info;
  info.set_schedule_id(input_.schedule_id());
  *info.mutable_schedule() = input_.schedule();
  info.set_paused(state().paused());
  info.set_note(state().note());
  info.set_revision(state().revision());
  *info.mutable_create_time() = state().create_time();
  *info.mutable_update_time() = state().update_time();
  *info.mutable_running() = state().running();
  *info.mutable_recent() = state().recent();
  *info.mutable_counts() = state().counts();
  info.set_waiting(state().buffer_size() + state().pending_size());
  *info.mutable_backfills() = state().backfills();
  if (state().deleted()) info.set_status_reason("deleted");
  if (state().paused() || state().deleted()) return info;
  absl::Time at = std::max(TimeOf(state().cursor()), now - CatchUpWindow());
  while (info.next_times_size() < next_times) {
    at = table_.Next(at);
    if (at == absl::InfiniteFuture()) break;
    *info.add_next_times() = history::ToProto(table_.WithJitter(at));
  }
  return info;
}

v1::Schedule Merge(v1::Schedule schedule, const v1::Schedule& update) {
  if (update.has_spec()) *schedule.mutable_spec() = update.spec();
  if (update.has_action()) *schedule.mutable_action() = update.action();
  if (update.has_policies()) *schedule.mutable_policies() = update.policies();
  return schedule;
}

}  // namespace schedules
