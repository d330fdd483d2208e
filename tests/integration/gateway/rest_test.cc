// REST over real sockets: transcoding, errors, headers, event streams, wizards, decisions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "tests/integration/gateway/gateway_fixture.h"
#include "tests/integration/gateway/http_peer.h"
#include "tests/support/await.h"

namespace gateway {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

constexpr char kCampaign[] = R"({"campaign_name": "Spring", "campaign_goals": ["Sell"],
  "channels": ["email", "blog"], "research_sources": ["memory"], "target_audience": "Gardeners",
  "tone": "casual"})";

class Rest : public GatewayTest {
 protected:
  void SetUp() override {
    handler_->AddRaw("GET", "/healthz",
                     [](RawRequest, RawDone done) { done({.body = R"({"status":"ok"})"}); });
    handler_->AddRaw("GET", "/assets/{key...}", [](RawRequest request, RawDone done) {
      done({.content_type = "image/png", .body = request.fields["key"]});
    });
    GatewayTest::SetUp();
    peer_ = std::make_unique<HttpPeer>(rest_->port());
  }
  json Call(int status, const std::string& method, const std::string& target,
            const std::string& body = "", const std::string& headers = "") {
    answer_ = peer_->Call(method, target, body, headers);
    EXPECT_EQ(answer_.status, status) << method << " " << target << "\n" << answer_.body;
    return json::parse(answer_.body, nullptr, false);
  }
  std::vector<std::string> Fields(const json& error) {
    std::vector<std::string> fields;
    for (const auto& violation : error["details"][0]["field_violations"]) {
      fields.push_back(violation["field"]);
    }
    return fields;
  }

  std::unique_ptr<HttpPeer> peer_;
  HttpAnswer answer_;
};

TEST_F(Rest, StartsACampaignOnceForARequestId) {
  const std::string body = absl::StrCat(R"({"request_id": "r1", "campaign": )", kCampaign, "}");
  const json first = Call(200, "POST", "/v1/campaigns", body);
  EXPECT_THAT(first["workflow_id"].get<std::string>(), testing::MatchesRegex("campaign-[0-9a-f]+"));
  EXPECT_EQ(first["status"], "RUNNING");
  EXPECT_EQ(first["already_started"], false);
  const json again = Call(200, "POST", "/v1/campaigns", body);
  EXPECT_EQ(again["workflow_id"], first["workflow_id"]);
  EXPECT_EQ(again["already_started"], true);
  std::string other = body;
  other.replace(other.find("Sell"), 4, "Give");
  EXPECT_EQ(Call(409, "POST", "/v1/campaigns", other)["code"], 6);
}

TEST_F(Rest, ReportsEveryViolationAtOnce) {
  const json types = Call(400, "POST", "/v1/campaigns",
                          R"({"campaign": {"campaign_name": 7, "channels": "email", "tones": "x",
                              "budget_usd": "much", "schedule_time": "soon"}, "request": 1})");
  EXPECT_EQ(types["code"], 3);
  EXPECT_EQ(types["details"][0]["@type"], "type.googleapis.com/google.rpc.BadRequest");
  EXPECT_THAT(Fields(types),
              testing::ElementsAre("campaign.campaign_name", "campaign.channels", "campaign.tones",
                                   "campaign.budget_usd", "campaign.schedule_time", "request",
                                   // What could be read is checked as well.
                                   "campaign.campaign_goals", "campaign.research_sources",
                                   "campaign.target_audience", "campaign.tone"));
  const json values = Call(400, "POST", "/v1/campaigns",
                           R"({"campaign": {"campaign_name": "", "campaign_goals": ["a", ""],
                               "channels": ["email", "fax"], "research_sources": ["web"],
                               "target_audience": "x", "tone": "rude", "reviewers": ["bob"]}})");
  EXPECT_THAT(Fields(values),
              testing::ElementsAre("campaign.campaign_name", "campaign.campaign_goals[1]",
                                   "campaign.channels[1]", "campaign.competitor_urls",
                                   "campaign.tone", "campaign.reviewers[0]"));
}

