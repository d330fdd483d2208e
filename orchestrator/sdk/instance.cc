#include "orchestrator/sdk/instance.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "orchestrator/base/check.h"
#include "orchestrator/history/time.h"

namespace sdk {
namespace {

using Event = v1::HistoryEvent;

// FNV-1a, 64 bit. Replay depends on it, so it may never change.
uint64_t SeedOf(const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325ull;
  for (const unsigned char c : text) hash = (hash ^ c) * 0x100000001b3ull;
  return hash;
}

constexpr char kContinueAsNewType[] = "sdk.ContinueAsNew";

// Calls an update's handler inside a coroutine, where its exceptions become its failure.
template <typename Handler>
Workflow<v1::Payload> CallHandler(Handler handler, v1::Payload input) {
  Outcome<v1::Payload> outcome = co_await handler(std::move(input));
  co_return outcome;
}

}  // namespace

// A coroutine that owns a Workflow and reports its end; its frame belongs to the Instance.
struct Instance::Driver {
  struct promise_type {
    Driver get_return_object() {
      return Driver(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { std::terminate(); }
  };
  explicit Driver(std::coroutine_handle<promise_type> h) : handle(h) {}
  Driver(Driver&& other) noexcept : handle(std::exchange(other.handle, nullptr)) {}
  Driver& operator=(Driver&&) = delete;
  ~Driver() {
    if (handle) handle.destroy();
  }
  std::coroutine_handle<promise_type> handle;
};

Instance::Driver Instance::Drive(Workflow<v1::Payload> workflow,
                                 std::function<void(Outcome<v1::Payload>)> done) {
  Outcome<v1::Payload> outcome = Failure::Permanent("Internal", "workflow did not end");
  try {
    outcome = co_await std::move(workflow);
  } catch (const base::FailureException& e) {
    outcome = e.failure();
  } catch (const std::exception& e) {
    outcome = Failure::Permanent("UnhandledException", e.what());
  } catch (...) {
    outcome = Failure::Permanent("UnhandledException", "not a std::exception");
  }
  done(std::move(outcome));
}

Instance::Instance(const Registry& registry, const Registry::RawWorkflow& workflow)
    : registry_(registry), workflow_(workflow) {}

Instance::~Instance() {
  // Newest first: a spawned coroutine may refer to the frame of the one that spawned it.
  while (!drivers_.empty()) drivers_.pop_back();
}

absl::Status Instance::Replay(const std::vector<v1::HistoryEvent>& events) {
  replaying_ = true;
  for (const Event& event : events) {
    const std::string& marker = event.marker_recorded().marker_name();
    if (marker.starts_with(kPatchMarkerPrefix)) patches_recorded_.insert(marker);
  }
  size_t i = 0;
  while (i < events.size()) {
    // External events up to the end of the next workflow task.
    std::vector<const Event*> external;
    while (i < events.size() && !events[i].has_workflow_task_completed()) {
      if (events[i].has_workflow_task_started()) {
        TaskStarted(events[i]);
      } else if (!events[i].has_workflow_task_scheduled()) {
        external.push_back(&events[i]);
      }
      ++i;
    }
    if (i == events.size()) {
      for (const Event* event : external) backlog_.push_back(*event);
      break;
    }
    if (closed_) {
      return absl::DataLossError(
          absl::StrCat("event ", events[i].event_id(), ": a workflow task after the run's end"));
    }
    const absl::Time task_time = history::FromProto(events[i].event_time());
    ++i;
    std::vector<const Event*> recorded;
    std::vector<UpdateRequest> updates;
    while (i < events.size() && IsCommandEvent(events[i])) {
      if (events[i].has_workflow_execution_update_accepted()) {
        const auto& accepted = events[i].workflow_execution_update_accepted();
        updates.push_back(
            {accepted.update_id(), accepted.update_name(), accepted.input(), accepted.identity()});
      }
      recorded.push_back(&events[i++]);
    }
    recorded_ = &recorded;
    const TaskResult result = RunTask(task_time, external, updates);
    recorded_ = nullptr;
    const base::EventId next_id =
        recorded.empty() ? events[i - 1].event_id() + 1 : recorded.back()->event_id() + 1;
    recorded = WithoutDeprecatedPatches(recorded, result.commands);
    if (auto mismatch = CheckCommands(recorded, result.commands, next_id)) {
      return absl::InternalError(mismatch->ToString());
    }
    for (const auto& [index, sequence] : scheduled_) {
      scheduled_sequence_[recorded[index]->event_id()] = sequence;
      AdoptChild(sequence, *recorded[index]);
    }
    scheduled_.clear();
  }
  replaying_ = false;
  patches_recorded_.clear();
  return absl::OkStatus();
}

TaskResult Instance::RunTask(absl::Time now, const std::vector<const Event*>& events,
                             const std::vector<UpdateRequest>& updates,
                             const std::vector<LocalEnd>& locals) {
  CHECK(!closed_);
  TaskResult result;
  now_ = now;
  commands_.clear();
  scheduled_.clear();
  locals_begun_.clear();
  locals_canceled_.clear();
  const std::vector<Event> backlog = std::exchange(backlog_, {});
  bool news = !backlog.empty();
  for (const Event* event : events) {
    event->has_workflow_task_started() ? TaskStarted(*event) : void(news = true);
  }
  for (const Event& event : backlog) Apply(event);
  for (const Event* event : events) Apply(*event);
  bool local_ended = EndRecordedLocals();
  for (const LocalEnd& end : locals) local_ended |= EndLocal(end);
  // Code advances only where a task is recorded: a refused update alone leaves no trace, so it
  // must not make a condition on the time come true either.
  if (news || local_ended) Drain();
  for (const UpdateRequest& update : updates) {
    result.verdicts.push_back(DeliverUpdate(update, !replaying_));
    if (!result.verdicts.back().rejected.has_value()) Drain();
  }
  result.commands = std::move(commands_);
  commands_.clear();
  result.locals = std::exchange(locals_begun_, {});
  result.locals_canceled = std::exchange(locals_canceled_, {});
  result.locals_pending = closed_ ? 0 : static_cast<int>(locals_.size());
  return result;
}

void Instance::Recorded(base::EventId first_event_id) {
  for (const auto& [index, sequence] : scheduled_) {
    scheduled_sequence_[first_event_id + static_cast<base::EventId>(index)] = sequence;
  }
  scheduled_.clear();
}

Outcome<v1::Payload> Instance::Query(const std::string& name, const v1::Payload& input) {
  const auto it = queries_.find(name);
  if (it == queries_.end()) {
    return Failure::Permanent("UnknownQuery", absl::StrCat("workflow type ", info_.workflow_type,
                                                           " has no query \"", name, "\""));
  }
  try {
    const ReadOnly guard(this);
    return it->second(input);
  } catch (const base::FailureException& e) {
    return e.failure();
  } catch (const std::exception& e) {
    return Failure::Permanent("UnhandledException", e.what());
  }
}

void Instance::Apply(const Event& event) {
  switch (event.attributes_case()) {
    case Event::kWorkflowExecutionStarted:
      Start(event.workflow_execution_started(), event);
      Drain();  // handlers must be there before signals and updates of the same task
      return;
    case Event::kWorkflowExecutionSignaled: {
      const auto& signal = event.workflow_execution_signaled();
      signals_[signal.signal_name()].push_back(signal.input());
      return;
    }
    case Event::kWorkflowExecutionReset:
      // What is random from here on is not what the run that was copied made of it.
      random_ = std::make_unique<base::SeededRandom>(
          SeedOf(event.workflow_execution_reset().new_run_id()));
      return;
    case Event::kWorkflowExecutionCancelRequested:
      return CancelRequested(event.workflow_execution_cancel_requested());
    case Event::kActivityTaskCompleted: {
      const auto& closed = event.activity_task_completed();
      return ResolveActivity(closed.scheduled_event_id(), closed.result(), nullptr);
    }
    case Event::kActivityTaskFailed: {
      const auto& closed = event.activity_task_failed();
      return ResolveActivity(closed.scheduled_event_id(), history::FromProto(closed.failure()),
                             closed.has_last_heartbeat() ? &closed.last_heartbeat() : nullptr);
    }
    case Event::kActivityTaskTimedOut: {
      const auto& closed = event.activity_task_timed_out();
      return ResolveActivity(closed.scheduled_event_id(), history::FromProto(closed.failure()),
                             closed.has_last_heartbeat() ? &closed.last_heartbeat() : nullptr);
    }
    case Event::kActivityTaskCanceled: {
      const auto& closed = event.activity_task_canceled();
      return ResolveActivity(closed.scheduled_event_id(), history::FromProto(closed.failure()),
                             closed.has_last_heartbeat() ? &closed.last_heartbeat() : nullptr);
    }
    case Event::kTimerFired: {
      int64_t sequence = 0;
      if (!absl::SimpleAtoi(event.timer_fired().timer_id(), &sequence)) return;
      const auto it = timers_.find(sequence);
      if (it == timers_.end()) return;
      const internal::FutureStatePtr future = it->second.future;
      timers_.erase(it);
      return Resolve(future, v1::Payload());
    }
    default:
      (void)ApplyChildEvent(event);
      return;  // others are the engine's own bookkeeping (started, terminated, ...)
  }
}

void Instance::TaskStarted(const Event& event) {
  info_.history_length = event.event_id();
  info_.continue_as_new_suggested = event.workflow_task_started().continue_as_new_suggested();
}

void Instance::Start(const v1::WorkflowExecutionStarted& started, const Event& event) {
  const int64_t history_length = info_.history_length;  // of the task that begins
  const bool suggested = info_.continue_as_new_suggested;
  info_ = {.ns = started.namespace_(),
           .workflow_id = started.workflow_id(),
           .run_id = started.run_id(),
           .workflow_type = started.workflow_type(),
           .task_queue = started.task_queue(),
           .traceparent = started.traceparent(),
           .correlation_id = started.correlation_id(),
           .continued_from_run_id = started.continued_from_run_id(),
           .start_time = event.has_event_time() ? history::FromProto(event.event_time()) : now_,
           .carried_saga = started.carried_saga(),
           .search_attributes = started.search_attributes(),
           .memo = started.memo()};
  info_.search_attributes = started.search_attributes();
  info_.memo = started.memo();
  info_.cron_schedule = started.cron_schedule();
  if (started.has_last_completion_result()) {
    info_.last_completion_result = started.last_completion_result();
  }
  if (started.has_continued_failure()) {
    info_.continued_failure = history::FromProto(started.continued_failure());
  }
  info_.first_run_id = started.first_run_id().empty() ? started.run_id() : started.first_run_id();
  info_.chain_start_time = started.has_chain_start_time()
                               ? history::FromProto(started.chain_start_time())
                               : info_.start_time;
  info_.history_length = history_length;
  info_.continue_as_new_suggested = suggested;
  random_ = std::make_unique<base::SeededRandom>(started.random_seed());
  Launch(workflow_(Context(this, root_scope_), started.input()),
         [this](Outcome<v1::Payload> outcome) { CloseWith(std::move(outcome)); });
}

void Instance::CloseWith(Outcome<v1::Payload> outcome) {
  closed_ = true;
  Event* event = AddCommand(std::source_location());
  commands_.back().set_source(close_source_);
  if (outcome.ok()) {
    *event->mutable_workflow_execution_completed()->mutable_result() = *std::move(outcome);
  } else if (outcome.failure().type == kContinueAsNewType) {
    *event = continue_as_new_;
  } else if (outcome.failure().is_canceled() && cancel_requested_) {
    *event->mutable_workflow_execution_canceled()->mutable_failure() =
        history::ToProto(outcome.failure());
  } else {
    *event->mutable_workflow_execution_failed()->mutable_failure() =
        history::ToProto(outcome.failure());
  }
}

void Instance::ResolveActivity(base::EventId scheduled_event_id, Outcome<v1::Payload> outcome,
                               const v1::Payload* checkpoint) {
  const auto sequence = scheduled_sequence_.find(scheduled_event_id);
  if (sequence == scheduled_sequence_.end()) return;
  const auto it = activities_.find(sequence->second);
  CHECK(it != activities_.end()) << "event " << scheduled_event_id;
  const internal::FutureStatePtr future = it->second.future;
  activities_.erase(it);
  scheduled_sequence_.erase(sequence);
  if (checkpoint != nullptr) future->checkpoint = *checkpoint;
  Resolve(future, std::move(outcome));
}

void Instance::CancelRequested(const v1::WorkflowExecutionCancelRequested& request) {
  if (cancel_requested_) return;
  cancel_requested_ = true;
  timed_out_ = request.execution_timeout();
  cancel_reason_ = request.reason();
  CancelScope(*root_scope_, cancel_reason_, std::source_location());
}

UpdateVerdict Instance::DeliverUpdate(const UpdateRequest& update, bool validate) {
  UpdateVerdict verdict{.update_id = update.update_id, .rejected = std::nullopt};
  const auto it = updates_.find(update.name);
  if (it == updates_.end() || closed_) {
    verdict.rejected = Failure::Permanent(
        "UnknownUpdate", closed_ ? "the workflow has ended"
                                 : absl::StrCat("workflow type ", info_.workflow_type,
                                                " has no update \"", update.name, "\""));
    return verdict;
  }
  if (validate) {
    Done valid = Unit{};
    try {
      const ReadOnly guard(this);
      valid = it->second.validate(update.input);
    } catch (const base::FailureException& e) {
      valid = e.failure();
    } catch (const std::exception& e) {
      valid = Failure::Permanent("UnhandledException", e.what());
    }
    if (!valid.ok()) {
      verdict.rejected = valid.failure();
      return verdict;
    }
  }
  auto* accepted = AddCommand(std::source_location())->mutable_workflow_execution_update_accepted();
  accepted->set_update_id(update.update_id);
  accepted->set_update_name(update.name);
  *accepted->mutable_input() = update.input;
  accepted->set_identity(update.identity);
  Launch(CallHandler(it->second.handle, update.input),
         [this, id = update.update_id](Outcome<v1::Payload> outcome) {
           if (closed_) return;
           auto* completed =
               AddCommand(std::source_location())->mutable_workflow_execution_update_completed();
           completed->set_update_id(id);
           if (outcome.ok()) {
             *completed->mutable_result() = *std::move(outcome);
           } else {
             *completed->mutable_failure() = history::ToProto(outcome.failure());
           }
         });
  return verdict;
}

void Instance::Launch(Workflow<v1::Payload> workflow,
                      std::function<void(Outcome<v1::Payload>)> done) {
  drivers_.push_back(Drive(std::move(workflow), std::move(done)));
  ready_.push_back(drivers_.back().handle);
}

void Instance::Resolve(const internal::FutureStatePtr& future, Outcome<v1::Payload> outcome) {
  if (future->outcome.has_value()) return;
  future->outcome = std::move(outcome);
  future->resolved = ++last_resolved_;
  if (auto handle = std::exchange(future->waiting, nullptr)) ready_.push_back(handle);
  for (const std::coroutine_handle<> handle : std::exchange(future->also_waiting, {})) {
    ready_.push_back(handle);
  }
  for (const auto& selection : std::exchange(future->selections, {})) {
    if (auto handle = std::exchange(selection->waiting, nullptr)) ready_.push_back(handle);
  }
}

void Instance::Drain() {
  do {
    while (!ready_.empty() && !closed_) {
      const std::coroutine_handle<> handle = ready_.front();
      ready_.pop_front();
      handle.resume();
    }
  } while (!closed_ && ResolveOneCondition());
  drivers_.remove_if([](const Driver& driver) { return driver.handle.done(); });
}

bool Instance::ResolveOneCondition() {
  for (auto it = conditions_.begin(); it != conditions_.end(); ++it) {
    Outcome<v1::Payload> outcome = v1::Payload();
    try {
      if (!Look(it->holds)) continue;
    } catch (const base::FailureException& e) {
      outcome = e.failure();
    } catch (const std::exception& e) {
      outcome = Failure::Permanent("UnhandledException", e.what());
    }
    const internal::FutureStatePtr future = it->future;
    conditions_.erase(it);
    Resolve(future, std::move(outcome));
    return true;
  }
  return false;
}

}  // namespace sdk
