#include "gateway/cli/connection.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/cli/text_file.h"
#include "gateway/json/rpc_status.h"
#include "google/rpc/status.pb.h"

namespace cli {

namespace {
constexpr int kMessageBytesMax = 64 << 20;  // histories come in pages that may be large
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  google::rpc::Status details;
  if (!status.error_details().empty() && details.ParseFromString(status.error_details()) &&
      details.code() == status.error_code()) {
    return gateway::FromRpcStatus(details);
  }
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const ConnectionOptions& options) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (options.tls) {
    grpc::SslCredentialsOptions ssl;
    const struct {
      const char* name;
      const std::string& path;
      grpc::string* text;
    } kFiles[] = {{"--tls-ca", options.tls_ca, &ssl.pem_root_certs},
                  {"--tls-cert", options.tls_certificate, &ssl.pem_cert_chain},
                  {"--tls-key", options.tls_key, &ssl.pem_private_key}};
    for (const auto& file : kFiles) {
      if (file.path.empty()) continue;
      auto text = ReadFile(file.path);
      if (!text.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat(file.name, ": ", std::string(text.status().message())));
      }
      *file.text = *std::move(text);
    }
    credentials = grpc::SslCredentials(ssl);
  }
  return std::unique_ptr<Connection>(
      new Connection(options, grpc::CreateCustomChannel(options.address, credentials, arguments)));
}

Connection::Connection(ConnectionOptions options, std::shared_ptr<grpc::Channel> channel)
    : options_(std::move(options)), channel_(std::move(channel)) {
  workflows_ = orchestrator::v1::WorkflowService::NewStub(channel_);
  campaigns_ = campaign::v1::CampaignService::NewStub(channel_);
  batches_ = orchestrator::v1::BatchService::NewStub(channel_);
  schedules_ = orchestrator::v1::ScheduleService::NewStub(channel_);
  operations_ = campaign::v1::OperationsService::NewStub(channel_);
  audit_ = campaign::v1::AuditService::NewStub(channel_);
  access_ = campaign::v1::AccessService::NewStub(channel_);
}

void Connection::AddCaller(grpc::ClientContext* context) const {
  if (!options_.token.empty()) {
    context->AddMetadata("authorization", absl::StrCat("Bearer ", options_.token));
  }
  if (!options_.ns.empty()) context->AddMetadata("x-namespace", options_.ns);
}

}  // namespace cli
