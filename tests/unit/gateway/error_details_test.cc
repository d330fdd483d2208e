#include "gateway/grpc/error_details.h"

#include <gtest/gtest.h>

#include "campaign/v1/operations.pb.h"
#include "campaign/v1/service.pb.h"
#include "gateway/auth/limit_status.h"
#include "gateway/json/rpc_status.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "orchestrator/v1/service.pb.h"

namespace gateway {
namespace {

// The detail of type T, if there is exactly one.
template <typename T>
bool DetailOf(const absl::Status& status, T* detail) {
  int found = 0;
  const google::rpc::Status proto = ToRpcStatus(status);  // unpacked while it lives
  for (const auto& any : proto.details()) found += any.UnpackTo(detail) ? 1 : 0;
  return found == 1;
}

TEST(ResourceOf, IsWhatTheRequestNames) {
  campaign::v1::UpdateWizardRequest wizard;
  wizard.set_wizard_id("wz-1");
  wizard.set_namespace_("shop");
  EXPECT_EQ(ResourceOf(wizard).type, "wizard");
  EXPECT_EQ(ResourceOf(wizard).name, "wz-1");
  EXPECT_EQ(ResourceOf(wizard).owner, "shop");

  campaign::v1::ForceBreakerRequest breaker;
  breaker.set_service("github");
  EXPECT_EQ(ResourceOf(breaker).type, "breaker");
  EXPECT_EQ(ResourceOf(breaker).name, "github");

  orchestrator::v1::SignalWithStartWorkflowRequest start;
  start.mutable_start()->set_workflow_id("order-17");
  start.mutable_start()->set_namespace_("shop");
  EXPECT_EQ(ResourceOf(start).type, "workflow");
  EXPECT_EQ(ResourceOf(start).name, "order-17");
  EXPECT_EQ(ResourceOf(start).owner, "shop");

  campaign::v1::CreateCampaignRequest create;
  EXPECT_EQ(ResourceOf(create).type, "");
  create.set_request_id("spring-1");
  EXPECT_EQ(ResourceOf(create).type, "request");

  campaign::v1::CloneWizardRequest clone;
  clone.set_request_id("again");
  clone.set_source_workflow_id("campaign-1");
  EXPECT_EQ(ResourceOf(clone).type, "workflow");
  EXPECT_EQ(ResourceOf(clone).name, "campaign-1");
}

TEST(WithDetails, SayWhatIsNotThereOrIsThereAlready) {
  const Resource resource{"workflow", "order-17", "shop"};
  for (const absl::Status& plain :
       {absl::NotFoundError("no workflow"), absl::AlreadyExistsError("it runs")}) {
    google::rpc::ResourceInfo info;
    ASSERT_TRUE(DetailOf(WithDetails(plain, resource), &info)) << plain;
    EXPECT_EQ(info.resource_type(), "workflow");
    EXPECT_EQ(info.resource_name(), "order-17");
    EXPECT_EQ(info.owner(), "shop");
    EXPECT_EQ(info.description(), std::string(plain.message()));
  }
}

TEST(WithDetails, SayNothingWhereThereIsNothingToSay) {
  const Resource resource{"workflow", "order-17", ""};
  google::rpc::ResourceInfo info;
  EXPECT_FALSE(DetailOf(WithDetails(absl::NotFoundError("nothing at /v2")), &info));
  EXPECT_FALSE(DetailOf(WithDetails(absl::FailedPreconditionError("closed"), resource), &info));
  EXPECT_TRUE(WithDetails(absl::OkStatus(), resource).ok());
  google::rpc::RetryInfo retry;
  EXPECT_FALSE(DetailOf(WithDetails(absl::InternalError("a fault"), resource), &retry));
}

TEST(WithDetails, SayWhenToTryAgain) {
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(DetailOf(WithDetails(absl::UnavailableError("the server is stopping")), &retry));
  EXPECT_EQ(retry.retry_delay().seconds(), 1);
}

TEST(WithDetails, KeepWhatIsThere) {
  absl::Status limited =
      auth::LimitExceeded("RATE_LIMITED", "reads of ann", "too many", absl::Seconds(7));
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(DetailOf(WithDetails(limited), &retry));
  EXPECT_EQ(retry.retry_delay().seconds(), 7);

  absl::Status busy = absl::UnavailableError("busy");
  google::rpc::RetryInfo minute;
  minute.mutable_retry_delay()->set_seconds(60);
  busy.SetPayload(auth::kRetryInfoUrl, absl::Cord(absl::string_view(minute.SerializeAsString())));
  ASSERT_TRUE(DetailOf(WithDetails(busy), &retry));
  EXPECT_EQ(retry.retry_delay().seconds(), 60);
  EXPECT_EQ(WithDetails(WithDetails(busy)), WithDetails(busy));
}

}  // namespace
}  // namespace gateway
