// Errors over both fronts: the same google.rpc details, whatever the service answers.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "campaign/v1/service.grpc.pb.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "orchestrator/v1/service.grpc.pb.h"
#include "tests/integration/gateway/gateway_fixture.h"
#include "tests/integration/gateway/http_peer.h"

namespace gateway {
namespace {

using nlohmann::json;

class ErrorDetails : public GatewayTest {
 protected:
  void SetUp() override {
    GatewayTest::SetUp();
    peer_ = std::make_unique<HttpPeer>(rest_->port());
    auto channel = grpc::CreateChannel(grpc_address(), grpc::InsecureChannelCredentials());
    campaigns_ = campaign::v1::CampaignService::NewStub(channel);
    workflows_ = orchestrator::v1::WorkflowService::NewStub(channel);
  }
  // The first detail of the type, from a gRPC status.
  template <typename T>
  T Detail(const grpc::Status& status) {
    google::rpc::Status details;
    EXPECT_TRUE(details.ParseFromString(status.error_details())) << status.error_message();
    T detail;
    for (const auto& any : details.details()) {
      if (any.UnpackTo(&detail)) return detail;
    }
    ADD_FAILURE() << "no such detail: " << details.ShortDebugString();
    return detail;
  }
  // The same of a REST answer, null when there is none.
  json RestDetail(int status, const std::string& method, const std::string& target,
                  const std::string& type, const std::string& body = "") {
    answer_ = peer_->Call(method, target, body);
    EXPECT_EQ(answer_.status, status) << answer_.body;
    // It lives as long as the loop.
    const json details = json::parse(answer_.body).value("details", json::array());
    for (const json& detail : details) {
      if (detail["@type"] == "type.googleapis.com/google.rpc." + type) return detail;
    }
    return nullptr;
  }

  std::unique_ptr<HttpPeer> peer_;
  HttpAnswer answer_;
  std::unique_ptr<campaign::v1::CampaignService::Stub> campaigns_;
  std::unique_ptr<orchestrator::v1::WorkflowService::Stub> workflows_;
};

TEST_F(ErrorDetails, NameWhatIsNotThere) {
  grpc::ClientContext context;
  orchestrator::v1::GetWorkflowRequest get;
  get.set_workflow_id("order-2");
  orchestrator::v1::WorkflowInfo info;
  const auto resource =
      Detail<google::rpc::ResourceInfo>(workflows_->GetWorkflow(&context, get, &info));
  EXPECT_EQ(resource.resource_type(), "workflow");
  EXPECT_EQ(resource.resource_name(), "order-2");
  EXPECT_EQ(resource.owner(), "default");
  const json rest = RestDetail(404, "GET", "/v1/workflows/order-2", "ResourceInfo");
  EXPECT_EQ(rest["resource_type"], "workflow");
  EXPECT_EQ(rest["resource_name"], "order-2");
  EXPECT_EQ(rest["owner"], "default");
  EXPECT_EQ(RestDetail(404, "GET", "/v1/wizards/wz-none", "ResourceInfo")["resource_type"],
            "wizard");
}

TEST_F(ErrorDetails, NameItInStreamsToo) {
  grpc::ClientContext context;
  campaign::v1::GetProgressRequest watch;
  watch.set_workflow_id("campaign-none");
  campaign::v1::CampaignProgress progress;
  auto reader = campaigns_->WatchProgress(&context, watch);
  while (reader->Read(&progress)) {
  }
  const auto resource = Detail<google::rpc::ResourceInfo>(reader->Finish());
  EXPECT_EQ(resource.resource_name(), "campaign-none");
  const json rest = RestDetail(404, "GET", "/v1/workflows/campaign-none/watch", "ResourceInfo");
  EXPECT_EQ(rest["resource_name"], "campaign-none");
}

TEST_F(ErrorDetails, NameWhatIsThereAlready) {
  client_.AddCampaign("c1");
  for (const char* verb : {"approve", "reject"}) {
    answer_ = peer_->Call("POST", absl::StrCat("/v1/workflows/c1/signals/", verb), "{}");
  }
  ASSERT_EQ(answer_.status, 409) << answer_.body;
  const json status = json::parse(answer_.body);
  ASSERT_EQ(status["code"], 6);
  EXPECT_EQ(status["details"][0]["@type"], "type.googleapis.com/google.rpc.ResourceInfo");
  EXPECT_EQ(status["details"][0]["resource_name"], "c1");
}

TEST_F(ErrorDetails, SayWhenToTryAgain) {
  wizards_->Close();  // as when the server stops
  const json rest = RestDetail(503, "GET", "/v1/wizards", "RetryInfo");
  EXPECT_EQ(rest["retry_delay"], "1s");
  EXPECT_EQ(answer_.headers["retry-after"], "1");
  grpc::ClientContext context;
  campaign::v1::ListWizardsResponse response;
  const auto retry =
      Detail<google::rpc::RetryInfo>(campaigns_->ListWizards(&context, {}, &response));
  EXPECT_EQ(retry.retry_delay().seconds(), 1);
}

}  // namespace
}  // namespace gateway
