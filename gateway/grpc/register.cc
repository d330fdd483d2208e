#include "gateway/grpc/register.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace gateway {

namespace {

constexpr char kWorkflow[] = "orchestrator.v1.WorkflowService.";
constexpr char kCampaign[] = "campaign.v1.CampaignService.";
constexpr char kOperations[] = "campaign.v1.OperationsService.";

// A method and the name of its RPC are the same word.
#define UNARY(prefix, Service, Name) \
  router->AddUnary(absl::StrCat(prefix, #Name), service, &Service::Name)

}  // namespace

void RegisterWorkflowService(WorkflowServiceImpl* service, Router* router) {
  UNARY(kWorkflow, WorkflowServiceImpl, StartWorkflow);
  UNARY(kWorkflow, WorkflowServiceImpl, ListWorkflows);
  UNARY(kWorkflow, WorkflowServiceImpl, GetWorkflow);
  UNARY(kWorkflow, WorkflowServiceImpl, GetWorkflowHistory);
  UNARY(kWorkflow, WorkflowServiceImpl, GetWorkflowResult);
  UNARY(kWorkflow, WorkflowServiceImpl, GetSaga);
  UNARY(kWorkflow, WorkflowServiceImpl, SignalWorkflow);
  UNARY(kWorkflow, WorkflowServiceImpl, QueryWorkflow);
  UNARY(kWorkflow, WorkflowServiceImpl, UpdateWorkflow);
  UNARY(kWorkflow, WorkflowServiceImpl, CancelWorkflow);
  UNARY(kWorkflow, WorkflowServiceImpl, TerminateWorkflow);
  UNARY(kWorkflow, WorkflowServiceImpl, RetryCompensation);
  UNARY(kWorkflow, WorkflowServiceImpl, SkipCompensation);
  UNARY(kWorkflow, WorkflowServiceImpl, ResolveCompensation);
}

void RegisterCampaignService(CampaignServiceImpl* service, Router* router) {
  UNARY(kCampaign, CampaignServiceImpl, CreateCampaign);
  UNARY(kCampaign, CampaignServiceImpl, CreateWizard);
  UNARY(kCampaign, CampaignServiceImpl, ListWizards);
  UNARY(kCampaign, CampaignServiceImpl, GetWizard);
  UNARY(kCampaign, CampaignServiceImpl, UpdateWizard);
  UNARY(kCampaign, CampaignServiceImpl, ApproveWizard);
  UNARY(kCampaign, CampaignServiceImpl, GetProgress);
  UNARY(kCampaign, CampaignServiceImpl, ApproveCampaign);
  UNARY(kCampaign, CampaignServiceImpl, RejectCampaign);
  UNARY(kCampaign, CampaignServiceImpl, UpdateContent);
  router->AddStreaming(absl::StrCat(kCampaign, "WatchProgress"), service,
                       &CampaignServiceImpl::WatchProgress);
}

void RegisterOperationsService(OperationsServiceImpl* service, Router* router) {
  UNARY(kOperations, OperationsServiceImpl, GetKillSwitch);
  UNARY(kOperations, OperationsServiceImpl, SetKillSwitch);
  UNARY(kOperations, OperationsServiceImpl, ListOperatorChanges);
  UNARY(kOperations, OperationsServiceImpl, ListBreakers);
  UNARY(kOperations, OperationsServiceImpl, ForceBreakerOpen);
  UNARY(kOperations, OperationsServiceImpl, ForceBreakerClosed);
  UNARY(kOperations, OperationsServiceImpl, ResetBreaker);
}

}  // namespace gateway
