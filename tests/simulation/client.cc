#include "tests/simulation/client.h"

#include <google/protobuf/wrappers.pb.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/history/payload.h"
#include "orchestrator/history/time.h"
#include "tests/simulation/programs.h"

namespace sim {
namespace {

constexpr absl::Duration kAnswerTimeout = absl::Seconds(20);

v1::Payload Text(const std::string& text) {
  google::protobuf::StringValue value;
  value.set_value(text);
  return history::ToPayload(value);
}

bool IsFinal(v1::RunStatus::Value status) {
  return status == v1::RunStatus::COMPLETED || status == v1::RunStatus::FAILED ||
         status == v1::RunStatus::CANCELED || status == v1::RunStatus::TERMINATED ||
         status == v1::RunStatus::TIMED_OUT;
}

// The call did not happen, or it is not known whether it did.
bool MayRepeat(const absl::Status& status) {
  return !absl::IsNotFound(status) && !absl::IsFailedPrecondition(status) &&
         !absl::IsInvalidArgument(status) && !absl::IsAlreadyExists(status);
}

}  // namespace

Client::Client(Scheduler& scheduler, Checker& checker, Route route, Rule broken)
    : scheduler_(scheduler),
      checker_(checker),
      route_(std::move(route)),
      broken_(broken),
      loop_(scheduler, "client") {}

void Client::Begin(const std::string& workflow_id, const std::string& program, absl::Duration after,
                   absl::Duration execution_timeout, absl::Duration start_delay, bool disturb) {
  programs_[workflow_id] = program;
  open_.insert(workflow_id);
  scheduler_.Log([&] { return absl::StrCat("program of ", workflow_id, ": ", program); });
  const Plan plan{workflow_id, execution_timeout, disturb};
  if (start_delay > absl::ZeroDuration()) start_delays_[workflow_id] = start_delay;
  loop_.PostAfter(after, [this, plan] { Start(plan); });
  loop_.PostAfter(after + absl::Seconds(1), [this, plan] { Live(plan); });
}

void Client::BeginCron(const std::string& workflow_id, const std::string& program,
                       absl::Duration after) {
  crons_.insert(workflow_id);
  Begin(workflow_id, program, after, absl::ZeroDuration(), absl::ZeroDuration(), false);
}

void Client::Start(Plan plan) {
  if (started_.contains(plan.workflow_id)) return;
  loop_.PostAfter(kAnswerTimeout, [this, plan] { Start(plan); });
  engine::Partition* partition = route_(plan.workflow_id);
  if (partition == nullptr) return;
  v1::StartWorkflowRequest request;
  request.set_workflow_id(plan.workflow_id);
  request.set_workflow_type(kWorkflowType);
  *request.mutable_input() = Text(programs_[plan.workflow_id]);
  request.set_request_id("start-" + plan.workflow_id);
  if (plan.execution_timeout > absl::ZeroDuration()) {
    *request.mutable_execution_timeout() = history::ToProto(plan.execution_timeout);
  }
  if (crons_.contains(plan.workflow_id)) request.set_cron_schedule("* * * * *");
  if (start_delays_.contains(plan.workflow_id)) {
    *request.mutable_start_delay() = history::ToProto(start_delays_[plan.workflow_id]);
  }
  const std::string id = plan.workflow_id;
  if (!scheduler_.Chance(0.2)) {
    return partition->Start(
        request, [this, id](absl::StatusOr<v1::StartWorkflowResponse> response) {
          OnStarted(id, response.status(), response.ok() ? response->run_id() : "",
                    response.ok() && response->already_started() ? "start repeated" : "start");
        });
  }
  v1::SignalWithStartWorkflowRequest both;
  *both.mutable_start() = request;
  both.set_signal_name("go");
  *both.mutable_signal_input() = Text("go");
  both.set_signal_request_id("signal-with-start-" + id);
  partition->SignalWithStart(
      both, [this, id](absl::StatusOr<v1::SignalWithStartWorkflowResponse> response) {
        OnStarted(id, response.status(), response.ok() ? response->run_id() : "",
                  response.ok() && response->started() ? "start with signal"
                                                       : "start with signal repeated");
      });
}

void Client::OnStarted(const std::string& workflow_id, const absl::Status& status,
                       const std::string& run_id, const char* verb) {
  scheduler_.Log(
      [&] { return absl::StrCat("client: start of ", workflow_id, ": ", status.ToString()); });
  if (status.ok()) {
    started_.insert(workflow_id);
    verbs_seen_.insert(verb);
    checker_.OnStarted(run_id, "start-" + workflow_id);
  } else if (absl::IsAlreadyExists(status)) {
    checker_.Fail(absl::StrCat("a repeated start was refused: ", status.message()));
  }
}

void Client::Live(Plan plan) {
  if (!open_.contains(plan.workflow_id)) return;
  loop_.PostAfter(settling_ ? absl::Seconds(30)
                            : scheduler_.Between(absl::Milliseconds(100), absl::Seconds(40)),
                  [this, plan] { Live(plan); });
  if (started_.contains(plan.workflow_id) && scheduler_.now() < quiet_until_) return;
  Look(plan);
  Act(plan);
}

void Client::Look(const Plan& plan) {
  engine::Partition* partition = route_(plan.workflow_id);
  if (partition == nullptr) return;
  v1::GetWorkflowRequest request;
  request.set_workflow_id(plan.workflow_id);
  partition->Describe(
      request, [this, id = plan.workflow_id](absl::StatusOr<v1::WorkflowInfo> info) {
        if (!info.ok()) return;
        checker_.OnDescribed(*info);
        if (IsFinal(info->status())) {
          open_.erase(id);
        } else if (info->status_reason().starts_with("compensation_blocked")) {
          loop_.Post([this, id] { Unblock(id); });
        }
        if (info->status() == v1::RunStatus::PAUSED && (settling_ || scheduler_.Chance(0.5))) {
          loop_.Post([this, id] { Resume(id); });
        }
      });
}

void Client::Act(const Plan& plan) {
  engine::Partition* partition = route_(plan.workflow_id);
  if (partition == nullptr) return;
  const std::string& id = plan.workflow_id;
  const std::string request_id = absl::StrCat("request-", ++last_request_);
  const uint64_t dice = settling_ ? 0 : scheduler_.Below(plan.disturb && !gentle_ ? 100 : 80);
  if (crons_.contains(id)) {
    if (!settling_) return;
    v1::CancelWorkflowRequest cancel;
    cancel.set_workflow_id(id);
    partition->Cancel(cancel, [this](absl::StatusOr<v1::CancelWorkflowResponse> response) {
      if (response.ok()) verbs_seen_.insert("cancel of a cron");
    });
  } else if (dice < 40) {
    Signal(id, request_id, 0);
  } else if (dice < 60) {
    Update(id, scheduler_.Chance(0.5) ? "add" : "add_later", request_id, 0);
  } else if (dice < 72) {
    v1::QueryWorkflowRequest query;
    query.set_workflow_id(id);
    query.set_query_name("sum");
    *query.mutable_input() = Text("");
    partition->Query(query, [this](absl::StatusOr<v1::QueryWorkflowResponse> response) {
      if (response.ok()) verbs_seen_.insert("query");
    });
  } else if (dice < 75) {
    Pause(id, request_id);
  } else if (dice < 77) {
    RetryNow(id);
  } else if (dice < 80) {
    v1::GetWorkflowResultRequest result;
    result.set_workflow_id(id);
    *result.mutable_wait() = history::ToProto(absl::Seconds(20));
    partition->GetResult(result, [this](absl::StatusOr<v1::GetWorkflowResultResponse> response) {
      if (response.ok()) verbs_seen_.insert("result");
    });
  } else if (dice < 95) {
    v1::CancelWorkflowRequest cancel;
    cancel.set_workflow_id(id);
    partition->Cancel(cancel, [this](absl::StatusOr<v1::CancelWorkflowResponse> response) {
      if (response.ok()) verbs_seen_.insert("cancel");
    });
  } else {
    v1::TerminateWorkflowRequest terminate;
    terminate.set_workflow_id(id);
    const std::string child = checker_.OpenChildOf(id);
    if (!child.empty() && scheduler_.Chance(0.7)) {
      terminate.set_workflow_id(child);
      partition = route_(child);
      if (partition == nullptr) return;
    }
    partition->Terminate(terminate, [this](absl::StatusOr<v1::TerminateWorkflowResponse> response) {
      if (response.ok()) verbs_seen_.insert("terminate");
    });
  }
}

void Client::Signal(const std::string& workflow_id, const std::string& request_id, int tries) {
  engine::Partition* partition = route_(workflow_id);
  if (partition == nullptr || tries > 5) return;
  if (broken_ == Rule::kSignalDropped && scheduler_.Chance(0.1)) {
    const Checker::Shadow* run = checker_.Newest(workflow_id);
    if (run != nullptr) checker_.OnSignaled(run->row.run_id.value(), request_id);
    return;
  }
  v1::SignalWorkflowRequest request;
  request.set_workflow_id(workflow_id);
  request.set_signal_name("go");
  *request.mutable_input() = Text("go");
  request.set_request_id(request_id);
  partition->Signal(request, [this, workflow_id, request_id,
                              tries](absl::StatusOr<v1::SignalWorkflowResponse> response) {
    if (response.ok()) {
      verbs_seen_.insert("signal");
      checker_.OnSignaled(response->run_id(), request_id);
    } else if (MayRepeat(response.status())) {
      loop_.PostAfter(absl::Seconds(1), [this, workflow_id, request_id, tries] {
        Signal(workflow_id, request_id, tries + 1);
      });
    }
  });
}

void Client::Pause(const std::string& workflow_id, const std::string& request_id) {
  engine::Partition* partition = route_(workflow_id);
  if (partition == nullptr) return;
  if (broken_ == Rule::kPauseDropped) {
    const Checker::Shadow* run = checker_.Newest(workflow_id);
    if (run != nullptr) checker_.OnPaused(run->row.run_id.value(), request_id);
    return;
  }
  v1::PauseWorkflowRequest request;
  request.set_workflow_id(workflow_id);
  request.set_reason("to look at it");
  request.set_identity("operator");
  request.set_request_id(request_id);
  partition->Pause(request, [this, request_id](absl::StatusOr<v1::PauseWorkflowResponse> response) {
    if (!response.ok()) return;
    verbs_seen_.insert("pause");
    if (!response->already_paused()) checker_.OnPaused(response->run_id(), request_id);
  });
}

void Client::Resume(const std::string& workflow_id) {
  engine::Partition* partition = route_(workflow_id);
  if (partition == nullptr) return;
  v1::ResumeWorkflowRequest request;
  request.set_workflow_id(workflow_id);
  request.set_identity("operator");
  request.set_request_id(absl::StrCat("resume-", ++last_request_));
  partition->Resume(request, [this](absl::StatusOr<v1::ResumeWorkflowResponse> response) {
    if (response.ok()) verbs_seen_.insert("resume");
  });
}

void Client::RetryNow(const std::string& workflow_id) {
  engine::Partition* partition = route_(workflow_id);
  if (partition == nullptr) return;
  v1::RetryWorkflowNowRequest request;
  request.set_workflow_id(workflow_id);
  request.set_identity("operator");
  partition->RetryNow(request, [this](absl::StatusOr<v1::RetryWorkflowNowResponse> response) {
    if (!response.ok()) return;
    verbs_seen_.insert(response->activity_ids().empty() ? "retry now, nothing waits" : "retry now");
  });
}

void Client::Update(const std::string& workflow_id, const std::string& name,
                    const std::string& update_id, int tries) {
  engine::Partition* partition = route_(workflow_id);
  if (partition == nullptr || tries > 5) return;
  v1::UpdateWorkflowRequest request;
  request.set_workflow_id(workflow_id);
  request.set_update_name(name);
  request.set_update_id(update_id);
  *request.mutable_input() = Text(absl::StrCat(last_request_ % 4));
  partition->Update(request, [this, workflow_id, name, update_id,
                              tries](absl::StatusOr<v1::UpdateWorkflowResponse> response) {
    if (response.ok()) {
      verbs_seen_.insert(response->has_rejected() ? "update rejected" : "update");
      checker_.OnUpdated(*response);
    } else if (MayRepeat(response.status())) {
      loop_.PostAfter(absl::Seconds(1), [this, workflow_id, name, update_id, tries] {
        Update(workflow_id, name, update_id, tries + 1);
      });
    }
  });
}

void Client::Unblock(const std::string& workflow_id) {
  engine::Partition* partition = route_(workflow_id);
  if (partition == nullptr) return;
  v1::GetSagaRequest request;
  request.set_workflow_id(workflow_id);
  partition->GetSaga(request, [this, workflow_id](absl::StatusOr<v1::SagaInfo> saga) {
    if (!saga.ok()) return;
    for (const v1::SagaStepInfo& step : saga->steps()) {
      if (step.compensation() != v1::CompensationState::BLOCKED) continue;
      const char* const verbs[] = {"saga.retry", "saga.retry", "saga.skip", "saga.resolve"};
      const std::string verb = verbs[scheduler_.Below(4)];
      loop_.Post([this, workflow_id, verb, name = step.step()] {
        engine::Partition* partition = route_(workflow_id);
        if (partition == nullptr) return;
        v1::CompensationVerbInput input;
        input.set_step(name);
        input.set_reason("decided by the operator");
        input.set_identity("operator");
        v1::UpdateWorkflowRequest update;
        update.set_workflow_id(workflow_id);
        update.set_update_name(verb);
        update.set_update_id(absl::StrCat("operator-", ++last_request_));
        *update.mutable_input() = history::ToPayload(input);
        partition->Update(update,
                          [this, verb](absl::StatusOr<v1::UpdateWorkflowResponse> response) {
                            if (!response.ok()) return;
                            verbs_seen_.insert(verb);
                            checker_.OnUpdated(*response);
                          });
      });
    }
  });
}

}  // namespace sim
