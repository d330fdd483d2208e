#include "gateway/json/json_writer.h"

#include <gtest/gtest.h>

#include "campaign/v1/service.pb.h"
#include "orchestrator/history/payload.h"
#include "orchestrator/v1/service.pb.h"

namespace gateway {
namespace {

TEST(JsonWriter, WritesDefaultsEnumsTimesAndNumbers) {
  orchestrator::v1::WorkflowInfo info;
  info.set_workflow_id("w");
  info.set_status(orchestrator::v1::RunStatus::RUNNING);
  info.mutable_start_time()->set_seconds(1);
  info.mutable_start_time()->set_nanos(500'000'000);
  info.set_history_length(42);
  const std::string json = ToJson(info);
  EXPECT_NE(json.find(R"("status":"RUNNING")"), json.npos) << json;
  EXPECT_NE(json.find(R"("status_reason":"")"), json.npos) << json;
  EXPECT_NE(json.find(R"("start_time":"1970-01-01T00:00:01.500Z")"), json.npos) << json;
  EXPECT_NE(json.find(R"("history_length":42)"), json.npos) << json;
  EXPECT_NE(json.find(R"("pending_activities":[])"), json.npos) << json;
  EXPECT_EQ(json.find("close_time"), json.npos) << json;
}

TEST(JsonWriter, LargeIntegersAreStrings) {
  orchestrator::v1::GetWorkflowHistoryRequest request;
  request.set_after_event_id(int64_t{1} << 53);
  EXPECT_NE(ToJson(request).find(R"("after_event_id":9007199254740992)"), std::string::npos);
  request.set_after_event_id((int64_t{1} << 53) + 1);
  EXPECT_NE(ToJson(request).find(R"("after_event_id":"9007199254740993")"), std::string::npos);
}

TEST(JsonWriter, PayloadsAreDecodedWhenTheirTypeIsKnown) {
  campaign::v1::ContentPiece piece;
  piece.set_content_id("headline");
  piece.set_text("Bloom");
  EXPECT_EQ(
      ToJson(history::ToPayload(piece)),
      R"({"metadata":{"encoding":"binary/protobuf","message_type":"campaign.v1.ContentPiece"},)"
      R"("message_type":"campaign.v1.ContentPiece",)"
      R"("value":{"content_id":"headline","text":"Bloom"}})");
  orchestrator::v1::Payload opaque;
  opaque.set_data("hi");
  EXPECT_EQ(ToJson(opaque), R"({"metadata":{},"data":"aGk="})");
}

TEST(JsonWriter, PrettyAndEmpty) {
  campaign::v1::GetWizardRequest request;
  request.set_wizard_id("wz-1");
  EXPECT_EQ(ToJson(request, {.pretty = true}),
            "{\n  \"wizard_id\": \"wz-1\",\n  \"namespace\": \"\"\n}");
  EXPECT_EQ(ToJson(orchestrator::v1::WorkflowTaskScheduled(), {.pretty = true}), "{}");
}

TEST(JsonWriter, TextIsAlwaysValidJson) {
  EXPECT_EQ(JsonQuote("a\"\\\n\x01"), R"("a\"\\\n\u0001")");
  EXPECT_EQ(JsonQuote("\xff"), "\"\xef\xbf\xbd\"");
}

}  // namespace
}  // namespace gateway
