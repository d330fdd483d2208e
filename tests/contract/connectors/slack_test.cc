// One message a marker, whatever happens to the answers; and the review message's text.
#include "activities/connectors/slack/review_message.h"
#include "activities/connectors/slack/slack_client.h"
#include "gmock/gmock.h"
#include "tests/contract/connectors/fixture.h"
#include "tests/contract/connectors/scripted_vendor.h"

namespace connector_test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr char kChannel[] = "C0CAMPAIGNS";

class SlackTest : public SandboxTest {
 protected:
  slack::Message Message(const std::string& marker) {
    return {.channel = kChannel,
            .text = "Campaign *Spring* is ready",
            .blocks_json = slack::ReviewBlocks({.workflow_id = marker, .campaign_name = "Spring"}),
            .marker = marker,
            .since = started_};
  }
  // Messages that can be seen in any channel.
  int MessageCount() {
    int count = 0;
    const Json answer = Resources("slack", "message");
    for (const Json& message : answer.at("resources")) {
      if (message.value("state", "") != "deleted") ++count;
    }
    return count;
  }
  const absl::Time started_ = clock().Now();
  slack::SlackClient client_{outbound(), {.base_url = url("/slack/api"), .token = "xoxb-test-1"}};
};

TEST_F(SlackTest, PostsUpdatesAndDeletes) {
  const auto posted = Run(client_.EnsureMessage(Message("wf-1"), true, Context("wf-1")));
  ASSERT_TRUE(posted.ok()) << posted.failure().ToString();
  EXPECT_TRUE(posted->created);
  EXPECT_EQ(CallCount("slack", "conversations.history"), 0);
  const auto updated =
      Run(client_.UpdateMessage(posted->channel, posted->ts, "approved", "", Context("wf-1")));
  ASSERT_TRUE(updated.ok()) << updated.failure().ToString();
  EXPECT_TRUE(*updated);
  EXPECT_TRUE(*Run(client_.DeleteMessage(posted->channel, posted->ts, Context("wf-1"))));
  const auto again = Run(client_.DeleteMessage(posted->channel, posted->ts, Context("wf-1")));
  ASSERT_TRUE(again.ok()) << again.failure().ToString();
  EXPECT_FALSE(*again);
  const auto late =
      Run(client_.UpdateMessage(posted->channel, posted->ts, "late", "", Context("wf-1")));
  ASSERT_TRUE(late.ok()) << late.failure().ToString();
  EXPECT_FALSE(*late);
  EXPECT_EQ(MessageCount(), 0);
}

// Found by tests/e2e/chaos.py: the server's clock had jumped by an hour, a lost answer led to a
// look for messages since then, and to a second message.
TEST_F(SlackTest, FindsItsMessageThoughOurClockIsHoursAhead) {
  const auto first = Run(client_.EnsureMessage(Message("wf-1"), true, Context("wf-1")));
  ASSERT_TRUE(first.ok()) << first.failure().ToString();
  slack::Message ahead = Message("wf-1");
  ahead.since += absl::Hours(12);
  const auto again = Run(client_.EnsureMessage(ahead, false, Context("wf-1")));
  ASSERT_TRUE(again.ok()) << again.failure().ToString();
  EXPECT_FALSE(again->created);
  EXPECT_EQ(again->ts, first->ts);
  EXPECT_EQ(MessageCount(), 1);
}

TEST_F(SlackTest, ALaterTryFindsTheMessage) {
  const auto first = Run(client_.EnsureMessage(Message("wf-1"), true, Context("wf-1")));
  ASSERT_TRUE(first.ok()) << first.failure().ToString();
  ASSERT_TRUE(Run(client_.EnsureMessage(Message("wf-2"), true, Context("wf-2"))).ok());
  const auto second = Run(client_.EnsureMessage(Message("wf-1"), false, Context("wf-1")));
  ASSERT_TRUE(second.ok()) << second.failure().ToString();
  EXPECT_FALSE(second->created);
  EXPECT_EQ(second->ts, first->ts);
  EXPECT_EQ(MessageCount(), 2);
  const auto none = Run(client_.FindMessage(kChannel, "wf-3", started_, Context("wf-3")));
  ASSERT_TRUE(none.ok()) << none.failure().ToString();
  EXPECT_FALSE(none->has_value());
}

TEST_F(SlackTest, AnUnknownChannelIsAPermanentFailure) {
  slack::Message message = Message("wf-1");
  message.channel = "missing";
  const auto posted = Run(client_.EnsureMessage(message, true, Context("wf-1")));
  ASSERT_FALSE(posted.ok());
  EXPECT_FALSE(posted.failure().retryable);
  EXPECT_THAT(posted.failure().message, HasSubstr("channel_not_found"));
}

class SlackFaultTest : public SlackTest, public testing::WithParamInterface<std::string> {
 protected:
  std::string Fault(const std::string& operation) {
    return Json({{"vendor", "slack"}, {"operation", operation}, {"kind", GetParam()}, {"count", 1}})
        .dump();
  }
};

TEST_P(SlackFaultTest, LeavesOneAndThenNone) {
  AddFault(Fault("chat.postMessage"));
  const auto posted = Run(client_.EnsureMessage(Message("wf-1"), true, Context("wf-1")));
  ASSERT_TRUE(posted.ok()) << posted.failure().ToString();
  EXPECT_EQ(MessageCount(), 1);
  AddFault(Fault("chat.update"));
  EXPECT_TRUE(*Run(client_.UpdateMessage(kChannel, posted->ts, "new", "", Context("wf-1"))));
  EXPECT_EQ(MessageCount(), 1);
  AddFault(Fault("chat.delete"));
  const auto gone = Run(client_.DeleteMessage(kChannel, posted->ts, Context("wf-1")));
  ASSERT_TRUE(gone.ok()) << gone.failure().ToString();
  EXPECT_EQ(MessageCount(), 0);
}

