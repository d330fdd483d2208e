#include "orchestrator/engine/live_run.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "orchestrator/core/decide.h"
#include "orchestrator/history/payload.h"
#include "orchestrator/history/time.h"

namespace engine {
namespace {

// Names every blocked compensation.
std::string BlockedReason(const core::RunState& state) {
  std::vector<std::string> blocked;
  for (const core::SagaStep& step : state.saga) {
    if (step.compensation != v1::CompensationState::BLOCKED) continue;
    blocked.push_back(absl::StrCat(
        step.registration.compensation_type(), " of step ", step.registration.step(), " ",
        WhyBlocked(step), ": ",
        step.compensation_failure.has_value() ? step.compensation_failure->message() : "unknown"));
  }
  if (blocked.empty()) return "";
  return absl::StrCat("compensation_blocked: ", absl::StrJoin(blocked, "; "), "; retry, skip or ",
                      "resolve ", blocked.size() == 1 ? "it" : "them");
}

const core::PendingActivity* FindActivity(const core::RunState& state, const std::string& id) {
  const auto it = state.activity_ids.find(id);
  return it == state.activity_ids.end() ? nullptr : &state.activities.at(it->second);
}

void DescribeCompensation(const core::RunState& state, const core::SagaStep& step, absl::Time now,
                          v1::SagaStepInfo* info) {
  info->set_compensation_type(step.registration.compensation_type());
  info->set_compensation(step.compensation);
  info->set_compensation_reason(step.compensation_reason);
  info->set_decided_by(step.decided_by);
  if (step.compensation_failure.has_value()) {
    *info->mutable_compensation_failure() = *step.compensation_failure;
  }
  int attempts = step.compensation_attempts_before + step.compensation_attempts_closed;
  info->set_compensation_maximum_attempts(
      step.registration.compensation_retry_policy().maximum_attempts());
  if (const core::PendingActivity* pending = FindActivity(state, step.compensation_activity_id)) {
    // The attempt that waits for its time has not been made yet.
    attempts += pending->in_flight ? pending->attempt : pending->attempt - 1;
    if (pending->last_failure.has_value()) {
      *info->mutable_compensation_failure() = *pending->last_failure;
    }
    if (!pending->in_flight && pending->next_attempt_time > now) {
      *info->mutable_compensation_next_attempt_time() =
          history::ToProto(pending->next_attempt_time);
    }
  }
  info->set_compensation_attempts(attempts);
}

}  // namespace

std::string WhyBlocked(const core::SagaStep& step) {
  const v1::RetryPolicy& policy = step.registration.compensation_retry_policy();
  const auto& types = policy.non_retryable_error_types();
  const bool retryable =
      !step.compensation_failure.has_value() ||
      (!step.compensation_failure->non_retryable() &&
       std::find(types.begin(), types.end(), step.compensation_failure->type()) == types.end());
  const int attempts = step.compensation_attempts_closed;
  if (!retryable) return "cannot be retried";
  if (policy.maximum_attempts() > 0 && attempts >= policy.maximum_attempts()) {
    return absl::StrCat("used up its ", attempts, " attempts");
  }
  return "ran out of time";
}

bool LiveRun::pinned() const {
  if (writes_pending > 0 || messages > 0 || !update_waiters.empty()) return true;
  if (!locals.empty() || !local_results.empty()) return true;
  return std::any_of(state.activities.begin(), state.activities.end(), [](const auto& entry) {
    return entry.second.in_flight || entry.second.queued;
  });
}

void ProjectRow(LiveRun& run) {
  const core::RunState& state = run.state;
  store::RunRow& row = run.row;
  row.next_event_id = state.next_event_id;
  row.saga_state = state.saga_state();
  row.build_id = state.build_id;
  const bool closing = state.closed() && row.close_time == absl::InfiniteFuture();
  row.close_time = state.close_time;
  if (state.closed()) {
    row.status = state.closed_status;
    row.status_reason =
        state.failure.has_value() ? history::FromProto(*state.failure).ToString() : "";
    if (closing) run.owes = core::OwesAfterClose(state);
    row.wake_at = run.owes ? absl::InfinitePast() : absl::InfiniteFuture();
    return;
  }
  row.wake_at = core::StoredWakeAt(state);
  row.status = v1::RunStatus::RUNNING;
  row.status_reason = "";
  if (!run.stuck_reason.empty()) {
    row.status = v1::RunStatus::STUCK;
    row.status_reason = run.stuck_reason;
    row.wake_at = std::min(row.wake_at, run.stuck_retry_at);
  } else if (state.blocked()) {
    row.status = v1::RunStatus::STUCK;
    row.status_reason = BlockedReason(state);
  } else if (!state.PausedActivities().empty()) {
    row.status = v1::RunStatus::PAUSED;
    row.status_reason = PausedReason(state);
  }
  if (state.paused) {
    row.status = v1::RunStatus::PAUSED;
    row.status_reason = PausedReason(state);
    if (state.blocked()) absl::StrAppend(&row.status_reason, "; ", BlockedReason(state));
  }
}

std::string PausedReason(const core::RunState& state) {
  std::vector<std::string> reasons;
  if (state.paused) {
    reasons.push_back(absl::StrCat("paused by ", state.paused_by.empty() ? "?" : state.paused_by,
                                   state.paused_reason.empty() ? "" : ": ", state.paused_reason));
  }
  for (const core::PendingActivity* activity : state.PausedActivities()) {
    reasons.push_back(absl::StrCat(
        "activity ", activity->scheduled->activity_type(), " (id ",
        activity->scheduled->activity_id(), ") used up its ", activity->attempt - 1, " attempts: ",
        activity->last_failure.has_value() ? history::FromProto(*activity->last_failure).ToString()
                                           : "unknown",
        "; retry it now, or cancel"));
  }
  return absl::StrJoin(reasons, "; ");
}

v1::WorkflowInfo DescribeRow(const store::RunRow& row) {
  v1::WorkflowInfo info;
  info.set_namespace_(row.ns.value());
  info.set_workflow_id(row.workflow_id.value());
  info.set_run_id(row.run_id.value());
  info.set_workflow_type(row.workflow_type);
  info.set_task_queue(row.task_queue);
  info.set_status(row.status);
  info.set_status_reason(row.status_reason);
  *info.mutable_start_time() = history::ToProto(row.start_time);
  if (row.close_time != absl::InfiniteFuture()) {
    *info.mutable_close_time() = history::ToProto(row.close_time);
  }
  info.set_history_length(row.next_event_id - 1);
  info.set_request_id(row.request_id);
  info.set_correlation_id(row.correlation_id);
  info.set_trace_id(row.trace_id);
  info.set_saga_state(row.saga_state);
  info.set_build_id(row.build_id);
  if (!row.parent_workflow_id.empty()) {
    info.mutable_parent()->set_workflow_id(row.parent_workflow_id);
  }
  if (row.properties == nullptr) return info;
  if (!row.properties->search_attributes.fields().empty()) {
    *info.mutable_search_attributes() = row.properties->search_attributes;
  }
  if (!row.properties->memo.fields().empty()) *info.mutable_memo() = row.properties->memo;
  for (const std::string& patch : row.properties->patches) info.add_patches(patch);
  return info;
}

v1::WorkflowInfo DescribeRun(const LiveRun& run, absl::Time now) {
  v1::WorkflowInfo info = DescribeRow(run.row);
  info.set_history_bytes(run.history_bytes);
  info.set_first_run_id(run.state.started.first_run_id());
  info.set_cron_schedule(run.state.started.cron_schedule());
  if (run.state.begins_at != absl::InfinitePast()) {
    *info.mutable_next_start_time() = history::ToProto(run.state.begins_at);
  }
  for (const auto& [id, activity] : run.state.activities) {
    v1::PendingActivity* pending = info.add_pending_activities();
    pending->set_activity_id(activity.scheduled->activity_id());
    pending->set_activity_type(activity.scheduled->activity_type());
    pending->set_attempt(activity.attempt);
    pending->set_maximum_attempts(activity.scheduled->retry_policy().maximum_attempts());
    pending->set_postponed(activity.postponed);
    pending->set_effect_unknown(activity.effect_unknown);
    pending->set_state(activity.cancel_requested          ? "CANCEL_REQUESTED"
                       : activity.in_flight               ? "STARTED"
                       : activity.paused                  ? "PAUSED"
                       : activity.next_attempt_time > now ? "BACKING_OFF"
                                                          : "SCHEDULED");
    if (activity.last_failure.has_value())
      *pending->mutable_last_failure() = *activity.last_failure;
    if (!activity.in_flight && !activity.paused) {
      *pending->mutable_next_attempt_time() = history::ToProto(activity.next_attempt_time);
    }
  }
  for (const auto& [sequence, local] : run.locals) {
    v1::PendingActivity* pending = info.add_pending_activities();
    pending->set_activity_id(absl::StrCat("local-", sequence));
    pending->set_activity_type(local.scheduled->activity_type());
    pending->set_attempt(local.attempt);
    pending->set_maximum_attempts(local.scheduled->retry_policy().maximum_attempts());
    pending->set_effect_unknown(local.effect_unknown);
    pending->set_state(local.in_flight                 ? "STARTED"
                       : local.next_attempt_time > now ? "BACKING_OFF"
                                                       : "SCHEDULED");
    if (local.last_failure.has_value()) *pending->mutable_last_failure() = *local.last_failure;
  }
  if (!run.state.started.parent().run_id().empty()) {
    *info.mutable_parent() = run.state.started.parent();
  }
  for (const auto& [id, child] : run.state.children) {
    if (run.state.closed()) break;
    v1::PendingChild* pending = info.add_pending_children();
    pending->set_workflow_id(child.initiated->workflow_id());
    pending->set_run_id(child.run_id);
    pending->set_workflow_type(child.initiated->workflow_type());
    pending->set_initiated_event_id(id);
    pending->set_parent_close_policy(child.initiated->parent_close_policy());
  }
  return info;
}

v1::SagaInfo DescribeSaga(const core::RunState& state, absl::Time now) {
  v1::SagaInfo info;
  info.set_workflow_id(state.started.workflow_id());
  info.set_run_id(state.started.run_id());
  info.set_state(state.saga_state());
  for (const core::SagaStep& step : state.saga) {
    v1::SagaStepInfo* line = info.add_steps();
    line->set_step(step.registration.step());
    line->set_activity_id(step.registration.activity_id());
    line->set_activity_type(step.activity_type);
    line->set_group(step.registration.group());
    line->set_outcome(step.outcome);
    if (step.failure.has_value()) *line->mutable_failure() = *step.failure;
    DescribeCompensation(state, step, now, line);
  }
  return info;
}

}  // namespace engine
