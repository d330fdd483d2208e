// The id that joins a caller's call, the run that it starts and the log: given, or made here.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include "absl/strings/str_cat.h"
#include "campaign/v1/service.grpc.pb.h"
#include "orchestrator/base/log.h"
#include "orchestrator/v1/service.grpc.pb.h"
#include "tests/integration/gateway/gateway_fixture.h"

namespace gateway {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr char kMade[] = "[0-9a-f]{16}";

class GrpcCorrelation : public GatewayTest {
 protected:
  void SetUp() override {
    GatewayTest::SetUp();
    const auto channel = grpc::CreateChannel(grpc_address(), grpc::InsecureChannelCredentials());
    workflows_ = orchestrator::v1::WorkflowService::NewStub(channel);
    campaigns_ = campaign::v1::CampaignService::NewStub(channel);
  }
  static std::string IdOf(const grpc::ClientContext& context) {
    const auto& metadata = context.GetServerInitialMetadata();
    const auto found = metadata.find("x-correlation-id");
    return found == metadata.end() ? "" : std::string(found->second.data(), found->second.size());
  }
  // Starts a workflow; the id that came back. `given`: empty: none.
  std::string Start(const std::string& workflow_id, const std::string& given = "") {
    orchestrator::v1::StartWorkflowRequest request;
    request.set_workflow_id(workflow_id);
    request.set_workflow_type("order");
    orchestrator::v1::StartWorkflowResponse response;
    grpc::ClientContext context;
    if (!given.empty()) context.AddMetadata("x-correlation-id", given);
    const grpc::Status status = workflows_->StartWorkflow(&context, request, &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return IdOf(context);
  }

  std::unique_ptr<orchestrator::v1::WorkflowService::Stub> workflows_;
  std::unique_ptr<campaign::v1::CampaignService::Stub> campaigns_;
};

TEST_F(GrpcCorrelation, IsMadeWhereNoneIsGiven) {
  const std::string first = Start("order-1");
  EXPECT_THAT(first, MatchesRegex(kMade));
  EXPECT_THAT(client_.last("StartWorkflow"),
              HasSubstr(absl::StrCat("correlation_id: \"", first, "\"")));
  EXPECT_NE(Start("order-2"), first);
}

TEST_F(GrpcCorrelation, OfTheCallerIsKeptWhenItIsPlainAndShort) {
  EXPECT_EQ(Start("order-1", "corr-7"), "corr-7");
  EXPECT_THAT(client_.last("StartWorkflow"), HasSubstr("correlation_id: \"corr-7\""));
  EXPECT_THAT(Start("order-2", std::string(129, 'x')), MatchesRegex(kMade));
}

TEST_F(GrpcCorrelation, ComesBackWithErrorsAndStreams) {
  campaign::v1::GetProgressRequest request;
  request.set_workflow_id("nobody");
  campaign::v1::CampaignProgress progress;
  grpc::ClientContext missing;
  EXPECT_EQ(campaigns_->GetProgress(&missing, request, &progress).error_code(),
            grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(IdOf(missing), MatchesRegex(kMade));
  client_.AddCampaign("c1");
  request.set_workflow_id("c1");
  grpc::ClientContext watch;
  const auto reader = campaigns_->WatchProgress(&watch, request);
  ASSERT_TRUE(reader->Read(&progress));
  EXPECT_THAT(IdOf(watch), MatchesRegex(kMade));
  watch.TryCancel();
  reader->Finish();
}

TEST_F(GrpcCorrelation, OfAStreamIsInTheLog) {
  base::SetLogLevel(base::LogLevel::kInfo);
  testing::internal::CaptureStderr();
  campaign::v1::GetProgressRequest request;
  request.set_workflow_id("nobody");
  grpc::ClientContext context;
  campaign::v1::CampaignProgress progress;
  const auto reader = campaigns_->WatchProgress(&context, request);
  EXPECT_FALSE(reader->Read(&progress));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::NOT_FOUND);
  grpc_->Stop(absl::ZeroDuration());
  const std::string log = testing::internal::GetCapturedStderr();
  base::SetLogLevel(base::LogLevel::kOff);
  EXPECT_THAT(log, HasSubstr(absl::StrCat("\"correlation_id\":\"", IdOf(context), "\"")));
}

}  // namespace
}  // namespace gateway
