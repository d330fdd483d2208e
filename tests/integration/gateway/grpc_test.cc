// gRPC over real sockets: the same services, with error details, metadata and streams.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include "campaign/v1/service.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "orchestrator/v1/service.grpc.pb.h"
#include "tests/integration/gateway/gateway_fixture.h"
#include "tests/support/await.h"

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
  // Adds a campaign and watches it: its first progress has come.
  void Watch(const std::string& id) {
    client_.AddCampaign(id);
    campaign::v1::GetProgressRequest request;
    request.set_workflow_id(id);
    reader_ = campaigns_->WatchProgress(&watch_, request);
    ASSERT_TRUE(reader_->Read(&progress_));
  }

  std::unique_ptr<campaign::v1::CampaignService::Stub> campaigns_;
  std::unique_ptr<orchestrator::v1::WorkflowService::Stub> workflows_;
  grpc::ClientContext watch_;
  std::unique_ptr<grpc::ClientReader<campaign::v1::CampaignProgress>> reader_;
  campaign::v1::CampaignProgress progress_;
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
  Watch("c1");
  EXPECT_EQ(progress_.progress_percentage(), 60);
  client_.Change("c1", [](auto& run) { run.info.set_status(v1::RunStatus::FAILED); });
  ASSERT_TRUE(reader_->Read(&progress_));
  EXPECT_EQ(progress_.status(), "FAILED");
  EXPECT_FALSE(reader_->Read(&progress_));
  EXPECT_TRUE(reader_->Finish().ok());
  EXPECT_EQ(campaign_service_->watches(), 0);
}

TEST_F(Grpc, WatchEndsWhenTheCallerCancels) {
  Watch("c1");
  watch_.TryCancel();
  EXPECT_EQ(reader_->Finish().error_code(), grpc::StatusCode::CANCELLED);
  test::Await([&] { return campaign_service_->watches() == 0; }, "the watch to end");
}

TEST_F(Grpc, StopEndsOpenWatches) {
  Watch("c1");
  grpc_->Stop(absl::Hours(1));  // does not wait for watches
  EXPECT_EQ(reader_->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
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

TEST_F(Grpc, CountsVersionsAndDeletes) {
  client_.AddCampaign("c1");
  orchestrator::v1::CountWorkflowsResponse counts;
  grpc::ClientContext count;
  ASSERT_TRUE(workflows_->CountWorkflows(&count, {}, &counts).ok());
  EXPECT_EQ(counts.count(), 1);
  orchestrator::v1::ListVersionsResponse versions;
  grpc::ClientContext list;
  ASSERT_TRUE(workflows_->ListVersions(&list, {}, &versions).ok());
  EXPECT_EQ(versions.builds(0).open_runs(), 3);
  orchestrator::v1::DeleteWorkflowRequest request;
  request.set_workflow_id("c1");
  orchestrator::v1::DeleteWorkflowResponse deleted;
  grpc::ClientContext remove;
  ASSERT_TRUE(workflows_->DeleteWorkflow(&remove, request, &deleted).ok());
  EXPECT_FALSE(deleted.run_id().empty());
}

}  // namespace
}  // namespace gateway
