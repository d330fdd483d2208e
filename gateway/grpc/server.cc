#include "gateway/grpc/server.h"

#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/grpc/grpc_call.h"
#include "gateway/grpc/grpc_services.h"

namespace gateway {

struct GrpcServer::Impl {
  GrpcServerOptions options;
  OpenStreams streams;
  base::Metrics* metrics = nullptr;
  std::unique_ptr<grpc::Service> schedules;  // may be null
  std::unique_ptr<grpc::Service> batches;    // may be null
  std::unique_ptr<grpc::Service> workflows;
  std::unique_ptr<grpc::Service> campaigns;
  std::unique_ptr<grpc::Service> operations;  // may be null
  std::unique_ptr<grpc::Server> server;
  int port = 0;
};

GrpcServer::GrpcServer(GrpcServerOptions options, WorkflowServiceImpl* workflows,
                       CampaignServiceImpl* campaigns, base::Metrics* metrics,
                       OperationsServiceImpl* operations)
    : impl_(std::make_unique<Impl>()) {
  impl_->options = std::move(options);
  impl_->metrics = metrics;
  impl_->workflows = MakeWorkflowGrpc(workflows, metrics);
  impl_->campaigns = MakeCampaignGrpc(campaigns, metrics, &impl_->streams);
  if (operations != nullptr) impl_->operations = MakeOperationsGrpc(operations, metrics);
}

GrpcServer::~GrpcServer() { Stop(absl::ZeroDuration()); }

void GrpcServer::Add(ScheduleServiceImpl* schedules, BatchServiceImpl* batches) {
  impl_->schedules = MakeScheduleGrpc(schedules, impl_->metrics);
  impl_->batches = MakeBatchGrpc(batches, impl_->metrics);
}

absl::Status GrpcServer::Start() {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  builder.AddListeningPort(impl_->options.address, grpc::InsecureServerCredentials(), &impl_->port);
  builder.SetMaxReceiveMessageSize(impl_->options.message_bytes_max);
  builder.SetMaxSendMessageSize(impl_->options.message_bytes_max);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.RegisterService(impl_->workflows.get());
  builder.RegisterService(impl_->campaigns.get());
  if (impl_->operations != nullptr) builder.RegisterService(impl_->operations.get());
  for (const auto& service : {impl_->schedules.get(), impl_->batches.get()}) {
    if (service != nullptr) builder.RegisterService(service);
  }
  impl_->server = builder.BuildAndStart();
  if (impl_->server == nullptr || impl_->port == 0) {
    impl_->server.reset();
    return absl::UnavailableError(absl::StrCat("cannot listen for gRPC on ", impl_->options.address,
                                               "; is another server running there?"));
  }
  return absl::OkStatus();
}

void GrpcServer::Stop(absl::Duration grace) {
  if (impl_->server == nullptr) return;
  impl_->streams.EndAll();  // a watch would use up all of the grace
  impl_->server->Shutdown(std::chrono::system_clock::now() + absl::ToChronoMilliseconds(grace));
  impl_->server->Wait();
  impl_->server.reset();
}

void GrpcServer::SetServing(bool serving) {
  if (impl_->server == nullptr) return;
  if (auto* health = impl_->server->GetHealthCheckService()) health->SetServingStatus(serving);
}

int GrpcServer::port() const { return impl_->port; }

}  // namespace gateway
