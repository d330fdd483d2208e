// Puts every method of the services into a Router. The services outlive it.
#pragma once

#include "gateway/grpc/access_service.h"
#include "gateway/grpc/audit_service.h"
#include "gateway/grpc/batch_service.h"
#include "gateway/grpc/campaign_service.h"
#include "gateway/grpc/operations_service.h"
#include "gateway/grpc/router.h"
#include "gateway/grpc/schedule_service.h"
#include "gateway/grpc/workflow_service.h"

namespace gateway {

void RegisterWorkflowService(WorkflowServiceImpl* service, Router* router);
void RegisterCampaignService(CampaignServiceImpl* service, Router* router);
void RegisterScheduleService(ScheduleServiceImpl* service, Router* router);
void RegisterBatchService(BatchServiceImpl* service, Router* router);
void RegisterAccessService(AccessServiceImpl* service, Router* router);
void RegisterAuditService(AuditServiceImpl* service, Router* router);
void RegisterOperationsService(OperationsServiceImpl* service, Router* router);

}  // namespace gateway
