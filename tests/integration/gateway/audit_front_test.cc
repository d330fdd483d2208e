// Goal: what comes in through both fronts is in the audit trail, before it has any effect, and
// nobody calls more often than he may. Method: both servers over real sockets, with callers of
// three kinds, over the runs in memory of the gateway's tests.
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/synchronization/notification.h"
#include "campaign/v1/audit.grpc.pb.h"
#include "gateway/audit/audit_log.h"
#include "gateway/audit/entry_proto.h"
#include "gateway/audit/filter_sql.h"
#include "gateway/auth/limit_status.h"
#include "gateway/auth/user_quotas.h"
#include "gateway/grpc/audit_service.h"
#include "gateway/json/json_reader.h"
#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"
#include "orchestrator/base/log.h"
#include "orchestrator/v1/service.grpc.pb.h"
#include "tests/integration/gateway/gateway_fixture.h"
#include "tests/integration/gateway/http_peer.h"
#include "tests/support/temporary_folder.h"

namespace gateway {
namespace {

using Json = nlohmann::json;

// The token is the name: ann is an admin, eve an editor, vic a viewer; others are nobody.
class NamedCallers : public auth::Authenticator {
 public:
  void Authenticate(auth::Credentials credentials, Done done) override {
    const std::string prefix = "Bearer ";
    auth::Caller caller{.credential = "api_key", .ns = "*", .address = credentials.address};
    if (absl::StartsWith(credentials.authorization, prefix)) {
      caller.identity = credentials.authorization.substr(prefix.size());
    }
    if (absl::StartsWith(caller.identity, "ann")) caller.role = auth::Role::kAdmin;
    if (absl::StartsWith(caller.identity, "eve")) caller.role = auth::Role::kEditor;
    if (absl::StartsWith(caller.identity, "vic")) caller.role = auth::Role::kViewer;
    if (caller.role == auth::Role::kNone) {
      return done(auth::Unauthenticated("KEY_UNKNOWN", "there is no such key"));
    }
    done(std::move(caller));
  }
  bool configured() const override { return true; }
};

// Looks into the trail's file while a handler runs.
class WatchingClient : public MemoryClient {
 public:
  void Update(v1::UpdateWorkflowRequest request,
              Callback<v1::UpdateWorkflowResponse> done) override {
    seen_in_handler = LastAction();
    MemoryClient::Update(std::move(request), std::move(done));
  }
  void Terminate(v1::TerminateWorkflowRequest request,
                 Callback<v1::TerminateWorkflowResponse> done) override {
    seen_in_handler = LastAction();
    MemoryClient::Terminate(std::move(request), std::move(done));
  }
  std::string LastAction() const {
    auto database = audit::AuditDatabase::OpenForReading(trail);
    const auto entries = (*database)->Read({.descending = true, .limit = 1});
    return absl::StrCat((*entries)[0].event.action, " ", (*entries)[0].event.outcome);
  }
  std::string trail;
  std::string seen_in_handler;
};

class AuditFrontTest : public testing::Test {
 protected:
  struct Options {
    CallGuard::Options guard;
    auth::CallLimits::Options limits;
    auth::UserQuotas::Options quotas;
  };
  AuditFrontTest() { base::SetLogLevel(base::LogLevel::kOff); }
  ~AuditFrontTest() override { Stop(); }

