// The addresses as their senders see them: what is let in, what is refused and how, what is stored.
// Nothing is worked on: the inbox is not started.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "activities/connectors/github/github_client.h"
#include "activities/connectors/slack/slack_client.h"
#include "gateway/webhooks/signature.h"
#include "gateway/webhooks/webhooks.h"
#include "tests/integration/gateway/gateway_fixture.h"
#include "tests/unit/webhooks/fixture.h"

namespace webhooks {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

// Calls nobody.
class NoOutbound : public outbound::Outbound {
 public:
  explicit NoOutbound(base::EventLoop& loop) : loop_(loop) {}
  base::Task<base::Outcome<outbound::HttpResponse>> Call(const outbound::Vendor&,
                                                         outbound::HttpRequest,
                                                         outbound::CallContext) override {
    base::Outcome<outbound::HttpResponse> none = base::Failure::Permanent("NoOutbound", "");
    co_return none;
  }
  base::EventLoop& loop() override { return loop_; }

 private:
  base::EventLoop& loop_;
};

constexpr char kSlackSecret[] = "slack-secret";
constexpr char kGithubSecret[] = "github-secret";

std::string Form(const std::string& payload) {
  std::string form = "payload=";
  for (const unsigned char c : payload) absl::StrAppend(&form, "%", absl::Hex(c, absl::kZeroPad2));
  return form;
}

std::string PressPayload(const std::string& action_ts = "1.1") {
  return Json{
      {"type", "block_actions"},
      {"user", {{"id", "U1"}, {"username", "ann"}}},
      {"container", {{"message_ts", "5.5"}, {"channel_id", "C1"}}},
      {"actions",
       {{{"action_id", "campaign_approve"}, {"value", "spring"}, {"action_ts", action_ts}}}}}
      .dump();
}

class ReceiveTest : public InboxFixture {
 protected:
  ReceiveTest()
      : outbound_(loop_),
        slack_client_(outbound_, {.token = "xoxb"}),
        github_client_(outbound_, {.token = "t", .owner = "acme", .repo = "campaigns"}) {
    OpenInbox();
    slack_ = std::make_unique<SlackHooks>(
        SlackOptions{.signing_secret = secret_},
        SlackHooks::Parts{*inbox_, *decisions(), slack_client_, loop_, clock_, metrics_});
    github_ = std::make_unique<GithubHooks>(
        GithubOptions{.secret = kGithubSecret, .content_dir = "reviews"},
        GithubHooks::Parts{*inbox_, *decisions(), github_client_, loop_, clock_, metrics_});
  }
  Decisions* decisions() { return &decisions_; }

  gateway::HttpResponse Wait(const std::function<void(gateway::RawDone)>& call) {
    std::promise<gateway::HttpResponse> answer;
    call([&](gateway::HttpResponse response) { answer.set_value(std::move(response)); });
    return answer.get_future().get();
  }
  gateway::RawRequest SlackRequest(const std::string& body, absl::Duration age = {}) {
    gateway::RawRequest request;
    const std::string timestamp = absl::StrCat(absl::ToUnixSeconds(clock_.Now() - age));
    request.http.headers["x-slack-request-timestamp"] = timestamp;
    request.http.headers["x-slack-signature"] =
        absl::StrCat("v0=", HmacSha256Hex(kSlackSecret, absl::StrCat("v0:", timestamp, ":", body)));
    request.http.body = body;
    return request;
  }
  gateway::HttpResponse Slack(gateway::RawRequest request) {
    return Wait(
        [&](gateway::RawDone done) { slack_->Interaction(std::move(request), std::move(done)); });
  }
  gateway::HttpResponse Github(const std::string& event, const std::string& id,
                               const std::string& body, const std::string& secret = kGithubSecret) {
    gateway::RawRequest request;
    request.http.headers["x-github-event"] = event;
    if (!id.empty()) request.http.headers["x-github-delivery"] = id;
    request.http.headers["x-hub-signature-256"] = "sha256=" + HmacSha256Hex(secret, body);
    request.http.body = body;
    return Wait(
        [&](gateway::RawDone done) { github_->Receive(std::move(request), std::move(done)); });
  }
  static std::string Push(const std::string& after = "abc") {
    return Json{{"ref", "refs/heads/campaign/spring"},
                {"after", after},
                {"repository", {{"full_name", "acme/campaigns"}}},
                {"sender", {{"login", "ann"}}}}
        .dump();
  }

  base::Secret secret_{kSlackSecret};
  gateway::MemoryClient client_;  // nothing here decides
  Decisions decisions_{client_};
  NoOutbound outbound_;
  slack::SlackClient slack_client_;
  github::GithubClient github_client_;
  std::unique_ptr<SlackHooks> slack_;
  std::unique_ptr<GithubHooks> github_;
};

TEST_F(ReceiveTest, APressIsStoredAndAnsweredEmpty) {
  const gateway::HttpResponse answer = Slack(SlackRequest(Form(PressPayload())));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "");
  EXPECT_EQ(Waiting(), 1);
}

