// gRPC over real sockets: the same services, with error details, metadata and streams.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <thread>

#include "campaign/v1/service.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "orchestrator/v1/service.grpc.pb.h"
#include "tests/integration/gateway/gateway_fixture.h"

namespace gateway {
namespace {

using ::testing::HasSubstr;

class Grpc : public GatewayTest {
 protected:
  void SetUp() override {
    GatewayTest::SetUp();
    auto channel = grpc::CreateChannel(grpc_address(), grpc::InsecureChannelCredentials());
    campaigns_ = campaign::v1::CampaignService::NewStub(channel);
    workflows_ = orchestrator::v1::WorkflowService::NewStub(channel);
  }

  std::unique_ptr<campaign::v1::CampaignService::Stub> campaigns_;
  std::unique_ptr<orchestrator::v1::WorkflowService::Stub> workflows_;
};

TEST_F(Grpc, ErrorsCarryFieldViolations) {
  grpc::ClientContext context;
  context.AddMetadata("x-correlation-id", "corr-7");
  campaign::v1::CampaignStarted started;
  const grpc::Status status = campaigns_->CreateCampaign(&context, {}, &started);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::INVALID_ARGUMENT);
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  google::rpc::BadRequest bad;
  ASSERT_TRUE(details.details(0).UnpackTo(&bad));
  EXPECT_EQ(bad.field_violations_size(), 6);
  EXPECT_EQ(bad.field_violations(0).field(), "campaign.campaign_name");
  EXPECT_EQ(context.GetServerInitialMetadata().find("x-correlation-id")->second, "corr-7");
}

TEST_F(Grpc, StartsAndShowsARun) {
  orchestrator::v1::StartWorkflowRequest request;
  request.set_workflow_id("order-1");
  request.set_workflow_type("order");
  orchestrator::v1::StartWorkflowResponse response;
  grpc::ClientContext start;
  ASSERT_TRUE(workflows_->StartWorkflow(&start, request, &response).ok());
  EXPECT_THAT(client_.last("StartWorkflow"), HasSubstr("identity: \"api\""));
  orchestrator::v1::GetWorkflowRequest get;
  get.set_workflow_id("order-1");
  orchestrator::v1::WorkflowInfo info;
  grpc::ClientContext show;
  ASSERT_TRUE(workflows_->GetWorkflow(&show, get, &info).ok());
  EXPECT_EQ(info.run_id(), "run-1");
  get.set_workflow_id("order-2");
  grpc::ClientContext missing;
  EXPECT_EQ(workflows_->GetWorkflow(&missing, get, &info).error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(Grpc, WatchStreamsUntilTheRunCloses) {
  client_.AddCampaign("c1");
  grpc::ClientContext context;
  campaign::v1::GetProgressRequest request;
  request.set_workflow_id("c1");
  auto reader = campaigns_->WatchProgress(&context, request);
  campaign::v1::CampaignProgress progress;
  ASSERT_TRUE(reader->Read(&progress));
  EXPECT_EQ(progress.progress_percentage(), 60);
  client_.Change("c1", [](auto& run) { run.info.set_status(v1::RunStatus::FAILED); });
  ASSERT_TRUE(reader->Read(&progress));
  EXPECT_EQ(progress.status(), "FAILED");
  EXPECT_FALSE(reader->Read(&progress));
  EXPECT_TRUE(reader->Finish().ok());
  EXPECT_EQ(campaign_service_->watches(), 0);
}

TEST_F(Grpc, WatchEndsWhenTheCallerCancels) {
  client_.AddCampaign("c1");
  grpc::ClientContext context;
  campaign::v1::GetProgressRequest request;
  request.set_workflow_id("c1");
  auto reader = campaigns_->WatchProgress(&context, request);
  campaign::v1::CampaignProgress progress;
  ASSERT_TRUE(reader->Read(&progress));
  context.TryCancel();
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::CANCELLED);
  while (campaign_service_->watches() > 0) std::this_thread::yield();
}

TEST_F(Grpc, StopEndsOpenWatches) {
  client_.AddCampaign("c1");
  grpc::ClientContext context;
  campaign::v1::GetProgressRequest request;
  request.set_workflow_id("c1");
  auto reader = campaigns_->WatchProgress(&context, request);
  campaign::v1::CampaignProgress progress;
  ASSERT_TRUE(reader->Read(&progress));
  grpc_->Stop(absl::Hours(1));  // does not wait for watches
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(campaign_service_->watches(), 0);
}

TEST_F(Grpc, MessagesAboveFourMegabytesAreRefused) {
  orchestrator::v1::StartWorkflowRequest request;
  request.mutable_input()->set_data(std::string(5 << 20, 'x'));
  orchestrator::v1::StartWorkflowResponse response;
  grpc::ClientContext context;
  EXPECT_EQ(workflows_->StartWorkflow(&context, request, &response).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
}

}  // namespace
}  // namespace gateway
