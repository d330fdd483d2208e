#include "gateway/json/json_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "campaign/v1/service.pb.h"
#include "gateway/json/json_writer.h"
#include "orchestrator/history/payload.h"
#include "orchestrator/v1/schedule.pb.h"
#include "orchestrator/v1/service.pb.h"

namespace gateway {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

std::vector<std::pair<std::string, std::string>> Faults(const std::string& json,
                                                        google::protobuf::Message* message) {
  FieldViolations violations;
  EXPECT_TRUE(ReadJson(json, message, &violations).ok()) << json;
  std::vector<std::pair<std::string, std::string>> list;
  for (const auto& violation : violations.list()) {
    list.emplace_back(violation.field, violation.description);
  }
  return list;
}

TEST(JsonReader, ReportsManyWrongFieldsAtOnce) {
  campaign::v1::CreateCampaignRequest request;
  const auto faults = Faults(R"({"campaign": {
      "campaign_name": 7, "campaign_goals": [1, "ok", null, {}], "channels": "email",
      "chanels": [], "schedule_time": "tomorrow", "budget_usd": "5", "languages": {"a": 1}},
      "request_id": ["x"], "wat": 1})",
                             &request);
  EXPECT_THAT(faults, UnorderedElementsAre(
                          Pair("campaign.campaign_name", "must be a string, not a number"),
                          Pair("campaign.campaign_goals[0]", "must be a string, not a number"),
                          Pair("campaign.campaign_goals[2]", "must be a string, not null"),
                          Pair("campaign.campaign_goals[3]", "must be a string, not an object"),
                          Pair("campaign.channels", "must be a list, not a string"),
                          Pair("campaign.chanels", HasSubstr("did you mean channels?")),
                          Pair("campaign.schedule_time", HasSubstr("RFC 3339")),
                          Pair("campaign.budget_usd", "must be a number, not a string"),
                          Pair("campaign.languages", "must be a list, not an object"),
                          Pair("request_id", "must be a string, not a list"),
                          Pair("wat", "is not a known field")));
}

TEST(JsonReader, WhatCannotBeReadInAListKeepsItsPlace) {
  campaign::v1::CampaignSpec spec;
  EXPECT_EQ(Faults(R"({"campaign_goals": [1, "ok", null, "more"]})", &spec).size(), 2u);
  EXPECT_THAT(spec.campaign_goals(), ElementsAre("", "ok", "", "more"));
  orchestrator::v1::ScheduleSpec schedule;
  EXPECT_EQ(Faults(R"({"intervals": [{"every": "30s"}, 7, {"every": "1h"}]})", &schedule).size(),
            1u);
  ASSERT_EQ(schedule.intervals_size(), 3);
  EXPECT_EQ(schedule.intervals(2).every().seconds(), 3600);
}

TEST(JsonReader, RefusesAFieldThatIsThereTwice) {
  campaign::v1::CreateCampaignRequest request;
  EXPECT_THAT(
      Faults(R"({"campaign": {"tone": "casual", "tone": "technical", "campaignName": "a",
                 "campaign_name": "b", "x": 1, "x": 2}, "request_id": null, "request_id": "r"})",
             &request),
      UnorderedElementsAre(
          Pair("campaign.tone", "is there twice"),
          Pair("campaign.campaign_name", "is there twice, as campaignName and as campaign_name"),
          Pair("campaign.x", "is not a known field"), Pair("request_id", "is there twice")));
  EXPECT_EQ(request.campaign().tone(), "casual");
  EXPECT_EQ(request.campaign().campaign_name(), "a");
  orchestrator::v1::SignalWorkflowRequest signal;
  EXPECT_THAT(Faults(R"({"input": {"value": {"a": [{"b": 1, "b": 2}]}}})", &signal),
              ElementsAre(Pair("input.value.a[0].b", "is there twice")));
  EXPECT_THAT(Faults(R"({"input": {"value": 1, "value": 2}})", &signal),
              ElementsAre(Pair("input.value", "is there twice")));
  EXPECT_THAT(Faults(R"({"input": {"metadata": {"a": "x", "a": "y"}, "data": ""}})", &signal),
              ElementsAre(Pair("input.metadata[\"a\"]", "is there twice")));
}

