#include "gateway/cli/spec_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/cli/errors.h"
#include "gateway/json/field_violations.h"

namespace cli {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<SpecFile> Parse(const std::string& text, bool is_json,
                               gateway::Completeness completeness = gateway::Completeness::kDraft) {
  return ParseSpec(text, is_json, completeness, absl::FromUnixSeconds(1'800'000'000));
}

std::vector<std::string> Faults(const absl::Status& status) {
  std::vector<std::string> faults;
  for (const auto& violation : gateway::ViolationsOf(status)) {
    faults.push_back(absl::StrCat(violation.field, " ", violation.description));
  }
  return faults;
}

TEST(SpecFile, ReadsYamlAtTheTopAndNested) {
  const auto top = Parse(
      "campaign_name: Spring # comment\n"
      "campaign_goals: [Sell, 'more']\n"
      "templates: [12:34]\n"
      "budget_usd: 5000\n"
      "schedule_time: 2026-12-01T09:00:00+01:00\n"
      "brand_voice_id: \"42\"\n",
      false);
  ASSERT_TRUE(top.ok()) << top.status();
  EXPECT_FALSE(top->nested);
  const auto& spec = top->request.campaign();
  EXPECT_EQ(spec.campaign_goals(1), "more");
  EXPECT_EQ(spec.templates(0), "12:34");
  EXPECT_EQ(spec.budget_usd(), 5000);
  EXPECT_EQ(spec.brand_voice_id(), "42");
  EXPECT_EQ(spec.schedule_time().seconds(), 1796112000);
  const auto nested = Parse("request_id: r1\ncampaign:\n  tone: casual\n", false);
  ASSERT_TRUE(nested.ok()) << nested.status();
  EXPECT_TRUE(nested->nested);
  EXPECT_EQ(nested->request.request_id(), "r1");
  EXPECT_EQ(nested->request.campaign().tone(), "casual");
  EXPECT_TRUE(Parse(R"({"campaign": {"tone": "casual"}})", true)->nested);
}

TEST(SpecFile, NamesEveryWrongFieldWithItsLine) {
  const auto file = Parse(
      "campaign_name: 7\n"
      "chanels:\n"
      "  - email\n"
      "campaign_goals:\n"
      "  - fine\n"
      "  - {a: 1}\n",
      false);
  const auto violations = gateway::ViolationsOf(file.status());
  ASSERT_EQ(violations.size(), 3u);
  EXPECT_EQ(violations[0].field, "campaign_name");
  EXPECT_EQ(violations[0].description, "must be a string, not a number (line 1)");
  EXPECT_THAT(violations[1].description, HasSubstr("did you mean channels? (line 2)"));
  EXPECT_EQ(violations[2].field, "campaign_goals[1]");
  EXPECT_THAT(violations[2].description, HasSubstr("(line 6)"));
}

TEST(SpecFile, TellsTheOtherFaultsWithThoseOfTheTypes) {
  constexpr char kText[] =
      "campaignName: 12\n"
      "channels: email\n"
      "tone: angry\n"
      "nope: 1\n"
      "budget_usd: 1e999\n"
      "research_sources: [telex, 3, notion]\n";
  EXPECT_THAT(
      Faults(Parse(kText, false, gateway::Completeness::kComplete).status()),
      testing::UnorderedElementsAre(
          "campaign_name must be a string, not a number (line 1)",
          "channels must be a list, not a string (line 2)", "nope is not a known field (line 4)",
          "budget_usd is a number that is too large (line 5)",
          "research_sources[1] must be a string, not a number (line 6)",
          "tone must be one of professional, casual, technical (line 3)",
          "research_sources[0] must be one of notion, web, memory (line 6)",
          "campaign_goals is required", "target_audience is required"));
  EXPECT_EQ(Faults(Parse(kText, false).status()).size(), 7u) << "a draft may miss fields";
  EXPECT_THAT(Faults(Parse(R"({"campaign": {"tone": "angry", "channels": 1}})", true).status()),
              testing::UnorderedElementsAre(
                  "campaign.channels must be a list, not a number",
                  "campaign.tone must be one of professional, casual, technical"));
  // What can be read is for the server.
  EXPECT_TRUE(Parse("tone: angry", false, gateway::Completeness::kComplete).ok());
}

TEST(SpecFile, TheSameFieldInTwoSpellingsIsRefused) {
  EXPECT_THAT(Faults(Parse("campaign_name: a\ncampaignName: b\n", false).status()),
              testing::ElementsAre(HasSubstr("is there twice, as campaign_name and as")));
}

TEST(SpecFile, NumbersKeepTheirDigits) {
  EXPECT_EQ(Parse("budget_usd: 1234567.89\n", false)->request.campaign().budget_usd(), 1234567.89);
}

TEST(SpecFile, TheServersViolationsAreToldInTheFilesTerms) {
  const auto file = Parse("campaign_name: Spring\nchannels: [email,\n  fax]\n", false);
  ASSERT_TRUE(file.ok());
  gateway::FieldViolations violations;
  violations.Add("campaign.channels[1]", "must be one of email, social, blog");
  violations.Add("campaign.tone", "is required");
  EXPECT_EQ(ErrorText(InFileTerms(*file, violations.ToStatus()), "here"),
            "error: 2 fields are wrong\n"
            "  channels[1] must be one of email, social, blog (line 3)\n"
            "  tone is required\n"
            "next: correct the input and try again; `campaignctl COMMAND --help` shows an "
            "example\n");
}

TEST(SpecFile, RefusesWhatIsNoYaml) {
  EXPECT_THAT(std::string(Parse("a: [1,\nb: }", false).status().message()),
              HasSubstr("not valid YAML at line 2"));
  EXPECT_THAT(std::string(Parse("tone: a\ntone: b", false).status().message()),
              HasSubstr("tone is there twice"));
  EXPECT_THAT(Faults(Parse("- a", false).status()),
              testing::ElementsAre("(file) must be an object, not a list"));
  for (const char* empty : {"", " \n", "# nothing\n", "---\n"}) {
    EXPECT_THAT(std::string(Parse(empty, false).status().message()),
                HasSubstr("there is nothing in it"))
        << empty;
  }
  EXPECT_THAT(std::string(Parse("", true).status().message()), HasSubstr("nothing in it"));
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    bomb += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 9; ++i) bomb += std::string(i == 0 ? "*" : ", *") + char(c - 1);
    bomb += "]\n";
  }
  EXPECT_THAT(std::string(Parse(bomb, false).status().message()), HasSubstr("too far"));
}

}  // namespace
}  // namespace cli