INSTANTIATE_TEST_SUITE_P(Kinds, SlackFaultTest,
                         testing::Values("error", "reset", "lost_response", "malformed",
                                         "rate_limit"),
                         [](const auto& info) { return info.param; });

using SlackScriptedTest = ScriptedTest;

slack::Message ScriptedMessage() {
  return {.channel = "C1", .text = "t", .marker = "wf-1", .since = absl::UnixEpoch()};
}

TEST_F(SlackScriptedTest, LooksBeforeItPostsAgain) {
  // fatal_error may have posted, and here it has: the history shows it on its second page.
  Script([](const outbound::HttpRequest& request) {
    if (request.operation == "chat.postMessage") {
      return Answer(200, R"({"ok":false,"error":"fatal_error"})");
    }
    if (request.url.find("cursor=two") == std::string::npos) {
      return Answer(200, R"({"ok":true,"messages":[{"ts":"9.1"}],
                             "response_metadata":{"next_cursor":"two"}})");
    }
    return Answer(200, R"({"ok":true,"messages":[{"ts":"3.2","metadata":{
        "event_type":"campaign_message","event_payload":{"marker":"wf-1"}}}]})");
  });
  slack::SlackClient client(scripted(), {.token = "xoxb-test-1"});
  const auto posted = Run(client.EnsureMessage(ScriptedMessage(), true, Context("wf-1")));
  ASSERT_TRUE(posted.ok()) << posted.failure().ToString();
  EXPECT_EQ(posted->ts, "3.2");
  EXPECT_FALSE(posted->created);
  ASSERT_EQ(requests().size(), 3u);
  EXPECT_THAT(requests()[1].url, HasSubstr("include_all_metadata=true"));
}

TEST_F(SlackScriptedTest, GivesUpWithItsEffectUnknown) {
  Script([](const outbound::HttpRequest& request) {
    return request.operation == "chat.postMessage" ? LostAnswer()
                                                   : Answer(200, R"({"ok":true,"messages":[]})");
  });
  slack::SlackClient client(scripted(), {.token = "xoxb-test-1"});
  const auto posted = Run(client.EnsureMessage(ScriptedMessage(), true, Context("wf-1")));
  ASSERT_FALSE(posted.ok());
  EXPECT_TRUE(posted.failure().effect_unknown);
  EXPECT_TRUE(posted.failure().retryable);
}

TEST_F(SlackScriptedTest, SaysWhatSlackSaid) {
  for (const char* code : {"missing_scope", "is_archived", "invalid_blocks"}) {
    Script([code](const outbound::HttpRequest&) {
      return Answer(200, Json({{"ok", false}, {"error", code}, {"needed", "chat:write"}}).dump());
    });
    slack::SlackClient client(scripted(), {.token = "xoxb-test-1"});
    const auto posted = Run(client.EnsureMessage(ScriptedMessage(), true, Context("wf-1")));
    ASSERT_FALSE(posted.ok());
    EXPECT_FALSE(posted.failure().retryable) << code;
    EXPECT_FALSE(posted.failure().effect_unknown) << code;
    EXPECT_THAT(posted.failure().message, HasSubstr(code));
  }
}

slack::Review HostileReview() {
  return {
      .workflow_id = "wf-1",
      .campaign_name = "<!channel> & Co",
      .summary = "a > b",
      .content = {{"headline", "<https://evil|click>"}, {"blog_outline", std::string(5000, '&')}},
      .pr_url = "https://github.com/o/r/pull/1?a=1&b=2|x",
      .reviewers = {"U012AB3CD", "<@U9>", "bob"}};
}

TEST(ReviewMessage, EscapesWhatCampaignsSay) {
  const std::string text = slack::ReviewBlocks(HostileReview());
  EXPECT_THAT(text, Not(HasSubstr("<!channel>")));
  EXPECT_THAT(text, Not(HasSubstr("<https://evil")));
  EXPECT_THAT(text, HasSubstr("&lt;!channel&gt; &amp; Co"));
  EXPECT_THAT(text, HasSubstr("<@U012AB3CD>"));
  EXPECT_THAT(text, HasSubstr("&lt;@U9&gt; bob"));
  EXPECT_THAT(text, HasSubstr("<https://github.com/o/r/pull/1?a=1&amp;b=2%7Cx|"));
  EXPECT_THAT(slack::ReviewText(HostileReview()), Not(HasSubstr("<!channel>")));
}

TEST(ReviewMessage, StaysWithinSlacksLimitsAndHasItsButtons) {
  const Json blocks = Json::parse(slack::ReviewBlocks(HostileReview()));
  EXPECT_LE(blocks.size(), 50u);
  for (const Json& block : blocks) {
    if (block["type"] == "section") {
      EXPECT_LE(block["text"]["text"].get<std::string>().size(), 3000u);
    }
  }
  const Json& actions = blocks.back();
  ASSERT_EQ(actions["type"], "actions");
  EXPECT_EQ(actions["elements"][0]["action_id"], "campaign_approve");
  EXPECT_EQ(actions["elements"][1]["action_id"], "campaign_reject");
  EXPECT_EQ(actions["elements"][0]["value"], "wf-1");
}

TEST(ReviewMessage, ItsEndHasNoButtons) {
  const std::string blocks = slack::ClosedReviewBlocks(
      HostileReview(), {.outcome = "rejected", .decided_by = "U7", .reason = "too <loud>"});
  EXPECT_THAT(blocks, HasSubstr("*Rejected* by <@U7>: too &lt;loud&gt;"));
  EXPECT_THAT(blocks, Not(HasSubstr("campaign_approve")));
}

}  // namespace
}  // namespace connector_test
