// The Google Chat app over real sockets: vendor-sandbox plays Google (keys, tokens, messages), REST
// takes its events. Goal: nobody but Google is believed, nobody but whom the settings name gets
// anything done, and what is promised is told once.
#include "gateway/webhooks/google_chat.h"

#include <gmock/gmock.h>
#include <poll.h>
#include <unistd.h>

#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "activities/connectors/webdriver/child_process.h"
#include "activities/outbound/http_client.h"
#include "activities/outbound/pipeline.h"
#include "gateway/webhooks/google_chat_notifier.h"
#include "gateway/webhooks/google_chat_store.h"
#include "orchestrator/base/event_loop.h"
#include "tests/integration/gateway/gateway_fixture.h"
#include "tests/integration/gateway/http_peer.h"
#include "tests/support/await.h"

namespace gateway {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr char kAudience[] = "https://campaigns.example.com/webhooks/google-chat";

// Its queries answer when they are let go.
class SlowClient : public MemoryClient {
 public:
  void Query(v1::QueryWorkflowRequest request, Callback<v1::QueryWorkflowResponse> done) override {
    {
      absl::MutexLock lock(&mu_);
      if (held_) {
        waiting_.push_back({std::move(request), std::move(done)});
        return;
      }
    }
    MemoryClient::Query(std::move(request), std::move(done));
  }
  void Hold() {
    absl::MutexLock lock(&mu_);
    held_ = true;
  }
  void LetGo() {
    std::vector<std::pair<v1::QueryWorkflowRequest, Callback<v1::QueryWorkflowResponse>>> waiting;
    {
      absl::MutexLock lock(&mu_);
      held_ = false;
      waiting.swap(waiting_);
    }
    for (auto& [request, done] : waiting) MemoryClient::Query(request, std::move(done));
  }

