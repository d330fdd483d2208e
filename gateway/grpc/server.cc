#include "gateway/grpc/server.h"

#include <grpc/support/log.h>
#include <grpcpp/alarm.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/grpc/grpc_call.h"
#include "gateway/grpc/grpc_listener.h"
#include "gateway/grpc/grpc_services.h"
#include "gateway/grpc/grpc_tls.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/status_macros.h"

namespace gateway {

struct GrpcServer::Impl {
  GrpcServerOptions options;
  OpenCalls streams;
  // Outlives the server when the time to answer them comes just as it goes.
  const std::shared_ptr<OpenCalls> unary = std::make_shared<OpenCalls>();
  GrpcParts parts;
  std::unique_ptr<grpc::Service> schedules;  // may be null
  std::unique_ptr<grpc::Service> batches;    // may be null
  std::unique_ptr<grpc::Service> workflows;
  std::unique_ptr<grpc::Service> campaigns;
  std::unique_ptr<grpc::Service> operations;  // may be null
  std::unique_ptr<grpc::Service> access;      // may be null
  std::unique_ptr<grpc::Service> audit;       // may be null
  std::unique_ptr<GrpcTls> tls;               // null: without TLS; outlives the server
  std::unique_ptr<grpc::Server> server;
  std::unique_ptr<GrpcListener> listener;
  std::vector<std::string> names;  // of the services

  // `service` may be null.
  void Register(grpc::ServerBuilder& builder, const char* name, grpc::Service* service) {
    if (service == nullptr) return;
    builder.RegisterService(service);
    names.push_back(name);
  }
};

namespace {

constexpr std::chrono::milliseconds kLastAnswers(500);  // to go out

int Milliseconds(absl::Duration duration) {
  return static_cast<int>(absl::ToInt64Milliseconds(duration));
}

// What gRPC says by itself (handshakes that fail, mostly), as lines of our log.
void LogOfGrpc(gpr_log_func_args* said) {
  base::LogLevel level = base::LogLevel::kWarning;
  if (said->severity == GPR_LOG_SEVERITY_INFO) level = base::LogLevel::kInfo;
  if (said->severity == GPR_LOG_SEVERITY_DEBUG) level = base::LogLevel::kDebug;
  base::Log(level, "grpc", {},
            {{"said", said->message}, {"file", said->file}, {"line", said->line}});
}

void SetLimits(const GrpcServerOptions& options, grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(options.message_bytes_max);
  builder.SetMaxSendMessageSize(options.message_bytes_max);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, options.metadata_bytes_max);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.streams_per_connection_max);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS,
                             Milliseconds(options.handshake_timeout));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(options.keep_alive_interval));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                             Milliseconds(options.keep_alive_timeout));
}

}  // namespace

GrpcServer::GrpcServer(GrpcServerOptions options, const FrontDoor& door, base::Random& random,
                       WorkflowServiceImpl* workflows, CampaignServiceImpl* campaigns,
                       base::Metrics* metrics, OperationsServiceImpl* operations)
    : impl_(std::make_unique<Impl>()) {
  impl_->options = std::move(options);
  impl_->parts = {.door = &door,
                  .random = &random,
                  .metrics = metrics,
                  .streams = &impl_->streams,
                  .unary = impl_->unary.get(),
                  .request_timeout = impl_->options.request_timeout};
  impl_->workflows = MakeWorkflowGrpc(workflows, impl_->parts);
  impl_->campaigns = MakeCampaignGrpc(campaigns, impl_->parts);
  if (operations != nullptr) impl_->operations = MakeOperationsGrpc(operations, impl_->parts);
}

GrpcServer::~GrpcServer() { Stop(absl::ZeroDuration()); }

void GrpcServer::Add(ScheduleServiceImpl* schedules, BatchServiceImpl* batches) {
  impl_->schedules = MakeScheduleGrpc(schedules, impl_->parts);
  impl_->batches = MakeBatchGrpc(batches, impl_->parts);
}

void GrpcServer::Add(AccessServiceImpl* access) {
  impl_->access = MakeAccessGrpc(access, impl_->parts);
}

void GrpcServer::Add(AuditServiceImpl* audit) { impl_->audit = MakeAuditGrpc(audit, impl_->parts); }

absl::Status GrpcServer::Start() {
  const GrpcServerOptions& options = impl_->options;
  gpr_set_log_function(&LogOfGrpc);
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  auto listener = std::make_unique<GrpcListener>(
      ConnectionCounts::Options{.max = options.connections_max,
                                .per_address_max = options.connections_per_address_max},
      impl_->parts.metrics);
  RETURN_IF_ERROR(listener->Listen(options.address));
  std::shared_ptr<grpc::ServerCredentials> credentials = grpc::InsecureServerCredentials();
  if (options.tls != nullptr) {
    ASSIGN_OR_RETURN(impl_->tls, GrpcTls::Make(*options.tls));
    credentials = impl_->tls->credentials();
  }
  grpc::ServerBuilder builder;
  SetLimits(options, builder);
  using Type = grpc::ServerBuilder::experimental_type::ExternalConnectionType;
  std::unique_ptr<GrpcListener::Acceptor> acceptor =
      builder.experimental().AddExternalConnectionAcceptor(Type::FROM_FD, std::move(credentials));
  impl_->names.clear();
  impl_->Register(builder, "orchestrator.v1.WorkflowService", impl_->workflows.get());
  impl_->Register(builder, "campaign.v1.CampaignService", impl_->campaigns.get());
  impl_->Register(builder, "campaign.v1.OperationsService", impl_->operations.get());
  impl_->Register(builder, "campaign.v1.AuditService", impl_->audit.get());
  impl_->Register(builder, "campaign.v1.AccessService", impl_->access.get());
  impl_->Register(builder, "orchestrator.v1.ScheduleService", impl_->schedules.get());
  impl_->Register(builder, "orchestrator.v1.BatchService", impl_->batches.get());
  impl_->server = builder.BuildAndStart();
  if (impl_->server == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("gRPC does not start on ", options.address,
                     options.tls == nullptr ? "" : "; are the certificates of server.tls right?"));
  }
  impl_->listener = std::move(listener);
  impl_->listener->Start(std::move(acceptor));
  SetServing(true);
  return absl::OkStatus();
}

void GrpcServer::Drain() {
  if (impl_->server == nullptr) return;
  impl_->listener->Stop();
  impl_->streams.EndAll();
  impl_->unary->TakeNoMore();
}

void GrpcServer::Stop(absl::Duration grace) {
  if (impl_->server == nullptr) return;
  Drain();  // a watch would use up all of the grace
  const auto end = std::chrono::system_clock::now() + absl::ToChronoMilliseconds(grace);
  grpc::Alarm alarm;
  alarm.Set(end, [unary = impl_->unary](bool ok) {
    if (ok) unary->EndAll();
  });
  // Then it cancels what is left. Without the answers it would wait for their handlers.
  impl_->server->Shutdown(end + kLastAnswers);
  impl_->server->Wait();
  impl_->server.reset();
}

void GrpcServer::SetServing(bool serving) {
  if (impl_->server == nullptr) return;
  auto* health = impl_->server->GetHealthCheckService();
  if (health == nullptr) return;
  health->SetServingStatus(serving);
  for (const std::string& name : impl_->names) health->SetServingStatus(name, serving);
}

int GrpcServer::port() const { return impl_->listener == nullptr ? 0 : impl_->listener->port(); }
int GrpcServer::connections() const {
  return impl_->listener == nullptr ? 0 : impl_->listener->connections();
}

}  // namespace gateway