TEST_F(ReceiveTest, APressThatIsSentTwiceIsStoredOnce) {
  EXPECT_EQ(Slack(SlackRequest(Form(PressPayload()))).status, 200);
  EXPECT_EQ(Slack(SlackRequest(Form(PressPayload()), absl::Seconds(3))).status, 200);
  EXPECT_EQ(Waiting(), 1);
  EXPECT_EQ(Slack(SlackRequest(Form(PressPayload("2.2")))).status, 200);
  EXPECT_EQ(Waiting(), 2);
}

TEST_F(ReceiveTest, OldAndFutureRequestsAreRefused) {
  for (const absl::Duration age : {absl::Minutes(6), absl::Minutes(-6)}) {
    const gateway::HttpResponse answer = Slack(SlackRequest(Form(PressPayload()), age));
    EXPECT_EQ(answer.status, 401);
    EXPECT_THAT(answer.body, HasSubstr("5 minutes"));
  }
  EXPECT_EQ(Waiting(), 0);
}

TEST_F(ReceiveTest, WhatIsNotSignedIsRefused) {
  gateway::RawRequest changed = SlackRequest(Form(PressPayload()));
  changed.http.body += "&x=1";
  EXPECT_EQ(Slack(std::move(changed)).status, 401);
  gateway::RawRequest bare;
  bare.http.body = Form(PressPayload());
  EXPECT_EQ(Slack(std::move(bare)).status, 401);
  EXPECT_EQ(Github("push", "1", Push(), "another").status, 401);
  EXPECT_EQ(Waiting(), 0);
}

TEST_F(ReceiveTest, ARotatedSecretHoldsAtOnceAndAnEmptyOneTakesNothing) {
  secret_.Replace("new-secret");
  EXPECT_EQ(Slack(SlackRequest(Form(PressPayload()))).status, 401);
  secret_.Replace("");
  const gateway::HttpResponse answer = Slack(SlackRequest(Form(PressPayload())));
  EXPECT_EQ(answer.status, 404);
  EXPECT_THAT(answer.body, HasSubstr("webhooks.slack.signing_secret"));
}

TEST_F(ReceiveTest, BadBodiesAreRefused) {
  for (const char* body : {"", "payload=", "payload=%7B", "payload=%5B%5D", "payload=%zz", "{}"}) {
    EXPECT_EQ(Slack(SlackRequest(body)).status, 400) << body;
  }
  EXPECT_EQ(Github("push", "1", "{").status, 400);
  EXPECT_EQ(Github("push", "", Push()).status, 400);
  EXPECT_EQ(Github("push", std::string(101, 'x'), Push()).status, 400);
  EXPECT_EQ(Waiting(), 0);
}

TEST_F(ReceiveTest, WhatIsNotOursIsAnsweredAndForgotten) {
  const std::string link =
      R"({"type":"block_actions","user":{"id":"U1"},"actions":[{"action_id":"open_link"}]})";
  EXPECT_EQ(Slack(SlackRequest(Form(link))).status, 200);
  EXPECT_EQ(Slack(SlackRequest(Form(R"({"type":"view_closed"})"))).status, 200);
  const gateway::HttpResponse pong = Github("ping", "1", R"({"zen":"x"})");
  EXPECT_EQ(pong.status, 200);
  EXPECT_THAT(pong.body, HasSubstr("pong"));
  EXPECT_EQ(Github("issues", "2", "{}").status, 200);
  EXPECT_EQ(Waiting(), 0);
}

TEST_F(ReceiveTest, ADialogNeedsAReason) {
  const auto dialog = [](const std::string& reason) {
    return Form(Json{{"type", "view_submission"},
                     {"user", {{"id", "U1"}}},
                     {"view",
                      {{"id", "V1"},
                       {"callback_id", "campaign_reject_reason"},
                       {"private_metadata", R"({"key":"spring"})"},
                       {"state", {{"values", {{"reason", {{"reason", {{"value", reason}}}}}}}}}}}}
                    .dump());
  };
  const gateway::HttpResponse empty = Slack(SlackRequest(dialog("  ")));
  EXPECT_EQ(empty.status, 200);
  EXPECT_THAT(empty.body, HasSubstr("\"response_action\":\"errors\""));
  EXPECT_EQ(Waiting(), 0);
  EXPECT_EQ(Slack(SlackRequest(dialog("not our voice"))).body, "");
  EXPECT_EQ(Waiting(), 1);
}

TEST_F(ReceiveTest, AnEventOfGithubIsStoredOnceByIdAndByBody) {
  EXPECT_EQ(Github("push", "guid-1", Push()).status, 202);
  EXPECT_EQ(Github("push", "guid-1", Push()).status, 200);
  EXPECT_EQ(Github("push", "guid-2", Push()).status, 200);  // the id is not signed
  EXPECT_EQ(Waiting(), 1);
  EXPECT_EQ(Github("push", "guid-3", Push("def")).status, 202);
  EXPECT_EQ(Waiting(), 2);
}

TEST_F(ReceiveTest, AFullInboxAsksToSendItAgain) {
  OpenInbox({.waiting_max = 0});
  SlackHooks full({.signing_secret = secret_},
                  {*inbox_, *decisions(), slack_client_, loop_, clock_, metrics_});
  const gateway::HttpResponse answer = Wait([&](gateway::RawDone done) {
    full.Interaction(SlackRequest(Form(PressPayload())), std::move(done));
  });
  EXPECT_EQ(answer.status, 503);
}

}  // namespace
}  // namespace webhooks