  void Start(Options options = {}) {
    audit::AuditLog::Options log;
    log.directory = folder_.path();
    log.fail_commit = [this] {
      return disk_full_ ? absl::UnavailableError("the disk is full") : absl::OkStatus();
    };
    log_ = *audit::AuditLog::Open(log, clock_, &metrics_);
    client_.trail = folder_.File("audit.db");
    client_.AddCampaign("spring");
    limits_ = std::make_unique<auth::CallLimits>(options.limits);
    quotas_ = *auth::UserQuotas::Open(folder_.File("quotas.db"), options.quotas, clock_);
    guard_ = std::make_unique<CallGuard>(options.guard, *limits_, log_.get(), clock_, &metrics_);
    door_ = std::make_unique<FrontDoor>(callers_, FrontDoor::Options{}, guard_.get());
    wizards_ = *WizardStore::Open(folder_.File("wizards.db"), clock_, random_);
    orders_ =
        *OperationsStore::Open(folder_.File("operations.db"), clock_, kill_switch_, breakers_);
    workflows_ = std::make_unique<WorkflowServiceImpl>(client_, quotas_.get());
    CampaignServiceImpl::Dependencies dependencies{client_, *wizards_, clock_, random_,
                                                   CompleteSettings()};
    dependencies.quotas = quotas_.get();
    campaigns_ = std::make_unique<CampaignServiceImpl>(std::move(dependencies));
    operations_ = std::make_unique<OperationsServiceImpl>(
        OperationsServiceImpl::Dependencies{*orders_, kill_switch_, breakers_});
    audit_ = std::make_unique<AuditServiceImpl>(log_.get());
    RegisterWorkflowService(workflows_.get(), &router_);
    RegisterCampaignService(campaigns_.get(), &router_);
    RegisterOperationsService(operations_.get(), &router_);
    RegisterAuditService(audit_.get(), &router_);
    handler_ = std::make_unique<RestHandler>(router_, *door_, clock_, random_, &metrics_);
    RestServerOptions rest;
    rest.port = 0;
    // As a webhook does whose signature does not hold.
    handler_->AddRaw("POST", "/webhooks/github",
                     [](RawRequest, RawDone done) { done({.status = 401, .body = "{}"}); });
    rest_ = std::make_unique<RestServer>(rest, *handler_, clock_);
    ASSERT_TRUE(rest_->Start().ok());
    grpc_ = std::make_unique<GrpcServer>(GrpcServerOptions{.address = "127.0.0.1:0"}, *door_,
                                         random_, workflows_.get(), campaigns_.get(), &metrics_,
                                         operations_.get());
    grpc_->Add(audit_.get());
    ASSERT_TRUE(grpc_->Start().ok());
  }
  void Stop() {
    if (rest_ != nullptr) rest_->Stop(absl::ZeroDuration());
    if (grpc_ != nullptr) grpc_->Stop(absl::ZeroDuration());
    if (wizards_ != nullptr) wizards_->Close();
    if (orders_ != nullptr) orders_->Close();
    if (quotas_ != nullptr) quotas_->Close();
    if (log_ != nullptr) log_->Close();
  }

  HttpAnswer Rest(const std::string& who, const std::string& method, const std::string& target,
                  const std::string& body = "") {
    HttpPeer peer(rest_->port());
    return peer.Call(
        method, target, body,
        absl::StrCat(who.empty() ? "" : absl::StrCat("Authorization: Bearer ", who, "\r\n"),
                     body.empty() ? "" : "Content-Type: application/json\r\n"));
  }
  std::vector<audit::Entry> Trail(const std::string& filter = "") {
    std::vector<audit::Entry> entries;
    absl::Notification done;
    log_->Read({.where = *audit::ToSql(filter)},
               [&](absl::StatusOr<std::vector<audit::Entry>> read) {
                 entries = *std::move(read);
                 done.Notify();
               });
    done.WaitForNotification();
    return entries;
  }
  std::shared_ptr<grpc::Channel> Channel() {
    return grpc::CreateChannel(absl::StrCat("127.0.0.1:", grpc_->port()),
                               grpc::InsecureChannelCredentials());
  }

