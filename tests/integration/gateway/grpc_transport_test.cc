// The gRPC port itself: TLS, certificates that change, limits, deadlines, health, watches that go
// on. Over real sockets.
#include <gmock/gmock.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <gtest/gtest.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "campaign/v1/service.grpc.pb.h"
#include "gateway/tls/tls_files.h"
#include "orchestrator/v1/service.grpc.pb.h"
#include "tests/integration/gateway/gateway_fixture.h"
#include "tests/integration/gateway/http_peer.h"
#include "tests/integration/gateway/test_certificates.h"
#include "tests/support/await.h"

namespace gateway {
namespace {

using ::testing::HasSubstr;
using Channel = std::shared_ptr<grpc::Channel>;

// Handshakes fail here by design; gRPC would say so on standard error.
const int kQuiet = setenv("GRPC_VERBOSITY", "NONE", 0);

// Not one of the connections that other channels of this process have.
grpc::ChannelArguments OwnConnection() {
  static int number = 0;
  grpc::ChannelArguments arguments;
  arguments.SetInt("test.connection", ++number);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return arguments;
}

grpc::Status GetWorkflow(const Channel& channel, const std::string& id,
                         absl::Duration timeout = absl::Seconds(20)) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
  orchestrator::v1::GetWorkflowRequest request;
  request.set_workflow_id(id);
  orchestrator::v1::WorkflowInfo info;
  return orchestrator::v1::WorkflowService::NewStub(channel)->GetWorkflow(&context, request, &info);
}

class GrpcTlsTest : public GatewayTest, protected CertificateFiles {
 protected:
  GrpcTlsTest() : authority_("Test CA"), client_authority_("Clients CA") {
    WriteServer(authority_.Sign({.common_name = "first"}));
    Write("clients.pem", client_authority_.pem());
    client_.AddCampaign("c1");
  }
  void ConfigureGrpc(GrpcServerOptions* options) override {
    tls::TlsOptions tls{.certificate_file = Path("server.pem"), .key_file = Path("server.key")};
    if (mutual_) {
      tls.client_ca_file = Path("clients.pem");
      tls.require_client_certificate = true;
    }
    auto files = tls::TlsFiles::Load(tls, clock_);
    ASSERT_TRUE(files.ok()) << files.status();
    files_ = *std::move(files);
    options->tls = files_.get();
  }
  // A client that trusts `authority` and shows `own`.
  Channel Connect(const TestAuthority& authority, const TestCertificate* own = nullptr) {
    grpc::SslCredentialsOptions options;
    options.pem_root_certs = authority.pem();
    if (own != nullptr) {
      options.pem_cert_chain = own->certificate;
      options.pem_private_key = own->key;
    }
    return grpc::CreateCustomChannel(grpc_address(), grpc::SslCredentials(options),
                                     OwnConnection());
  }

