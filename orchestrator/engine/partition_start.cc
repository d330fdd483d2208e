// How runs begin: a start, a start with its first message, and the next run of a cron workflow.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/cron/cron.h"
#include "orchestrator/engine/cron_chain.h"
#include "orchestrator/engine/partition.h"
#include "orchestrator/engine/properties.h"
#include "orchestrator/history/time.h"

namespace engine {
namespace {

std::string OrDefault(const std::string& text) { return text.empty() ? "default" : text; }

bool SamePayload(const v1::Payload& a, const v1::Payload& b) {
  // Encrypted twice, the same input has other bytes: its codec says what to compare
  // (codec/payload_codec.h). By another key it cannot be compared, and the request id counts alone.
  const auto first = a.metadata().find("fingerprint");
  const auto second = b.metadata().find("fingerprint");
  if (first != a.metadata().end() && second != b.metadata().end()) {
    const auto key = [](const std::string& text) { return text.substr(0, text.find(':')); };
    return key(first->second) != key(second->second) || first->second == second->second;
  }
  return a.data() == b.data() && a.metadata().size() == b.metadata().size();
}

// A new trace (W3C Trace Context, level 1), sampled. Its ids must not be all zero.
std::string NewTraceparent(base::Random& random) {
  const uint64_t high = random.Next();
  const uint64_t low = random.Next();
  const uint64_t span = random.Next();
  return absl::StrFormat("00-%016x%016x-%016x-01", high, low | 1, span | 1);
}

bool MayBeUsedAgain(v1::WorkflowIdReusePolicy::Value policy, const core::RunState& closed) {
  switch (policy) {
    case v1::WorkflowIdReusePolicy::REJECT_DUPLICATE:
      return false;
    case v1::WorkflowIdReusePolicy::ALLOW_DUPLICATE_FAILED_ONLY:
      return closed.closed_status != v1::RunStatus::COMPLETED;
    default:
      return true;
  }
}

v1::StartWorkflowResponse AnswerOf(const LiveRun& run, bool chain) {
  v1::StartWorkflowResponse response;
  response.set_workflow_id(run.row.workflow_id.value());
  response.set_run_id(chain ? run.state.started.first_run_id() : run.id.value());
  response.set_status(chain ? v1::RunStatus::CONTINUED_AS_NEW : run.row.status);
  response.set_already_started(true);
  return response;
}

absl::Status CheckNotNegative(const char* field, const google::protobuf::Duration& duration) {
  if (history::FromProto(duration) >= absl::ZeroDuration()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(field, " must not be negative"));
}

// What a start with a message does with an open run: by default that gets the message.
v1::WorkflowIdConflictPolicy::Value ConflictWithStart(v1::WorkflowIdConflictPolicy::Value wish) {
  return wish == v1::WorkflowIdConflictPolicy::TERMINATE_EXISTING
             ? wish
             : v1::WorkflowIdConflictPolicy::USE_EXISTING;
}

absl::Status CheckWithStart(const v1::StartWorkflowRequest& start) {
  if (history::FromProto(start.start_delay()) <= absl::ZeroDuration()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "start_delay does not go with a first message: the message begins the run");
}

bool HasContinued(const LiveRun& run) { return !run.state.started.continued_from_run_id().empty(); }

}  // namespace

void Partition::Start(v1::StartWorkflowRequest request, Callback<v1::StartWorkflowResponse> done) {
  Enqueue(std::move(done), [this, request = std::move(request)](auto done) mutable {
    StartRun(std::move(request), {}, {}, std::move(done));
  });
}

void Partition::StartRun(v1::StartWorkflowRequest request, v1::ParentWorkflow parent, RunId id,
                         Callback<v1::StartWorkflowResponse> done) {
  if (absl::Status valid = CheckStart(request); !valid.ok()) return done(valid);
  if (!id.empty()) {
    // The id follows from who asked, so this start was made before.
    absl::StatusOr<LiveRun*> same = Find(id);
    if (same.ok()) return Answer(**same, std::move(done), AnswerOf(**same, false));
    if (!absl::IsNotFound(same.status())) return done(same.status());
  }
  absl::StatusOr<Beginning> beginning =
      FindBeginning(request, request.workflow_id_conflict_policy());
  if (!beginning.ok()) return done(beginning.status());
  if (beginning->run != nullptr) {
    LiveRun& run = *beginning->run;
    const bool chain = beginning->same_request && HasContinued(run);
    return Answer(run, std::move(done), AnswerOf(run, chain));
  }
  v1::WorkflowExecutionStarted started = StartedOf(std::move(request), std::move(parent), id);
  LiveRun& run = BeginRun(started, beginning->previous);
  core::TransitionBuilder transition(run.state, Now());
  core::Start(transition, std::move(started));
  Advance(run, transition, {});  // a type that is not registered makes the run STUCK
  v1::StartWorkflowResponse response = AnswerOf(run, false);
  response.set_already_started(false);
  Answer(run, std::move(done), std::move(response));
}

absl::Status Partition::CheckStart(const v1::StartWorkflowRequest& request) const {
  RETURN_IF_ERROR(CheckPayloadSize(request.input()));
  RETURN_IF_ERROR(CheckName("workflow_type", request.workflow_type()));
  RETURN_IF_ERROR(CheckName("task_queue", request.task_queue()));
  RETURN_IF_ERROR(CheckName("namespace", request.namespace_()));
  RETURN_IF_ERROR(CheckIdentity(request.identity()));
  RETURN_IF_ERROR(CheckSearchAttributes(request.search_attributes(), options_));
  RETURN_IF_ERROR(CheckMemo(request.memo(), options_));
  RETURN_IF_ERROR(CheckNotNegative("execution_timeout", request.execution_timeout()));
  RETURN_IF_ERROR(CheckNotNegative("run_timeout", request.run_timeout()));
  RETURN_IF_ERROR(CheckNotNegative("start_delay", request.start_delay()));
  RETURN_IF_ERROR(CheckNotNegative("compensation_reserve", request.compensation_reserve()));
  const absl::Duration reserve = history::FromProto(request.compensation_reserve());
  const absl::Duration of_chain = history::FromProto(request.execution_timeout());
  const absl::Duration of_run = history::FromProto(request.run_timeout());
  if (reserve > absl::ZeroDuration()) {
    const absl::Duration shortest = of_chain <= absl::ZeroDuration() ? of_run
                                    : of_run <= absl::ZeroDuration() ? of_chain
                                                                     : std::min(of_chain, of_run);
    if (reserve >= shortest) {
      return absl::InvalidArgumentError(
          "compensation_reserve must be shorter than execution_timeout and run_timeout, and needs "
          "one of them");
    }
  }
  if (!request.cron_schedule().empty()) {
    if (history::FromProto(request.start_delay()) > absl::ZeroDuration()) {
      return absl::InvalidArgumentError("start_delay and cron_schedule exclude each other");
    }
    const absl::StatusOr<cron::Cron> parsed = cron::Cron::Parse(request.cron_schedule());
    if (!parsed.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("cron_schedule: ", std::string(parsed.status().message())));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Partition::Beginning> Partition::FindBeginning(
    const v1::StartWorkflowRequest& request, v1::WorkflowIdConflictPolicy::Value conflict) {
  absl::StatusOr<LiveRun*> known = FindByWorkflow(request.namespace_(), request.workflow_id(), "");
  if (absl::IsNotFound(known.status())) return Beginning{};
  if (!known.ok()) return known.status();
  LiveRun& run = **known;
  if (!request.request_id().empty() && run.row.request_id == request.request_id()) {
    // The chain's later runs have inputs of their own; the request names its first one.
    if (!HasContinued(run) && !SamePayload(run.state.started.input(), request.input())) {
      return absl::AlreadyExistsError(absl::StrCat("request_id \"", request.request_id(),
                                                   "\" started workflow \"", request.workflow_id(),
                                                   "\" with another input; use a new request_id"));
    }
    return Beginning{.run = &run, .same_request = true};
  }
  if (run.state.closed()) {
    if (MayBeUsedAgain(request.workflow_id_reuse_policy(), run.state)) {
      return Beginning{.previous = &run};
    }
    return absl::AlreadyExistsError(absl::StrCat(
        "workflow \"", request.workflow_id(), "\" has a run ", run.id.value(), " (",
        v1::RunStatus::Value_Name(run.state.closed_status), ") and workflow_id_reuse_policy is ",
        v1::WorkflowIdReusePolicy::Value_Name(request.workflow_id_reuse_policy())));
  }
  switch (conflict) {
    case v1::WorkflowIdConflictPolicy::USE_EXISTING:
      return Beginning{.run = &run};
    case v1::WorkflowIdConflictPolicy::TERMINATE_EXISTING:
      return Beginning{.previous = &run};
    default:
      return absl::AlreadyExistsError(absl::StrCat("workflow \"", request.workflow_id(),
                                                   "\" is running (run ", run.id.value(), ")"));
  }
}

v1::WorkflowExecutionStarted Partition::StartedOf(v1::StartWorkflowRequest request,
                                                  v1::ParentWorkflow parent, const RunId& id) {
  const absl::Time now = Now();
  v1::WorkflowExecutionStarted started;
  started.set_namespace_(OrDefault(request.namespace_()));
  started.set_workflow_id(request.workflow_id());
  started.set_workflow_type(request.workflow_type());
  started.set_task_queue(OrDefault(request.task_queue()));
  *started.mutable_input() = std::move(*request.mutable_input());
  const auto take = [](google::protobuf::Duration* from, auto to) {
    if (history::FromProto(*from) > absl::ZeroDuration()) to()->Swap(from);
  };
  take(request.mutable_execution_timeout(), [&] { return started.mutable_execution_timeout(); });
  take(request.mutable_run_timeout(), [&] { return started.mutable_run_timeout(); });
  take(request.mutable_compensation_reserve(),
       [&] { return started.mutable_compensation_reserve(); });
  take(request.mutable_start_delay(), [&] { return started.mutable_first_workflow_task_delay(); });
  if (started.has_execution_timeout()) {
    *started.mutable_chain_start_time() = history::ToProto(now);
  }
  if (!request.cron_schedule().empty()) {
    started.set_cron_schedule(request.cron_schedule());
    const absl::StatusOr<cron::Cron> parsed = cron::Cron::Parse(request.cron_schedule());
    *started.mutable_first_workflow_task_delay() = history::ToProto(parsed->Next(now) - now);
    started.set_initiator(v1::ContinueInitiator::CRON);
  }
  if (request.has_search_attributes()) {
    *started.mutable_search_attributes() = std::move(*request.mutable_search_attributes());
  }
  if (request.has_memo()) *started.mutable_memo() = std::move(*request.mutable_memo());
  started.set_request_id(request.request_id());
  started.set_traceparent(request.traceparent().empty() ? NewTraceparent(deps_.random)
                                                        : request.traceparent());
  started.set_correlation_id(request.correlation_id());
  started.set_identity(request.identity());
  started.set_random_seed(deps_.random.Next());
  if (!parent.run_id().empty()) *started.mutable_parent() = std::move(parent);
  started.set_run_id(id.empty() ? base::NewRunId(now, deps_.random).value() : id.value());
  started.set_first_run_id(started.run_id());
  return started;
}

LiveRun& Partition::BeginRun(const v1::WorkflowExecutionStarted& started, LiveRun* previous) {
  if (previous != nullptr && !previous->state.closed()) {
    // Both are in one batch: never two open runs, and never none.
    core::TransitionBuilder ending(previous->state, Now());
    std::vector<core::AttemptToStop> stop = core::Terminate(
        ending, absl::StrCat("another start took its workflow id; run ", started.run_id()),
        started.identity());
    previous->stuck_reason.clear();
    Advance(*previous, ending, std::move(stop));
  }
  return NewRun(RunId(started.run_id()), started, previous);
}

void Partition::SignalWithStart(v1::SignalWithStartWorkflowRequest request,
                                Callback<v1::SignalWithStartWorkflowResponse> done) {
  Enqueue(std::move(done), [this, request = std::move(request)](auto done) mutable {
    v1::StartWorkflowRequest& start = *request.mutable_start();
    absl::Status valid = CheckStart(start);
    if (valid.ok()) valid = CheckPayloadSize(request.signal_input());
    if (valid.ok()) valid = CheckName("signal_name", request.signal_name());
    if (valid.ok()) valid = CheckWithStart(start);
    if (!valid.ok()) return done(valid);
    // The signal of a repeated start is the one that came with it, unless it says otherwise.
    const bool keyed = !request.signal_request_id().empty();
    const std::string key = keyed                        ? request.signal_request_id()
                            : start.request_id().empty() ? ""
                                                         : "start:" + start.request_id();
    absl::StatusOr<Beginning> beginning =
        FindBeginning(start, ConflictWithStart(start.workflow_id_conflict_policy()));
    if (!beginning.ok()) return done(beginning.status());
    v1::WorkflowExecutionSignaled signal;
    signal.set_signal_name(request.signal_name());
    *signal.mutable_input() = std::move(*request.mutable_signal_input());
    signal.set_identity(start.identity());
    signal.set_request_id(key);
    v1::SignalWithStartWorkflowResponse response;
    response.set_workflow_id(start.workflow_id());
    LiveRun* run = beginning->run;
    if (run == nullptr) {
      v1::WorkflowExecutionStarted started = StartedOf(std::move(start), {}, {});
      run = &BeginRun(started, beginning->previous);
      core::TransitionBuilder transition(run->state, Now());
      core::Start(transition, std::move(started));
      core::Signal(transition, std::move(signal));
      Advance(*run, transition, {});
      response.set_started(true);
    } else {
      response.set_started(beginning->same_request);
      const bool repeated = (!key.empty() && run->state.signal_request_ids.contains(key)) ||
                            (beginning->same_request && (!keyed || HasContinued(*run)));
      if (!repeated) {
        absl::Status open = run->state.closed()
                                ? absl::FailedPreconditionError(absl::StrCat(
                                      "workflow \"", run->row.workflow_id.value(),
                                      "\" is closed and this request_id has started it"))
                                : CheckLimits(*run);
        if (open.ok()) open = CheckSignal(*run);
        if (!open.ok()) return done(open);
        core::TransitionBuilder transition(run->state, Now());
        core::Signal(transition, std::move(signal));
        Advance(*run, transition, {});
      }
    }
    response.set_run_id(run->id.value());
    Answer(*run, std::move(done), std::move(response));
  });
}

void Partition::UpdateWithStart(v1::UpdateWithStartWorkflowRequest request,
                                Callback<v1::UpdateWithStartWorkflowResponse> done) {
  Enqueue(std::move(done), [this, request = std::move(request)](auto done) mutable {
    v1::StartWorkflowRequest& start = *request.mutable_start();
    absl::Status valid = CheckStart(start);
    if (valid.ok()) valid = CheckPayloadSize(request.update_input());
    if (valid.ok()) valid = CheckName("update_name", request.update_name());
    if (valid.ok()) valid = CheckWithStart(start);
    if (valid.ok() && !start.cron_schedule().empty()) {
      valid = absl::InvalidArgumentError(
          "an update begins its run at once; it cannot be started with cron_schedule");
    }
    if (!valid.ok()) return done(valid);
    if (request.update_id().empty()) {
      request.set_update_id(start.request_id().empty() ? base::NewRunId(Now(), deps_.random).value()
                                                       : "start:" + start.request_id());
    }
    absl::StatusOr<Beginning> beginning =
        FindBeginning(start, ConflictWithStart(start.workflow_id_conflict_policy()));
    if (!beginning.ok()) return done(beginning.status());
    LiveRun* run = beginning->run;
    const bool started_it = run == nullptr || beginning->same_request;
    UpdateCallback answer = [started_it, done = std::move(done)](
                                absl::StatusOr<v1::UpdateWorkflowResponse> updated) mutable {
      if (!updated.ok()) return done(updated.status());
      v1::UpdateWithStartWorkflowResponse response;
      response.set_started(started_it);
      *response.mutable_update() = *std::move(updated);
      done(std::move(response));
    };
    if (run != nullptr) {
      v1::UpdateWorkflowRequest update;
      update.set_workflow_id(start.workflow_id());
      update.set_run_id(run->id.value());
      update.set_namespace_(start.namespace_());
      update.set_update_name(request.update_name());
      update.set_update_id(request.update_id());
      *update.mutable_input() = std::move(*request.mutable_update_input());
      update.set_identity(start.identity());
      return Update(std::move(update), std::move(answer));
    }
    const std::string identity = start.identity();
    v1::WorkflowExecutionStarted started = StartedOf(std::move(start), {}, {});
    run = &BeginRun(started, beginning->previous);
    core::TransitionBuilder transition(run->state, Now());
    core::Start(transition, std::move(started));
    RunUpdate(*run, transition,
              {request.update_id(), request.update_name(), request.update_input(), identity},
              std::move(answer));
  });
}

void Partition::FollowByCron(LiveRun& run) {
  const core::RunState& state = run.state;
  const absl::Time next = NextCronTime(state);
  if (next == absl::InfiniteFuture()) return;
  v1::WorkflowExecutionStarted started = state.started;
  *started.mutable_first_workflow_task_delay() = history::ToProto(next - state.close_time);
  started.set_initiator(v1::ContinueInitiator::CRON);
  started.clear_carried_saga();
  started.clear_continued_failure();
  if (state.closed_status == v1::RunStatus::COMPLETED) {
    *started.mutable_last_completion_result() = state.result;
  } else if (state.failure.has_value()) {
    *started.mutable_continued_failure() = *state.failure;
  }
  *started.mutable_search_attributes() = state.search_attributes;
  *started.mutable_memo() = state.memo;
  started.set_continued_from_run_id(run.id.value());
  started.set_random_seed(deps_.random.Next());
  started.set_run_id(base::NewRunId(state.close_time, deps_.random).value());
  LiveRun& following = NewRun(RunId(started.run_id()), started, &run);
  core::TransitionBuilder first(following.state, state.close_time);
  core::Start(first, std::move(started));
  Advance(following, first, {});
}

}  // namespace engine