TEST(JsonReader, NumbersThatAreTooLargeAreNamed) {
  campaign::v1::CreateCampaignRequest request;
  const std::string digits = "1" + std::string(400, '0');
  EXPECT_THAT(Faults(absl::StrCat(R"({"request_id": null, "campaign": {"budget_usd": 1e999,
                     "campaign_name": "null 1e999 \" 1e999", "campaign_goals": [-1e400, "ok", )",
                                  digits, "], \"tone\": 7}, \"wat\": 1E+999}"),
                     &request),
              UnorderedElementsAre(Pair("campaign.budget_usd", "is a number that is too large"),
                                   Pair("campaign.campaign_goals[0]", HasSubstr("too large")),
                                   Pair("campaign.campaign_goals[2]", HasSubstr("too large")),
                                   Pair("campaign.tone", "must be a string, not a number"),
                                   Pair("wat", "is not a known field")));
  EXPECT_EQ(request.campaign().campaign_name(), "null 1e999 \" 1e999");
  EXPECT_THAT(Faults("1e999", &request), ElementsAre(Pair("(body)", HasSubstr("too large"))));
  orchestrator::v1::SignalWorkflowRequest signal;
  EXPECT_THAT(Faults(R"({"input": {"value": {"a": [null, 1e999]}}})", &signal),
              ElementsAre(Pair("input.value.a[1]", HasSubstr("too large"))));
  // Where something follows that is no JSON, its place is that of the text as it was sent.
  FieldViolations violations;
  EXPECT_THAT(std::string(ReadJson("{\"a\": 1e999999, x}", &request, &violations).message()),
              HasSubstr("line 1, column 17"));
}

TEST(JsonReader, GuessesOnlyNamesThatAreNear) {
  campaign::v1::CampaignSpec spec;
  EXPECT_THAT(Faults(R"({"nope": 1, "tune": 1, "tones": 1, "budgetusd": 1, "metric": 1})", &spec),
              UnorderedElementsAre(Pair("nope", "is not a known field"),
                                   Pair("tune", HasSubstr("did you mean tone?")),
                                   Pair("tones", HasSubstr("did you mean tone?")),
                                   Pair("budgetusd", HasSubstr("did you mean budget_usd?")),
                                   Pair("metric", HasSubstr("did you mean metrics?"))));
}

TEST(JsonReader, ReadsWhatTheWriterWrites) {
  campaign::v1::CampaignSpec spec;
  spec.set_campaign_name("Frühling \"x\"\n");
  spec.add_channels("email");
  spec.set_budget_usd(12.5);
  spec.mutable_schedule_time()->set_seconds(1'800'000'000);
  orchestrator::v1::StartWorkflowRequest request;
  request.set_workflow_id("w");
  *request.mutable_input() = history::ToPayload(spec);
  request.mutable_execution_timeout()->set_seconds(90);
  orchestrator::v1::StartWorkflowRequest back;
  // The writer adds `metadata` beside `value`; a reader of payloads takes both.
  EXPECT_THAT(Faults(ToJson(request), &back), testing::IsEmpty());
  EXPECT_EQ(ToJson(back), ToJson(request));  // sorts the metadata, which bytes do not
  EXPECT_EQ(history::FromPayload<campaign::v1::CampaignSpec>(back.input())->SerializeAsString(),
            spec.SerializeAsString());
}

TEST(JsonReader, ReadsPayloadsOfNamedTypesAndOfPlainJson) {
  orchestrator::v1::SignalWorkflowRequest request;
  EXPECT_THAT(Faults(R"({"input": {"message_type": "campaign.v1.CampaignSpec",
                         "value": {"tone": 4}}})",
                     &request),
              ElementsAre(Pair("input.value.tone", HasSubstr("string"))));
  EXPECT_THAT(Faults(R"({"input": {"message_type": "no.Such", "value": {}}})", &request),
              ElementsAre(Pair("input.message_type", HasSubstr("no message type"))));
  request.Clear();
  EXPECT_THAT(Faults(R"({"input": {"value": 1, "data": "aGk=", "wat": 1}})", &request),
              UnorderedElementsAre(Pair("input.data", "only one of data and value may be set"),
                                   Pair("input.wat", HasSubstr("is not one of"))));
  EXPECT_THAT(Faults(R"({"input": {"message_type": "campaign.v1.CampaignSpec"}})", &request),
              ElementsAre(Pair("input.message_type", "needs a value beside it")));
  request.Clear();
  EXPECT_THAT(Faults(R"({"input": {"value": [1, {"a": null}]}})", &request), testing::IsEmpty());
  EXPECT_EQ(request.input().data(), R"([1,{"a":null}])");
  EXPECT_EQ(request.input().metadata().at("encoding"), "json/plain");
  request.Clear();
  EXPECT_THAT(Faults(R"({"input": {"data": "aGk=", "metadata": {"k": "v"}}})", &request),
              testing::IsEmpty());
  EXPECT_EQ(request.input().data(), "hi");
}

