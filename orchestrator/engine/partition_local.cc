// Local activities: they run beside the workflow code and leave only a marker with their end. What
// is known of them is in memory; after a crash the code, replayed, says which ones have to run.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/core/failure_cause.h"
#include "orchestrator/engine/partition.h"
#include "orchestrator/history/time.h"

namespace engine {
namespace {

// When an attempt is given back by a worker that stops.
constexpr absl::Duration kGivenBackDelay = absl::Milliseconds(100);

absl::Time After(absl::Time time, const google::protobuf::Duration& timeout) {
  const absl::Duration duration = history::FromProto(timeout);
  return duration > absl::ZeroDuration() ? time + duration : absl::InfiniteFuture();
}

v1::Failure TimedOut(const LiveLocal& local, v1::TimeoutType::Value type) {
  v1::Failure failure;
  failure.set_type("TimedOut");
  failure.set_message(absl::StrCat("local activity ", local.scheduled->activity_type(),
                                   " exceeded its ", v1::TimeoutType::Value_Name(type),
                                   " time-out on attempt ", local.attempt));
  failure.set_effect_unknown(local.in_flight || local.effect_unknown);
  if (local.last_failure.has_value()) core::SetCause(*local.last_failure, &failure);
  return failure;
}

bool MayRepeat(const LiveLocal& local, const v1::Failure& failure) {
  const v1::RetryPolicy& policy = local.scheduled->retry_policy();
  const auto& listed = policy.non_retryable_error_types();
  if (failure.non_retryable()) return false;
  if (std::find(listed.begin(), listed.end(), failure.type()) != listed.end()) return false;
  return policy.maximum_attempts() == 0 || local.attempt < policy.maximum_attempts();
}

}  // namespace

void Partition::AdoptLocals(LiveRun& run, std::vector<LocalActivity> begun) {
  for (LocalActivity& local : begun) {
    const int64_t sequence = local.sequence;
    const bool has_ended =
        std::any_of(run.local_results.begin(), run.local_results.end(),
                    [sequence](const LocalResult& end) { return end.sequence == sequence; });
    if (has_ended || run.locals.contains(sequence)) continue;
    LiveLocal live{.scheduled = std::move(local.scheduled), .begun = Now()};
    live.next_attempt_time = live.begun;
    // The run was dropped from memory while its attempt went on.
    const auto attempt = attempts_.find({run.id, -sequence});
    if (attempt != attempts_.end()) {
      live.in_flight = true;
      live.attempt = attempt->second.token.attempt;
      live.started_time = attempt->second.started_time;
    }
    run.locals[sequence] = std::move(live);
  }
}

std::vector<core::AttemptToStop> Partition::DropLocals(LiveRun& run,
                                                       const std::vector<int64_t>& sequences,
                                                       const std::string& reason) {
  std::vector<core::AttemptToStop> stop;
  for (const int64_t sequence : sequences) {
    if (run.locals.erase(sequence) > 0) stop.push_back({-sequence, reason});
  }
  return stop;
}

std::vector<core::AttemptToStop> Partition::DropAllLocals(LiveRun& run, const std::string& reason) {
  run.local_results.clear();
  std::vector<int64_t> all;
  for (const auto& [sequence, local] : run.locals) all.push_back(sequence);
  return DropLocals(run, all, reason);
}

bool Partition::NeedsCodeForLocals(const LiveRun& run) const {
  const size_t known = run.locals.size() + run.local_results.size();
  return run.workflow == nullptr && !run.state.closed() && !run.state.paused &&
         known < static_cast<size_t>(run.state.local_activities_pending);
}

absl::Time Partition::LocalsDue(const LiveRun& run) const {
  absl::Time due = absl::InfiniteFuture();
  for (const auto& [sequence, local] : run.locals) {
    due = std::min(due, After(local.begun, local.scheduled->schedule_to_close_timeout()));
    if (local.in_flight) {
      due = std::min(due, After(local.started_time, local.scheduled->start_to_close_timeout()));
    } else if (!local.queued && !run.state.paused) {
      due = std::min(due, local.next_attempt_time);
    }
  }
  return due;
}

void Partition::LocalTimeouts(LiveRun& run) {
  const absl::Time now = Now();
  std::vector<std::pair<int64_t, v1::TimeoutType::Value>> expired;
  for (const auto& [sequence, local] : run.locals) {
    const v1::ActivityTaskScheduled& scheduled = *local.scheduled;
    if (After(local.begun, scheduled.schedule_to_close_timeout()) <= now) {
      expired.emplace_back(sequence, v1::TimeoutType::SCHEDULE_TO_CLOSE);
    } else if (local.in_flight &&
               After(local.started_time, scheduled.start_to_close_timeout()) <= now) {
      expired.emplace_back(sequence, v1::TimeoutType::START_TO_CLOSE);
    }
  }
  for (const auto& [sequence, type] : expired) {
    v1::Failure failure = TimedOut(run.locals.at(sequence), type);
    failure.set_non_retryable(type == v1::TimeoutType::SCHEDULE_TO_CLOSE);
    StopAttempts(run.id, {{-sequence, v1::TimeoutType::Value_Name(type) + " time-out"}});
    EndLocalAttempt(run, sequence, {.failure = std::move(failure)});
  }
}

void Partition::QueueReadyLocals(LiveRun& run) {
  const absl::Time now = Now();
  for (auto& [sequence, local] : run.locals) {
    if (local.in_flight || local.queued || local.next_attempt_time > now) continue;
    local.queued = true;
    ready_.emplace_back(run.id, -sequence);
  }
}

void Partition::StartLocal(LiveRun& run, int64_t sequence) {
  const auto it = run.locals.find(sequence);
  if (it == run.locals.end() || !it->second.queued) return;
  LiveLocal& local = it->second;
  local.queued = false;
  if (run.state.paused) return;  // it is queued again when the run is resumed
  const absl::Time now = Now();
  local.in_flight = true;
  local.started_time = now;
  metrics_.ActivityStarted(now - local.next_attempt_time);
  ActivityTask task;
  task.scheduled = local.scheduled;
  task.scheduled_time = local.begun;
  task.started_time = now;
  Dispatch(run, -sequence, local.attempt, std::move(task));
}

void Partition::CompleteLocal(const ActivityToken& token, core::ActivityOutcome outcome,
                              absl::AnyInvocable<void(absl::Status)> done) {
  const AttemptKey key(token.run_id, token.scheduled_event_id);
  const int64_t sequence = -token.scheduled_event_id;
  const auto attempt = attempts_.find(key);
  if (attempt == attempts_.end() || !(attempt->second.token == token)) {
    return done(absl::NotFoundError("the attempt is not current any more"));
  }
  absl::StatusOr<LiveRun*> found = Find(token.run_id);
  if (absl::IsNotFound(found.status())) {
    attempts_.erase(key);
    return done(found.status());
  }
  if (!found.ok()) return done(absl::UnavailableError(found.status().message()));
  LiveRun& run = **found;
  // The run came from the store, and its code has not said yet what it waits for.
  if (NeedsCodeForLocals(run) && !EnsureWorkflow(run).ok()) {
    return done(absl::UnavailableError("the run's code cannot be made now"));
  }
  attempts_.erase(key);
  const auto local = run.locals.find(sequence);
  if (local == run.locals.end() || !local->second.in_flight ||
      local->second.attempt != token.attempt) {
    return done(absl::NotFoundError("the attempt is not current any more"));
  }
  EndLocalAttempt(run, sequence, std::move(outcome));
  if (!run.local_results.empty()) {
    core::TransitionBuilder transition(run.state, Now());
    Advance(run, transition, {});  // a stuck run keeps the result while it is in memory
  }
  if (run.writes_pending == 0) {
    QueueReady(run);
    UpdateDue(run);
  }
  done(absl::OkStatus());
}

void Partition::EndLocalAttempt(LiveRun& run, int64_t sequence, core::ActivityOutcome outcome) {
  LiveLocal& local = run.locals.at(sequence);
  const std::string& type = local.scheduled->activity_type();
  local.in_flight = false;
  if (outcome.result.has_value() &&
      outcome.result->ByteSizeLong() > static_cast<size_t>(options_.payload_bytes_max)) {
    outcome.failure.emplace();
    outcome.failure->set_type("ResultTooLarge");
    outcome.failure->set_message(
        absl::StrCat("the local activity's result has ", outcome.result->ByteSizeLong(),
                     " bytes (limit payload_bytes_max = ", options_.payload_bytes_max, ")"));
    outcome.failure->set_non_retryable(true);
    outcome.failure->set_effect_unknown(true);
    outcome.result.reset();
  }
  if (outcome.result.has_value()) {
    metrics_.ActivityClosed(type, "completed");
    run.local_results.push_back({.sequence = sequence, .result = *std::move(outcome.result)});
    run.locals.erase(sequence);
    return;
  }
  if (!outcome.failure.has_value()) {  // given back, or it did nothing
    local.next_attempt_time = Now() + kGivenBackDelay;
    local.effect_unknown = true;
    return;
  }
  v1::Failure failure = *std::move(outcome.failure);
  local.effect_unknown |= failure.effect_unknown();
  failure.set_effect_unknown(local.effect_unknown);
  const bool counts = !failure.not_attempted();
  if (!counts || MayRepeat(local, failure)) {
    const absl::Duration delay =
        std::max(history::FromProto(failure.retry_after()),
                 core::BackoffDelay(local.scheduled->retry_policy(), local.attempt,
                                    deps_.random.NextDouble()));
    if (counts) ++local.attempt;
    local.next_attempt_time = Now() + delay;
    local.last_failure = std::move(failure);
    metrics_.ActivityRetried(type);
    return;
  }
  metrics_.ActivityClosed(type, failure.type() == "TimedOut" ? "timed_out" : "failed");
  failure.clear_not_attempted();
  run.local_results.push_back({.sequence = sequence, .failure = std::move(failure)});
  run.locals.erase(sequence);
}

}  // namespace engine
