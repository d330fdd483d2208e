#include "gateway/grpc/campaign_validation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "absl/strings/str_cat.h"
#include "gateway/grpc/wizard_preview.h"
#include "orchestrator/history/time.h"

namespace gateway {
namespace {

using campaign::v1::CampaignSpec;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

CampaignSpec Good() {
  CampaignSpec spec;
  spec.set_campaign_name("Spring");
  spec.add_campaign_goals("Sell\nmore");
  spec.add_channels("email");
  spec.add_research_sources("memory");
  spec.set_target_audience("Gärtner, 30-50");
  spec.set_tone("casual");
  return spec;
}

std::vector<std::string> Fields(const CampaignSpec& spec,
                                Completeness completeness = Completeness::kComplete) {
  FieldViolations violations;
  CheckCampaign(spec, "campaign", completeness, kNow, &violations);
  std::vector<std::string> fields;
  for (const auto& violation : violations.list()) fields.push_back(violation.field.substr(9));
  return fields;
}

TEST(CampaignValidation, AcceptsASmallAndAFullCampaign) {
  EXPECT_THAT(Fields(Good()), IsEmpty());
  CampaignSpec full = Good();
  full.add_channels("social");
  full.add_channels("blog");
  full.add_channels("cms");
  full.add_research_sources("web");
  full.add_competitor_urls("https://example.com:8443/a?b=c#d");
  full.add_competitor_urls("http://[::1]:80/");
  full.set_brand_voice_id("acme-2.1_x");
  full.add_templates("12:34");
  full.add_reviewers("U012AB3CD");
  full.add_metrics("views");
  *full.mutable_schedule_time() = history::ToProto(kNow + absl::Hours(24));
  full.add_languages("en");
  full.add_languages("pt-BR");
  full.add_languages("zh-Hant-TW");
  full.set_budget_usd(10e6);
  full.add_email_recipients("ann.o'neil+news@mail.example.com");
  EXPECT_THAT(Fields(full), IsEmpty());
}

TEST(CampaignValidation, NamesEveryMissingFieldAtOnceButNotForDrafts) {
  EXPECT_THAT(Fields(CampaignSpec()), ElementsAre("campaign_name", "campaign_goals", "channels",
                                                  "research_sources", "target_audience", "tone"));
  EXPECT_THAT(Fields(CampaignSpec(), Completeness::kDraft), IsEmpty());
}

// One fault each: what to change in a good campaign, and the one path it is reported under.
struct Fault {
  const char* field;
  std::function<void(CampaignSpec&)> change;
};

TEST(CampaignValidation, EachFaultIsReportedAtItsPath) {
  const std::vector<Fault> faults = {
      {"campaign_name", [](auto& s) { s.set_campaign_name(std::string(201, 'x')); }},
      {"campaign_name", [](auto& s) { s.set_campaign_name("two\nlines"); }},
      {"campaign_name", [](auto& s) { s.set_campaign_name("  "); }},
      {"campaign_goals[1]", [](auto& s) { s.add_campaign_goals(""); }},
      {"campaign_goals[1]", [](auto& s) { s.add_campaign_goals(std::string(501, 'x')); }},
      {"campaign_goals",
       [](auto& s) {
         for (int i = 0; i < 20; ++i) s.add_campaign_goals("g");
       }},
      {"channels[1]", [](auto& s) { s.add_channels("fax"); }},
      {"channels[1]", [](auto& s) { s.add_channels("email"); }},
      {"research_sources[1]", [](auto& s) { s.add_research_sources("rumour"); }},
      {"competitor_urls", [](auto& s) { s.add_research_sources("web"); }},
      {"competitor_urls[0]", [](auto& s) { s.add_competitor_urls("ftp://example.com"); }},
      {"competitor_urls[0]", [](auto& s) { s.add_competitor_urls("https://"); }},
      {"competitor_urls[0]", [](auto& s) { s.add_competitor_urls("https://a b.com/"); }},
      {"competitor_urls[0]", [](auto& s) { s.add_competitor_urls("https://me:pw@a.com/"); }},
      {"competitor_urls[0]",
       [](auto& s) { s.add_competitor_urls("https://a.com/" + std::string(2048, 'x')); }},
      {"target_audience", [](auto& s) { s.set_target_audience("bell \a"); }},
      {"target_audience", [](auto& s) { s.set_target_audience(std::string(201, 'x')); }},
      {"target_audience", [](auto& s) { s.set_target_audience("\xc3\x28"); }},
      {"tone", [](auto& s) { s.set_tone("Casual"); }},
      {"brand_voice_id", [](auto& s) { s.set_brand_voice_id("a b"); }},
      {"templates[0]", [](auto& s) { s.add_templates("12-34"); }},
      {"reviewers[0]", [](auto& s) { s.add_reviewers("bob"); }},
      {"reviewers[1]",
       [](auto& s) {
         s.add_reviewers("U123");
         s.add_reviewers("U123");
       }},
      {"metrics[0]", [](auto& s) { s.add_metrics("smiles"); }},
      {"schedule_time",
       [](auto& s) { *s.mutable_schedule_time() = history::ToProto(kNow - absl::Seconds(1)); }},
      {"schedule_time",
       [](auto& s) { *s.mutable_schedule_time() = history::ToProto(kNow + absl::Hours(9000)); }},
      {"languages[0]", [](auto& s) { s.add_languages("english language"); }},
      {"languages[0]", [](auto& s) { s.add_languages("e"); }},
      {"budget_usd", [](auto& s) { s.set_budget_usd(-1); }},
      {"budget_usd", [](auto& s) { s.set_budget_usd(10e6 + 1); }},
      {"budget_usd", [](auto& s) { s.set_budget_usd(std::numeric_limits<double>::quiet_NaN()); }},
      {"email_recipients[0]", [](auto& s) { s.add_email_recipients("ann"); }},
      {"email_recipients[0]", [](auto& s) { s.add_email_recipients("ann@localhost"); }},
      {"email_recipients[0]", [](auto& s) { s.add_email_recipients("a..n@example.com"); }},
      {"email_recipients[0]", [](auto& s) { s.add_email_recipients("ann@ex ample.com"); }},
  };
  for (size_t i = 0; i < faults.size(); ++i) {
    CampaignSpec spec = Good();
    faults[i].change(spec);
    EXPECT_THAT(Fields(spec), ElementsAre(faults[i].field)) << "case " << i;
    EXPECT_THAT(Fields(spec, Completeness::kDraft).size(), i == 9 ? 0u : 1u) << "case " << i;
  }
}

TEST(CampaignValidation, LengthsAreCountedInCharacters) {
  CampaignSpec spec = Good();
  std::string name;
  for (int i = 0; i < 200; ++i) name += "é";
  spec.set_campaign_name(name);
  EXPECT_THAT(Fields(spec), IsEmpty());
}

std::vector<std::string> StartFaults(const CampaignSpec& spec, const PreviewSettings& settings) {
  FieldViolations violations;
  WizardPreviewer(settings).CheckStart(spec, "campaign", kNow, &violations);
  std::vector<std::string> faults;
  for (const auto& violation : violations.list()) {
    faults.push_back(absl::StrCat(violation.field, " ", violation.description));
  }
  return faults;
}

TEST(CampaignNeeds, AMailNeedsRecipients) {
  PreviewSettings settings;
  EXPECT_THAT(StartFaults(Good(), settings),
              ElementsAre(HasSubstr("campaign.email_recipients is required: nobody would get")));
  CampaignSpec spec = Good();
  spec.add_email_recipients("ann@example.com");
  EXPECT_THAT(StartFaults(spec, settings), IsEmpty());
  settings.campaign.email.recipients = {"all@example.com"};
  EXPECT_THAT(StartFaults(Good(), settings), IsEmpty());
  spec = Good();
  spec.set_channels(0, "blog");
  EXPECT_THAT(StartFaults(spec, PreviewSettings()), IsEmpty());
}

TEST(CampaignNeeds, ADryRunNeedsNothing) {
  PreviewSettings settings;
  settings.missing_keys = {"vendors.slack.token (SLACK_BOT_TOKEN)"};
  CampaignSpec spec = Good();
  EXPECT_EQ(StartFaults(spec, settings).size(), 2u);
  spec.set_dry_run(true);
  EXPECT_THAT(StartFaults(spec, settings), IsEmpty());
}

TEST(CampaignNeeds, NameTheFieldThatNeedsASetting) {
  PreviewSettings settings;
  settings.cms_set = false;
  settings.missing_keys = {
      "vendors.notion.token (NOTION_TOKEN)",        "vendors.slack.token (SLACK_BOT_TOKEN)",
      "vendors.buffer.token (BUFFER_ACCESS_TOKEN)", "campaign.email.from_address",
      "vendors.sendgrid.token (SENDGRID_API_KEY)",  "campaign.social.channels"};
  CampaignSpec spec = Good();
  spec.clear_channels();
  for (const char* channel : {"blog", "cms", "social"}) spec.add_channels(channel);
  EXPECT_THAT(StartFaults(spec, settings),
              testing::UnorderedElementsAre(
                  HasSubstr("campaign.channels[2] has nowhere to post to: set "
                            "campaign.social.channels"),
                  HasSubstr("campaign.channels[1] has no CMS to publish in: set "
                            "vendors.cms.base_url"),
                  HasSubstr("campaign needs vendors.slack.token (SLACK_BOT_TOKEN), which is not "
                            "set")));
  settings.campaign.social.channels = {"c1 linkedin"};
  settings.cms_set = true;
  spec.add_channels("email");
  spec.add_email_recipients("ann@example.com");
  EXPECT_THAT(StartFaults(spec, settings),
              testing::UnorderedElementsAre(
                  HasSubstr("campaign needs vendors.slack.token"),
                  HasSubstr("campaign.channels[2] needs vendors.buffer.token"),
                  HasSubstr("campaign.channels[3] needs campaign.email.from_address"),
                  HasSubstr("campaign.channels[3] needs vendors.sendgrid.token")));
}

TEST(CampaignNeeds, ASourceIsNeededWhenItIsTheOnlyOne) {
  PreviewSettings settings;
  settings.campaign.email.recipients = {"all@example.com"};
  settings.missing_keys = {"vendors.notion.token (NOTION_TOKEN)"};
  CampaignSpec spec = Good();
  spec.add_research_sources("notion");
  EXPECT_THAT(StartFaults(spec, settings), IsEmpty());
  campaign::v1::Wizard wizard;
  *wizard.mutable_campaign() = spec;
  const auto preview = WizardPreviewer(settings).Preview(wizard, kNow);
  EXPECT_EQ(preview.warnings(0).subject(), "campaign.research_sources[1]");
  EXPECT_THAT(preview.warnings(0).message(), HasSubstr("needs vendors.notion.token"));
  spec.clear_research_sources();
  spec.add_research_sources("notion");
  EXPECT_THAT(StartFaults(spec, settings),
              ElementsAre(HasSubstr("campaign.research_sources[0] needs vendors.notion.token")));
}

}  // namespace
}  // namespace gateway
