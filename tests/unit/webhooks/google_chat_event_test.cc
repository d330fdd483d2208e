// Events of Google Chat, what their texts ask for, and the cards that answer them.
#include "gateway/webhooks/google_chat_event.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "gateway/webhooks/google_chat_cards.h"

namespace webhooks {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;
using Kind = ChatCommand::Kind;

TEST(ReadChatEvent, ReadsAMessage) {
  const auto event = ReadChatEvent(R"({"type": "MESSAGE", "eventTime": "t",
      "space": {"name": "spaces/A"}, "user": {"email": "Ann@Example.COM", "displayName": "Ann"},
      "message": {"name": "spaces/A/messages/1", "text": "@Campaigns ping", "argumentText": " ping",
                  "thread": {"name": "spaces/A/threads/T"}}})");
  ASSERT_TRUE(event.ok()) << event.status();
  EXPECT_EQ(event->type, ChatEvent::Type::kMessage);
  EXPECT_EQ(event->text, " ping");
  EXPECT_EQ(event->email, "ann@example.com");
  EXPECT_EQ(event->space, "spaces/A");
  EXPECT_EQ(event->thread, "spaces/A/threads/T");
}

TEST(ReadChatEvent, ReadsAClickInBothForms) {
  for (const char* parameters :
       {R"("action": {"actionMethodName": "f", "parameters": [{"key": "a", "value": "1"}]})",
        R"("common": {"invokedFunction": "f", "parameters": {"a": "1"}})"}) {
    const auto event = ReadChatEvent(R"({"type": "CARD_CLICKED", "isDialogEvent": true, )" +
                                     std::string(parameters) + "}");
    ASSERT_TRUE(event.ok()) << event.status();
    EXPECT_EQ(event->function, "f");
    EXPECT_EQ(event->parameters.at("a"), "1");
    EXPECT_TRUE(event->dialog);
  }
}

TEST(ReadChatEvent, RefusesWhatIsNone) {
  for (const char* body : {"", "[]", "{}", "1", R"({"type": 1})", R"({"type": ""})"}) {
    EXPECT_FALSE(ReadChatEvent(body).ok()) << body;
  }
  // Fields of wrong types are as if they were not there.
  EXPECT_TRUE(ReadChatEvent(R"({"type": "MESSAGE", "user": 1, "message": [], "common": "x",
                               "action": {"parameters": [1, {"key": 2}]}})")
                  .ok());
}

TEST(ReadChatCommand, Knows) {
  EXPECT_EQ(ReadChatCommand("ping").kind, Kind::kPing);
  EXPECT_EQ(ReadChatCommand(" Help ").kind, Kind::kHelp);
  EXPECT_EQ(ReadChatCommand("").kind, Kind::kHelp);
  EXPECT_EQ(ReadChatCommand("/status").kind, Kind::kStatus);
  EXPECT_EQ(ReadChatCommand("status campaign-1").id, "campaign-1");
  EXPECT_EQ(ReadChatCommand("status of everything please").kind, Kind::kUnknown);
  EXPECT_EQ(ReadChatCommand("start the engine").kind, Kind::kUnknown);
  EXPECT_EQ(ReadChatCommand("ping pong").kind, Kind::kUnknown);
}

TEST(ReadChatCommand, TakesTopicAndAudienceApart) {
  ChatCommand command =
      ReadChatCommand("Please start a new campaign about shoes  for winter for city\nrunners");
  EXPECT_EQ(command.kind, Kind::kStart);
  EXPECT_EQ(command.topic, "shoes for winter");
  EXPECT_EQ(command.audience, "city runners");
  EXPECT_EQ(command.problem, "");
  command = ReadChatCommand("draft a post about the spring sale");
  EXPECT_EQ(command.kind, Kind::kPost);
  EXPECT_EQ(command.topic, "the spring sale");
  EXPECT_EQ(command.audience, "");
  EXPECT_EQ(ReadChatCommand("start a campaign about what we stand for").topic, "what we stand for");
  EXPECT_THAT(ReadChatCommand("start a campaign").problem, HasSubstr("what it is about"));
  EXPECT_THAT(ReadChatCommand("start a campaign about").problem, HasSubstr("what it is about"));
}