// Requests that are good but for one field that no method has.
TEST_F(Rest, NothingIsDoneForARequestWithAnUnknownField) {
  client_.AddCampaign("c1");
  const std::string draft = Call(200, "POST", "/v1/wizards",
                                 absl::StrCat(R"({"campaign": )", kCampaign, "}"))["wizard_id"];
  const std::string wizard = absl::StrCat("/v1/wizards/", draft);
  const json before = Call(200, "GET", wizard);
  const std::tuple<std::string, std::string, std::string, std::string> kGood[] = {
      {"POST", "/v1/campaigns", absl::StrCat(R"("campaign": )", kCampaign), "StartWorkflow"},
      {"POST", absl::StrCat(wizard, "/approve"), "", "StartWorkflow"},
      {"PATCH", wizard, R"("campaign": {"tone": "technical"})", ""},
      {"POST", "/v1/workflows", R"("workflow_id": "w", "workflow_type": "t")", "StartWorkflow"},
      {"POST", "/v1/workflows/c1/signals/approve", "", "Update"},
      {"POST", "/v1/workflows/c1/signals/update_content",
       R"("content_id": "headline", "new_content": "x")", "Update"},
      {"POST", "/v1/workflows/c1/signal", R"("signal_name": "s")", "Signal"},
      {"POST", "/v1/workflows/c1/cancel", "", "Cancel"},
      {"POST", "/v1/workflows/c1/terminate", "", "Terminate"},
      {"POST", "/v1/workflows/c1/pause", "", "Pause"},
      {"POST", "/v1/workflows/c1/saga/step/skip", R"("reason": "r")", "Compensation"}};
  for (const auto& [method, path, fields, effect] : kGood) {
    const std::string body = absl::StrCat("{", fields, fields.empty() ? "" : ", ", R"("nope": 1})");
    EXPECT_THAT(Fields(Call(400, method, path, body)), testing::ElementsAre("nope")) << path;
    EXPECT_EQ(client_.last(effect), "") << path;
  }
  EXPECT_EQ(Call(200, "GET", wizard), before);
}

// Every method checks what could be read of a request, and none has effects for one with faults.
TEST_F(Rest, FaultsOfTypesAndOfValuesAreToldTogether) {
  EXPECT_THAT(Fields(Call(400, "POST", "/v1/workflows", R"({"workflow_id": "a b", "nope": 1})")),
              testing::ElementsAre("nope", "workflow_id", "workflow_type"));
  EXPECT_THAT(Fields(Call(400, "POST", "/v1/workflows/c1/signal", R"({"identity": 7})")),
              testing::ElementsAre("identity", "signal_name"));
  EXPECT_THAT(Fields(Call(400, "POST", "/v1/workflows/c1/saga/step/skip", R"({"nope": 1})")),
              testing::ElementsAre("nope", "reason"));
  EXPECT_THAT(Fields(Call(400, "POST", "/v1/workflows/c1/saga/step/retry", R"({"nope": 1})")),
              testing::ElementsAre("nope"));
  EXPECT_THAT(Fields(Call(400, "POST", "/v1/kill-switch", R"({"on": "yes"})")),
              testing::ElementsAre("on", "reason"));
  EXPECT_THAT(Fields(Call(400, "GET", "/v1/workflows/a%20b/history?page_size=-1&nope=1")),
              testing::ElementsAre("nope", "workflow_id", "page_size"));
  EXPECT_THAT(Fields(Call(400, "POST", "/v1/workflows/c1/signals/update_content",
                          R"({"content_id": "footnote", "new_content": ["x"], "via": 1})")),
              testing::ElementsAre("new_content", "via", "content_id"));
  // Names are those of the fields, however they were written.
  EXPECT_THAT(Fields(Call(400, "POST", "/v1/wizards",
                          R"({"campaign": {"campaignName": 12, "tone": "angry"}})")),
              testing::ElementsAre("campaign.campaign_name", "campaign.tone"));
}

TEST_F(Rest, EveryMethodHasACheck) {
  for (const auto& [name, method] : router_.methods()) EXPECT_TRUE(method.check) << name;
}

TEST_F(Rest, MalformedJsonNamesLineAndColumn) {
  const json error = Call(400, "POST", "/v1/campaigns", "{\n  \"campaign\": {,}\n}");
  EXPECT_THAT(error["message"].get<std::string>(), HasSubstr("line 2, column 16"));
}

TEST_F(Rest, QueryParametersBecomeFields) {
  Call(200, "GET", "/v1/workflows?status=RUNNING&workflow_type=campaign&page_size=7");
  EXPECT_EQ(client_.last("ListWorkflows"),
            "status: RUNNING workflow_type: \"campaign\" page_size: 7 namespace: \"default\"");
  client_.AddCampaign("c1");
  Call(200, "GET", "/v1/workflows/c1/result?wait=1.5s&run_id=abc-1");
  EXPECT_EQ(client_.last("GetResult"),
            "workflow_id: \"c1\" run_id: \"abc-1\" wait { seconds: 1 nanos: 500000000 } namespace: "
            "\"default\"");
}