  base::SystemClock clock_;
  base::SystemRandom random_;
  base::Metrics metrics_;
  WatchingClient client_;
  NamedCallers callers_;
  test::TemporaryFolder folder_;
  std::atomic<bool> disk_full_ = false;
  outbound::KillSwitch kill_switch_{metrics_, absl::Seconds(10)};
  outbound::Breakers breakers_{clock_, random_, metrics_, {}};
  std::unique_ptr<audit::AuditLog> log_;
  std::unique_ptr<auth::CallLimits> limits_;
  std::unique_ptr<auth::UserQuotas> quotas_;
  std::unique_ptr<CallGuard> guard_;
  std::unique_ptr<FrontDoor> door_;
  std::unique_ptr<WizardStore> wizards_;
  std::unique_ptr<OperationsStore> orders_;
  std::unique_ptr<WorkflowServiceImpl> workflows_;
  std::unique_ptr<CampaignServiceImpl> campaigns_;
  std::unique_ptr<OperationsServiceImpl> operations_;
  std::unique_ptr<AuditServiceImpl> audit_;
  Router router_;
  std::unique_ptr<RestHandler> handler_;
  std::unique_ptr<RestServer> rest_;
  std::unique_ptr<GrpcServer> grpc_;
};

TEST_F(AuditFrontTest, ADecisionIsInTheFileBeforeItsHandlerRuns) {
  Start();
  const HttpAnswer answer = Rest("eve", "POST", "/v1/workflows/spring/signals/approve",
                                 R"({"comment":"fine","decided_by":"somebody else"})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(client_.seen_in_handler, "ApproveCampaign STARTED");
  const auto entries = Trail("action = \"ApproveCampaign\"");
  ASSERT_EQ(entries.size(), 2);
  EXPECT_EQ(entries[0].event.actor, "eve") << "not who the request says";
  EXPECT_EQ(entries[0].event.credential, "api_key");
  EXPECT_EQ(entries[0].event.subject, "workflow/spring");
  EXPECT_TRUE(absl::StrContains(entries[0].event.detail, "comment=fine"));
  EXPECT_TRUE(absl::StartsWith(entries[0].event.address, "127.0.0.1:"));
  EXPECT_EQ(entries[0].event.ns, "default");
  EXPECT_EQ(entries[0].event.correlation_id, answer.headers.at("x-correlation-id"));
  EXPECT_EQ(entries[1].event.outcome, "OK");
  EXPECT_EQ(entries[1].event.started_by, entries[0].sequence);
}

TEST_F(AuditFrontTest, GrpcCallsAreRecordedTheSame) {
  Start();
  auto stub = v1::WorkflowService::NewStub(Channel());
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer ann");
  v1::TerminateWorkflowRequest request;
  request.set_workflow_id("spring");
  request.set_reason("wrong price");
  v1::TerminateWorkflowResponse response;
  ASSERT_TRUE(stub->TerminateWorkflow(&context, request, &response).ok());
  EXPECT_EQ(client_.seen_in_handler, "TerminateWorkflow STARTED");
  const auto entries = Trail("action = \"TerminateWorkflow\" AND actor = ann");
  ASSERT_EQ(entries.size(), 2);
  EXPECT_EQ(entries[0].event.detail, "reason=wrong price");
}

TEST_F(AuditFrontTest, AFailureIsRecordedAndReadingIsNot) {
  Start();
  EXPECT_EQ(Rest("ann", "POST", "/v1/workflows/nobody/cancel", "{}").status, 404);
  EXPECT_EQ(Rest("ann", "GET", "/v1/workflows/spring").status, 200);
  const auto entries = Trail("NOT credential = server");
  ASSERT_EQ(entries.size(), 3);
  EXPECT_EQ(entries[0].event.action, "sign-in") << "the first call of somebody";
  EXPECT_EQ(entries[2].event.outcome, "NOT_FOUND");
}

TEST_F(AuditFrontTest, RefusalsAreRecordedWithoutWhatWasShown) {
  Start();
  EXPECT_EQ(Rest("vic", "POST", "/v1/workflows/spring/signals/approve", "{}").status, 403);
  EXPECT_EQ(Rest("mallory-secret", "GET", "/v1/workflows/spring").status, 401);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Rest("", "GET", "/v1/workflows/spring").status, 401);
  EXPECT_EQ(Rest("", "POST", "/webhooks/github", "{}").status, 401);
  auto entries = Trail("action = \"permission.refused\"");
  ASSERT_EQ(entries.size(), 1);
  EXPECT_EQ(entries[0].event.actor, "vic");
  EXPECT_EQ(entries[0].event.subject, "method/ApproveCampaign");
  EXPECT_EQ(entries[0].event.outcome, "PERMISSION_DENIED");
  entries = Trail("action = \"sign-in.failed\"");
  ASSERT_EQ(entries.size(), 1) << "the others are summed up";
  EXPECT_TRUE(
      absl::StrContains(metrics_.Expose(), "audit_refusals_total{action=\"sign-in.failed\"} 7"))
      << "the webhook is one of them";
  EXPECT_EQ(entries[0].event.address, "127.0.0.1");
  for (const audit::Entry& entry : Trail()) {
    EXPECT_FALSE(absl::StrContains(audit::ToProto(entry).ShortDebugString(), "mallory"));
  }
}

TEST_F(AuditFrontTest, WhatCannotBeRecordedIsNotDone) {
  Start();
  disk_full_ = true;
  const HttpAnswer answer = Rest("ann", "POST", "/v1/workflows/spring/terminate", "{}");
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(absl::StrContains(answer.body, "nothing was done")) << answer.body;
  EXPECT_EQ(client_.calls("Terminate"), 0);
  EXPECT_EQ(Rest("ann", "GET", "/v1/workflows/spring").status, 200) << "reading goes on";
  // What must stop, stops.
  EXPECT_EQ(Rest("ann", "POST", "/v1/kill-switch", R"({"on":true,"reason":"fire"})").status, 200);
  EXPECT_TRUE(kill_switch_.on());
  EXPECT_EQ(Rest("ann", "POST", "/v1/kill-switch", R"({"on":false,"reason":"x"})").status, 503);
  EXPECT_TRUE(kill_switch_.on());
  disk_full_ = false;
  const auto entries = Trail("subject = \"kill-switch\"");
  ASSERT_EQ(entries.size(), 1) << "recorded when the disk has room again";
  EXPECT_EQ(entries[0].event.outcome, "OK");
  EXPECT_TRUE(absl::StrContains(entries[0].event.detail, "reason=fire"));
}

TEST_F(AuditFrontTest, WorksOnWithoutATrailWhenToldTo) {
  Start({.guard = {.audit_required = false}});
  disk_full_ = true;
  EXPECT_EQ(Rest("ann", "POST", "/v1/workflows/spring/terminate", "{}").status, 200);
  EXPECT_TRUE(absl::StrContains(metrics_.Expose(), "audit_events_lost_total 1"));
}

TEST_F(AuditFrontTest, LimitsAreSaidBeforeAndWhenTheyAreReached) {
  Start({.limits = {.reads = {.calls = 3, .per = absl::Hours(1)}}});
  for (int left = 2; left >= 0; --left) {
    const HttpAnswer answer = Rest("vic", "GET", "/v1/workflows/spring");
    ASSERT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.at("ratelimit-limit"), "3");
    EXPECT_EQ(answer.headers.at("ratelimit-remaining"), absl::StrCat(left));
    EXPECT_EQ(answer.headers.at("ratelimit-policy"), "3;w=3600");
  }
  const HttpAnswer refused = Rest("vic", "GET", "/v1/workflows/spring");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.headers.at("ratelimit-remaining"), "0");
  EXPECT_GE(std::stoi(refused.headers.at("retry-after")), 1190);
  const Json body = Json::parse(refused.body);
  std::set<std::string> kinds;
  for (const Json& detail : body["details"]) kinds.insert(detail["@type"]);
  EXPECT_TRUE(kinds.contains("type.googleapis.com/google.rpc.RetryInfo")) << refused.body;
  EXPECT_TRUE(kinds.contains("type.googleapis.com/google.rpc.QuotaFailure"));
  EXPECT_EQ(Rest("eve", "GET", "/v1/workflows/spring").status, 200) << "each has his own";