 private:
  absl::Mutex mu_;
  bool held_ ABSL_GUARDED_BY(mu_) = false;
  std::vector<std::pair<v1::QueryWorkflowRequest, Callback<v1::QueryWorkflowResponse>>> waiting_
      ABSL_GUARDED_BY(mu_);
};

class GoogleChatTest : public GatewayTest {
 protected:
  GoogleChatTest() {
    const std::filesystem::path program =
        std::filesystem::read_symlink("/proc/self/exe").parent_path() / "vendor-sandbox";
    auto child = webdriver::ChildProcess::Start({program.string(), "--listen", "127.0.0.1:0"},
                                                /*keep_stderr=*/true);
    if (!child.ok()) {
      ADD_FAILURE() << child.failure().ToString();
      return;
    }
    sandbox_ = std::move(*child);
    std::string line;
    pollfd readable{.fd = sandbox_.stdout_fd(), .events = POLLIN};
    while (line.find('\n') == line.npos && poll(&readable, 1, 20'000) == 1) {
      char buffer[256];
      const ssize_t n = read(sandbox_.stdout_fd(), buffer, sizeof buffer);
      if (n <= 0) break;
      line.append(buffer, static_cast<size_t>(n));
    }
    google_port_ = std::atoi(line.substr(line.rfind(':') + 1).c_str());
    google_ = absl::StrCat("http://127.0.0.1:", google_port_, "/google-chat");
    loop_.Start();
    options_.audience = kAudience;
    options_.keys_url = google_ + "/oauth2/v3/certs";
    options_.allowed_domains = {"example.com"};
    options_.editors = {"ann@example.com"};
    options_.approvers = {"bob@example.com"};
    options_.between_key_fetches = absl::ZeroDuration();
  }
  ~GoogleChatTest() override {
    CloseChat();
    std::promise<void> down;
    loop_.Post([&] {
      http_->Shutdown();
      down.set_value();
    });
    down.get_future().wait();
    loop_.Stop();
  }
  void SetUp() override {
    http_ = std::make_unique<outbound::HttpClient>(loop_, outbound::HttpClient::Options{});
    pipeline_ = std::make_unique<outbound::Pipeline>(loop_, *http_, random_, metrics_,
                                                     outbound::Pipeline::Options{});
    key_file_ = Google("POST", "/sandbox/service-account", "{}").dump();
    campaign_service_ = std::make_unique<CampaignServiceImpl>(
        CampaignServiceImpl::Dependencies{slow_, *wizards_, clock_, random_, CompleteSettings()});
    handler_->AddRaw("POST", "/webhooks/google-chat", [this](RawRequest request, RawDone done) {
      chat_->Receive(std::move(request), std::move(done));
    });
    OpenChat();
    GatewayTest::SetUp();
  }

  void OpenChat() {
    // Calls that an earlier chat made may be under way: their client stays.
    if (client_to_google_ == nullptr)
      client_to_google_ = std::make_unique<google_chat::GoogleChatClient>(
          *pipeline_, clock_,
          google_chat::GoogleChatClient::Options{
              .base_url = google_, .token_url = google_ + "/token", .service_account = key_file_});
    if (decisions_ == nullptr) decisions_ = std::make_unique<webhooks::Decisions>(slow_);
    auto chat = webhooks::GoogleChat::Make(options_, folder_.File("webhooks.db"),
                                           {.client = slow_,
                                            .campaigns = *campaign_service_,
                                            .decisions = *decisions_,
                                            .chat = *client_to_google_,
                                            .outbound = *pipeline_,
                                            .loop = loop_,
                                            .clock = clock_,
                                            .metrics = metrics_,
                                            .role_of = role_of_});
    ASSERT_TRUE(chat.ok()) << chat.status();
    chat_ = *std::move(chat);
    chat_->Start();
  }
  void CloseChat() {
    if (chat_ != nullptr) chat_->Stop();
    slow_.LetGo();
    if (rest_ != nullptr) rest_->Stop(absl::ZeroDuration());
  }
  // As after a crash: all that is left is on the disk.
  void Restart() {
    chat_->Stop();
    chat_.reset();
    OpenChat();
  }

  json Google(const std::string& method, const std::string& path, const std::string& body = "") {
    if (google_peer_ == nullptr) google_peer_ = std::make_unique<HttpPeer>(google_port_);
    const HttpAnswer answer = google_peer_->Call(method, "/google-chat" + path, body);
    EXPECT_EQ(answer.status / 100, 2) << path << ": " << answer.body;
    return json::parse(answer.body, nullptr, false);
  }
  void Fault(const std::string& fault) {
    HttpPeer peer(google_port_);
    EXPECT_EQ(peer.Call("POST", "/__sandbox/faults", fault).status, 201);
  }
  void ClearFaults() { HttpPeer(google_port_).Call("DELETE", "/__sandbox/faults"); }
  std::string Token(json wish = json::object()) {
    if (!wish.contains("audience")) wish["audience"] = options_.audience;
    if (options_.audience_is_project) wish["mode"] = "project_number";
    return Google("POST", "/sandbox/sign", wish.dump())["token"];
  }
  HttpAnswer Post(const std::string& body, const std::string& token) {
    HttpPeer peer(rest_->port());
    return peer.Call("POST", "/webhooks/google-chat", body,
                     token.empty() ? "" : absl::StrCat("Authorization: Bearer ", token, "\r\n"));
  }
  json Event(const std::string& type, const std::string& email) {
    return {{"type", type},
            {"eventTime", absl::StrCat("2026-11-21T10:00:", ++events_, "Z")},
            {"space", {{"name", "spaces/AAA"}}},
            {"user", {{"name", "users/1"}, {"displayName", "Ann"}, {"email", email}}}};
  }
  json Say(const std::string& text, const std::string& email = "ann@example.com") {
    json event = Event("MESSAGE", email);
    event["message"] = {{"name", absl::StrCat("spaces/AAA/messages/U", events_)},
                        {"argumentText", text},
                        {"thread", {{"name", "spaces/AAA/threads/T1"}}}};
    return Send(event);
  }
  json Send(const json& event) {
    const HttpAnswer answer = Post(event.dump(), Token());
    EXPECT_EQ(answer.status, 200) << answer.body;
    return json::parse(answer.body, nullptr, false);
  }
  // Clicks a button of a card (an answer or a message).
  json Click(const json& card, const std::string& text, const std::string& email,
             const std::string& reason = "") {
    json action;
    for (const auto& entry : card["cardsV2"]) {
      for (const auto& section : entry["card"].value("sections", json::array())) {
        for (const auto& widget : section["widgets"]) {
          for (const auto& button :
               widget.value("buttonList", json::object()).value("buttons", json::array())) {
            if (button["text"] == text) action = button["onClick"]["action"];
          }
        }
      }
    }
    EXPECT_FALSE(action.is_null()) << "no button " << text << " in " << card.dump(1);
    if (action.is_null()) return {};
    json event = Event("CARD_CLICKED", email);
    event["message"] = {{"name", card.value("name", "spaces/AAA/messages/card")},
                        {"thread", {{"name", "spaces/AAA/threads/T1"}}}};
    event["action"] = {{"actionMethodName", action["function"]},
                       {"parameters", action["parameters"]}};
    event["common"] = {{"invokedFunction", action["function"]}};
    event["isDialogEvent"] = action.contains("interaction") || !reason.empty();
    if (!reason.empty()) {
      event["common"]["formInputs"] = {{"reason", {{"stringInputs", {{"value", {reason}}}}}}};
    }
    return Send(event);
  }
  // Messages of the app in the space whose text holds `text`, once there is one.
  std::vector<json> Told(const std::string& text) {
    std::vector<json> found;
    test::Await(
        [&] {
          const json space = Google("GET", "/sandbox/spaces/AAA/messages");
          for (const auto& message : space["messages"]) {
            if (absl::StrContains(message.dump(), text)) found.push_back(message);
          }
          return !found.empty();
        },
        "Google Chat to be told " + text);
    return found;
  }
  // Waits until the space has been told all there is to tell.
  void AwaitAllTold() {
    auto store = webhooks::GoogleChatStore::Open(folder_.File("webhooks.db"));
    ASSERT_TRUE(store.ok()) << store.status();
    test::Await(
        [&] {
          const auto watches = (*store)->Watches();
          const auto messages = (*store)->Messages();
          return watches.ok() && watches->empty() && messages.ok() && messages->empty();
        },
        "everything to be told");
  }
  // A draft that ann confirmed: its campaign waits for the review.
  json Started() {
    const json draft = Say("start a campaign about winter shoes for city runners");
    const json started = Click(draft, "Start it", "ann@example.com");
    EXPECT_THAT(started.dump(), HasSubstr("The campaign is started"));
    const auto list = Wizards();
    workflow_id_ = list.empty() ? "" : list[0].workflow_id();
    return started;
  }
  std::vector<campaign::v1::Wizard> Wizards() {
    std::promise<std::vector<campaign::v1::Wizard>> all;
    wizards_->List("default", {}, [&](absl::StatusOr<campaign::v1::ListWizardsResponse> list) {
      all.set_value({list->wizards().begin(), list->wizards().end()});
    });
    return all.get_future().get();
  }
  void Finish(const std::string& message, v1::RunStatus::Value status) {
    slow_.Change(workflow_id_, [&](MemoryClient::Run& run) {
      run.info.set_status(status);
      run.progress.set_message(message);
      run.progress.set_dashboard_url("https://grafana.example.com/d/1");
    });
  }

  base::EpollLoop loop_{clock_, "chat-io"};
  webdriver::ChildProcess sandbox_;
  int google_port_ = 0;
  std::string google_;
  std::unique_ptr<HttpPeer> google_peer_;
  int events_ = 10;
  std::string workflow_id_;
  webhooks::GoogleChatOptions options_;
  std::function<auth::Role(const std::string&)> role_of_;
  base::Secret key_file_;
  SlowClient slow_;
  std::unique_ptr<outbound::HttpClient> http_;
  std::unique_ptr<outbound::Pipeline> pipeline_;
  std::unique_ptr<google_chat::GoogleChatClient> client_to_google_;
  std::unique_ptr<webhooks::Decisions> decisions_;
  std::unique_ptr<webhooks::GoogleChat> chat_;
};

class GoogleChatProject : public GoogleChatTest {
 protected:
  GoogleChatProject() {
    options_.audience = "123456789012";
    options_.audience_is_project = true;
    options_.keys_url =
        google_ + "/service_accounts/v1/metadata/x509/chat@system.gserviceaccount.com";
  }
};

constexpr char kPing[] =
    R"({"type":"MESSAGE","eventTime":"t","space":{"name":"spaces/AAA"},
        "user":{"email":"Ann@Example.com"},"message":{"name":"m","text":"ping"}})";