TEST_F(Rest, WrongQueryParametersAreAllNamed) {
  const json error = Call(
      400, "GET", "/v1/workflows?status=HAPPY&page_size=many&colour=red&page_token=a&page_token=b");
  EXPECT_THAT(Fields(error), testing::ElementsAre("status", "page_size", "colour", "page_token"));
  EXPECT_THAT(Fields(Call(400, "GET", "/v1/workflows/c1/result?wait=2m")),
              testing::ElementsAre("wait"));
  EXPECT_THAT(Fields(Call(400, "GET", "/v1/workflows/c1/result?wait=soon")),
              testing::ElementsAre("wait"));
  EXPECT_THAT(Fields(Call(400, "GET", "/v1/workflows/%20x")), testing::ElementsAre("workflow_id"));
}

TEST_F(Rest, UnknownIdsPathsMethodsAndTypes) {
  EXPECT_EQ(Call(404, "GET", "/v1/workflows/nope")["code"], 5);
  EXPECT_THAT(Call(404, "GET", "/v2/things")["message"].get<std::string>(),
              HasSubstr("/v2/things"));
  Call(405, "DELETE", "/v1/workflows");
  EXPECT_EQ(answer_.headers.at("allow"), "GET, HEAD, OPTIONS, POST");
  Call(415, "POST", "/v1/campaigns", "a=b", "Content-Type: application/x-www-form-urlencoded\r\n");
  Call(204, "OPTIONS", "/v1/wizards/w1");
  EXPECT_EQ(answer_.headers.at("allow"), "DELETE, GET, HEAD, OPTIONS, PATCH");
  Call(204, "OPTIONS", "*");
}

TEST_F(Rest, HeadAnswersLikeGetWithoutABody) {
  const HttpAnswer head = peer_->Call("HEAD", "/v1/workflows");
  EXPECT_EQ(head.status, 200);
  EXPECT_NE(head.headers.at("content-length"), "0");
  EXPECT_EQ(peer_->Call("GET", "/healthz").body, "{\"status\":\"ok\"}\n");
}

TEST_F(Rest, CorrelationIdComesBack) {
  Call(404, "GET", "/nope", "", "X-Correlation-ID: my id 1\r\n");
  EXPECT_EQ(answer_.headers.at("x-correlation-id"), "my id 1");
  Call(200, "GET", "/healthz");
  EXPECT_EQ(answer_.headers.at("x-correlation-id").size(), 16u);
  Call(200, "GET", "/healthz", "",
       absl::StrCat("X-Correlation-ID: ", std::string(200, 'x'), "\r\n"));
  EXPECT_EQ(answer_.headers.at("x-correlation-id").size(), 16u);
}

TEST_F(Rest, CorrelationAndTraceReachTheRun) {
  Call(200, "POST", "/v1/campaigns", absl::StrCat(R"({"campaign": )", kCampaign, "}"),
       "X-Correlation-ID: corr-1\r\ntraceparent: 00-0af7-b7-01\r\n");
  EXPECT_THAT(client_.last("StartWorkflow"), HasSubstr("correlation_id: \"corr-1\""));
  EXPECT_THAT(client_.last("StartWorkflow"), HasSubstr("traceparent: \"00-0af7-b7-01\""));
}

TEST_F(Rest, AssetKeysMayHaveSlashes) {
  const HttpAnswer answer = peer_->Call("GET", "/assets/c1/email%20banner.png");
  EXPECT_EQ(answer.body, "c1/email banner.png");
  EXPECT_EQ(answer.headers.at("content-type"), "image/png");
}

TEST_F(Rest, HistoryShowsPayloadsDecoded) {
  client_.AddCampaign("c1");
  const json history = Call(200, "GET", "/v1/workflows/c1/history");
  const json& input = history["events"][0]["workflow_execution_started"]["input"];
  EXPECT_EQ(input["message_type"], "campaign.v1.CampaignSpec");
  EXPECT_EQ(input["value"]["campaign_name"], "Spring");
  EXPECT_EQ(history["events"][0]["event_id"], 1);
}