TEST(ReadChatCommand, CountsCharactersAndNotBytes) {
  std::string topic;
  for (int i = 0; i < 500; ++i) topic += "ä";
  EXPECT_EQ(ReadChatCommand("start a campaign about " + topic).problem, "");
  EXPECT_THAT(ReadChatCommand("start a campaign about " + topic + "ä").problem,
              HasSubstr("at most 500 characters"));
}

TEST(Cards, TextsOfPeopleAreNoMarkupAndNoLinkButHttp) {
  campaign::v1::CampaignProgress progress;
  progress.set_workflow_id("c1");
  progress.set_campaign_name("<b>Spring</b>");
  progress.set_github_pr_url("javascript:alert(1)");
  progress.set_dashboard_url("https://grafana.example.com/d/1");
  auto* piece = progress.add_content();
  piece->set_content_id("headline");
  piece->set_text("<a href=\"https://evil.example.com\">x</a> & more");
  const std::string cards = ReviewCards(progress);
  EXPECT_THAT(cards, HasSubstr("&lt;a href"));
  EXPECT_THAT(cards, HasSubstr("&amp; more"));
  EXPECT_THAT(cards, Not(HasSubstr("<a href")));
  EXPECT_THAT(cards, Not(HasSubstr("javascript")));
  EXPECT_THAT(cards, HasSubstr("https://grafana.example.com/d/1"));
}

TEST(Cards, StayWithinAMessage) {
  campaign::v1::CampaignProgress progress;
  progress.set_campaign_name(std::string(50'000, '<'));
  for (int i = 0; i < 100; ++i) progress.add_content()->set_text(std::string(50'000, '&'));
  for (int i = 0; i < 100; ++i) progress.add_moderation()->set_message(std::string(5'000, '>'));
  EXPECT_LT(ReviewCards(progress).size(), 31'000);
  const std::vector<campaign::v1::CampaignProgress> many(50, progress);
  EXPECT_LT(WaitingCards({.campaigns = many, .cut = true}).size(), 31'000);
  campaign::v1::Wizard wizard;
  campaign::v1::PreviewWizardResponse preview;
  for (int i = 0; i < 1000; ++i) wizard.mutable_campaign()->add_channels(std::string(1'000, '&'));
  for (int i = 0; i < 6; ++i) {
    auto* phase = preview.add_phases();
    for (int j = 0; j < 50; ++j) phase->add_calls()->set_target(std::string(5'000, '<'));
  }
  for (int i = 0; i < 200; ++i) preview.add_warnings()->set_message(std::string(5'000, '&'));
  EXPECT_LT(WizardCards(wizard, preview, true).size(), 31'000);
}

TEST(ChatAnswer, IsWhatChatReads) {
  const json fresh = json::parse(ChatAnswer(ChatReply::kNew, "hello", ""));
  EXPECT_EQ(fresh, (json{{"text", "hello"}}));
  const json update = json::parse(ChatAnswer(ChatReply::kUpdate, "", NoticeCards("T", "S", {"p"})));
  EXPECT_EQ(update["actionResponse"]["type"], "UPDATE_MESSAGE");
  EXPECT_EQ(update["cardsV2"][0]["card"]["header"]["title"], "T");
  const json dialog = json::parse(AskReasonAnswer("c1", "Please say why."));
  const json& body = dialog["actionResponse"]["dialogAction"]["dialog"]["body"];
  EXPECT_THAT(body.dump(), HasSubstr("textInput"));
  EXPECT_THAT(body.dump(), HasSubstr("Please say why."));
}

}  // namespace
}  // namespace webhooks
