// What a dry run says that it would send.
#include "activities/campaign/plan.h"

#include "absl/strings/str_cat.h"
#include "activities/campaign/names.h"
#include "activities/connectors/grafana/dashboard.h"
#include "gmock/gmock.h"

namespace campaign {
namespace {

using testing::HasSubstr;

std::string Lines(const v1::PlanOutput& plan) {
  std::string lines;
  for (const v1::PlannedCall& call : plan.would_send()) {
    absl::StrAppend(&lines, call.phase(), " | ", call.vendor(), " | ", call.action(), " | ",
                    call.target(), "\n");
  }
  return lines;
}

class PlanTest : public testing::Test {
 protected:
  PlanTest() {
    settings_.figma.file_key = "KIT";
    settings_.review.slack_channel = "C1";
    settings_.email.from_address = "news@example.com";
    settings_.email.recipients = {"all@example.com"};
    settings_.social.channels = {"ch-1 linkedin"};
    spec_.set_campaign_name("Spring");
    spec_.add_channels("email");
    spec_.add_channels("social");
    spec_.add_channels("blog");
    spec_.add_competitor_urls("https://rival.example/");
    spec_.add_reviewers("U1");
  }
  std::string Plan() {
    return Lines(
        PlanCampaign("wf-1", spec_, settings_, *Prompts::Make(settings_.content.prompts), kNow));
  }
  const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);
  Settings settings_;
  v1::CampaignSpec spec_;
};

TEST_F(PlanTest, NamesEveryCallOfEveryPhaseInOrder) {
  EXPECT_EQ(
      Plan(),
      "research | notion | search | all that is shared\n"
      "research | webdriver | render a page | https://rival.example/\n"
      "research | memory | recall | campaigns\n" +
          [&] {
            std::string drafts =
                absl::StrCat("content | openai | write the texts | prompts ",
                             Prompts::Make(settings_.content.prompts)->version(), "\n");
            for (const PieceKind& kind : PieceKinds()) {
              absl::StrAppend(&drafts, "content | memory | keep a draft | ",
                              DraftKey("wf-1", kind.id), "\n");
            }
            return drafts;
          }() +
          "design | figma | render the email_banner | KIT node 1:2\n"
          "design | figma | render the social_image | KIT node 1:3\n"
          "design | figma | render the blog_header | KIT node 1:4\n"
          "review | github | open a pull request | campaign/wf-1\n"
          "review | slack | post a message with buttons | C1\n"
          "distribution | sendgrid | send a mail 15m after the approval | "
          "1 recipients: all@example.com\n"
          "distribution | buffer | post 15m after the approval | ch-1 linkedin\n"
          "distribution | github | publish a page | campaigns/wf-1.html\n" +
          absl::StrCat("analytics | grafana | create a dashboard | ", grafana::DashboardUid("wf-1"),
                       "\n"));
}

TEST_F(PlanTest, KeepsToTheCampaignsOwnChoices) {
  spec_.clear_channels();
  spec_.add_channels("email");
  spec_.add_research_sources("memory");
  for (int i = 0; i < 30; ++i) spec_.add_email_recipients(absl::StrCat("r", i, "@example.com"));
  const std::string plan = Plan();
  EXPECT_THAT(plan, testing::Not(HasSubstr("notion")));
  EXPECT_THAT(plan, testing::Not(HasSubstr("buffer")));
  EXPECT_THAT(plan, HasSubstr("30 recipients: r0@example.com, "));
  EXPECT_THAT(plan, HasSubstr("r19@example.com, ..."));
  EXPECT_THAT(plan, testing::Not(HasSubstr("r20@")));
}

TEST_F(PlanTest, NamesTheEventToTheCms) {
  spec_.clear_channels();
  spec_.add_channels("cms");
  EXPECT_THAT(Plan(), HasSubstr("design | figma | render the cms_header | KIT node 1:4\n"));
  EXPECT_THAT(Plan(), HasSubstr("distribution | cms | publish an article | the CMS\n"));
}

TEST_F(PlanTest, ShowsThePrompt) {
  const v1::PlanOutput plan =
      PlanCampaign("wf-1", spec_, settings_, *Prompts::Make(settings_.content.prompts), kNow);
  std::string prompt;
  for (const v1::PlannedCall& call : plan.would_send()) {
    if (call.vendor() == "openai") prompt = call.content();
  }
  EXPECT_THAT(prompt, HasSubstr("Spring"));
}

}  // namespace
}  // namespace campaign