TEST_F(Rest, ProgressIsFilledInByTheService) {
  client_.AddCampaign("c1");
  const json progress = Call(200, "GET", "/v1/workflows/c1/progress");
  EXPECT_EQ(progress["progress_percentage"], 60);
  EXPECT_EQ(progress["current_phase"], "review");
  EXPECT_EQ(progress["status"], "RUNNING");
  EXPECT_EQ(progress["run_id"], "run-1");
  EXPECT_GT(progress["elapsed_seconds"].get<double>(), 59);
  client_.Change("c1", [](auto& run) {
    run.info.set_status(v1::RunStatus::STUCK);
    run.info.set_status_reason("nondeterminism at event 7");
  });
  const json stuck = Call(200, "GET", "/v1/workflows/c1/progress");
  EXPECT_EQ(stuck["status"], "STUCK");
  EXPECT_EQ(stuck["message"], "nondeterminism at event 7");
  client_.Change("c1", [](auto& run) {
    run.info.set_status(v1::RunStatus::TERMINATED);
    run.info.set_status_reason("Terminated: test; not undone: a");
    *run.info.mutable_close_time() = run.info.start_time();
    run.progress.set_message("waiting for approval");
    auto* done = run.progress.add_phases();
    done->set_phase("design");
    done->set_state("completed");
    auto* under_way = run.progress.add_phases();
    under_way->set_phase("review");
    under_way->set_state("running");
  });
  const json terminated = Call(200, "GET", "/v1/workflows/c1/progress");
  EXPECT_EQ(terminated["message"], "Terminated: test; not undone: a");
  EXPECT_EQ(terminated["waiting_for_approval"], false);
  EXPECT_EQ(terminated["phases"][0]["state"], "completed");
  EXPECT_EQ(terminated["phases"][1]["state"], "terminated");
  EXPECT_TRUE(terminated["phases"][1].contains("completed_at"));
  client_.Change("c1", [](auto& run) { run.has_progress = false; });
  EXPECT_EQ(Call(409, "GET", "/v1/workflows/c1/progress")["code"], 9);
  Call(404, "GET", "/v1/workflows/c2/progress");
}

TEST_F(Rest, FirstDecisionWins) {
  client_.AddCampaign("c1");
  const json decided = Call(200, "POST", "/v1/workflows/c1/signals/approve",
                            R"({"decided_by": "ann", "comment": "good"})");
  EXPECT_EQ(decided["decision"]["decided_by"], "ann");
  const json second = Call(409, "POST", "/v1/workflows/c1/signals/reject");
  EXPECT_EQ(second["code"], 6);
  EXPECT_THAT(second["message"].get<std::string>(), HasSubstr("ann"));
  client_.Change("c1", [](auto& run) { run.info.set_status(v1::RunStatus::COMPLETED); });
  const json closed = Call(409, "POST", "/v1/workflows/c1/signals/approve", "{}");
  EXPECT_EQ(closed["code"], 6);
  EXPECT_THAT(closed["message"].get<std::string>(), HasSubstr("approved by ann (api) at 20"));
  client_.Change("c1", [](auto& run) { run.progress.clear_decision(); });
  const json undecided = Call(409, "POST", "/v1/workflows/c1/signals/approve", "{}");
  EXPECT_EQ(undecided["code"], 9);
  EXPECT_EQ(undecided["message"], "workflow c1 is closed (COMPLETED)");
  Call(404, "POST", "/v1/workflows/c2/signals/approve");
}

TEST_F(Rest, UpdateContentChecksItsFields) {
  client_.AddCampaign("c1");
  Call(200, "POST", "/v1/workflows/c1/signals/update_content",
       R"({"content_id": "headline", "new_content": "Bloom"})");
  EXPECT_THAT(Fields(Call(400, "POST", "/v1/workflows/c1/signals/update_content",
                          R"({"content_id": "footer"})")),
              testing::ElementsAre("content_id", "new_content"));
  EXPECT_THAT(
      Fields(Call(400, "POST", "/v1/workflows/c1/signals/update_content",
                  R"({"workflow_id": "c2", "content_id": "headline", "new_content": "x"})")),
      testing::ElementsAre("workflow_id"));
}

TEST_F(Rest, SkippingACompensationNeedsAReason) {
  client_.AddCampaign("c1");
  EXPECT_THAT(Fields(Call(400, "POST", "/v1/workflows/c1/saga/step%232/skip")),
              testing::ElementsAre("reason"));
  const json skipped =
      Call(200, "POST", "/v1/workflows/c1/saga/step%232/skip", R"({"reason": "gone"})");
  EXPECT_EQ(skipped["step"], "step#2");
  EXPECT_EQ(skipped["compensation"], "SKIPPED");
}

