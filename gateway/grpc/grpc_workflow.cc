#include "gateway/grpc/grpc_call.h"
#include "gateway/grpc/grpc_services.h"
#include "gateway/grpc/workflow_service.h"
#include "orchestrator/v1/service.grpc.pb.h"

namespace gateway {

namespace {

class WorkflowGrpc : public orchestrator::v1::WorkflowService::CallbackService {
 public:
  WorkflowGrpc(WorkflowServiceImpl* impl, GrpcParts parts) : impl_(impl), parts_(parts) {}

#define UNARY(Name, Request, Response)                                                             \
  grpc::ServerUnaryReactor* Name(grpc::CallbackServerContext* context, const v1::Request* request, \
                                 v1::Response* response) override {                                \
    return ServeUnary(context, *request, response, impl_, &WorkflowServiceImpl::Name,              \
                      {orchestrator::v1::WorkflowService::service_full_name(), #Name}, parts_);    \
  }
  UNARY(StartWorkflow, StartWorkflowRequest, StartWorkflowResponse)
  UNARY(ListWorkflows, ListWorkflowsRequest, ListWorkflowsResponse)
  UNARY(GetWorkflow, GetWorkflowRequest, WorkflowInfo)
  UNARY(GetWorkflowHistory, GetWorkflowHistoryRequest, GetWorkflowHistoryResponse)
  UNARY(GetWorkflowResult, GetWorkflowResultRequest, GetWorkflowResultResponse)
  UNARY(GetSaga, GetSagaRequest, SagaInfo)
  UNARY(SignalWorkflow, SignalWorkflowRequest, SignalWorkflowResponse)
  UNARY(QueryWorkflow, QueryWorkflowRequest, QueryWorkflowResponse)
  UNARY(UpdateWorkflow, UpdateWorkflowRequest, UpdateWorkflowResponse)
  UNARY(CancelWorkflow, CancelWorkflowRequest, CancelWorkflowResponse)
  UNARY(TerminateWorkflow, TerminateWorkflowRequest, TerminateWorkflowResponse)
  UNARY(SignalWithStartWorkflow, SignalWithStartWorkflowRequest, SignalWithStartWorkflowResponse)
  UNARY(UpdateWithStartWorkflow, UpdateWithStartWorkflowRequest, UpdateWithStartWorkflowResponse)
  UNARY(PauseWorkflow, PauseWorkflowRequest, PauseWorkflowResponse)
  UNARY(ResumeWorkflow, ResumeWorkflowRequest, ResumeWorkflowResponse)
  UNARY(RetryWorkflowNow, RetryWorkflowNowRequest, RetryWorkflowNowResponse)
  UNARY(ResetWorkflow, ResetWorkflowRequest, ResetWorkflowResponse)
  UNARY(DeleteWorkflow, DeleteWorkflowRequest, DeleteWorkflowResponse)
  UNARY(CountWorkflows, CountWorkflowsRequest, CountWorkflowsResponse)
  UNARY(ListVersions, ListVersionsRequest, ListVersionsResponse)
  UNARY(RetryCompensation, CompensationVerbRequest, CompensationVerbResponse)
  UNARY(SkipCompensation, CompensationVerbRequest, CompensationVerbResponse)
  UNARY(ResolveCompensation, CompensationVerbRequest, CompensationVerbResponse)
#undef UNARY

 private:
  WorkflowServiceImpl* const impl_;
  const GrpcParts parts_;
};

}  // namespace

std::unique_ptr<grpc::Service> MakeWorkflowGrpc(WorkflowServiceImpl* impl, GrpcParts parts) {
  return std::make_unique<WorkflowGrpc>(impl, parts);
}

}  // namespace gateway