  auto stub = v1::WorkflowService::NewStub(Channel());
  grpc::ClientContext context;
  context.AddMetadata("authorization", "Bearer vic");
  v1::GetWorkflowRequest request;
  request.set_workflow_id("spring");
  v1::WorkflowInfo response;
  const grpc::Status status = stub->GetWorkflow(&context, request, &response);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  const auto& trailers = context.GetServerTrailingMetadata();
  ASSERT_NE(trailers.find("retry-after"), trailers.end());
  google::rpc::Status details;
  ASSERT_TRUE(details.ParseFromString(status.error_details()));
  google::rpc::RetryInfo retry;
  bool found = false;
  for (const auto& detail : details.details()) found = found || detail.UnpackTo(&retry);
  EXPECT_TRUE(found);
  EXPECT_GT(retry.retry_delay().seconds(), 1190);

  const auto entries = Trail("action = \"call.limited\"");
  ASSERT_EQ(entries.size(), 1) << "the second is summed up";
  EXPECT_EQ(entries[0].event.subject, "group/reads");
  EXPECT_TRUE(absl::StrContains(metrics_.Expose(), "calls_limited_total{group=\"reads\"} 2"));
}

TEST_F(AuditFrontTest, GuessingKeysIsLimitedByAddress) {
  Start({.limits = {.sign_ins = {.calls = 3, .per = absl::Hours(1)}}});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Rest(absl::StrCat("guess-", i), "GET", "/v1/workflows/spring").status, 401);
  }
  const HttpAnswer refused = Rest("guess", "GET", "/v1/workflows/spring");
  EXPECT_EQ(refused.status, 429);
  EXPECT_TRUE(refused.headers.contains("retry-after"));
  EXPECT_EQ(Rest("vic", "GET", "/v1/workflows/spring").status, 200) << "who has a key goes on";
}

