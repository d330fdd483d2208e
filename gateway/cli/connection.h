// The connection to campaignd: its services, and calls with a deadline and the caller's credential,
// whose errors carry the server's field violations. Used by one thread; heavy header (grpc), for
// *_command*.cc.
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
#include "campaign/v1/access.grpc.pb.h"
#include "campaign/v1/audit.grpc.pb.h"
#include "campaign/v1/operations.grpc.pb.h"
#include "campaign/v1/service.grpc.pb.h"
#include "orchestrator/v1/batch.grpc.pb.h"
#include "orchestrator/v1/schedule.grpc.pb.h"
#include "orchestrator/v1/service.grpc.pb.h"

namespace cli {

absl::Status FromGrpc(const grpc::Status& status);

struct ConnectionOptions {
  std::string address = "127.0.0.1:7233";
  absl::Duration timeout = absl::Seconds(30);
  std::string token;  // API key or JWT; empty: none
  std::string ns;     // sent as x-namespace; empty: the credential's own
  bool tls = false;
  // PEM files. `tls_ca`: who signed the server's certificate (default: those the system trusts);
  // the other two are ours, for servers that want one.
  std::string tls_ca;
  std::string tls_certificate;
  std::string tls_key;
};

class Connection {
 public:
  // INVALID_ARGUMENT: a file of `options` cannot be read.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const ConnectionOptions& options);

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
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (campaign::v1::AuditService::Stub::*method)(
                                    grpc::ClientContext*, const Request&, Response*),
                                const Request& request,
                                absl::Duration longer = absl::ZeroDuration()) {
    return Finish<Request, Response>(*audit_, method, request, longer);
  }
  template <typename Request, typename Response>
  absl::StatusOr<Response> Call(grpc::Status (campaign::v1::AccessService::Stub::*method)(
                                    grpc::ClientContext*, const Request&, Response*),
                                const Request& request,
                                absl::Duration longer = absl::ZeroDuration()) {
    return Finish<Request, Response>(*access_, method, request, longer);
  }
  campaign::v1::CampaignService::Stub& campaigns() { return *campaigns_; }
  campaign::v1::AuditService::Stub& audit() { return *audit_; }
  // False when there is no connection before `deadline`.
  bool AwaitConnected(absl::Time deadline) {
    return channel_->WaitForConnected(absl::ToChronoTime(deadline));
  }
  // Who calls: for calls that are made without Call.
  void AddCaller(grpc::ClientContext* context) const;

 private:
  Connection(ConnectionOptions options, std::shared_ptr<grpc::Channel> channel);

  template <typename Request, typename Response, typename Stub, typename Method>
  absl::StatusOr<Response> Finish(Stub& stub, Method method, const Request& request,
                                  absl::Duration longer) {
    grpc::ClientContext context;
    AddCaller(&context);
    context.set_deadline(absl::ToChronoTime(absl::Now() + options_.timeout + longer));
    Response response;
    absl::Status status = FromGrpc((stub.*method)(&context, request, &response));
    if (!status.ok()) return status;
    return response;
  }

  const ConnectionOptions options_;
  const std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<orchestrator::v1::WorkflowService::Stub> workflows_;
  std::unique_ptr<campaign::v1::CampaignService::Stub> campaigns_;
  std::unique_ptr<orchestrator::v1::BatchService::Stub> batches_;
  std::unique_ptr<orchestrator::v1::ScheduleService::Stub> schedules_;
  std::unique_ptr<campaign::v1::OperationsService::Stub> operations_;
  std::unique_ptr<campaign::v1::AuditService::Stub> audit_;
  std::unique_ptr<campaign::v1::AccessService::Stub> access_;
};

}  // namespace cli