TEST(JsonReader, EnumsAndNumbersInTheirForms) {
  orchestrator::v1::ListWorkflowsRequest list;
  EXPECT_THAT(Faults(R"({"status": "failed", "pageSize": 5})", &list), testing::IsEmpty());
  EXPECT_EQ(list.status(), orchestrator::v1::RunStatus::FAILED);
  EXPECT_EQ(list.page_size(), 5);
  EXPECT_THAT(Faults(R"({"status": "GREAT", "page_size": 1.5})", &list),
              UnorderedElementsAre(Pair("status", HasSubstr("one of RUNNING, PAUSED")),
                                   Pair("page_size", "must be a whole number")));
  EXPECT_THAT(Faults(R"({"page_size": 3000000000})", &list),
              ElementsAre(Pair("page_size", "must be a 32-bit integer")));
  orchestrator::v1::GetWorkflowHistoryRequest history;
  EXPECT_THAT(Faults(R"({"after_event_id": "9007199254740993"})", &history), testing::IsEmpty());
  EXPECT_EQ(history.after_event_id(), 9007199254740993);
}

TEST(JsonReader, OnlyOneFieldOfAOneof) {
  orchestrator::v1::UpdateWorkflowResponse response;
  EXPECT_THAT(Faults(R"({"failure": {}, "rejected": {}})", &response),
              ElementsAre(Pair("rejected", HasSubstr("only one"))));
}

TEST(JsonReader, FillsTheUpdateMaskFromThePresentFields) {
  campaign::v1::UpdateWizardRequest request;
  EXPECT_THAT(Faults(R"({"campaign": {"tone": "", "budgetUsd": 0}})", &request),
              testing::IsEmpty());
  EXPECT_THAT(request.update_mask().paths(), UnorderedElementsAre("tone", "budget_usd"));
}

TEST(JsonReader, MalformedTextHasLineAndColumn) {
  campaign::v1::CampaignSpec spec;
  FieldViolations violations;
  const absl::Status status = ReadJson("{\n \"tone\": tru\n}", &spec, &violations);
  EXPECT_THAT(std::string(status.message()), HasSubstr("line 2, column 13"));
  for (const char* bad : {"", "{", "[1,]", "{\"a\":1}x", "{\"tone\": \"\xff\"}", "\"\\ud800\""}) {
    EXPECT_FALSE(ReadJson(bad, &spec, &violations).ok()) << bad;
  }
  EXPECT_THAT(Faults("[]", &spec), ElementsAre(Pair("(body)", "must be an object, not a list")));
}

TEST(JsonReader, DepthIsBound) {
  orchestrator::v1::Failure failure;
  std::string json;
  for (int i = 0; i < 100; ++i) json += R"({"cause":)";
  json += "{}";
  for (int i = 0; i < 100; ++i) json += "}";
  EXPECT_THAT(Faults(json, &failure), ElementsAre(Pair(testing::_, HasSubstr("deeper than"))));
  FieldViolations violations;
  EXPECT_FALSE(ReadJson(std::string(200'000, '['), &failure, &violations).ok());
  orchestrator::v1::SignalWorkflowRequest signal;
  const std::string deep = std::string(200'000, '[') + std::string(200'000, ']');
  EXPECT_THAT(Faults(absl::StrCat(R"({"input": {"value": )", deep, "}}"), &signal),
              ElementsAre(Pair(testing::_, HasSubstr("deeper than"))));
}

}  // namespace
}  // namespace gateway
