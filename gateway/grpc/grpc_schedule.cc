#include "gateway/grpc/batch_service.h"
#include "gateway/grpc/grpc_call.h"
#include "gateway/grpc/grpc_services.h"
#include "gateway/grpc/schedule_service.h"
#include "orchestrator/v1/batch.grpc.pb.h"
#include "orchestrator/v1/schedule.grpc.pb.h"

namespace gateway {

namespace {

#define UNARY(Impl, Name, Request, Response)                                                       \
  grpc::ServerUnaryReactor* Name(grpc::CallbackServerContext* context, const v1::Request* request, \
                                 v1::Response* response) override {                                \
    return ServeUnary(context, *request, response, impl_, &Impl::Name, {service_name(), #Name},    \
                      parts_);                                                                     \
  }

class ScheduleGrpc : public v1::ScheduleService::CallbackService {
 public:
  static constexpr const char* service_name() { return v1::ScheduleService::service_full_name(); }
  ScheduleGrpc(ScheduleServiceImpl* impl, GrpcParts parts) : impl_(impl), parts_(parts) {}
  UNARY(ScheduleServiceImpl, CreateSchedule, CreateScheduleRequest, ScheduleInfo)
  UNARY(ScheduleServiceImpl, ListSchedules, ListSchedulesRequest, ListSchedulesResponse)
  UNARY(ScheduleServiceImpl, GetSchedule, GetScheduleRequest, ScheduleInfo)
  UNARY(ScheduleServiceImpl, UpdateSchedule, UpdateScheduleRequest, ScheduleInfo)
  UNARY(ScheduleServiceImpl, PauseSchedule, PauseScheduleRequest, ScheduleInfo)
  UNARY(ScheduleServiceImpl, ResumeSchedule, PauseScheduleRequest, ScheduleInfo)
  UNARY(ScheduleServiceImpl, TriggerSchedule, TriggerScheduleRequest, TriggerScheduleResponse)
  UNARY(ScheduleServiceImpl, BackfillSchedule, BackfillScheduleRequest, ScheduleInfo)
  UNARY(ScheduleServiceImpl, DeleteSchedule, DeleteScheduleRequest, DeleteScheduleResponse)

 private:
  ScheduleServiceImpl* const impl_;
  const GrpcParts parts_;
};

class BatchGrpc : public v1::BatchService::CallbackService {
 public:
  static constexpr const char* service_name() { return v1::BatchService::service_full_name(); }
  BatchGrpc(BatchServiceImpl* impl, GrpcParts parts) : impl_(impl), parts_(parts) {}
  UNARY(BatchServiceImpl, StartBatch, StartBatchRequest, BatchInfo)
  UNARY(BatchServiceImpl, ListBatches, ListBatchesRequest, ListBatchesResponse)
  UNARY(BatchServiceImpl, GetBatch, GetBatchRequest, BatchInfo)
  UNARY(BatchServiceImpl, StopBatch, StopBatchRequest, BatchInfo)

 private:
  BatchServiceImpl* const impl_;
  const GrpcParts parts_;
};

#undef UNARY

}  // namespace

std::unique_ptr<grpc::Service> MakeScheduleGrpc(ScheduleServiceImpl* impl, GrpcParts parts) {
  return std::make_unique<ScheduleGrpc>(impl, parts);
}

std::unique_ptr<grpc::Service> MakeBatchGrpc(BatchServiceImpl* impl, GrpcParts parts) {
  return std::make_unique<BatchGrpc>(impl, parts);
}

}  // namespace gateway