TEST_F(Rest, WizardFromDraftToCampaign) {
  const json draft = Call(200, "POST", "/v1/wizards",
                          R"({"campaign": {"campaign_name": "Spring"}, "request_id": "w1"})");
  const std::string id = draft["wizard_id"];
  EXPECT_EQ(id.substr(0, 3), "wz-");
  EXPECT_EQ(Call(200, "POST", "/v1/wizards",
                 R"({"campaign": {"campaign_name": "Spring"}, "request_id": "w1"})")["wizard_id"],
            id);
  Call(409, "POST", "/v1/wizards", R"({"campaign": {}, "request_id": "w1"})");

  const json missing = Call(400, "POST", absl::StrCat("/v1/wizards/", id, "/approve"));
  EXPECT_THAT(Fields(missing), testing::ElementsAre("campaign.campaign_goals", "campaign.channels",
                                                    "campaign.research_sources",
                                                    "campaign.target_audience", "campaign.tone"));
  Call(400, "PATCH", absl::StrCat("/v1/wizards/", id), R"({"campaign": {"tone": "loud"}})");
  const json patched =
      Call(200, "PATCH", absl::StrCat("/v1/wizards/", id),
           R"({"campaign": {"campaign_goals": ["Sell"], "channels": ["email"], "tone": "casual",
          "research_sources": ["memory"], "target_audience": "All"}})");
  EXPECT_EQ(patched["campaign"]["campaign_name"], "Spring");
  EXPECT_EQ(patched["revision"], 2);
  EXPECT_EQ(
      Call(200, "PATCH", absl::StrCat("/v1/wizards/", id),
           R"({"campaign": {"campaign_name": "x"}, "update_mask": "tone"})")["campaign"]["tone"],
      "");
  Call(200, "PATCH", absl::StrCat("/v1/wizards/", id), R"({"campaign": {"tone": "technical"}})");

  const json started = Call(200, "POST", absl::StrCat("/v1/wizards/", id, "/approve"), "{}");
  EXPECT_EQ(started["workflow_id"], absl::StrCat("campaign-", id));
  const json again = Call(200, "POST", absl::StrCat("/v1/wizards/", id, "/approve"), "{}");
  EXPECT_EQ(again["workflow_id"], started["workflow_id"]);
  EXPECT_EQ(again["already_started"], true);
  EXPECT_EQ(Call(409, "PATCH", absl::StrCat("/v1/wizards/", id),
                 R"({"campaign": {"tone": "casual"}})")["code"],
            9);
  const json shown = Call(200, "GET", absl::StrCat("/v1/wizards/", id));
  EXPECT_EQ(shown["status"], "approved");
  EXPECT_EQ(shown["run_id"], "run-1");
  Call(404, "GET", "/v1/wizards/wz-none");
}

TEST_F(Rest, WizardsAreListedNewestFirstInPages) {
  std::vector<std::string> made;
  for (int i = 0; i < 5; ++i) made.push_back(Call(200, "POST", "/v1/wizards", "{}")["wizard_id"]);
  std::vector<std::string> listed;
  std::string token;
  do {
    const json page = Call(200, "GET", absl::StrCat("/v1/wizards?page_size=2&page_token=", token));
    for (const auto& wizard : page["wizards"]) listed.push_back(wizard["wizard_id"]);
    token = page["next_page_token"];
  } while (!token.empty());
  EXPECT_THAT(listed, testing::UnorderedElementsAreArray(made));
  EXPECT_THAT(Fields(Call(400, "GET", "/v1/wizards?page_token=zzz")),
              testing::ElementsAre("page_token"));
}

TEST_F(Rest, AWizardThatChangedMeanwhileIsNotOverwritten) {
  const json draft =
      Call(200, "POST", "/v1/wizards", R"({"campaign": {"campaign_name": "Spring"}})");
  const std::string path = absl::StrCat("/v1/wizards/", draft["wizard_id"].get<std::string>());
  const std::string first = draft["etag"];
  const auto patch = [&](int status, const std::string& name, const std::string& etag) {
    return Call(
        status, "PATCH", path,
        absl::StrCat(R"({"campaign": {"campaign_name": ")", name, R"("}, "etag": ")", etag, "\"}"));
  };
  const std::string second = patch(200, "Summer", first)["etag"];
  EXPECT_NE(first, second);
  const json refused = patch(409, "Winter", first);
  EXPECT_EQ(refused["code"], 10);
  EXPECT_THAT(refused["message"].get<std::string>(), HasSubstr(second));
  EXPECT_EQ(Call(200, "GET", path)["campaign"]["campaign_name"], "Summer");
  EXPECT_EQ(patch(200, "Summer", second)["etag"], second);  // nothing changed
  EXPECT_EQ(patch(200, "Autumn", "*")["revision"], 3);
  patch(200, "Autumn again", "");
  Call(409, "POST", absl::StrCat(path, "/approve"), absl::StrCat(R"({"etag": ")", second, "\"}"));
  Call(409, "DELETE", absl::StrCat(path, "?etag=", second));
  const std::string current = Call(200, "GET", path)["etag"];
  EXPECT_EQ(Call(200, "DELETE", absl::StrCat(path, "?etag=", current))["wizard_id"],
            draft["wizard_id"]);
  Call(404, "GET", path);
  Call(404, "DELETE", path);
}