TEST_F(GoogleChatTest, OnlyGooglesTokensForUsAreBelieved) {
  EXPECT_EQ(json::parse(Post(kPing, Token()).body)["text"], "pong");
  const int64_t now = absl::ToUnixSeconds(clock_.Now());
  const std::pair<const char*, json> wrong[] = {
      {"expired", {{"claims", {{"iat", now - 7200}, {"exp", now - 3600}}}}},
      {"without an expiry", {{"claims", {{"exp", nullptr}}}}},
      {"another audience", {{"audience", "https://other.example.com/"}}},
      {"another issuer", {{"claims", {{"iss", "https://evil.example.com"}}}}},
      {"another account", {{"claims", {{"email", "robot@evil.iam.gserviceaccount.com"}}}}},
      {"no account", {{"claims", {{"email", nullptr}}}}},
      {"an address that is not proven", {{"claims", {{"email_verified", false}}}}},
      {"another key", {{"key", "other"}}},
  };
  for (const auto& [what, wish] : wrong) {
    EXPECT_EQ(Post(kPing, Token(wish)).status, 401) << what;
  }
  // A known key's id does not make another key's signature good.
  const std::string key_id = Google("GET", "/oauth2/v3/certs")["keys"][0]["kid"];
  EXPECT_EQ(Post(kPing, Token({{"key", "other"}, {"key_id", key_id}})).status, 401);
  std::string tampered = Token();
  const size_t middle = tampered.find('.') + 10;
  tampered[middle] = tampered[middle] == 'A' ? 'B' : 'A';
  EXPECT_EQ(Post(kPing, tampered).status, 401);
  EXPECT_EQ(Post(kPing, "").status, 401);
  EXPECT_EQ(Post(kPing, "nonsense").status, 401);
  // {"alg":"none"}
  const std::string good = Token();
  EXPECT_EQ(
      Post(kPing, absl::StrCat("eyJhbGciOiJub25lIn0",
                               good.substr(good.find('.'), good.rfind('.') - good.find('.')), "."))
          .status,
      401);
  EXPECT_EQ(Post("{}", Token()).status, 400);
  EXPECT_EQ(Post("nonsense", Token()).status, 400);
}

