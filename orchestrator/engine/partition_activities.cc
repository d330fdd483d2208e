
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/coverage.h"
#include "orchestrator/engine/partition.h"

namespace engine {

void Partition::QueueReady(LiveRun& run) {
  if (run.writes_pending > 0 || run.state.closed() || run.state.paused || closed_) return;
  const absl::Time now = Now();
  for (auto& [id, activity] : run.state.activities) {
    if (activity.in_flight || activity.queued || activity.paused) continue;
    if (activity.next_attempt_time > now) continue;
    activity.queued = true;
    ready_.emplace_back(run.id, id);
  }
  QueueReadyLocals(run);
}

void Partition::Pump() {
  if (!ready_.empty() && !HoldsLease()) return;
  const absl::Time now = Now();
  while (!ready_.empty() && !closed_ &&
         static_cast<int>(running_.size()) < deps_.executor.slots()) {
    const AttemptKey key = ready_.front();
    ready_.pop_front();
    const auto live = runs_.find(key.first);
    if (live == runs_.end()) continue;  // was dropped; it comes back when it is due
    LiveRun& run = *live->second;
    if (key.second < 0) {
      StartLocal(run, -key.second);
      continue;
    }
    const auto it = run.state.activities.find(key.second);
    if (it == run.state.activities.end() || !it->second.queued) continue;
    core::PendingActivity& activity = it->second;
    activity.queued = false;
    if (run.state.paused) continue;  // it is queued again when the run is resumed
    activity.in_flight = true;
    activity.started_time = now;
    activity.heartbeat_time = now;
    metrics_.ActivityStarted(now - activity.next_attempt_time);

    ActivityTask task;
    task.scheduled = activity.scheduled;
    task.scheduled_time = activity.scheduled_time;
    task.started_time = now;
    task.last_heartbeat = activity.last_heartbeat;
    Dispatch(run, key.second, activity.attempt, std::move(task));
  }
  metrics_.SetActivities(ready_.size(), running_.size());
}

void Partition::Dispatch(LiveRun& run, int64_t key, int attempt, ActivityTask task) {
  task.token = {.run_id = run.id,
                .scheduled_event_id = key,
                .attempt = attempt,
                .dispatch = ++last_dispatch_,
                .epoch = epoch_,
                .partition = index_};
  task.ns = run.row.ns.value();
  task.workflow_id = run.row.workflow_id.value();
  task.workflow_type = run.row.workflow_type;
  task.traceparent = run.state.started.traceparent();
  task.correlation_id = run.row.correlation_id;
  attempts_[{run.id, key}] = {
      .token = task.token, .started_time = task.started_time, .heartbeat_time = task.started_time};
  running_.insert(task.token.dispatch);
  UpdateDue(run);
  deps_.executor.Start(std::move(task));
}

void Partition::StopAttempts(const RunId& id, std::vector<core::AttemptToStop> attempts) {
  for (const core::AttemptToStop& attempt : attempts) {
    const auto it = attempts_.find({id, attempt.scheduled_event_id});
    if (it == attempts_.end()) continue;
    deps_.executor.Stop(it->second.token, attempt.reason);
    const auto live = runs_.find(id);
    const bool still_current = live != runs_.end() && [&] {
      const auto activity = live->second->state.activities.find(attempt.scheduled_event_id);
      return activity != live->second->state.activities.end() && activity->second.in_flight &&
             activity->second.attempt == it->second.token.attempt;
    }();
    if (!still_current) attempts_.erase(it);  // a late result is refused
    REACHED("attempt told to stop");
  }
}

absl::StatusOr<LiveRun*> Partition::FindAttempt(const ActivityToken& token) {
  const auto attempt = attempts_.find({token.run_id, token.scheduled_event_id});
  if (attempt == attempts_.end() || !(attempt->second.token == token)) {
    REACHED("late result refused");
    return absl::NotFoundError("the attempt is not current any more");
  }
  absl::StatusOr<LiveRun*> run = Find(token.run_id);
  if (!run.ok()) {
    return absl::IsNotFound(run.status()) ? run.status()
                                          : absl::UnavailableError(run.status().message());
  }
  const auto activity = (*run)->state.activities.find(token.scheduled_event_id);
  if (activity == (*run)->state.activities.end() || !activity->second.in_flight ||
      activity->second.attempt != token.attempt) {
    return absl::NotFoundError("the attempt is not current any more");
  }
  return run;
}

void Partition::CompleteActivity(ActivityToken token, core::ActivityOutcome outcome,
                                 absl::AnyInvocable<void(absl::Status)> done) {
  // Not through Call: a worker's result must get in also while the server stops.
  deps_.loop.Post([this, token = std::move(token), outcome = std::move(outcome),
                   done = std::move(done)]() mutable {
    running_.erase(token.dispatch);
    if (token.scheduled_event_id < 0) {
      CompleteLocal(token, std::move(outcome), std::move(done));
      return Pump();
    }
    absl::StatusOr<LiveRun*> found = FindAttempt(token);
    if (!found.ok()) {
      done(found.status());
      return Pump();
    }
    LiveRun& run = **found;
    if (outcome.result.has_value() &&
        outcome.result->ByteSizeLong() > static_cast<size_t>(options_.payload_bytes_max)) {
      outcome.failure.emplace();
      outcome.failure->set_type("ResultTooLarge");
      outcome.failure->set_message(
          absl::StrCat("the activity's result has ", outcome.result->ByteSizeLong(),
                       " bytes (limit payload_bytes_max = ", options_.payload_bytes_max, ")"));
      outcome.failure->set_non_retryable(true);
      outcome.failure->set_effect_unknown(true);
      outcome.result.reset();
    }
    core::TransitionBuilder transition(run.state, Now());
    core::OnActivityOutcome(transition, token.scheduled_event_id, outcome, deps_.random);
    core::CloseCanceledActivities(transition);
    Advance(run, transition, {});  // a stuck run keeps the result for later
    AfterCommit(run, [this, token, done = std::move(done)](absl::Status status) mutable {
      if (status.ok()) {
        const auto attempt = attempts_.find({token.run_id, token.scheduled_event_id});
        if (attempt != attempts_.end() && attempt->second.token == token) attempts_.erase(attempt);
      } else {
        REACHED("result lost with its batch");
        status = absl::UnavailableError(status.message());
      }
      done(status);
    });
    if (run.writes_pending == 0) {
      QueueReady(run);
      UpdateDue(run);
    }
    Pump();
  });
}

void Partition::RecordHeartbeat(ActivityToken token, v1::Payload details,
                                absl::AnyInvocable<void(absl::Status)> done) {
  deps_.loop.Post([this, token = std::move(token), details = std::move(details),
                   done = std::move(done)]() mutable {
    if (token.scheduled_event_id < 0) {  // a local activity's is not kept
      const auto attempt = attempts_.find({token.run_id, token.scheduled_event_id});
      const bool current = attempt != attempts_.end() && attempt->second.token == token;
      return done(current ? absl::OkStatus()
                          : absl::NotFoundError("the attempt is not current any more"));
    }
    absl::StatusOr<LiveRun*> found = FindAttempt(token);
    if (!found.ok()) return done(found.status());
    LiveRun& run = **found;
    core::TransitionBuilder transition(run.state, Now());
    core::OnHeartbeat(transition, token.scheduled_event_id, std::move(details));
    attempts_[{token.run_id, token.scheduled_event_id}].heartbeat_time = Now();
    Write(run, transition);
    UpdateDue(run);
    AfterCommit(run, std::move(done));
  });
}

}  // namespace engine
