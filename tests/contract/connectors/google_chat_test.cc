// Google Chat against vendor-sandbox: tokens, once for a request id, updates and undo.
#include "activities/connectors/google_chat/google_chat_client.h"
#include "activities/connectors/google_chat/service_account.h"
#include "activities/connectors/wire/uuid.h"
#include "gmock/gmock.h"
#include "tests/contract/connectors/fixture.h"

namespace connector_test {
namespace {

using google_chat::Message;
using testing::HasSubstr;
using testing::Not;

constexpr char kCards[] =
    R"([{"cardId":"c","card":{"header":{"title":"Spring"},"sections":[{"widgets":[)"
    R"({"textParagraph":{"text":"Hello"}}]}]}}])";

class GoogleChatTest : public SandboxTest {
 protected:
  GoogleChatTest() : key_file_(NewKeyFile()), client_(outbound(), clock(), Options()) {}

  std::string NewKeyFile() {
    return Admin("POST", "/google-chat/sandbox/service-account", "{}").dump();
  }
  google_chat::GoogleChatClient::Options Options() {
    return {.base_url = url("/google-chat"),
            .token_url = url("/google-chat/token"),
            .service_account = key_file_};
  }
  base::Outcome<google_chat::Posted> Create(const std::string& text, const std::string& once) {
    return Run(client_.CreateMessage({.space = "spaces/AAA",
                                      .text = text,
                                      .cards_json = kCards,
                                      .request_id = wire::UuidOf(once)},
                                     Context("wf-1")));
  }

  base::Secret key_file_;
  google_chat::GoogleChatClient client_;
};

TEST_F(GoogleChatTest, ARequestIdMakesOneMessageAlsoAfterALostAnswer) {
  AddFault(R"({"vendor":"google_chat","operation":"messages.create","kind":"lost_response",
               "count":1})");
  const auto first = Create("Ready", "wf-1/review");
  ASSERT_TRUE(first.ok()) << first.failure().ToString();
  EXPECT_THAT(first->name, HasSubstr("spaces/AAA/messages/"));
  EXPECT_THAT(first->thread, HasSubstr("spaces/AAA/threads/"));
  const auto again = Create("Ready", "wf-1/review");
  EXPECT_EQ(again->name, first->name);
  EXPECT_EQ(AliveCount("google_chat", "message"), 1);
  const auto other = Create("Done", "wf-1/done");
  EXPECT_NE(other->name, first->name);
  EXPECT_EQ(CallCount("google_chat", "token"), 1);  // the token is kept
}

TEST_F(GoogleChatTest, MessagesAreBroughtUpToDateAndDeleted) {
  const auto posted = Create("Ready", "wf-1");
  ASSERT_TRUE(posted.ok()) << posted.failure().ToString();
  EXPECT_TRUE(*Run(client_.UpdateMessage(posted->name, "Approved", "", Context("wf-1"))));
  const Json message = Resources("google_chat", "message")["resources"][0]["detail"];
  EXPECT_EQ(message["text"], "Approved");
  EXPECT_TRUE(message["cardsV2"].empty());
  EXPECT_TRUE(*Run(client_.DeleteMessage(posted->name, Context("wf-1"))));
  EXPECT_FALSE(*Run(client_.DeleteMessage(posted->name, Context("wf-1"))));
  EXPECT_FALSE(*Run(client_.UpdateMessage(posted->name, "x", "", Context("wf-1"))));
  EXPECT_EQ(AliveCount("google_chat", "message"), 0);
}

TEST_F(GoogleChatTest, AThreadIsAnswered) {
  const auto posted = Create("Ready", "wf-1");
  const auto reply = Run(client_.CreateMessage({.space = "spaces/AAA",
                                                .thread = posted->thread,
                                                .text = "Done",
                                                .request_id = wire::UuidOf("reply")},
                                               Context("wf-1")));
  ASSERT_TRUE(reply.ok()) << reply.failure().ToString();
  EXPECT_EQ(reply->thread, posted->thread);
}

TEST_F(GoogleChatTest, ATokenThatIsNotTakenAnyMoreIsReplaced) {
  ASSERT_TRUE(Create("Ready", "wf-1").ok());
  AdvanceClock(absl::Hours(2));  // Google's clock: the token is over, ours says it is good
  const auto refused = Create("Done", "wf-2");
  EXPECT_EQ(refused.failure().type, "Unauthorized");
  EXPECT_TRUE(Create("Done", "wf-2").ok());
  EXPECT_EQ(CallCount("google_chat", "token"), 2);
}

TEST_F(GoogleChatTest, AnotherKeyFileIsUsedAtOnce) {
  ASSERT_TRUE(Create("Ready", "wf-1").ok());
  key_file_.Replace("{}");
  const auto refused = Create("Done", "wf-2");
  EXPECT_EQ(refused.failure().type, "InvalidKeyFile");
  EXPECT_THAT(refused.failure().message, HasSubstr("client_email"));
  key_file_.Replace(NewKeyFile());
  EXPECT_TRUE(Create("Done", "wf-2").ok());
}

TEST_F(GoogleChatTest, AWrongKeyIsRefusedWithoutShowingIt) {
  Json file = Json::parse(key_file_.value());
  std::string pem = file["private_key"];
  pem[100] = pem[100] == 'A' ? 'B' : 'A';
  for (const std::string& key : {std::string("nonsense"), pem}) {
    file["private_key"] = key;
    key_file_.Replace(file.dump());
    const auto refused = Create("Done", "wf-2");
    ASSERT_FALSE(refused.ok());
    EXPECT_FALSE(refused.failure().retryable);
    EXPECT_THAT(refused.failure().ToString(), Not(HasSubstr(key.substr(0, 40))));
  }
}

TEST_F(GoogleChatTest, WhatCannotBeSentIsPermanent) {
  const auto post = [&](Message message) {
    message.request_id = wire::UuidOf("x");
    return Run(client_.CreateMessage(std::move(message), Context("wf-1")));
  };
  EXPECT_EQ(post({.space = "spaces/missing", .text = "x"}).failure().type, "NotFound");
  EXPECT_EQ(post({.space = "spaces/forbidden", .text = "x"}).failure().type, "Forbidden");
  EXPECT_EQ(post({.space = "spaces/AAA", .text = "x", .cards_json = "{}"}).failure().type,
            "InvalidRequest");
  const std::string long_text(google_chat::kMessageBytesMax, 'x');
  const std::string card = R"([{"card":{"header":{"title":")" + long_text + R"("}}}])";
  EXPECT_EQ(post({.space = "spaces/AAA", .cards_json = card}).failure().type, "MessageTooLong");
}

TEST(RequestId, IsAUuidThatFollowsFromTheText) {
  EXPECT_EQ(wire::UuidOf("a"), wire::UuidOf("a"));
  EXPECT_NE(wire::UuidOf("a"), wire::UuidOf("b"));
  // sha256("a") is ca978112ca1bbdcafac231b39a23dc4d...: what vendors keep must not change.
  EXPECT_EQ(wire::UuidOf("a"), "ca978112-ca1b-8dca-bac2-31b39a23dc4d");
}

}  // namespace
}  // namespace connector_test