TEST_F(GoogleChatProject, TheTokensOfAProjectAreCheckedAgainstItsNumberAndCertificates) {
  EXPECT_EQ(json::parse(Post(kPing, Token()).body)["text"], "pong");
  EXPECT_EQ(Post(kPing, Token({{"audience", "999"}})).status, 401);
  EXPECT_EQ(Post(kPing, Token({{"claims", {{"iss", "https://accounts.google.com"}}}})).status, 401);
  EXPECT_EQ(Post(kPing, Token({{"key", "other"}})).status, 401);
  EXPECT_EQ(Post(kPing, Token({{"claims", {{"exp", 1000}}}})).status, 401);
}

TEST_F(GoogleChatTest, NewKeysAreFetchedAndOldOnesForgotten) {
  const std::string old = Token();
  EXPECT_EQ(Post(kPing, old).status, 200);
  Google("POST", "/sandbox/rotate", "{}");
  EXPECT_EQ(Post(kPing, Token()).status, 200);
  EXPECT_EQ(Post(kPing, old).status, 401);
}

TEST_F(GoogleChatTest, AnAddOnsTokenComesInTheBody) {
  json event = json::parse(kPing);
  event["authorizationEventObject"] = {{"systemIdToken", Token()}};
  EXPECT_EQ(json::parse(Post(event.dump(), "").body)["text"], "pong");
}