TEST_F(Rest, AnApprovalMayBeRepeatedWithTheEtagThatItBeganWith) {
  const json draft =
      Call(200, "POST", "/v1/wizards", absl::StrCat(R"({"campaign": )", kCampaign, "}"));
  const std::string path = absl::StrCat("/v1/wizards/", draft["wizard_id"].get<std::string>());
  const std::string body = absl::StrCat(R"({"etag": ")", draft["etag"].get<std::string>(), "\"}");
  EXPECT_EQ(Call(200, "POST", absl::StrCat(path, "/approve"), body)["already_started"], false);
  EXPECT_EQ(Call(200, "POST", absl::StrCat(path, "/approve"), body)["already_started"], true);
  const json approved = Call(200, "GET", path);
  EXPECT_EQ(approved["approved_revision"], 1);
  EXPECT_EQ(approved["approved_by"], "api");
  EXPECT_EQ(approved["created_by"], "api");
  EXPECT_EQ(approved["namespace"], "default");
  // The campaign goes on without its draft.
  Call(200, "DELETE", path);
  Call(200, "GET", absl::StrCat("/v1/workflows/", approved["workflow_id"].get<std::string>()));
}

TEST_F(Rest, WizardsAreValidatedWithoutAChange) {
  const json draft = Call(200, "POST", "/v1/wizards",
                          R"({"campaign": {"campaign_name": "Spring", "tone": "casual",
                              "research_sources": ["web"]}})");
  const std::string path = absl::StrCat("/v1/wizards/", draft["wizard_id"].get<std::string>());
  const json faults = Call(200, "POST", absl::StrCat(path, "/validate"), "{}");
  EXPECT_EQ(faults["valid"], false);
  EXPECT_EQ(faults["etag"], draft["etag"]);
  std::vector<std::string> fields;
  for (const auto& fault : faults["violations"]) fields.push_back(fault["field"]);
  EXPECT_THAT(fields, testing::ElementsAre("campaign.campaign_goals", "campaign.channels",
                                           "campaign.competitor_urls", "campaign.target_audience"));
  EXPECT_EQ(Call(200, "GET", path), draft);
  Call(200, "PATCH", path, absl::StrCat(R"({"campaign": )", kCampaign, "}"));
  EXPECT_EQ(Call(200, "POST", absl::StrCat(path, "/validate"), "{}")["valid"], true);
  Call(404, "POST", "/v1/wizards/wz-none/validate", "{}");
}

TEST_F(Rest, APreviewShowsCallsCostAndWarningsAndStartsNothing) {
  const json draft =
      Call(200, "POST", "/v1/wizards", absl::StrCat(R"({"campaign": )", kCampaign, "}"));
  const std::string path = absl::StrCat("/v1/wizards/", draft["wizard_id"].get<std::string>());
  const json preview = Call(200, "GET", absl::StrCat(path, "/preview"));
  EXPECT_EQ(preview["phases"].size(), 6);
  EXPECT_EQ(preview["phases"][3]["phase"], "review");
  EXPECT_EQ(preview["phases"][3]["calls"][0]["vendor"], "github");
  EXPECT_EQ(preview["channels"], json({"email", "blog"}));
  EXPECT_GT(preview["cost"]["prompt_tokens"], 100);
  EXPECT_EQ(preview["cost"]["price_known"], false);
  EXPECT_TRUE(preview["violations"].empty());
  std::vector<std::string> subjects;
  for (const auto& warning : preview["warnings"]) subjects.push_back(warning["subject"]);
  EXPECT_THAT(subjects,
              testing::UnorderedElementsAre("campaign.reviewers", "vendors.openai.prices"));
  EXPECT_EQ(Call(200, "GET", path), draft);
  EXPECT_EQ(client_.last("StartWorkflow"), "");
}

