#include "gateway/cli/spec_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/cli/errors.h"
#include "gateway/json/field_violations.h"

namespace cli {
namespace {

using ::testing::HasSubstr;

TEST(SpecFile, ReadsYamlAtTheTopAndNested) {
  const auto top = ParseSpec(
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
  const auto nested = ParseSpec("request_id: r1\ncampaign:\n  tone: casual\n", false);
  ASSERT_TRUE(nested.ok()) << nested.status();
  EXPECT_TRUE(nested->nested);
  EXPECT_EQ(nested->request.request_id(), "r1");
  EXPECT_EQ(nested->request.campaign().tone(), "casual");
  EXPECT_TRUE(ParseSpec(R"({"campaign": {"tone": "casual"}})", true)->nested);
}

TEST(SpecFile, NamesEveryWrongFieldWithItsLine) {
  const auto file = ParseSpec(
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

TEST(SpecFile, TheServersViolationsAreToldInTheFilesTerms) {
  const auto file = ParseSpec("campaign_name: Spring\nchannels: [email,\n  fax]\n", false);
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
  EXPECT_THAT(std::string(ParseSpec("a: [1,\nb: }", false).status().message()),
              HasSubstr("not valid YAML at line 2"));
  EXPECT_THAT(std::string(ParseSpec("tone: a\ntone: b", false).status().message()),
              HasSubstr("tone is there twice"));
  EXPECT_FALSE(ParseSpec("- a", false).ok());
  EXPECT_FALSE(ParseSpec("", false).ok());
  std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    bomb += std::string(1, c) + ": &" + c + " [";
    for (int i = 0; i < 9; ++i) bomb += std::string(i == 0 ? "*" : ", *") + char(c - 1);
    bomb += "]\n";
  }
  EXPECT_THAT(std::string(ParseSpec(bomb, false).status().message()), HasSubstr("too far"));
}

}  // namespace
}  // namespace cli
