#include "gateway/grpc/register.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace gateway {

namespace {

constexpr char kWorkflow[] = "orchestrator.v1.WorkflowService.";
constexpr char kCampaign[] = "campaign.v1.CampaignService.";
constexpr char kSchedule[] = "orchestrator.v1.ScheduleService.";
constexpr char kBatch[] = "orchestrator.v1.BatchService.";
constexpr char kAccess[] = "campaign.v1.AccessService.";
constexpr char kAudit[] = "campaign.v1.AuditService.";
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
  UNARY(kWorkflow, WorkflowServiceImpl, SignalWithStartWorkflow);
  UNARY(kWorkflow, WorkflowServiceImpl, UpdateWithStartWorkflow);
  UNARY(kWorkflow, WorkflowServiceImpl, PauseWorkflow);
  UNARY(kWorkflow, WorkflowServiceImpl, ResumeWorkflow);
  UNARY(kWorkflow, WorkflowServiceImpl, RetryWorkflowNow);
  UNARY(kWorkflow, WorkflowServiceImpl, ResetWorkflow);
  UNARY(kWorkflow, WorkflowServiceImpl, DeleteWorkflow);
  UNARY(kWorkflow, WorkflowServiceImpl, CountWorkflows);
  UNARY(kWorkflow, WorkflowServiceImpl, ListVersions);
  UNARY(kWorkflow, WorkflowServiceImpl, RetryCompensation);
  router->AddUnary(absl::StrCat(kWorkflow, "SkipCompensation"), service,
                   &WorkflowServiceImpl::SkipCompensation, &WorkflowServiceImpl::CheckDecision);
  router->AddUnary(absl::StrCat(kWorkflow, "ResolveCompensation"), service,
                   &WorkflowServiceImpl::ResolveCompensation, &WorkflowServiceImpl::CheckDecision);
}

void RegisterScheduleService(ScheduleServiceImpl* service, Router* router) {
  UNARY(kSchedule, ScheduleServiceImpl, CreateSchedule);
  UNARY(kSchedule, ScheduleServiceImpl, ListSchedules);
  UNARY(kSchedule, ScheduleServiceImpl, GetSchedule);
  UNARY(kSchedule, ScheduleServiceImpl, UpdateSchedule);
  UNARY(kSchedule, ScheduleServiceImpl, PauseSchedule);
  UNARY(kSchedule, ScheduleServiceImpl, ResumeSchedule);
  UNARY(kSchedule, ScheduleServiceImpl, TriggerSchedule);
  UNARY(kSchedule, ScheduleServiceImpl, BackfillSchedule);
  UNARY(kSchedule, ScheduleServiceImpl, DeleteSchedule);
}

void RegisterBatchService(BatchServiceImpl* service, Router* router) {
  UNARY(kBatch, BatchServiceImpl, StartBatch);
  UNARY(kBatch, BatchServiceImpl, ListBatches);
  UNARY(kBatch, BatchServiceImpl, GetBatch);
  UNARY(kBatch, BatchServiceImpl, StopBatch);
}

void RegisterCampaignService(CampaignServiceImpl* service, Router* router) {
  UNARY(kCampaign, CampaignServiceImpl, CreateCampaign);
  UNARY(kCampaign, CampaignServiceImpl, CreateWizard);
  UNARY(kCampaign, CampaignServiceImpl, CloneWizard);
  UNARY(kCampaign, CampaignServiceImpl, ListWizards);
  UNARY(kCampaign, CampaignServiceImpl, GetWizard);
  UNARY(kCampaign, CampaignServiceImpl, UpdateWizard);
  UNARY(kCampaign, CampaignServiceImpl, DeleteWizard);
  UNARY(kCampaign, CampaignServiceImpl, ValidateWizard);
  UNARY(kCampaign, CampaignServiceImpl, PreviewWizard);
  UNARY(kCampaign, CampaignServiceImpl, ApproveWizard);
  UNARY(kCampaign, CampaignServiceImpl, GetProgress);
  UNARY(kCampaign, CampaignServiceImpl, ApproveCampaign);
  UNARY(kCampaign, CampaignServiceImpl, RejectCampaign);
  UNARY(kCampaign, CampaignServiceImpl, UpdateContent);
  router->AddStreaming(absl::StrCat(kCampaign, "WatchProgress"), service,
                       &CampaignServiceImpl::WatchProgress);
}

void RegisterAccessService(AccessServiceImpl* service, Router* router) {
  UNARY(kAccess, AccessServiceImpl, GetCaller);
  UNARY(kAccess, AccessServiceImpl, CreateApiKey);
  UNARY(kAccess, AccessServiceImpl, ListApiKeys);
  UNARY(kAccess, AccessServiceImpl, RevokeApiKey);
  UNARY(kAccess, AccessServiceImpl, SetUser);
  UNARY(kAccess, AccessServiceImpl, ListUsers);
  UNARY(kAccess, AccessServiceImpl, DeleteUser);
}

void RegisterAuditService(AuditServiceImpl* service, Router* router) {
  UNARY(kAudit, AuditServiceImpl, ListAuditEvents);
  UNARY(kAudit, AuditServiceImpl, VerifyAudit);
  router->AddStreaming(absl::StrCat(kAudit, "ExportAuditEvents"), service,
                       &AuditServiceImpl::ExportAuditEvents);
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