TEST_F(GoogleChatTest, OnlyPeopleOfAllowedDomainsAreAnswered) {
  for (const char* email :
       {"eve@evil.com", "eve@example.com.evil.com", "eve@sub.example.com", ""}) {
    EXPECT_THAT(Say("ping", email)["text"].get<std::string>(), HasSubstr("may not use")) << email;
    EXPECT_THAT(Say("start a campaign about x", email).dump(), HasSubstr("may not use"));
  }
  EXPECT_EQ(Say("ping", "Zoe@EXAMPLE.com")["text"], "pong");
  EXPECT_TRUE(Wizards().empty());
}

TEST_F(GoogleChatTest, RolesSayWhoMayStartAndDecide) {
  EXPECT_THAT(Say("start a campaign about x", "bob@example.com").dump(),
              HasSubstr("not start or discard"));
  EXPECT_TRUE(Wizards().empty());
  const json draft = Say("start a campaign about x");
  for (const char* button : {"Start it", "Discard"}) {
    EXPECT_THAT(Click(draft, button, "bob@example.com").dump(), HasSubstr("not start or discard"));
  }
  EXPECT_EQ(Wizards()[0].status(), "draft");
  slow_.AddCampaign("c1");
  const json card = Say("status c1", "zoe@example.com");
  EXPECT_THAT(Click(card, "Approve", "zoe@example.com").dump(), HasSubstr("may not decide"));
  EXPECT_THAT(Click(card, "Reject", "zoe@example.com", "no").dump(), HasSubstr("may not decide"));
  EXPECT_EQ(slow_.last("Update"), "");
  EXPECT_THAT(Click(card, "Approve", "bob@example.com").dump(),
              HasSubstr("The campaign was approved by bob@example.com"));
}

TEST_F(GoogleChatTest, ARoleFromElsewhereCountsToo) {
  role_of_ = [](const std::string& email) {
    return email == "zoe@example.com" ? auth::Role::kEditor : auth::Role::kNone;
  };
  Restart();
  EXPECT_THAT(Say("start a campaign about x", "zoe@example.com").dump(), HasSubstr("Draft: x"));
  EXPECT_THAT(Say("start a campaign about x", "yan@example.com").dump(),
              HasSubstr("not start or discard"));
}

TEST_F(GoogleChatTest, ATextBecomesADraftThatIsPreviewedAndDiscarded) {
  const json draft = Say("Please start a campaign about winter shoes for city runners");
  EXPECT_THAT(draft.dump(), HasSubstr("Draft: winter shoes"));
  EXPECT_THAT(draft.dump(), HasSubstr("city runners"));
  auto wizards = Wizards();
  ASSERT_EQ(wizards.size(), 1);
  EXPECT_EQ(wizards[0].created_by(), "ann@example.com");
  EXPECT_EQ(wizards[0].campaign().channels_size(), 3);
  const json preview = Click(draft, "Preview", "bob@example.com");
  EXPECT_EQ(preview["actionResponse"]["type"], "UPDATE_MESSAGE");
  EXPECT_THAT(preview.dump(), HasSubstr("open a pull request"));
  const json gone = Click(preview, "Discard", "ann@example.com");
  EXPECT_THAT(gone.dump(), HasSubstr("Draft discarded"));
  EXPECT_TRUE(Wizards().empty());
  EXPECT_THAT(Click(draft, "Start it", "ann@example.com").dump(), HasSubstr("It was discarded"));
  EXPECT_THAT(Click(draft, "Discard", "ann@example.com").dump(), HasSubstr("It was discarded"));
  Say("draft a post about spring sale");
  EXPECT_EQ(Wizards()[0].campaign().channels(0), "social");
  EXPECT_EQ(Wizards()[0].campaign().channels_size(), 1);
}