TEST_F(Rest, WizardsAreClonedFromWizardsAndCampaigns) {
  const json draft =
      Call(200, "POST", "/v1/wizards", absl::StrCat(R"({"campaign": )", kCampaign, "}"));
  const std::string id = draft["wizard_id"];
  const std::string body = absl::StrCat(R"({"source_wizard_id": ")", id,
                                        R"(", "request_id": "k1", "campaign": {"tone": "technical",
                                        "campaign_goals": ["More"]}})");
  const json clone = Call(200, "POST", "/v1/wizards/clone", body);
  EXPECT_NE(clone["wizard_id"], id);
  EXPECT_EQ(clone["status"], "draft");
  EXPECT_EQ(clone["cloned_from"], absl::StrCat("wizards/", id));
  EXPECT_EQ(clone["campaign"]["tone"], "technical");
  EXPECT_EQ(clone["campaign"]["campaign_goals"], json({"More"}));
  EXPECT_EQ(clone["campaign"]["target_audience"], "Gardeners");
  // The source has gone when the clone is asked for again.
  Call(200, "DELETE", absl::StrCat("/v1/wizards/", id));
  EXPECT_EQ(Call(200, "POST", "/v1/wizards/clone", body)["wizard_id"], clone["wizard_id"]);
  Call(409, "POST", "/v1/wizards/clone",
       absl::StrCat(R"({"source_wizard_id": ")", id, R"(", "request_id": "k1"})"));
  Call(404, "POST", "/v1/wizards/clone", absl::StrCat(R"({"source_wizard_id": ")", id, "\"}"));

  client_.AddCampaign("c1");
  const json past = Call(200, "POST", "/v1/wizards/clone",
                         R"({"source_workflow_id": "c1", "override_mask": "tone,budget_usd",
                             "campaign": {"tone": "casual", "campaign_name": "not taken"}})");
  EXPECT_EQ(past["campaign"]["campaign_name"], "Spring");
  EXPECT_EQ(past["campaign"]["tone"], "casual");
  EXPECT_EQ(past["cloned_from"], "workflows/c1");
  Call(404, "POST", "/v1/wizards/clone", R"({"source_workflow_id": "c2"})");
  EXPECT_THAT(Fields(Call(400, "POST", "/v1/wizards/clone",
                          R"({"source_workflow_id": "c1", "source_wizard_id": "wz-1",
                              "override_mask": "colour", "campaign": {"tone": "loud"}})")),
              testing::ElementsAre("source_wizard_id", "override_mask", "campaign.tone"));
}

TEST_F(Rest, WizardsOfAnotherNamespaceAreNotThere) {
  const std::string tenant = "X-Namespace: tenant-b\r\n";
  const std::string body = R"({"campaign": {"campaign_name": "Spring"}, "request_id": "n1"})";
  const json ours = Call(200, "POST", "/v1/wizards", body);
  const json theirs = Call(200, "POST", "/v1/wizards", body, tenant);
  EXPECT_NE(ours["wizard_id"], theirs["wizard_id"]);
  EXPECT_EQ(theirs["namespace"], "tenant-b");
  const std::string path = absl::StrCat("/v1/wizards/", theirs["wizard_id"].get<std::string>());
  for (const char* method : {"GET", "DELETE"}) Call(404, method, path);
  Call(404, "PATCH", path, R"({"campaign": {"tone": "casual"}})");
  Call(404, "GET", absl::StrCat(path, "/preview"));
  Call(404, "POST", absl::StrCat(path, "/validate"), "{}");
  Call(404, "POST", absl::StrCat(path, "/approve"), "{}");
  Call(404, "POST", "/v1/wizards/clone",
       absl::StrCat(R"({"source_wizard_id": ")", theirs["wizard_id"].get<std::string>(), "\"}"));
  EXPECT_EQ(Call(200, "GET", "/v1/wizards")["wizards"].size(), 1);
  EXPECT_EQ(Call(200, "GET", "/v1/wizards?namespace=tenant-b")["wizards"][0], theirs);
  EXPECT_EQ(Call(200, "GET", path, "", tenant), theirs);
}

TEST_F(Rest, WizardsAreFilteredAndOrdered) {
  for (const char* name : {"Spring", "Summer sale", "Autumn", "spring again"}) {
    Call(200, "POST", "/v1/wizards",
         absl::StrCat(R"({"campaign": {"campaign_name": ")", name, R"("}})"));
  }
  const auto names = [&](const std::string& query) {
    std::vector<std::string> found;
    const json page = Call(200, "GET", "/v1/wizards?" + query);
    for (const auto& wizard : page["wizards"]) {
      found.push_back(wizard["campaign"]["campaign_name"]);
    }
    return found;
  };
  using testing::ElementsAre;
  EXPECT_THAT(names("order_by=campaign_name"),
              ElementsAre("Autumn", "Spring", "Summer sale", "spring again"));
  EXPECT_THAT(names("order_by=campaign_name%20desc"),
              ElementsAre("spring again", "Summer sale", "Spring", "Autumn"));
  EXPECT_THAT(names("filter=campaign_name:pring&order_by=campaign_name"),
              ElementsAre("Spring", "spring again"));
  EXPECT_THAT(names("filter=campaign_name%20%3D%20%22S*%22&order_by=campaign_name"),
              ElementsAre("Spring", "Summer sale"));
  EXPECT_THAT(names("filter=NOT%20campaign_name:m%20AND%20(status=draft%20OR%20status=approved)"
                    "%20AND%20update_time%20%3E%202020-01-01T00:00:00Z&order_by=campaign_name"),
              ElementsAre("Spring", "spring again"));
  EXPECT_THAT(names("filter=created_by%20!%3D%20api"), ElementsAre());
  EXPECT_THAT(names("filter=create_time%20%3C%202020-01-01T00:00:00Z"), ElementsAre());
  // Pages keep filter and order; a token of another list is refused.
  const json first =
      Call(200, "GET", "/v1/wizards?order_by=status,campaign_name%20desc&page_size=3");
  const std::string token = first["next_page_token"];
  const json rest = Call(200, "GET",
                         absl::StrCat("/v1/wizards?order_by=status,campaign_name%20desc"
                                      "&page_size=3&page_token=",
                                      token));
  ASSERT_EQ(rest["wizards"].size(), 1);
  EXPECT_EQ(rest["wizards"][0]["campaign"]["campaign_name"], "Autumn");
  EXPECT_EQ(rest["next_page_token"], "");
  EXPECT_THAT(Fields(Call(400, "GET", absl::StrCat("/v1/wizards?page_token=", token))),
              ElementsAre("page_token"));
  const json wrong = Call(400, "GET", "/v1/wizards?filter=colour=red&order_by=colour,tone");
  EXPECT_THAT(Fields(wrong), ElementsAre("filter", "order_by"));
  EXPECT_THAT(wrong["message"].get<std::string>(), HasSubstr("filter unknown field \"colour\""));
}

