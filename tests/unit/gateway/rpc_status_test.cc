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

TEST(FieldViolations, WhatFollowsFromAFieldThatWasNotReadIsLeftOut) {
  FieldViolations violations;
  violations.Add("campaign.tone", "must be a string, not a number");
  violations.Add("campaign.goals[1]", "must be a string, not a number");
  violations.Add("schedule.spec.crons", "must be a list, not a string");
  violations.AddUnknown("policies.wat", "is not a known field");
  FieldViolations checked;
  checked.Add("campaign.tone", "is required");
  checked.Add("campaign.tone_of_voice", "is required");
  checked.Add("campaign.goals", "must have at most 2 items, has 3");
  checked.Add("campaign.goals[1]", "is required");
  checked.Add("campaign.goals[1].text", "is required");
  checked.Add("campaign.goals[10]", "is required");
  checked.Add("schedule.spec", "needs a time");
  checked.Add("policies", "is required");
  violations.MergeChecked(checked);
  std::vector<std::string> fields;
  for (const FieldViolation& violation : violations.list()) fields.push_back(violation.field);
  EXPECT_EQ(fields,
            (std::vector<std::string>{"campaign.tone", "campaign.goals[1]", "schedule.spec.crons",
                                      "policies.wat", "campaign.tone_of_voice", "campaign.goals",
                                      "campaign.goals[10]", "policies"}));
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
