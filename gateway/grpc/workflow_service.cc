#include "gateway/grpc/workflow_service.h"

#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/grpc/refused.h"
#include "gateway/grpc/start_quota.h"
#include "gateway/grpc/validate.h"
#include "gateway/json/field_violations.h"

namespace gateway {

namespace {

constexpr size_t kNameLengthMax = 200;
constexpr int kHistoryPageSizeMax = 10000;
constexpr int64_t kExecutionTimeoutSecondsMax = int64_t{10} * 366 * 24 * 3600;

// The checks that every request about one run shares.
template <typename Request>
void CheckRun(const Request& request, FieldViolations* violations) {
  CheckWorkflowId("workflow_id", request.workflow_id(), violations);
  CheckRunId(request.run_id(), violations);
}

void CheckIdentity(const std::string& identity, FieldViolations* violations) {
  CheckText("identity", identity, kNameLengthMax, Presence::kOptional, Lines::kSingle, violations);
}

void CheckReason(const std::string& reason, Presence presence, FieldViolations* violations) {
  CheckText("reason", reason, kReasonLengthMax, presence, Lines::kMultiple, violations);
}

void CheckLength(absl::string_view field, const google::protobuf::Duration& duration,
                 FieldViolations* violations) {
  if (duration.seconds() < 0 || duration.nanos() < 0 ||
      duration.seconds() > kExecutionTimeoutSecondsMax) {
    violations->Add(field, "must be between 0s and ten years");
  }
}

// `prefix` is where the start is in the request: "" or "start.".
void CheckStart(const std::string& prefix, const v1::StartWorkflowRequest& start,
                FieldViolations* violations) {
  const auto path = [&prefix](const char* field) { return prefix + field; };
  CheckWorkflowId(path("workflow_id"), start.workflow_id(), violations);
  CheckName(path("workflow_type"), start.workflow_type(), kNameLengthMax, violations);
  CheckRequestId(path("request_id"), start.request_id(), violations);
  CheckText(path("identity"), start.identity(), kNameLengthMax, Presence::kOptional, Lines::kSingle,
            violations);
  CheckLength(path("execution_timeout"), start.execution_timeout(), violations);
  CheckLength(path("run_timeout"), start.run_timeout(), violations);
  CheckLength(path("start_delay"), start.start_delay(), violations);
  CheckLength(path("compensation_reserve"), start.compensation_reserve(), violations);
  for (const auto& [field, value] : {std::pair{"namespace", &start.namespace_()},
                                     std::pair{"task_queue", &start.task_queue()}}) {
    if (!value->empty()) CheckName(path(field), *value, kNameLengthMax, violations);
  }
  CheckText(path("cron_schedule"), start.cron_schedule(), kNameLengthMax, Presence::kOptional,
            Lines::kSingle, violations);
  if (!v1::WorkflowIdReusePolicy::Value_IsValid(start.workflow_id_reuse_policy())) {
    violations->Add(path("workflow_id_reuse_policy"), "is not a reuse policy");
  }
  if (!v1::WorkflowIdConflictPolicy::Value_IsValid(start.workflow_id_conflict_policy())) {
    violations->Add(path("workflow_id_conflict_policy"), "is not a conflict policy");
  }
  CheckRequestId(path("correlation_id"), start.correlation_id(), violations);
  CheckRequestId(path("traceparent"), start.traceparent(), violations);
}

// What the start takes from the call that brought it.
void Complete(const CallInfo& call, v1::StartWorkflowRequest* start) {
  start->set_identity(call.IdentityOr(start->identity()));
  if (start->correlation_id().empty()) start->set_correlation_id(call.correlation_id);
  if (start->traceparent().empty()) start->set_traceparent(call.traceparent);
}

bool Began(const v1::StartWorkflowResponse& response) { return !response.already_started(); }
bool Began(const v1::SignalWithStartWorkflowResponse& response) { return response.started(); }
bool Began(const v1::UpdateWithStartWorkflowResponse& response) { return response.started(); }

// Tells `place` how the start ended, then answers.
template <typename Response>
Callback<Response> Counted(StartReservation place, Callback<Response> done) {
  return [place = std::move(place),
          done = std::move(done)](absl::StatusOr<Response> response) mutable {
    place.Ended(response.status(), response.ok() && Began(*response));
    done(std::move(response));
  };
}

const v1::StartWorkflowRequest& StartOf(const v1::StartWorkflowRequest& request) { return request; }
template <typename Request>
const v1::StartWorkflowRequest& StartOf(const Request& request) {
  return request.start();
}

// Calls `start`, a method of the client, when the caller's quota has a place for the start.
template <typename Request, typename Response>
void StartWithinQuota(auth::UserQuotas* quotas, client::WorkflowClient& client,
                      const CallInfo& call, Request request,
                      void (client::WorkflowClient::*start)(Request, Callback<Response>),
                      Callback<Response> done) {
  auto kept = std::make_unique<Request>(std::move(request));
  const v1::StartWorkflowRequest& counted = StartOf(*kept);
  WithinQuota(quotas, call, counted,
              [&client, start, kept = std::move(kept),
               done = std::move(done)](absl::StatusOr<StartReservation> place) mutable {
                if (!place.ok()) return done(place.status());
                (client.*start)(std::move(*kept), Counted(*std::move(place), std::move(done)));
              });
}

}  // namespace

void WorkflowServiceImpl::Check(const v1::StartWorkflowRequest& request,
                                FieldViolations* violations) const {
  CheckStart("", request, violations);
}

void WorkflowServiceImpl::StartWorkflow(CallInfo call, v1::StartWorkflowRequest request,
                                        Callback<v1::StartWorkflowResponse> done) {
  if (Refused(*this, request, done)) return;
  Complete(call, &request);
  StartWithinQuota(quotas_, client_, call, std::move(request),
                   &client::WorkflowClient::StartWorkflow, std::move(done));
}

void WorkflowServiceImpl::Check(const v1::SignalWithStartWorkflowRequest& request,
                                FieldViolations* violations) const {
  CheckStart("start.", request.start(), violations);
  CheckName("signal_name", request.signal_name(), kNameLengthMax, violations);
  CheckRequestId("signal_request_id", request.signal_request_id(), violations);
}

void WorkflowServiceImpl::SignalWithStartWorkflow(
    CallInfo call, v1::SignalWithStartWorkflowRequest request,
    Callback<v1::SignalWithStartWorkflowResponse> done) {
  if (Refused(*this, request, done)) return;
  Complete(call, request.mutable_start());
  StartWithinQuota(quotas_, client_, call, std::move(request),
                   &client::WorkflowClient::SignalWithStart, std::move(done));
}

void WorkflowServiceImpl::Check(const v1::UpdateWithStartWorkflowRequest& request,
                                FieldViolations* violations) const {
  CheckStart("start.", request.start(), violations);
  CheckName("update_name", request.update_name(), kNameLengthMax, violations);
  CheckRequestId("update_id", request.update_id(), violations);
}

void WorkflowServiceImpl::UpdateWithStartWorkflow(
    CallInfo call, v1::UpdateWithStartWorkflowRequest request,
    Callback<v1::UpdateWithStartWorkflowResponse> done) {
  if (Refused(*this, request, done)) return;
  Complete(call, request.mutable_start());
  StartWithinQuota(quotas_, client_, call, std::move(request),
                   &client::WorkflowClient::UpdateWithStart, std::move(done));
}

void WorkflowServiceImpl::Check(const v1::PauseWorkflowRequest& request,
                                FieldViolations* violations) const {
  CheckRun(request, violations);
  CheckReason(request.reason(), Presence::kOptional, violations);
  CheckIdentity(request.identity(), violations);
  CheckRequestId("request_id", request.request_id(), violations);
}

void WorkflowServiceImpl::PauseWorkflow(CallInfo call, v1::PauseWorkflowRequest request,
                                        Callback<v1::PauseWorkflowResponse> done) {
  if (Refused(*this, request, done)) return;
  request.set_identity(call.IdentityOr(request.identity()));
  client_.Pause(std::move(request), std::move(done));
}

void WorkflowServiceImpl::Check(const v1::ResumeWorkflowRequest& request,
                                FieldViolations* violations) const {
  CheckRun(request, violations);
  CheckReason(request.reason(), Presence::kOptional, violations);
  CheckIdentity(request.identity(), violations);
  CheckRequestId("request_id", request.request_id(), violations);
}

void WorkflowServiceImpl::ResumeWorkflow(CallInfo call, v1::ResumeWorkflowRequest request,
                                         Callback<v1::ResumeWorkflowResponse> done) {
  if (Refused(*this, request, done)) return;
  request.set_identity(call.IdentityOr(request.identity()));
  client_.Resume(std::move(request), std::move(done));
}

void WorkflowServiceImpl::Check(const v1::ResetWorkflowRequest& request,
                                FieldViolations* violations) const {
  CheckRun(request, violations);
  CheckRange("event_id", request.event_id(), 1, std::numeric_limits<int32_t>::max(), violations);
  CheckReason(request.reason(), Presence::kOptional, violations);
  CheckIdentity(request.identity(), violations);
  CheckRequestId("request_id", request.request_id(), violations);
}

void WorkflowServiceImpl::ResetWorkflow(CallInfo call, v1::ResetWorkflowRequest request,
                                        Callback<v1::ResetWorkflowResponse> done) {
  if (Refused(*this, request, done)) return;
  request.set_identity(call.IdentityOr(request.identity()));
  client_.ResetWorkflow(std::move(request), std::move(done));
}

void WorkflowServiceImpl::Check(const v1::RetryWorkflowNowRequest& request,
                                FieldViolations* violations) const {
  CheckRun(request, violations);
  for (int i = 0; i < request.activity_ids_size(); ++i) {
    CheckName(absl::StrCat("activity_ids[", i, "]"), request.activity_ids(i), kNameLengthMax,
              violations);
  }
  CheckIdentity(request.identity(), violations);
}

void WorkflowServiceImpl::RetryWorkflowNow(CallInfo call, v1::RetryWorkflowNowRequest request,
                                           Callback<v1::RetryWorkflowNowResponse> done) {
  if (Refused(*this, request, done)) return;
  request.set_identity(call.IdentityOr(request.identity()));
  client_.RetryNow(std::move(request), std::move(done));
}

void WorkflowServiceImpl::Check(const v1::GetWorkflowRequest& request,
                                FieldViolations* violations) const {
  CheckRun(request, violations);
}

void WorkflowServiceImpl::GetWorkflow(CallInfo call, v1::GetWorkflowRequest request,
                                      Callback<v1::WorkflowInfo> done) {
  if (Refused(*this, request, done)) return;
  client_.GetWorkflow(std::move(request), std::move(done));
}

void WorkflowServiceImpl::Check(const v1::GetWorkflowHistoryRequest& request,
                                FieldViolations* violations) const {
  CheckRun(request, violations);
  CheckRange("page_size", request.page_size(), 0, kHistoryPageSizeMax, violations);
  if (request.after_event_id() < 0) violations->Add("after_event_id", "must not be negative");
  CheckWait(request.wait(), violations);
}

void WorkflowServiceImpl::GetWorkflowHistory(CallInfo call, v1::GetWorkflowHistoryRequest request,
                                             Callback<v1::GetWorkflowHistoryResponse> done) {
  if (Refused(*this, request, done)) return;
  client_.GetHistory(std::move(request), std::move(done));
}

void WorkflowServiceImpl::Check(const v1::GetWorkflowResultRequest& request,
                                FieldViolations* violations) const {
  CheckRun(request, violations);
  CheckWait(request.wait(), violations);
}

void WorkflowServiceImpl::GetWorkflowResult(CallInfo call, v1::GetWorkflowResultRequest request,
                                            Callback<v1::GetWorkflowResultResponse> done) {
  if (Refused(*this, request, done)) return;
  client_.GetResult(std::move(request), std::move(done));
}

void WorkflowServiceImpl::Check(const v1::GetSagaRequest& request,
                                FieldViolations* violations) const {
  CheckRun(request, violations);
}

void WorkflowServiceImpl::GetSaga(CallInfo call, v1::GetSagaRequest request,
                                  Callback<v1::SagaInfo> done) {
  if (Refused(*this, request, done)) return;
  client_.GetSaga(std::move(request), std::move(done));
}

void WorkflowServiceImpl::Check(const v1::SignalWorkflowRequest& request,
                                FieldViolations* violations) const {
  CheckRun(request, violations);
  CheckName("signal_name", request.signal_name(), kNameLengthMax, violations);
  CheckRequestId("request_id", request.request_id(), violations);
  CheckIdentity(request.identity(), violations);
}

void WorkflowServiceImpl::SignalWorkflow(CallInfo call, v1::SignalWorkflowRequest request,
                                         Callback<v1::SignalWorkflowResponse> done) {
  if (Refused(*this, request, done)) return;
  request.set_identity(call.IdentityOr(request.identity()));
  client_.Signal(std::move(request), std::move(done));
}

void WorkflowServiceImpl::Check(const v1::QueryWorkflowRequest& request,
                                FieldViolations* violations) const {
  CheckRun(request, violations);
  CheckName("query_name", request.query_name(), kNameLengthMax, violations);
}

void WorkflowServiceImpl::QueryWorkflow(CallInfo call, v1::QueryWorkflowRequest request,
                                        Callback<v1::QueryWorkflowResponse> done) {
  if (Refused(*this, request, done)) return;
  client_.Query(std::move(request), std::move(done));
}

void WorkflowServiceImpl::Check(const v1::UpdateWorkflowRequest& request,
                                FieldViolations* violations) const {
  CheckRun(request, violations);
  CheckName("update_name", request.update_name(), kNameLengthMax, violations);
  CheckRequestId("update_id", request.update_id(), violations);
  CheckIdentity(request.identity(), violations);
}

void WorkflowServiceImpl::UpdateWorkflow(CallInfo call, v1::UpdateWorkflowRequest request,
                                         Callback<v1::UpdateWorkflowResponse> done) {
  if (Refused(*this, request, done)) return;
  request.set_identity(call.IdentityOr(request.identity()));
  client_.Update(std::move(request), std::move(done));
}

void WorkflowServiceImpl::Check(const v1::CancelWorkflowRequest& request,
                                FieldViolations* violations) const {
  CheckRun(request, violations);
  CheckReason(request.reason(), Presence::kOptional, violations);
  CheckIdentity(request.identity(), violations);
}

void WorkflowServiceImpl::CancelWorkflow(CallInfo call, v1::CancelWorkflowRequest request,
                                         Callback<v1::CancelWorkflowResponse> done) {
  if (Refused(*this, request, done)) return;
  request.set_identity(call.IdentityOr(request.identity()));
  client_.Cancel(std::move(request), std::move(done));
}

void WorkflowServiceImpl::Check(const v1::TerminateWorkflowRequest& request,
                                FieldViolations* violations) const {
  CheckRun(request, violations);
  CheckReason(request.reason(), Presence::kOptional, violations);
  CheckIdentity(request.identity(), violations);
}

void WorkflowServiceImpl::TerminateWorkflow(CallInfo call, v1::TerminateWorkflowRequest request,
                                            Callback<v1::TerminateWorkflowResponse> done) {
  if (Refused(*this, request, done)) return;
  request.set_identity(call.IdentityOr(request.identity()));
  client_.Terminate(std::move(request), std::move(done));
}

void WorkflowServiceImpl::Check(const v1::CompensationVerbRequest& request,
                                FieldViolations* violations) const {
  CheckWorkflowId("workflow_id", request.workflow_id(), violations);
  CheckName("step", request.step(), kNameLengthMax, violations);
  CheckReason(request.reason(), Presence::kOptional, violations);
  CheckIdentity(request.identity(), violations);
}

void WorkflowServiceImpl::CheckDecision(const v1::CompensationVerbRequest& request,
                                        FieldViolations* violations) const {
  Check(request, violations);
  if (request.reason().empty()) violations->Add("reason", "is required");
}

void WorkflowServiceImpl::Compensation(client::CompensationVerb verb, CallInfo call,
                                       v1::CompensationVerbRequest request,
                                       Callback<v1::CompensationVerbResponse> done) {
  FieldViolations violations;
  if (verb == client::CompensationVerb::kRetry) {
    Check(request, &violations);
  } else {
    CheckDecision(request, &violations);
  }
  if (!violations.empty()) return done(violations.ToStatus());
  request.set_identity(call.IdentityOr(request.identity()));
  client_.Compensation(verb, std::move(request), std::move(done));
}

void WorkflowServiceImpl::RetryCompensation(CallInfo call, v1::CompensationVerbRequest request,
                                            Callback<v1::CompensationVerbResponse> done) {
  Compensation(client::CompensationVerb::kRetry, std::move(call), std::move(request),
               std::move(done));
}

void WorkflowServiceImpl::SkipCompensation(CallInfo call, v1::CompensationVerbRequest request,
                                           Callback<v1::CompensationVerbResponse> done) {
  Compensation(client::CompensationVerb::kSkip, std::move(call), std::move(request),
               std::move(done));
}

void WorkflowServiceImpl::ResolveCompensation(CallInfo call, v1::CompensationVerbRequest request,
                                              Callback<v1::CompensationVerbResponse> done) {
  Compensation(client::CompensationVerb::kResolve, std::move(call), std::move(request),
               std::move(done));
}

}  // namespace gateway
