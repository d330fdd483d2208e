// grpc::Service adapters: one reactor a call, which passes the request to the shared service
// implementation and finishes when that answers. Used by GrpcServer only (heavy headers).
#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>

#include <memory>

namespace base {
class Metrics;
}

namespace gateway {

class BatchServiceImpl;
class CampaignServiceImpl;
class OpenStreams;
class OperationsServiceImpl;
class ScheduleServiceImpl;
class WorkflowServiceImpl;

// The implementations, `metrics` (may be null) and `streams` outlive the services.
std::unique_ptr<grpc::Service> MakeWorkflowGrpc(WorkflowServiceImpl* impl, base::Metrics* metrics);
std::unique_ptr<grpc::Service> MakeCampaignGrpc(CampaignServiceImpl* impl, base::Metrics* metrics,
                                                OpenStreams* streams);
std::unique_ptr<grpc::Service> MakeScheduleGrpc(ScheduleServiceImpl* impl, base::Metrics* metrics);
std::unique_ptr<grpc::Service> MakeBatchGrpc(BatchServiceImpl* impl, base::Metrics* metrics);
std::unique_ptr<grpc::Service> MakeOperationsGrpc(OperationsServiceImpl* impl,
                                                  base::Metrics* metrics);

}  // namespace gateway
