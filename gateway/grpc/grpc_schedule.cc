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
    return ServeUnary(context, *request, response, impl_, &Impl::Name, #Name, metrics_);           \
  }

class ScheduleGrpc : public v1::ScheduleService::CallbackService {
 public:
  ScheduleGrpc(ScheduleServiceImpl* impl, base::Metrics* metrics)
      : impl_(impl), metrics_(metrics) {}
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
  base::Metrics* const metrics_;
};

class BatchGrpc : public v1::BatchService::CallbackService {
 public:
  BatchGrpc(BatchServiceImpl* impl, base::Metrics* metrics) : impl_(impl), metrics_(metrics) {}
  UNARY(BatchServiceImpl, StartBatch, StartBatchRequest, BatchInfo)
  UNARY(BatchServiceImpl, ListBatches, ListBatchesRequest, ListBatchesResponse)
  UNARY(BatchServiceImpl, GetBatch, GetBatchRequest, BatchInfo)
  UNARY(BatchServiceImpl, StopBatch, StopBatchRequest, BatchInfo)

 private:
  BatchServiceImpl* const impl_;
  base::Metrics* const metrics_;
};

#undef UNARY

}  // namespace

std::unique_ptr<grpc::Service> MakeScheduleGrpc(ScheduleServiceImpl* impl, base::Metrics* metrics) {
  return std::make_unique<ScheduleGrpc>(impl, metrics);
}

std::unique_ptr<grpc::Service> MakeBatchGrpc(BatchServiceImpl* impl, base::Metrics* metrics) {
  return std::make_unique<BatchGrpc>(impl, metrics);
}

}  // namespace gateway
