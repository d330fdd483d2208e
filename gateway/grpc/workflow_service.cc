#include "gateway/grpc/workflow_service.h"

#include <utility>

#include "gateway/grpc/validate.h"
#include "gateway/json/field_violations.h"

namespace gateway {

namespace {

constexpr size_t kNameLengthMax = 200;
constexpr int kPageSizeMax = 1000;
constexpr int kHistoryPageSizeMax = 10000;
constexpr size_t kPageTokenLengthMax = 1024;
constexpr int64_t kExecutionTimeoutSecondsMax = int64_t{10} * 366 * 24 * 3600;

// The checks that every request about one run shares.
template <typename Request>
FieldViolations CheckRun(const Request& request) {
  FieldViolations violations;
  CheckWorkflowId("workflow_id", request.workflow_id(), &violations);
  CheckRunId(request.run_id(), &violations);
  return violations;
}

// Answers the violations, if there are any.
template <typename Response>
bool Refused(const FieldViolations& violations, Callback<Response>& done) {
  if (violations.empty()) return false;
  done(violations.ToStatus());
  return true;
}

void CheckIdentity(const std::string& identity, FieldViolations* violations) {
  CheckText("identity", identity, kNameLengthMax, Presence::kOptional, Lines::kSingle, violations);
}

void CheckReason(const std::string& reason, Presence presence, FieldViolations* violations) {
  CheckText("reason", reason, kReasonLengthMax, presence, Lines::kMultiple, violations);
}

}  // namespace

void WorkflowServiceImpl::StartWorkflow(CallInfo call, v1::StartWorkflowRequest request,
                                        Callback<v1::StartWorkflowResponse> done) {
  FieldViolations violations;
  CheckWorkflowId("workflow_id", request.workflow_id(), &violations);
  CheckName("workflow_type", request.workflow_type(), kNameLengthMax, &violations);
  CheckRequestId("request_id", request.request_id(), &violations);
  CheckIdentity(request.identity(), &violations);
  if (request.has_execution_timeout()) {
    const auto& timeout = request.execution_timeout();
    if (timeout.seconds() < 0 || timeout.nanos() < 0 ||
        timeout.seconds() > kExecutionTimeoutSecondsMax) {
      violations.Add("execution_timeout", "must be between 0s and ten years");
    }
  }
  for (const auto& [field, value] : {std::pair{"namespace", &request.namespace_()},
                                     std::pair{"task_queue", &request.task_queue()}}) {
    if (!value->empty()) CheckName(field, *value, kNameLengthMax, &violations);
  }
  CheckRequestId("correlation_id", request.correlation_id(), &violations);
  CheckRequestId("traceparent", request.traceparent(), &violations);
  if (Refused(violations, done)) return;
  request.set_identity(call.IdentityOr(request.identity()));
  if (request.correlation_id().empty()) request.set_correlation_id(call.correlation_id);
  if (request.traceparent().empty()) request.set_traceparent(call.traceparent);
  client_.StartWorkflow(std::move(request), std::move(done));
}

void WorkflowServiceImpl::ListWorkflows(CallInfo call, v1::ListWorkflowsRequest request,
                                        Callback<v1::ListWorkflowsResponse> done) {
  FieldViolations violations;
  CheckRange("page_size", request.page_size(), 0, kPageSizeMax, &violations);
  if (!v1::RunStatus::Value_IsValid(request.status())) {
    violations.Add("status", "is not a run status");
  }
  if (!request.workflow_type().empty()) {
    CheckName("workflow_type", request.workflow_type(), kNameLengthMax, &violations);
  }
  if (!request.namespace_().empty()) {
    CheckName("namespace", request.namespace_(), kNameLengthMax, &violations);
  }
  if (request.page_token().size() > kPageTokenLengthMax) {
    violations.Add("page_token", "is not a token that this service gave");
  }
  if (Refused(violations, done)) return;
  client_.ListWorkflows(std::move(request), std::move(done));
}

void WorkflowServiceImpl::GetWorkflow(CallInfo call, v1::GetWorkflowRequest request,
                                      Callback<v1::WorkflowInfo> done) {
  if (Refused(CheckRun(request), done)) return;
  client_.GetWorkflow(std::move(request), std::move(done));
}

void WorkflowServiceImpl::GetWorkflowHistory(CallInfo call, v1::GetWorkflowHistoryRequest request,
                                             Callback<v1::GetWorkflowHistoryResponse> done) {
  FieldViolations violations = CheckRun(request);
  CheckRange("page_size", request.page_size(), 0, kHistoryPageSizeMax, &violations);
  if (request.after_event_id() < 0) violations.Add("after_event_id", "must not be negative");
  CheckWait(request.wait(), &violations);
  if (Refused(violations, done)) return;
  client_.GetHistory(std::move(request), std::move(done));
}

void WorkflowServiceImpl::GetWorkflowResult(CallInfo call, v1::GetWorkflowResultRequest request,
                                            Callback<v1::GetWorkflowResultResponse> done) {
  FieldViolations violations = CheckRun(request);
  CheckWait(request.wait(), &violations);
  if (Refused(violations, done)) return;
  client_.GetResult(std::move(request), std::move(done));
}

void WorkflowServiceImpl::GetSaga(CallInfo call, v1::GetSagaRequest request,
                                  Callback<v1::SagaInfo> done) {
  if (Refused(CheckRun(request), done)) return;
  client_.GetSaga(std::move(request), std::move(done));
}

void WorkflowServiceImpl::SignalWorkflow(CallInfo call, v1::SignalWorkflowRequest request,
                                         Callback<v1::SignalWorkflowResponse> done) {
  FieldViolations violations = CheckRun(request);
  CheckName("signal_name", request.signal_name(), kNameLengthMax, &violations);
  CheckRequestId("request_id", request.request_id(), &violations);
  CheckIdentity(request.identity(), &violations);
  if (Refused(violations, done)) return;
  request.set_identity(call.IdentityOr(request.identity()));
  client_.Signal(std::move(request), std::move(done));
}

void WorkflowServiceImpl::QueryWorkflow(CallInfo call, v1::QueryWorkflowRequest request,
                                        Callback<v1::QueryWorkflowResponse> done) {
  FieldViolations violations = CheckRun(request);
  CheckName("query_name", request.query_name(), kNameLengthMax, &violations);
  if (Refused(violations, done)) return;
  client_.Query(std::move(request), std::move(done));
}

void WorkflowServiceImpl::UpdateWorkflow(CallInfo call, v1::UpdateWorkflowRequest request,
                                         Callback<v1::UpdateWorkflowResponse> done) {
  FieldViolations violations = CheckRun(request);
  CheckName("update_name", request.update_name(), kNameLengthMax, &violations);
  CheckRequestId("update_id", request.update_id(), &violations);
  CheckIdentity(request.identity(), &violations);
  if (Refused(violations, done)) return;
  request.set_identity(call.IdentityOr(request.identity()));
  client_.Update(std::move(request), std::move(done));
}

void WorkflowServiceImpl::CancelWorkflow(CallInfo call, v1::CancelWorkflowRequest request,
                                         Callback<v1::CancelWorkflowResponse> done) {
  FieldViolations violations = CheckRun(request);
  CheckReason(request.reason(), Presence::kOptional, &violations);
  CheckIdentity(request.identity(), &violations);
  if (Refused(violations, done)) return;
  request.set_identity(call.IdentityOr(request.identity()));
  client_.Cancel(std::move(request), std::move(done));
}

void WorkflowServiceImpl::TerminateWorkflow(CallInfo call, v1::TerminateWorkflowRequest request,
                                            Callback<v1::TerminateWorkflowResponse> done) {
  FieldViolations violations = CheckRun(request);
  CheckReason(request.reason(), Presence::kOptional, &violations);
  CheckIdentity(request.identity(), &violations);
  if (Refused(violations, done)) return;
  request.set_identity(call.IdentityOr(request.identity()));
  client_.Terminate(std::move(request), std::move(done));
}

void WorkflowServiceImpl::Compensation(client::CompensationVerb verb, CallInfo call,
                                       v1::CompensationVerbRequest request,
                                       Callback<v1::CompensationVerbResponse> done) {
  FieldViolations violations;
  CheckWorkflowId("workflow_id", request.workflow_id(), &violations);
  CheckName("step", request.step(), kNameLengthMax, &violations);
  CheckReason(request.reason(),
              verb == client::CompensationVerb::kRetry ? Presence::kOptional : Presence::kRequired,
              &violations);
  CheckIdentity(request.identity(), &violations);
  if (Refused(violations, done)) return;
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