constexpr char kCampaignBody[] =
    R"({"campaign":{"campaign_name":"Spring","campaign_goals":["g"],"channels":["social"],)"
    R"("research_sources":["notion"],"target_audience":"runners","tone":"casual"}})";

TEST_F(AuditFrontTest, AUserStartsOnlySoManyCampaignsAnHour) {
  Start({.quotas = {.starts_per_hour = 2}});
  EXPECT_EQ(Rest("eve", "POST", "/v1/campaigns", kCampaignBody).status, 200);
  EXPECT_EQ(
      Rest("eve", "POST", "/v1/workflows", R"({"workflow_id":"other","workflow_type":"campaign"})")
          .status,
      200)
      << "by whatever call";
  const HttpAnswer refused = Rest("eve", "POST", "/v1/campaigns", kCampaignBody);
  EXPECT_EQ(refused.status, 429);
  EXPECT_TRUE(absl::StrContains(refused.body, "eve has started 2 campaigns within the last hour"))
      << refused.body;
  EXPECT_TRUE(absl::StrContains(refused.body, "QUOTA_EXCEEDED"));
  EXPECT_TRUE(refused.headers.contains("retry-after"));
  EXPECT_EQ(
      Rest("eve", "POST", "/v1/workflows", R"({"workflow_id":"o","workflow_type":"order"})").status,
      200)
      << "other workflows do not count";
  EXPECT_EQ(Rest("ann", "POST", "/v1/campaigns", kCampaignBody).status, 200);
  const auto entries = Trail("action = \"CreateCampaign\" AND outcome = RESOURCE_EXHAUSTED");
  EXPECT_EQ(entries.size(), 1);
}

TEST_F(AuditFrontTest, PlannedPostsCountByDay) {
  Start({.quotas = {.posts_per_day = 5, .posts_per_campaign = 3}});
  EXPECT_EQ(Rest("eve", "POST", "/v1/campaigns", kCampaignBody).status, 200);
  const HttpAnswer refused = Rest("eve", "POST", "/v1/campaigns", kCampaignBody);
  EXPECT_EQ(refused.status, 429);
  EXPECT_TRUE(absl::StrContains(refused.body, "has planned 3 posts")) << refused.body;
}

