// Events to a CMS: signed, once each, and taken back by a second event.
#include "absl/strings/str_cat.h"
#include "activities/connectors/webhook/signature.h"
#include "activities/connectors/webhook/webhook_client.h"
#include "gmock/gmock.h"
#include "tests/contract/connectors/fixture.h"
#include "tests/contract/connectors/scripted_vendor.h"

namespace connector_test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kSecret[] = "whsec_c2FuZGJveC1jbXMtc2VjcmV0";

class CmsTest : public SandboxTest {
 protected:
  webhook::Content Article(const std::string& title = "Spring") const {
    return {.name = "wf-1",
            .title = title,
            .summary = "Sun & \"shade\"",
            .html = "<h1>Spring</h1>",
            .link = "https://example.com/c/wf-1",
            .created = absl::FromUnixSeconds(1'790'000'000)};
  }
  std::string StateOf(const std::string& name) {
    const Json all = Admin("GET", "/__sandbox/resources?vendor=cms&kind=article");
    for (const Json& resource : all["resources"]) {
      if (resource["id"] == name) return resource["state"];
    }
    return "";
  }

  webhook::WebhookClient client_{outbound(), {.url = url("/cms/hooks/content"), .secret = kSecret}};
};

// The example of the specification "Standard Webhooks", section "Signature scheme".
TEST(WebhookSignature, IsThatOfTheSpecification) {
  const auto key = webhook::KeyOf("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(
      webhook::Sign(*key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, R"({"test": 2432232314})"),
      "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookSignature, ASecretIsBase64BehindItsPrefixElseTextAsItIs) {
  EXPECT_EQ(*webhook::KeyOf("plain text"), "plain text");
  EXPECT_EQ(*webhook::KeyOf(kSecret), "sandbox-cms-secret");
  const auto wrong = webhook::KeyOf("whsec_?hush?");
  EXPECT_EQ(wrong.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(wrong.status().message()), Not(HasSubstr("hush")));
}

TEST_F(CmsTest, PublishesAndRetractsAnArticle) {
  const auto published = Run(client_.Publish(Article(), Context("wf-1")));
  ASSERT_TRUE(published.ok()) << published.failure().ToString();
  EXPECT_EQ(published->id, "wf-1");
  EXPECT_EQ(published->url, url("/cms/articles/wf-1"));
  EXPECT_EQ(AliveCount("cms", "article"), 1);
  const auto retracted = Run(client_.Retract("wf-1", Article().created, 1, Context("wf-1")));
  ASSERT_TRUE(retracted.ok()) << retracted.failure().ToString();
  EXPECT_TRUE(*retracted);
  EXPECT_EQ(StateOf("wf-1"), "retracted");
  // The second look is an event of its own, and finds nothing.
  EXPECT_FALSE(*Run(client_.Retract("wf-1", Article().created, 2, Context("wf-1"))));
}

TEST_F(CmsTest, ARepeatedEventIsTheSameOne) {
  ASSERT_TRUE(Run(client_.Publish(Article(), Context("wf-1"))).ok());
  ASSERT_TRUE(Run(client_.Retract("wf-1", Article().created, 1, Context("wf-1"))).ok());
  // Had the receiver taken it for a new event, the article would be back.
  ASSERT_TRUE(Run(client_.Publish(Article(), Context("wf-1"))).ok());
  EXPECT_EQ(StateOf("wf-1"), "retracted");
  EXPECT_EQ(CallCount("cms", "content.published"), 2);
}

TEST_F(CmsTest, AKeyWithAnotherBodyIsAConflict) {
  ASSERT_TRUE(Run(client_.Publish(Article(), Context("wf-1"))).ok());
  const auto other = Run(client_.Publish(Article("Autumn"), Context("wf-1")));
  ASSERT_FALSE(other.ok());
  EXPECT_EQ(other.failure().type, "IdempotencyConflict");
  EXPECT_FALSE(other.failure().retryable);
}

TEST_F(CmsTest, AWrongSecretIsRefused) {
  webhook::WebhookClient stranger(outbound(),
                                  {.url = url("/cms/hooks/content"), .secret = "whsec_d3Jvbmc="});
  const auto refused = Run(stranger.Publish(Article(), Context("wf-1")));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.failure().type, "Unauthorized");
  EXPECT_EQ(AliveCount("cms", "article"), 0);
}

TEST_F(CmsTest, AnArticleThatArrivesAfterItsRetractionIsTakenBackByTheSecondLook) {
  EXPECT_FALSE(*Run(client_.Retract("wf-1", Article().created, 1, Context("wf-1"))));
  ASSERT_TRUE(Run(client_.Publish(Article(), Context("wf-1"))).ok());  // late
  EXPECT_TRUE(*Run(client_.Retract("wf-1", Article().created, 2, Context("wf-1"))));
  EXPECT_EQ(StateOf("wf-1"), "retracted");
}

using CmsScript = ScriptedTest;

TEST_F(CmsScript, SendsWhatTheConventionsAsk) {
  ScriptList({Answer(429, "", {{"retry-after", "1"}}), Answer(204, "")});
  webhook::WebhookClient client(scripted(),
                                {.url = "https://cms.example/hooks", .secret = kSecret});
  webhook::Content content{.name = "wf-1", .title = "T", .created = absl::FromUnixSeconds(1)};
  const auto published = Run(client.Publish(content, Context("wf-1")));
  ASSERT_TRUE(published.ok()) << published.failure().ToString();
  EXPECT_EQ(published->id, "") << "204 is an answer too";
  ASSERT_EQ(requests().size(), 2u);
  const outbound::HttpRequest& sent = requests()[1];
  EXPECT_EQ(sent.body, requests()[0].body);
  EXPECT_EQ(HeaderOf(sent, "Idempotency-Key"), HeaderOf(requests()[0], "Idempotency-Key"));
  EXPECT_EQ(HeaderOf(sent, "Idempotency-Key").size(), 36u);
  EXPECT_EQ(HeaderOf(sent, "webhook-id"), HeaderOf(sent, "Idempotency-Key"));
  const Json body = Json::parse(sent.body);
  EXPECT_EQ(body["id"], HeaderOf(sent, "webhook-id"));
  EXPECT_EQ(body["type"], "content.published");
  EXPECT_EQ(body["created"], "1970-01-01T00:00:01Z");
  EXPECT_EQ(body["data"]["title"], "T");
  EXPECT_EQ(HeaderOf(sent, "webhook-signature"),
            webhook::Sign("sandbox-cms-secret", HeaderOf(sent, "webhook-id"),
                          std::stoll(HeaderOf(sent, "webhook-timestamp")), sent.body));
}

TEST_F(CmsScript, WithoutASecretEventsAreNotSigned) {
  ScriptList({Answer(202, "accepted")});
  webhook::WebhookClient client(scripted(), {.url = "https://cms.example/hooks"});
  webhook::Content content{.name = "wf-1", .created = absl::FromUnixSeconds(1)};
  EXPECT_TRUE(Run(client.Publish(content, Context("wf-1"))).ok());
  EXPECT_EQ(HeaderOf(requests()[0], "webhook-signature"), "");
}

}  // namespace
}  // namespace connector_test
