#include "gateway/cli/connection.h"

#include "absl/strings/str_cat.h"
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

Connection::Connection(const std::string& address, absl::Duration timeout) : timeout_(timeout) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  arguments.SetMaxReceiveMessageSize(kMessageBytesMax);
  auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  workflows_ = orchestrator::v1::WorkflowService::NewStub(channel);
  campaigns_ = campaign::v1::CampaignService::NewStub(channel);
  batches_ = orchestrator::v1::BatchService::NewStub(channel);
  schedules_ = orchestrator::v1::ScheduleService::NewStub(channel);
  operations_ = campaign::v1::OperationsService::NewStub(channel);
}

}  // namespace cli