TEST_F(GoogleChatTest, LimitsAndUnknownTextsAreExplained) {
  EXPECT_THAT(Say("start a campaign about " + std::string(501, 'x')).dump(),
              HasSubstr("at most 500 characters"));
  EXPECT_THAT(Say("start a campaign about x for " + std::string(201, 'y')).dump(),
              HasSubstr("at most 200 characters"));
  EXPECT_THAT(Say("start a campaign").dump(), HasSubstr("what it is about"));
  EXPECT_THAT(Say("make me rich").dump(), HasSubstr("did not understand"));
  EXPECT_THAT(Say("help").dump(), HasSubstr("draft a post about"));
  EXPECT_THAT(Say("status none").dump(), HasSubstr("there is no campaign none"));
  EXPECT_TRUE(Wizards().empty());
}

TEST_F(GoogleChatTest, AMessageThatIsSentTwiceMakesOneDraft) {
  json event = Event("MESSAGE", "ann@example.com");
  event["message"] = {{"name", "spaces/AAA/messages/U1"}, {"text", "start a campaign about x"}};
  const json first = Send(event);
  EXPECT_EQ(Send(event), first);
  EXPECT_EQ(Wizards().size(), 1);
}

TEST_F(GoogleChatTest, ADraftThatChangedIsShownAgainAndNotStarted) {
  const json draft = Say("start a campaign about x");
  std::promise<void> changed;
  wizards_->Update(
      "default", Wizards()[0].wizard_id(),
      [](campaign::v1::Wizard& wizard) {
        wizard.mutable_campaign()->set_campaign_name("another name");
        return absl::OkStatus();
      },
      [&](absl::StatusOr<campaign::v1::Wizard>) { changed.set_value(); });
  changed.get_future().wait();
  const json again = Click(draft, "Start it", "ann@example.com");
  EXPECT_THAT(again.dump(), HasSubstr("Draft: another name"));
  EXPECT_EQ(slow_.last("StartWorkflow"), "");
  EXPECT_THAT(Click(again, "Start it", "ann@example.com").dump(), HasSubstr("is started"));
  EXPECT_THAT(Click(draft, "Discard", "ann@example.com").dump(), HasSubstr("It was started by"));
}

// Its id is another one's: nothing is told of that one here.
TEST_F(GoogleChatTest, ADraftThatCannotStartIsForgotten) {
  const json draft = Say("start a campaign about x");
  slow_.AddCampaign("campaign-" + Wizards()[0].wizard_id());
  EXPECT_THAT(Click(draft, "Start it", "ann@example.com").dump(),
              HasSubstr("started another campaign"));
  AwaitAllTold();
}

TEST_F(GoogleChatTest, WhatWaitsToBeSaidIsLimited) {
  base::EpollLoop never_started(clock_, "google");  // nothing gets to Google
  const std::string path = folder_.File("full.db");
  auto notifier = webhooks::GoogleChatNotifier::Open(path, {.client = slow_,
                                                            .chat = *client_to_google_,
                                                            .loop = never_started,
                                                            .clock = clock_,
                                                            .metrics = metrics_});
  ASSERT_TRUE(notifier.ok()) << notifier.status();
  (*notifier)->Start();
  const auto say = [&](int i) {
    (*notifier)->Say({.request_id = std::to_string(i), .space = "spaces/AAA", .text = "late"});
  };
  for (int i = 0; i <= webhooks::kChatMessagesMax; ++i) say(i);
  say(0);  // said again: it waits already
  std::promise<void> all;
  (*notifier)->Watch({.workflow_id = "none", .space = "spaces/AAA"},
                     [&](absl::Status) { all.set_value(); });
  all.get_future().wait();
  (*notifier)->Stop();
  const auto kept = (*webhooks::GoogleChatStore::Open(path))->Messages();
  ASSERT_TRUE(kept.ok()) << kept.status();
  EXPECT_EQ(kept->size(), webhooks::kChatMessagesMax);
  EXPECT_THAT(metrics_.Expose(),
              HasSubstr("google_chat_notifications_total{kind=\"answer\",result=\"dropped\"} 1"));
}

