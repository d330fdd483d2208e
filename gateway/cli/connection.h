// The connection to campaignd: both services, and calls with a deadline whose errors carry the
// server's field violations. Used by one thread; heavy header (grpc), for *_command*.cc.
//
// Example:
//   absl::StatusOr<WorkflowInfo> info = connection.Call(
//       &WorkflowService::Stub::GetWorkflow, request);
#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "campaign/v1/operations.grpc.pb.h"
#include "campaign/v1/service.grpc.pb.h"
#include "orchestrator/v1/batch.grpc.pb.h"
#include "orchestrator/v1/schedule.grpc.pb.h"
#include "orchestrator/v1/service.grpc.pb.h"

namespace cli {

absl::Status FromGrpc(const grpc::Status& status);

class Connection {
 public:
  Connection(const std::string& address, absl::Duration timeout);

  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (orchestrator::v1::WorkflowService::Stub::*method)(
                                    grpc::ClientContext*, const Request&, Response*),
                                const Request& request,
                                absl::Duration longer = absl::ZeroDuration()) {
    return Finish<Request, Response>(*workflows_, method, request, longer);
  }
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (campaign::v1::CampaignService::Stub::*method)(
                                    grpc::ClientContext*, const Request&, Response*),
                                const Request& request,
                                absl::Duration longer = absl::ZeroDuration()) {
    return Finish<Request, Response>(*campaigns_, method, request, longer);
  }
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (campaign::v1::OperationsService::Stub::*method)(
                                    grpc::ClientContext*, const Request&, Response*),
                                const Request& request,
                                absl::Duration longer = absl::ZeroDuration()) {
    return Finish<Request, Response>(*operations_, method, request, longer);
  }
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (orchestrator::v1::ScheduleService::Stub::*method)(
                                    grpc::ClientContext*, const Request&, Response*),
                                const Request& request,
                                absl::Duration longer = absl::ZeroDuration()) {
    return Finish<Request, Response>(*schedules_, method, request, longer);
  }
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (orchestrator::v1::BatchService::Stub::*method)(
                                    grpc::ClientContext*, const Request&, Response*),
                                const Request& request,
                                absl::Duration longer = absl::ZeroDuration()) {
    return Finish<Request, Response>(*batches_, method, request, longer);
  }
  campaign::v1::CampaignService::Stub& campaigns() { return *campaigns_; }

 private:
  template <typename Request, typename Response, typename Stub, typename Method>
  absl::StatusOr<Response> Finish(Stub& stub, Method method, const Request& request,
                                  absl::Duration longer) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout_ + longer));
    Response response;
    absl::Status status = FromGrpc((stub.*method)(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

  absl::Duration timeout_;
  std::unique_ptr<orchestrator::v1::WorkflowService::Stub> workflows_;
  std::unique_ptr<campaign::v1::CampaignService::Stub> campaigns_;
  std::unique_ptr<orchestrator::v1::BatchService::Stub> batches_;
  std::unique_ptr<orchestrator::v1::ScheduleService::Stub> schedules_;
  std::unique_ptr<campaign::v1::OperationsService::Stub> operations_;
};

}  // namespace cli
