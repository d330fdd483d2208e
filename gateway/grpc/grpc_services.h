// grpc::Service adapters: one reactor a call, which passes the request to the shared service
// implementation and finishes when that answers. Used by GrpcServer only (heavy headers).
#pragma once

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/service_type.h>

#include <memory>

#include "absl/time/time.h"

namespace base {
class Metrics;
class Random;
}  // namespace base

namespace gateway {

class AccessServiceImpl;
class AuditServiceImpl;
class BatchServiceImpl;
class CampaignServiceImpl;
class FrontDoor;
class OpenCalls;
class OperationsServiceImpl;
class ScheduleServiceImpl;
class WorkflowServiceImpl;

// What the services share; all outlive them.
struct GrpcParts {
  const FrontDoor* door = nullptr;
  base::Random* random = nullptr;    // thread-safe; makes correlation ids
  base::Metrics* metrics = nullptr;  // may be null
  OpenCalls* streams = nullptr;
  OpenCalls* unary = nullptr;
  absl::Duration request_timeout;  // of unary calls; 0: the caller's own only
};

// The implementations outlive the services.
std::unique_ptr<grpc::Service> MakeWorkflowGrpc(WorkflowServiceImpl* impl, GrpcParts parts);
std::unique_ptr<grpc::Service> MakeCampaignGrpc(CampaignServiceImpl* impl, GrpcParts parts);
std::unique_ptr<grpc::Service> MakeScheduleGrpc(ScheduleServiceImpl* impl, GrpcParts parts);
std::unique_ptr<grpc::Service> MakeBatchGrpc(BatchServiceImpl* impl, GrpcParts parts);
std::unique_ptr<grpc::Service> MakeOperationsGrpc(OperationsServiceImpl* impl, GrpcParts parts);
std::unique_ptr<grpc::Service> MakeAccessGrpc(AccessServiceImpl* impl, GrpcParts parts);
std::unique_ptr<grpc::Service> MakeAuditGrpc(AuditServiceImpl* impl, GrpcParts parts);

}  // namespace gateway