TEST_F(AuditFrontTest, TheTrailIsListedByFilterAndPage) {
  Start();
  for (int i = 0; i < 6; ++i) {
    Rest(i % 2 == 0 ? "eve" : "ann", "POST", "/v1/workflows/spring/pause", R"({"reason":"x"})");
  }
  std::vector<int64_t> seen;
  std::string token;
  do {
    const HttpAnswer page = Rest(
        "ann", "GET",
        absl::StrCat("/v1/audit/events?page_size=2&filter=actor%20%3D%20eve%20AND%20outcome%20%3D"
                     "%20STARTED&page_token=",
                     token));
    ASSERT_EQ(page.status, 200) << page.body;
    const Json json = Json::parse(page.body);
    for (const Json& event : json["events"]) {
      EXPECT_EQ(event["actor"], "eve");
      seen.push_back(event["sequence"]);
    }
    token = json["next_page_token"];
  } while (!token.empty());
  ASSERT_EQ(seen.size(), 3);
  EXPECT_TRUE(std::is_sorted(seen.rbegin(), seen.rend())) << "the newest first";
  EXPECT_EQ(Rest("ann", "GET", "/v1/audit/events?filter=actr%20%3D%20x").status, 400);
  EXPECT_EQ(Rest("ann", "GET", "/v1/audit/events?order_by=actor").status, 400);
  EXPECT_EQ(Rest("ann", "GET", "/v1/audit/events?page_token=x").status, 400);
  EXPECT_EQ(Rest("eve", "GET", "/v1/audit/events").status, 403) << "for admins";
}

TEST_F(AuditFrontTest, AnExportOverRestVerifiesByItself) {
  Start();
  for (int i = 0; i < 200; ++i) {
    Rest("ann", "POST", "/v1/workflows/spring/pause",
         absl::StrCat(R"({"reason":")", std::string(300, 'x'), R"("})"));
  }
  const HttpAnswer answer = Rest("ann", "GET", "/v1/audit/export");
  ASSERT_EQ(answer.status, 200);
  EXPECT_EQ(answer.headers.at("content-type"), "application/x-ndjson");
  audit::Verifier verifier;
  for (absl::string_view line : absl::StrSplit(answer.body, '\n', absl::SkipEmpty())) {
    campaign::v1::AuditEvent event;
    FieldViolations violations;
    ASSERT_TRUE(ReadJson(line, &event, &violations).ok()) << line;
    ASSERT_TRUE(verifier.Add(*audit::FromProto(event))) << line;
  }
  EXPECT_GE(verifier.Finish().checked, 401);
  const HttpAnswer verified = Rest("ann", "GET", "/v1/audit/verify");
  EXPECT_TRUE(Json::parse(verified.body)["intact"]) << verified.body;
  EXPECT_EQ(Rest("ann", "GET", "/v1/audit/export?filter=x").status, 400);
}

TEST_F(AuditFrontTest, GrpcExportsAndVerifiesAgainstAKeptHead) {
  Start();
  Rest("ann", "POST", "/v1/workflows/spring/pause", "{}");
  auto stub = campaign::v1::AuditService::NewStub(Channel());
  campaign::v1::AuditEvent event;
  int events = 0;
  {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer ann");
    auto reader = stub->ExportAuditEvents(&context, {});
    while (reader->Read(&event)) ++events;
    EXPECT_TRUE(reader->Finish().ok());
  }
  EXPECT_GE(events, 3);
  const auto verify = [&](const std::string& head) {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer ann");
    campaign::v1::VerifyAuditRequest request;
    request.set_expected_head(head);
    campaign::v1::VerifyAuditResponse response;
    EXPECT_TRUE(stub->VerifyAudit(&context, request, &response).ok());
    return response;
  };
  EXPECT_TRUE(verify(absl::StrCat(event.sequence(), ":", event.hash())).intact());
  const auto wrong = verify(absl::StrCat(event.sequence(), ":", std::string(64, 'a')));
  EXPECT_FALSE(wrong.intact());
  EXPECT_EQ(wrong.first_bad_sequence(), event.sequence());
}

}  // namespace
}  // namespace gateway