TEST_F(Rest, WatchSendsProgressAtEachChangeUntilTheEnd) {
  client_.AddCampaign("c1");
  peer_->Send("GET /v1/workflows/c1/watch HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(peer_->ReadUntil("\n\n"), HasSubstr("text/event-stream"));
  client_.Change("c1", [](auto& run) { run.progress.set_progress_percentage(80); });
  EXPECT_THAT(peer_->ReadUntil("\n\n"), HasSubstr("\"progress_percentage\":80"));
  client_.Change("c1", [](auto& run) { run.info.set_status(v1::RunStatus::COMPLETED); });
  EXPECT_THAT(peer_->ReadUntil("\n\n"), HasSubstr("COMPLETED"));
  EXPECT_THAT(peer_->ReadUntil("0\r\n\r\n"), HasSubstr("event: end"));
}

TEST_F(Rest, WatchOfAnUnknownRunIsAnOrdinaryError) {
  EXPECT_EQ(Call(404, "GET", "/v1/workflows/c1/watch")["code"], 5);
}

TEST_F(Rest, WatchIsToldWhenTheServerStops) {
  client_.AddCampaign("c1");
  peer_->Send("GET /v1/workflows/c1/watch HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_NE(peer_->ReadUntil("event: progress"), "");
  rest_->Stop(absl::Hours(1));  // does not wait for watches
  EXPECT_THAT(peer_->ReadUntil("0\r\n\r\n"), HasSubstr("event: error\ndata: {\"code\":14"));
}

TEST_F(Rest, WatchEndsWhenTheCallerLeaves) {
  client_.AddCampaign("c1");
  {
    HttpPeer leaver(rest_->port());
    leaver.Send("GET /v1/workflows/c1/watch HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_NE(leaver.ReadUntil("event: progress"), "");
    EXPECT_EQ(campaign_service_->watches(), 1);
  }
  test::Await([&] { return campaign_service_->watches() == 0; }, "the watch to end");
}

TEST_F(Rest, FiltersCountsVersionsAndDeletes) {
  client_.AddCampaign("c1");
  Call(200, "GET", "/v1/workflows?filter=Region%20%3D%20%22eu%22&order_by=start_time");
  EXPECT_THAT(client_.last("ListWorkflows"), HasSubstr("filter: \"Region = \\\"eu\\\""));
  EXPECT_EQ(Call(200, "GET", "/v1/workflow-counts")["count"], 1);
  const json wrong = Call(400, "GET", "/v1/workflow-counts?filter=wrong");
  EXPECT_THAT(Fields(wrong), testing::ElementsAre("filter"));
  EXPECT_THAT(wrong.dump(), HasSubstr("at character 1"));
  EXPECT_EQ(Call(200, "GET", "/v1/workflow-versions?workflow_type=campaign")["builds"][0]["id"],
            "build-7");
  Call(200, "DELETE", "/v1/workflows/c1?reason=tidy");
  EXPECT_THAT(client_.last("DeleteWorkflow"), HasSubstr("reason: \"tidy\""));
  EXPECT_THAT(client_.last("DeleteWorkflow"), HasSubstr("identity: \"api\""));
  Call(404, "DELETE", "/v1/workflows/nobody");
  Call(400, "DELETE", "/v1/workflows/a%20b");
}

}  // namespace
}  // namespace gateway
