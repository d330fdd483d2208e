// What an Instance begins and cancels for the workflow's code: activities, timers, conditions.
#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "orchestrator/base/check.h"
#include "orchestrator/history/time.h"
#include "orchestrator/sdk/instance.h"

namespace sdk {
namespace {

constexpr int64_t kSequenceMax = 1'000'000;

Failure CanceledFailure(const std::string& reason) {
  return Failure::Canceled(reason.empty() ? "canceled" : reason);
}

}  // namespace

v1::HistoryEvent* Instance::AddCommand(std::source_location where) {
  RequireWritable("a command");
  v1::Command& command = commands_.emplace_back();
  if (where.line() != 0) {
    std::string_view file = where.file_name();
    file.remove_prefix(std::min(file.size(), file.rfind('/') + 1));
    command.set_source(absl::StrCat(std::string(file), ":", where.line()));
  }
  return command.mutable_event();
}

internal::FutureStatePtr Instance::NewFuture() {
  auto future = std::make_shared<internal::FutureState>();
  future->instance = this;
  return future;
}

internal::FutureStatePtr Instance::Schedule(const std::string& type, v1::Payload input,
                                            const ActivityOptions& options,
                                            const internal::ScopePtr& scope,
                                            std::source_location where) {
  internal::FutureStatePtr future = NewFuture();
  if (const auto* canceled = internal::CanceledBy(scope.get())) {
    Resolve(future, CanceledFailure(canceled->reason));
    return future;
  }
  RequireWritable("Execute");
  const int64_t sequence = ++last_sequence_;
  CHECK(sequence < kSequenceMax) << "run=" << info_.run_id;
  future->id = absl::StrCat(sequence);
  scheduled_.emplace_back(commands_.size(), sequence);
  auto* scheduled = AddCommand(where)->mutable_activity_task_scheduled();
  scheduled->set_activity_id(future->id);
  scheduled->set_activity_type(type);
  *scheduled->mutable_input() = std::move(input);

  const Registry::Activity* registered = registry_.FindActivity(type);
  const ActivityOptions defaults = registered == nullptr ? ActivityOptions{} : registered->defaults;
  const auto pick = [](absl::Duration wish, absl::Duration otherwise) {
    return wish > absl::ZeroDuration() ? wish : otherwise;
  };
  const auto put = [](absl::Duration value, google::protobuf::Duration* target) {
    *target = history::ToProto(value);
  };
  const absl::Duration to_start =
      pick(options.schedule_to_start_timeout, defaults.schedule_to_start_timeout);
  const absl::Duration start_to_close = pick(
      pick(options.start_to_close_timeout, defaults.start_to_close_timeout), absl::Minutes(10));
  const absl::Duration to_close =
      pick(options.schedule_to_close_timeout, defaults.schedule_to_close_timeout);
  const absl::Duration heartbeat = pick(options.heartbeat_timeout, defaults.heartbeat_timeout);
  if (to_start > absl::ZeroDuration())
    put(to_start, scheduled->mutable_schedule_to_start_timeout());
  put(start_to_close, scheduled->mutable_start_to_close_timeout());
  if (to_close > absl::ZeroDuration())
    put(to_close, scheduled->mutable_schedule_to_close_timeout());
  if (heartbeat > absl::ZeroDuration()) put(heartbeat, scheduled->mutable_heartbeat_timeout());
  const RetryPolicy retry =
      options.retry.has_value() ? *options.retry : defaults.retry.value_or(RetryPolicy{});
  *scheduled->mutable_retry_policy() = ToProto(retry);
  future->on_exhausted = retry.on_exhausted;
  scheduled->set_task_queue(!options.task_queue.empty()    ? options.task_queue
                            : !defaults.task_queue.empty() ? defaults.task_queue
                                                           : info_.task_queue);
  scheduled->set_idempotency_key(absl::StrCat(info_.workflow_id, "/", info_.run_id, "/", sequence));

  activities_[sequence] = {.future = future, .scope = scope};
  return future;
}

internal::FutureStatePtr Instance::StartTimer(absl::Duration delay, const internal::ScopePtr& scope,
                                              std::source_location where) {
  internal::FutureStatePtr future = NewFuture();
  if (const auto* canceled = internal::CanceledBy(scope.get())) {
    Resolve(future, CanceledFailure(canceled->reason));
    return future;
  }
  RequireWritable("Sleep");
  const int64_t sequence = ++last_sequence_;
  future->id = absl::StrCat(sequence);
  auto* started = AddCommand(where)->mutable_timer_started();
  started->set_timer_id(future->id);
  *started->mutable_start_to_fire_timeout() =
      history::ToProto(std::max(delay, absl::ZeroDuration()));
  timers_[sequence] = {.future = future, .scope = scope};
  return future;
}

bool Instance::CancelTimer(const std::string& timer_id, std::source_location where) {
  int64_t sequence = 0;
  if (!absl::SimpleAtoi(timer_id, &sequence)) return false;
  const auto it = timers_.find(sequence);
  if (it == timers_.end()) return false;
  AddCommand(where)->mutable_timer_canceled()->set_timer_id(timer_id);
  const internal::FutureStatePtr future = it->second.future;
  timers_.erase(it);
  Resolve(future, CanceledFailure("timer canceled"));
  return true;
}

bool Instance::CancelActivity(const std::string& activity_id, std::source_location where) {
  int64_t sequence = 0;
  if (!absl::SimpleAtoi(activity_id, &sequence)) return false;
  const auto it = activities_.find(sequence);
  if (it == activities_.end() || it->second.cancel_sent) return false;
  it->second.cancel_sent = true;
  AddCommand(where)->mutable_activity_task_cancel_requested()->set_activity_id(activity_id);
  return true;
}

bool Instance::Look(const std::function<bool()>& holds) {
  const ReadOnly guard(this);
  return holds();
}

internal::FutureStatePtr Instance::AddCondition(std::function<bool()> holds,
                                                const internal::ScopePtr& scope) {
  internal::FutureStatePtr future = NewFuture();
  if (const auto* canceled = internal::CanceledBy(scope.get())) {
    Resolve(future, CanceledFailure(canceled->reason));
    return future;
  }
  conditions_.push_back({.holds = std::move(holds), .future = future, .scope = scope});
  return future;
}

Workflow<Unit> Instance::WaitUntil(Instance* instance, internal::ScopePtr scope,
                                   std::function<bool()> holds, absl::Duration timeout,
                                   std::source_location where) {
  if (instance->Look(holds)) co_return Unit{};
  if (const auto* canceled = internal::CanceledBy(scope.get())) {
    co_return CanceledFailure(canceled->reason);
  }
  internal::FutureStatePtr timer;
  if (timeout < absl::InfiniteDuration()) timer = instance->StartTimer(timeout, scope, where);
  const Future<Unit> changed(instance->AddCondition(
      [&holds, timer] { return holds() || (timer != nullptr && timer->outcome.has_value()); },
      scope));
  const Outcome<Unit> waited = co_await changed;
  if (!waited.ok()) co_return waited.failure();
  if (holds()) {
    if (timer != nullptr) instance->CancelTimer(timer->id, where);
    co_return Unit{};
  }
  co_return Failure::Permanent("TimedOut", absl::StrCat("condition did not come to hold within ",
                                                        absl::FormatDuration(timeout)));
}

void Instance::CancelScope(internal::ScopeState& scope, const std::string& reason,
                           std::source_location where) {
  RequireWritable("Cancel");
  if (scope.canceled) return;
  scope.canceled = true;
  scope.reason = reason;
  // Everything in a scope that was canceled before has been canceled then.
  const auto spared = [](const internal::ScopePtr& of) {
    return internal::CanceledBy(of.get()) == nullptr;
  };
  for (auto& [sequence, activity] : activities_) {
    if (spared(activity.scope) || activity.cancel_sent) continue;
    activity.cancel_sent = true;
    AddCommand(where)->mutable_activity_task_cancel_requested()->set_activity_id(
        absl::StrCat(sequence));
  }
  for (auto& [sequence, child] : children_) {
    if (!spared(child.scope) && !child.cancel_sent) RequestChildCancel(child, reason, where);
  }
  for (auto it = timers_.begin(); it != timers_.end();) {
    if (spared(it->second.scope)) {
      ++it;
      continue;
    }
    AddCommand(where)->mutable_timer_canceled()->set_timer_id(absl::StrCat(it->first));
    Resolve(it->second.future, CanceledFailure(reason));
    it = timers_.erase(it);
  }
  CancelLocals(reason);
  for (auto it = conditions_.begin(); it != conditions_.end();) {
    if (spared(it->scope)) {
      ++it;
      continue;
    }
    Resolve(it->future, CanceledFailure(reason));
    it = conditions_.erase(it);
  }
}

}  // namespace sdk