  const TestAuthority authority_;
  const TestAuthority client_authority_;
  std::unique_ptr<tls::TlsFiles> files_;
  bool mutual_ = false;
};

TEST_F(GrpcTlsTest, ServesThoseWhoTrustIt) {
  EXPECT_TRUE(GetWorkflow(Connect(authority_), "c1").ok());
  const TestAuthority other("Other CA");
  EXPECT_EQ(GetWorkflow(Connect(other), "c1").error_code(), grpc::StatusCode::UNAVAILABLE);
  const auto plain = grpc::CreateCustomChannel(grpc_address(), grpc::InsecureChannelCredentials(),
                                               OwnConnection());
  EXPECT_EQ(GetWorkflow(plain, "c1").error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(GrpcTlsTest, ANewCertificateIsUsedWithoutARestart) {
  const Channel before = Connect(authority_);
  ASSERT_TRUE(GetWorkflow(before, "c1").ok());
  const TestAuthority next("Next CA");
  WriteServer(next.Sign({.common_name = "second"}));
  ASSERT_TRUE(*files_->Reload());
  // gRPC looks at its files every second: asked until it has.
  test::Await([&] { return GetWorkflow(Connect(next), "c1").ok(); },
              "the new certificate to be shown");
  EXPECT_FALSE(GetWorkflow(Connect(authority_), "c1").ok());
  EXPECT_TRUE(GetWorkflow(before, "c1").ok());  // an open connection goes on
}

class GrpcMutualTls : public GrpcTlsTest {
 protected:
  GrpcMutualTls() { mutual_ = true; }
};

TEST_F(GrpcMutualTls, OnlyKnownClientsAreServed) {
  const TestCertificate ann =
      client_authority_.Sign({.common_name = "Ann", .email = "ann@example.com"});
  EXPECT_TRUE(GetWorkflow(Connect(authority_, &ann), "c1").ok());
  EXPECT_FALSE(GetWorkflow(Connect(authority_), "c1").ok());
  const TestAuthority impostor("Clients CA");
  const TestCertificate mallory = impostor.Sign({.common_name = "Ann", .email = "ann@example.com"});
  EXPECT_FALSE(GetWorkflow(Connect(authority_, &mallory), "c1").ok());
}

TEST_F(GrpcMutualTls, TheCallerIsTheOneOfTheCertificate) {
  const TestCertificate ann =
      client_authority_.Sign({.common_name = "Ann", .email = "ann@example.com"});
  grpc::ClientContext context;
  orchestrator::v1::CancelWorkflowRequest request;
  request.set_workflow_id("c1");
  orchestrator::v1::CancelWorkflowResponse response;
  const grpc::Status status = orchestrator::v1::WorkflowService::NewStub(Connect(authority_, &ann))
                                  ->CancelWorkflow(&context, request, &response);
  ASSERT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(authenticator_.last().certificate, "ann@example.com");
  EXPECT_THAT(authenticator_.last().address, HasSubstr("127.0.0.1"));
}

class GrpcLimits : public GatewayTest {
 protected:
  void ConfigureGrpc(GrpcServerOptions* options) override {
    options->connections_max = 3;
    options->connections_per_address_max = 2;
    options->message_bytes_max = 100'000;
    options->metadata_bytes_max = 4'000;
  }
  void SetUp() override {
    GatewayTest::SetUp();
    client_.AddCampaign("c1");
  }
  Channel Connect() {
    return grpc::CreateCustomChannel(grpc_address(), grpc::InsecureChannelCredentials(),
                                     OwnConnection());
  }
};

TEST_F(GrpcLimits, ConnectionsAreLimitedAndComeBack) {
  auto first = Connect();
  const auto second = Connect();
  ASSERT_TRUE(GetWorkflow(first, "c1").ok());
  ASSERT_TRUE(GetWorkflow(second, "c1").ok());
  EXPECT_EQ(grpc_->connections(), 2);
  EXPECT_EQ(GetWorkflow(Connect(), "c1").error_code(), grpc::StatusCode::UNAVAILABLE);
  {
    HttpPeer elsewhere(grpc_->port(), "127.0.0.2");  // another address has its own
    test::Await([&] { return grpc_->connections() == 3; }, "the third connection");
    HttpPeer beyond(grpc_->port(), "127.0.0.3");
    EXPECT_EQ(beyond.ReadUntil("x"), "");  // closed: all are taken
  }
  first.reset();
  test::Await([&] { return grpc_->connections() <= 1; }, "two connections to be gone");
  EXPECT_TRUE(GetWorkflow(Connect(), "c1").ok());
}

class GrpcShortHandshake : public GrpcLimits {
 protected:
  void ConfigureGrpc(GrpcServerOptions* options) override {
    options->handshake_timeout = absl::Milliseconds(300);
  }
};

TEST_F(GrpcShortHandshake, WhoDoesNotSpeakIsNotWaitedFor) {
  HttpPeer silent(grpc_->port());
  EXPECT_EQ(silent.ReadUntil("never sent"), "");
  test::Await([&] { return grpc_->connections() == 0; }, "the silent connection to be gone");
}

TEST_F(GrpcLimits, LargeMessagesAndMetadataAreRefused) {
  const auto channel = Connect();
  grpc::ClientContext context;
  orchestrator::v1::SignalWorkflowRequest request;
  request.set_workflow_id("c1");
  request.mutable_input()->set_data(std::string(200'000, 'x'));
  orchestrator::v1::SignalWorkflowResponse response;
  EXPECT_EQ(orchestrator::v1::WorkflowService::NewStub(channel)
                ->SignalWorkflow(&context, request, &response)
                .error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  grpc::ClientContext headers;
  headers.AddMetadata("x-large", std::string(8'000, 'x'));
  orchestrator::v1::GetWorkflowRequest get;
  get.set_workflow_id("c1");
  orchestrator::v1::WorkflowInfo info;
  EXPECT_EQ(orchestrator::v1::WorkflowService::NewStub(channel)
                ->GetWorkflow(&headers, get, &info)
                .error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  const grpc::Status after = GetWorkflow(Connect(), "c1");
  EXPECT_TRUE(after.ok()) << after.error_message();
}

class GrpcShortRequests : public GrpcLimits {
 protected:
  void ConfigureGrpc(GrpcServerOptions* options) override {
    options->request_timeout = absl::Milliseconds(300);
  }
};

TEST_F(GrpcShortRequests, CallsWithoutADeadlineOfTheirOwnHaveOne) {
  const Channel channel = Connect();
  const auto stub = orchestrator::v1::WorkflowService::NewStub(channel);
  orchestrator::v1::GetWorkflowHistoryRequest request;
  request.set_workflow_id("c1");
  request.set_after_event_id(10);
  request.mutable_wait()->set_seconds(60);
  orchestrator::v1::GetWorkflowHistoryResponse response;
  grpc::ClientContext context;
  const grpc::Status late = stub->GetWorkflowHistory(&context, request, &response);
  EXPECT_EQ(late.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_THAT(late.error_message(), HasSubstr("no answer within 300ms"));
  client_.Change("c1", [](auto&) {});  // answered now, to nobody
  // On a slow machine a good call may need longer than this server allows.
  test::Await([&] { return GetWorkflow(channel, "c1").ok(); }, "a call to be answered");
}

// What grpc.health.v1.Health/Check says of a service: 1 SERVING, 2 NOT_SERVING; -1: NOT_FOUND.
int Health(const Channel& channel, const std::string& service) {
  std::string bytes = service.empty() ? "" : absl::StrCat("\x0a", " ", service);
  if (!service.empty()) bytes[1] = static_cast<char>(service.size());
  const grpc::Slice slice(bytes);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer response;
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  grpc::CompletionQueue queue;
  grpc::Status status;
  const auto call =
      stub.PrepareUnaryCall(&context, "/grpc.health.v1.Health/Check", request, &queue);
  call->StartCall();
  call->Finish(&response, &status, nullptr);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  if (status.error_code() == grpc::StatusCode::NOT_FOUND) return -1;
  EXPECT_TRUE(status.ok()) << status.error_message();
  std::vector<grpc::Slice> slices;
  response.Dump(&slices);
  return slices.empty() || slices[0].size() < 2 ? 0 : slices[0].begin()[1];
}

class GrpcHealth : public GatewayTest {};

TEST_F(GrpcHealth, IsSaidOfEachService) {
  const auto channel = grpc::CreateChannel(grpc_address(), grpc::InsecureChannelCredentials());
  const std::vector<std::string> services = {"", "orchestrator.v1.WorkflowService",
                                             "campaign.v1.CampaignService",
                                             "campaign.v1.OperationsService"};
  for (const std::string& service : services) EXPECT_EQ(Health(channel, service), 1) << service;
  grpc_->SetServing(false);
  for (const std::string& service : services) EXPECT_EQ(Health(channel, service), 2) << service;
  EXPECT_EQ(Health(channel, "no.such.Service"), -1);
}

class GrpcWatch : public GatewayTest {};

TEST_F(GrpcWatch, GoesOnWhereItWasLeft) {
  client_.AddCampaign("c1");
  const auto stub = campaign::v1::CampaignService::NewStub(
      grpc::CreateChannel(grpc_address(), grpc::InsecureChannelCredentials()));
  campaign::v1::GetProgressRequest request;
  request.set_workflow_id("c1");
  campaign::v1::CampaignProgress progress;
  {
    grpc::ClientContext context;
    const auto reader = stub->WatchProgress(&context, request);
    ASSERT_TRUE(reader->Read(&progress));
    ASSERT_NE(progress.resume_token(), "");
    context.TryCancel();
  }
  request.set_resume_token(progress.resume_token());
  grpc::ClientContext context;
  const auto reader = stub->WatchProgress(&context, request);
  reader->WaitForInitialMetadata();  // open, though there is nothing to say
  client_.Change("c1", [](auto& run) { run.progress.set_progress_percentage(77); });
  ASSERT_TRUE(reader->Read(&progress));
  EXPECT_EQ(progress.progress_percentage(), 77);
  context.TryCancel();
}

}  // namespace
}  // namespace gateway
