#include "orchestrator/sdk/testing/workflow_test_env.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "orchestrator/base/check.h"
#include "orchestrator/history/codec.h"
#include "orchestrator/history/time.h"

namespace sdk::testing {
namespace {

// A workflow that retries something for ever would never let Run end.
constexpr int64_t kStepsMax = 1'000'000;
// As the engine's: workflow tasks of one transition.
constexpr int kTasksMax = 1000;

constexpr char kStillWaiting[] = "StillWaiting";

}  // namespace

WorkflowTestEnv::WorkflowTestEnv() = default;
WorkflowTestEnv::~WorkflowTestEnv() = default;

void WorkflowTestEnv::OnRawActivity(const std::string& type, RawActivity fn,
                                    ActivityBehavior behavior) {
  // The registry knows the defaults of the activity's options; the function is called here.
  registry_.AddRawActivity(type, nullptr, std::move(behavior.defaults));
  activities_[type] = {.fn = std::move(fn), .takes = behavior.takes};
}

void WorkflowTestEnv::At(absl::Duration after_start, std::function<void()> fn) {
  script_.emplace(after_start, std::move(fn));
}

void WorkflowTestEnv::CancelAt(absl::Duration after_start, const std::string& reason) {
  At(after_start, [this, reason] { Cancel(reason); });
}

void WorkflowTestEnv::Start(const std::string& type, v1::Payload input) {
  CHECK(instance_ == nullptr) << "one environment runs one workflow";
  const Registry::RawWorkflow* workflow = registry_.FindWorkflow(type);
  CHECK(workflow != nullptr) << "workflow type \"" << type << "\" was not added";
  type_ = type;
  instance_ = std::make_unique<Instance>(registry_, *workflow);
  v1::WorkflowExecutionStarted started;
  started.set_namespace_("default");
  started.set_workflow_id("test-workflow");
  started.set_run_id("test-run");
  started.set_workflow_type(type);
  started.set_task_queue("default");
  started.set_random_seed(random_.Next());
  *started.mutable_input() = std::move(input);
  Transition([&](core::TransitionBuilder& transition) { core::Start(transition, started); });
}

void WorkflowTestEnv::RunFor(absl::Duration duration) {
  CHECK(instance_ != nullptr) << "Start comes first";
  const absl::Time until = now_ + duration;
  while (Step(until)) {
  }
  if (!state_.closed() && now_ < until) now_ = until;
}

Outcome<v1::Payload> WorkflowTestEnv::RunToEnd() {
  CHECK(instance_ != nullptr) << "Start comes first";
  while (Step(absl::InfiniteFuture())) {
  }
  const absl::Status replayed = CheckReplay();
  if (!replayed.ok()) {
    return Failure::Permanent("Nondeterminism", std::string(replayed.message()));
  }
  if (!state_.closed()) return Failure::Permanent(kStillWaiting, WaitsFor());
  if (state_.closed_status == v1::RunStatus::CONTINUED_AS_NEW) {
    return Failure::Permanent("ContinuedAsNew",
                              "the run continued as new; its history ends with the next input");
  }
  if (state_.failure.has_value()) return history::FromProto(*state_.failure);
  return state_.result;
}

std::string WorkflowTestEnv::WaitsFor() const {
  if (steps_ >= kStepsMax) {
    return absl::StrCat("no end after ", kStepsMax, " steps, ", absl::FormatDuration(Elapsed()),
                        " of virtual time: something is repeated for ever, such as an activity "
                        "that always fails with no limit of attempts");
  }
  std::vector<std::string> pending;
  for (const auto& [id, activity] : state_.activities) {
    pending.push_back(absl::StrCat("activity ", activity.scheduled->activity_type(),
                                   activity.paused ? " (PAUSED: its attempts are used up)" : ""));
  }
  return absl::StrCat(
      "nothing more is due at ", absl::FormatDuration(Elapsed()),
      " after the start, pending: ", pending.empty() ? "nothing" : absl::StrJoin(pending, ", "),
      "; the workflow waits for a signal, an update or a condition that this test does not give");
}

absl::Time WorkflowTestEnv::NextDue() const {
  absl::Time due = core::NextDue(state_);
  if (!script_.empty()) due = std::min(due, start_ + script_.begin()->first);
  for (const auto& [id, attempt] : running_) due = std::min(due, attempt.due);
  for (const auto& [sequence, local] : locals_) due = std::min(due, local.due);
  for (const auto& [id, child] : children_) due = std::min(due, child.due);
  if (core::HasMessages(state_)) due = std::min(due, now_);
  return due;
}

bool WorkflowTestEnv::Step(absl::Time until) {
  if (state_.closed() || steps_ >= kStepsMax) return false;
  const absl::Time due = NextDue();
  if (due > until || due == absl::InfiniteFuture()) return false;
  ++steps_;
  now_ = std::max(now_, due);
  if (!script_.empty() && start_ + script_.begin()->first <= now_) {
    const std::function<void()> fn = std::move(script_.extract(script_.begin()).mapped());
    fn();
    return true;
  }
  if (RunOneLocal() || DeliverOneOutcome() || RunOneMessage()) return true;
  Transition([&](core::TransitionBuilder& transition) { Stop(core::OnTime(transition, random_)); });
  StartAttempts();
  return true;
}

bool WorkflowTestEnv::RunOneLocal() {
  auto next = locals_.end();
  for (auto it = locals_.begin(); it != locals_.end(); ++it) {
    if (it->second.due > now_) continue;
    if (next == locals_.end() || it->second.due < next->second.due) next = it;
  }
  if (next == locals_.end()) return false;
  Local& local = next->second;
  if (!local.outcome.has_value()) {
    StartLocal(next->first);
    return true;
  }
  const v1::RetryPolicy& policy = local.scheduled->retry_policy();
  const absl::Duration to_close = history::FromProto(local.scheduled->schedule_to_close_timeout());
  if (!local.outcome->ok() && local.outcome->failure().retryable &&
      (policy.maximum_attempts() == 0 || local.attempt < policy.maximum_attempts())) {
    const absl::Time again = now_ + core::BackoffDelay(policy, local.attempt, 0.5);
    if (to_close <= absl::ZeroDuration() || again < local.begun + to_close) {
      ++local.attempt;
      local.outcome.reset();
      local.due = again;
      return true;
    }
  }
  local_ends_.push_back({.sequence = next->first, .outcome = *std::move(local.outcome)});
  locals_.erase(next);
  Transition([](core::TransitionBuilder&) {});
  return true;
}

void WorkflowTestEnv::StartLocal(int64_t sequence) {
  core::PendingActivity activity;
  activity.scheduled = locals_.at(sequence).scheduled;
  activity.attempt = locals_.at(sequence).attempt;
  Attempt attempt = Call(activity);
  const auto it = locals_.find(sequence);
  if (it == locals_.end()) return;  // the function made the workflow cancel it
  const absl::Time limit = now_ + history::FromProto(activity.scheduled->start_to_close_timeout());
  if (attempt.due > limit) {
    attempt.due = limit;
    attempt.outcome = Failure::Retryable(
        "TimedOut", absl::StrCat("local activity ", activity.scheduled->activity_type(),
                                 " exceeded its START_TO_CLOSE time-out"));
  }
  it->second.due = attempt.due;
  it->second.outcome = std::move(attempt.outcome);
}

void WorkflowTestEnv::StartAttempts() {
  std::vector<base::EventId> ready;
  for (const auto& [id, activity] : state_.activities) {
    if (activity.in_flight || activity.paused || activity.next_attempt_time > now_) continue;
    ready.push_back(id);
  }
  for (const base::EventId id : ready) {
    // The functions before may have signaled the workflow, which may have canceled this one.
    const auto pending = state_.activities.find(id);
    if (pending == state_.activities.end()) continue;
    core::PendingActivity& activity = pending->second;
    activity.in_flight = true;
    activity.started_time = now_;
    activity.heartbeat_time = now_;
    Attempt attempt = Call(activity);
    // Also the function itself may have done so.
    if (state_.activities.contains(id)) running_.insert_or_assign(id, std::move(attempt));
  }
}

WorkflowTestEnv::Attempt WorkflowTestEnv::Call(const core::PendingActivity& activity) {
  const std::shared_ptr<const v1::ActivityTaskScheduled> scheduled = activity.scheduled;
  const auto known = activities_.find(scheduled->activity_type());
  if (known == activities_.end()) {
    return {now_,
            Failure::Permanent("NoSuchActivity",
                               absl::StrCat("the test gives no function for activity \"",
                                            scheduled->activity_type(), "\"; add OnActivity"))};
  }
  try {
    return {now_ + known->second.takes,
            known->second.fn({.activity_type = scheduled->activity_type(),
                              .activity_id = scheduled->activity_id(),
                              .idempotency_key = scheduled->idempotency_key(),
                              .attempt = activity.attempt,
                              .input = scheduled->input()})};
  } catch (const base::FailureException& e) {
    return {now_ + known->second.takes, e.failure()};
  }
}

bool WorkflowTestEnv::DeliverOneOutcome() {
  auto next = running_.end();
  for (auto it = running_.begin(); it != running_.end(); ++it) {
    if (it->second.due > now_) continue;
    if (next == running_.end() || it->second.due < next->second.due) next = it;
  }
  if (next == running_.end()) return false;
  const base::EventId id = next->first;
  const Outcome<v1::Payload> outcome = std::move(next->second.outcome);
  running_.erase(next);
  Transition([&](core::TransitionBuilder& transition) {
    core::ActivityOutcome ended;
    if (outcome.ok()) {
      ended.result = *outcome;
    } else {
      ended.failure = history::ToProto(outcome.failure());
    }
    core::OnActivityOutcome(transition, id, ended, random_);
  });
  return true;
}

// An attempt that the workflow canceled ends at once, as one that watches its cancel token. One
// that timed out is over for the run: nobody hears of its end.
void WorkflowTestEnv::Stop(const std::vector<core::AttemptToStop>& attempts) {
  for (const core::AttemptToStop& attempt : attempts) {
    const auto it = running_.find(attempt.scheduled_event_id);
    if (it == running_.end()) continue;
    const auto pending = state_.activities.find(attempt.scheduled_event_id);
    if (pending != state_.activities.end() && pending->second.in_flight) {
      it->second = {.due = now_, .outcome = Failure::Canceled(attempt.reason)};
    } else {
      running_.erase(it);
    }
  }
}

std::vector<UpdateVerdict> WorkflowTestEnv::Transition(
    const std::function<void(core::TransitionBuilder&)>& fn, std::vector<UpdateRequest> updates) {
  std::vector<UpdateVerdict> verdicts;
  core::TransitionBuilder transition(state_, now_);
  fn(transition);
  int delivered = 0;
  const auto has_work = [&] {
    return state_.task_pending || !updates.empty() || !local_ends_.empty();
  };
  for (int task = 0; !state_.closed() && has_work(); ++task) {
    CHECK(task < kTasksMax) << "the workflow goes on for ever at " << now_;
    std::vector<const v1::HistoryEvent*> events;
    v1::HistoryEvent begun;
    begun.set_event_id(state_.next_event_id + 1);
    begun.mutable_workflow_task_started();
    events.push_back(&begun);
    for (; delivered < transition.events().size(); ++delivered) {
      events.push_back(&transition.events().Get(delivered));
    }
    TaskResult result = instance_->RunTask(now_, events, updates, std::exchange(local_ends_, {}));
    for (LocalStart& start : result.locals) {
      locals_[start.sequence] = {.scheduled = std::make_shared<const v1::ActivityTaskScheduled>(
                                     std::move(start.scheduled)),
                                 .begun = now_,
                                 .due = now_};
    }
    for (const int64_t sequence : result.locals_canceled) locals_.erase(sequence);
    for (UpdateVerdict& verdict : result.verdicts) verdicts.push_back(std::move(verdict));
    updates.clear();
    if (!state_.task_pending && result.commands.empty()) break;  // refused updates leave no trace
    transition.AddWorkflowTask("", false, 0, result.locals_pending);
    const base::EventId first = state_.next_event_id;
    delivered += 1 + static_cast<int>(result.commands.size());
    Stop(core::AddCommands(transition, std::move(result.commands), "test-run-2"));
    instance_->Recorded(first);
  }
  if (state_.closed()) locals_.clear();
  if (transition.has_events()) rows_.push_back(transition.Serialize());
  return verdicts;
}

void WorkflowTestEnv::RetryNow() {
  CHECK(instance_ != nullptr) << "Start comes first";
  if (state_.closed()) return;
  Transition(
      [](core::TransitionBuilder& transition) { (void)core::RetryActivitiesNow(transition, {}); });
  StartAttempts();
}

void WorkflowTestEnv::SignalRaw(const std::string& name, const v1::Payload& input) {
  CHECK(instance_ != nullptr) << "Start comes first";
  if (state_.closed()) return;
  Transition([&](core::TransitionBuilder& transition) {
    v1::WorkflowExecutionSignaled signal;
    signal.set_signal_name(name);
    *signal.mutable_input() = input;
    core::Signal(transition, signal);
  });
}

void WorkflowTestEnv::Cancel(const std::string& reason) {
  CHECK(instance_ != nullptr) << "Start comes first";
  if (state_.closed()) return;
  Transition([&](core::TransitionBuilder& transition) {
    core::RequestCancel(transition, reason, "test");
    core::CloseCanceledActivities(transition);
  });
}

Outcome<v1::Payload> WorkflowTestEnv::QueryRaw(const std::string& name,
                                               const v1::Payload& request) {
  CHECK(instance_ != nullptr) << "Start comes first";
  return instance_->Query(name, request);
}

Outcome<v1::Payload> WorkflowTestEnv::UpdateRaw(const std::string& name, v1::Payload request) {
  CHECK(instance_ != nullptr) << "Start comes first";
  last_update_id_ = absl::StrCat("update-", ++updates_);
  if (state_.closed()) return Failure::Permanent("UnknownUpdate", "the workflow has ended");
  const std::vector<UpdateVerdict> verdicts = Transition(
      [](core::TransitionBuilder&) {}, {{last_update_id_, name, std::move(request), "test"}});
  if (verdicts.at(0).rejected.has_value()) return *verdicts.at(0).rejected;
  return UpdateResultRaw(last_update_id_);
}

Outcome<v1::Payload> WorkflowTestEnv::UpdateResultRaw(const std::string& update_id) const {
  const auto it = state_.updates.find(update_id);
  if (it == state_.updates.end()) {
    return Failure::Permanent("UnknownUpdate", absl::StrCat("no update \"", update_id, "\""));
  }
  if (!it->second.completed) {
    return Failure::Permanent(kStillWaiting, absl::StrCat("update \"", update_id, "\" goes on"));
  }
  const v1::WorkflowExecutionUpdateCompleted& outcome = it->second.outcome;
  if (outcome.has_failure()) return history::FromProto(outcome.failure());
  return outcome.result();
}

v1::RunStatus::Value WorkflowTestEnv::status() const {
  return state_.closed() ? state_.closed_status : v1::RunStatus::RUNNING;
}

std::vector<v1::HistoryEvent> WorkflowTestEnv::History() const {
  std::vector<v1::HistoryEvent> events;
  for (const std::string& row : rows_) {
    const absl::Status expanded = history::Expand(row, &events);
    CHECK(expanded.ok()) << expanded;
  }
  return events;
}

absl::Status WorkflowTestEnv::CheckReplay() const {
  Instance fresh(registry_, *registry_.FindWorkflow(type_));
  return fresh.Replay(History());
}

}  // namespace sdk::testing
