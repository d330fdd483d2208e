// WorkflowServiceImpl: orchestrator.v1.WorkflowService over a WorkflowClient. It checks requests
// and passes them on; gRPC and REST share it.
//
// Thread-safety: thread-safe. Each callback is called exactly once, at once on the caller's
// thread (invalid request) or on an engine thread.
//
// Example:
//   WorkflowServiceImpl service(client);
//   service.GetWorkflow(call, request, [](absl::StatusOr<v1::WorkflowInfo> info) { ... });
#pragma once

#include "gateway/auth/user_quotas.h"
#include "gateway/grpc/call_info.h"
#include "gateway/json/field_violations.h"
#include "orchestrator/client/client.h"

namespace gateway {

namespace v1 = ::orchestrator::v1;
using client::Callback;

class WorkflowServiceImpl {
 public:
  // `quotas`: of those who start campaigns; may be null. Both outlive the service.
  explicit WorkflowServiceImpl(client::WorkflowClient& client, auth::UserQuotas* quotas = nullptr)
      : client_(client), quotas_(quotas) {}

  void StartWorkflow(CallInfo call, v1::StartWorkflowRequest request,
                     Callback<v1::StartWorkflowResponse> done);
  void ListWorkflows(CallInfo call, v1::ListWorkflowsRequest request,
                     Callback<v1::ListWorkflowsResponse> done);
  void GetWorkflow(CallInfo call, v1::GetWorkflowRequest request, Callback<v1::WorkflowInfo> done);
  void GetWorkflowHistory(CallInfo call, v1::GetWorkflowHistoryRequest request,
                          Callback<v1::GetWorkflowHistoryResponse> done);
  void GetWorkflowResult(CallInfo call, v1::GetWorkflowResultRequest request,
                         Callback<v1::GetWorkflowResultResponse> done);
  void GetSaga(CallInfo call, v1::GetSagaRequest request, Callback<v1::SagaInfo> done);
  void SignalWorkflow(CallInfo call, v1::SignalWorkflowRequest request,
                      Callback<v1::SignalWorkflowResponse> done);
  void QueryWorkflow(CallInfo call, v1::QueryWorkflowRequest request,
                     Callback<v1::QueryWorkflowResponse> done);
  void UpdateWorkflow(CallInfo call, v1::UpdateWorkflowRequest request,
                      Callback<v1::UpdateWorkflowResponse> done);
  void CancelWorkflow(CallInfo call, v1::CancelWorkflowRequest request,
                      Callback<v1::CancelWorkflowResponse> done);
  void TerminateWorkflow(CallInfo call, v1::TerminateWorkflowRequest request,
                         Callback<v1::TerminateWorkflowResponse> done);
  void SignalWithStartWorkflow(CallInfo call, v1::SignalWithStartWorkflowRequest request,
                               Callback<v1::SignalWithStartWorkflowResponse> done);
  void UpdateWithStartWorkflow(CallInfo call, v1::UpdateWithStartWorkflowRequest request,
                               Callback<v1::UpdateWithStartWorkflowResponse> done);
  void PauseWorkflow(CallInfo call, v1::PauseWorkflowRequest request,
                     Callback<v1::PauseWorkflowResponse> done);
  void ResumeWorkflow(CallInfo call, v1::ResumeWorkflowRequest request,
                      Callback<v1::ResumeWorkflowResponse> done);
  void RetryWorkflowNow(CallInfo call, v1::RetryWorkflowNowRequest request,
                        Callback<v1::RetryWorkflowNowResponse> done);
  // workflow_search.cc, with ListWorkflows.
  void ResetWorkflow(CallInfo call, v1::ResetWorkflowRequest request,
                     Callback<v1::ResetWorkflowResponse> done);
  void DeleteWorkflow(CallInfo call, v1::DeleteWorkflowRequest request,
                      Callback<v1::DeleteWorkflowResponse> done);
  void CountWorkflows(CallInfo call, v1::CountWorkflowsRequest request,
                      Callback<v1::CountWorkflowsResponse> done);
  void ListVersions(CallInfo call, v1::ListVersionsRequest request,
                    Callback<v1::ListVersionsResponse> done);
  void RetryCompensation(CallInfo call, v1::CompensationVerbRequest request,
                         Callback<v1::CompensationVerbResponse> done);
  void SkipCompensation(CallInfo call, v1::CompensationVerbRequest request,
                        Callback<v1::CompensationVerbResponse> done);
  void ResolveCompensation(CallInfo call, v1::CompensationVerbRequest request,
                           Callback<v1::CompensationVerbResponse> done);

  // What is wrong with a request (refused.h).
  void Check(const v1::StartWorkflowRequest& request, FieldViolations* violations) const;
  void Check(const v1::SignalWithStartWorkflowRequest& request, FieldViolations* violations) const;
  void Check(const v1::UpdateWithStartWorkflowRequest& request, FieldViolations* violations) const;
  void Check(const v1::PauseWorkflowRequest& request, FieldViolations* violations) const;
  void Check(const v1::ResumeWorkflowRequest& request, FieldViolations* violations) const;
  void Check(const v1::ResetWorkflowRequest& request, FieldViolations* violations) const;
  void Check(const v1::RetryWorkflowNowRequest& request, FieldViolations* violations) const;
  void Check(const v1::GetWorkflowRequest& request, FieldViolations* violations) const;
  void Check(const v1::GetWorkflowHistoryRequest& request, FieldViolations* violations) const;
  void Check(const v1::GetWorkflowResultRequest& request, FieldViolations* violations) const;
  void Check(const v1::GetSagaRequest& request, FieldViolations* violations) const;
  void Check(const v1::SignalWorkflowRequest& request, FieldViolations* violations) const;
  void Check(const v1::QueryWorkflowRequest& request, FieldViolations* violations) const;
  void Check(const v1::UpdateWorkflowRequest& request, FieldViolations* violations) const;
  void Check(const v1::CancelWorkflowRequest& request, FieldViolations* violations) const;
  void Check(const v1::TerminateWorkflowRequest& request, FieldViolations* violations) const;
  void Check(const v1::CompensationVerbRequest& request, FieldViolations* violations) const;
  void Check(const v1::ListWorkflowsRequest& request, FieldViolations* violations) const;
  void Check(const v1::CountWorkflowsRequest& request, FieldViolations* violations) const;
  void Check(const v1::ListVersionsRequest& request, FieldViolations* violations) const;
  void Check(const v1::DeleteWorkflowRequest& request, FieldViolations* violations) const;
  // Of a request that decides over a compensation: it says why.
  void CheckDecision(const v1::CompensationVerbRequest& request, FieldViolations* violations) const;

 private:
  void Compensation(client::CompensationVerb verb, CallInfo call,
                    v1::CompensationVerbRequest request,
                    Callback<v1::CompensationVerbResponse> done);

  client::WorkflowClient& client_;
  auth::UserQuotas* const quotas_;
};

}  // namespace gateway
