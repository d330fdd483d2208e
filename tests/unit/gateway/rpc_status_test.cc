#include "gateway/json/rpc_status.h"

#include <gtest/gtest.h>

#include "gateway/json/field_violations.h"
#include "google/rpc/status.pb.h"

namespace gateway {
namespace {

TEST(RpcStatus, ViolationsSurviveTheWire) {
  FieldViolations violations;
  violations.Add("campaign.channels[1]", "must be one of email, social, blog");
  violations.Add("campaign.tone", "is required");
  const absl::Status status = violations.ToStatus();
  EXPECT_EQ(StatusJson(status),
            R"({"code":3,"message":"2 invalid fields: campaign.channels[1] must be one of email, )"
            R"(social, blog; campaign.tone is required","details":[{"@type":)"
            R"("type.googleapis.com/google.rpc.BadRequest","field_violations":[{"field":)"
            R"("campaign.channels[1]","description":"must be one of email, social, blog"},)"
            R"({"field":"campaign.tone","description":"is required"}]}]})");
  const auto back = ViolationsOf(FromRpcStatus(ToRpcStatus(status)));
  ASSERT_EQ(back.size(), 2u);
  EXPECT_EQ(back[1].field, "campaign.tone");
}

TEST(RpcStatus, KeepsTheFirstHundredViolationsAndCountsAll) {
  FieldViolations violations;
  for (int i = 0; i < 500; ++i) violations.Add("f", "is wrong");
  EXPECT_EQ(ViolationsOf(violations.ToStatus()).size(), kFieldViolationsMax);
  EXPECT_NE(std::string(violations.ToStatus().message()).find("500 invalid"), std::string::npos);
}

TEST(RpcStatus, CodesMapToHttp) {
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kOk), 200);
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kInvalidArgument), 400);
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kNotFound), 404);
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kAlreadyExists), 409);
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kFailedPrecondition), 409);
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kResourceExhausted), 429);
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kUnavailable), 503);
  EXPECT_EQ(HttpStatusOf(absl::StatusCode::kInternal), 500);
}

}  // namespace
}  // namespace gateway