TEST_F(GoogleChatTest, TheSpaceIsToldOfReviewDecisionAndEndOnce) {
  Started();
  EXPECT_THAT(slow_.last("StartWorkflow"), HasSubstr("ann@example.com"));
  const json review = Told("waits for a decision")[0];
  EXPECT_EQ(review["thread"]["name"], "spaces/AAA/threads/T1");
  slow_.Change(workflow_id_, [](MemoryClient::Run& run) {
    run.progress.set_content_revision(2);
    auto* piece = run.progress.add_content();
    piece->set_content_id("headline");
    piece->set_text("Run again this spring");
  });
  Told("Run again this spring");  // in the same message
  const json asked = Click(review, "Reject", "bob@example.com");
  EXPECT_EQ(asked["actionResponse"]["type"], "DIALOG");
  EXPECT_EQ(slow_.last("Update"), "");
  const json decided = Click(review, "Approve", "bob@example.com");
  EXPECT_EQ(decided["actionResponse"]["type"], "UPDATE_MESSAGE");
  EXPECT_THAT(decided.dump(), HasSubstr("The campaign was approved by bob@example.com"));
  EXPECT_THAT(slow_.last("Update"), HasSubstr("update_name: \"approve\""));
  Told("The campaign was approved by bob@example.com");  // the message in the space, too
  Finish("published", v1::RunStatus::COMPLETED);
  const json done = Told("has ended: COMPLETED")[0];
  EXPECT_THAT(done.dump(), HasSubstr("https://grafana.example.com/d/1"));
  Restart();
  EXPECT_EQ(Say("ping")["text"], "pong");
  AwaitAllTold();
  EXPECT_EQ(Told("has ended").size(), 1);
  EXPECT_EQ(Told("Review:").size(), 1);
}

TEST_F(GoogleChatTest, ARejectionNeedsAReasonAndReachesTheCampaign) {
  slow_.AddCampaign("c1");
  const json card = Say("status c1");
  EXPECT_EQ(Click(card, "Reject", "ann@example.com", "  ")["actionResponse"]["type"], "DIALOG");
  EXPECT_EQ(slow_.last("Update"), "");
  const json rejected = Click(card, "Reject", "ann@example.com", "wrong audience");
  EXPECT_THAT(rejected.dump(), HasSubstr("The campaign was rejected by ann@example.com"));
  EXPECT_THAT(slow_.last("Update"), HasSubstr("update_name: \"reject\""));
}

TEST_F(GoogleChatTest, WhatWasPromisedSurvivesAnOutageAndACrash) {
  Fault(R"({"vendor":"google_chat","operation":"messages.create","kind":"error","status":503})");
  Started();
  Restart();
  Finish("published", v1::RunStatus::COMPLETED);
  Restart();
  ClearFaults();
  Told("has ended");
  AwaitAllTold();
  EXPECT_EQ(Told("has ended").size(), 1);
}

TEST_F(GoogleChatTest, AMessageWhoseAnswerWasLostInACrashIsNotSentTwice) {
  Fault(R"({"vendor":"google_chat","operation":"messages.create","kind":"lost_response"})");
  Started();
  Told("waits for a decision");
  Restart();
  ClearFaults();
  Finish("published", v1::RunStatus::COMPLETED);
  Told("has ended");
  AwaitAllTold();
  EXPECT_EQ(Told("has ended").size(), 1);
  EXPECT_EQ(Told("Review:").size(), 1);
}

TEST_F(GoogleChatTest, SlowWorkIsAnsweredInTimeAndFinishedLater) {
  options_.answer_within = absl::Milliseconds(20);
  Restart();
  slow_.AddCampaign("c1");
  slow_.Hold();
  EXPECT_THAT(Say("status c1")["text"].get<std::string>(), HasSubstr("working on it"));
  slow_.LetGo();
  EXPECT_THAT(Told("\"Review: ")[0].dump(), HasSubstr("c1"));
}

TEST_F(GoogleChatTest, WithoutAnAudienceThereIsNoSuchAddress) {
  options_.audience = "";
  Restart();
  const HttpAnswer answer = Post(kPing, "x");
  EXPECT_EQ(answer.status, 404);
  EXPECT_THAT(answer.body, HasSubstr("webhooks.google_chat.audience"));
}

}  // namespace
}  // namespace gateway
