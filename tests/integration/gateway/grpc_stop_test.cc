// Stopping gRPC while calls wait: nobody is waited for longer than the grace, and all are answered.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include <thread>

#include "orchestrator/v1/service.grpc.pb.h"
#include "tests/integration/gateway/gateway_fixture.h"
#include "tests/support/await.h"

namespace gateway {
namespace {

using ::testing::HasSubstr;

class GrpcStop : public GatewayTest {
 protected:
  // Begins a call that waits for history that is not there, on a thread of its own.
  void BeginLongPoll() {
    client_.AddCampaign("c1");
    caller_ = std::thread([this] {
      const auto stub = orchestrator::v1::WorkflowService::NewStub(
          grpc::CreateChannel(grpc_address(), grpc::InsecureChannelCredentials()));
      orchestrator::v1::GetWorkflowHistoryRequest request;
      request.set_workflow_id("c1");
      request.set_after_event_id(10);
      request.mutable_wait()->set_seconds(60);
      grpc::ClientContext context;
      status_ = stub->GetWorkflowHistory(&context, request, &response_);
    });
    test::Await([&] { return client_.calls("GetHistory") > 0; }, "the call to wait");
  }
  const grpc::Status& Answer() {
    caller_.join();
    return status_;
  }

  std::thread caller_;
  grpc::Status status_;
  orchestrator::v1::GetWorkflowHistoryResponse response_;
};

TEST_F(GrpcStop, WhatIsNotAnsweredInTimeIsUnavailable) {
  BeginLongPoll();
  grpc_->Stop(absl::ZeroDuration());
  const grpc::Status& status = Answer();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAVAILABLE) << status.error_message();
  EXPECT_THAT(status.error_message(), HasSubstr("the server is stopping; try again"));
  client_.Change("c1", [](auto&) {});  // answered now, to nobody
}

TEST_F(GrpcStop, WhatIsAnsweredInTimeIsNotTroubled) {
  BeginLongPoll();
  std::thread stop([this] { grpc_->Stop(absl::Hours(1)); });
  client_.Change("c1", [](auto&) {});
  const grpc::Status& status = Answer();
  EXPECT_TRUE(status.ok()) << status.error_message();
  EXPECT_EQ(response_.events(0).event_id(), 11);
  stop.join();
}

TEST_F(GrpcStop, WhoComesToADrainingServerIsToldToComeAgain) {
  const auto stub = orchestrator::v1::WorkflowService::NewStub(
      grpc::CreateChannel(grpc_address(), grpc::InsecureChannelCredentials()));
  client_.AddCampaign("c1");
  orchestrator::v1::GetWorkflowRequest request;
  request.set_workflow_id("c1");
  orchestrator::v1::WorkflowInfo info;
  grpc::ClientContext early;
  ASSERT_TRUE(stub->GetWorkflow(&early, request, &info).ok());
  BeginLongPoll();
  grpc_->Drain();
  const int before = client_.calls("GetWorkflow");
  grpc::ClientContext late;
  const grpc::Status refused = stub->GetWorkflow(&late, request, &info);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::UNAVAILABLE) << refused.error_message();
  EXPECT_THAT(refused.error_message(), HasSubstr("the server is stopping; try again"));
  EXPECT_EQ(client_.calls("GetWorkflow"), before) << "the call is not made";
  client_.Change("c1", [](auto&) {});
  EXPECT_TRUE(Answer().ok()) << "what was under way goes on";
}

}  // namespace
}  // namespace gateway
