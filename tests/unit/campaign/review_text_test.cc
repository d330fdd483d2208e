#include "activities/campaign/review_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/campaign/specs.h"

namespace campaign {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Assets OneAsset() {
  Assets assets;
  v1::Asset* asset = assets.Add();
  asset->set_type("email_banner");
  asset->set_channel("email");
  asset->set_url("https://assets.example.com/x.png");
  return assets;
}

TEST(ReviewFiles, HoldsTheBriefAndEveryPiece) {
  const auto files = ReviewFiles("wf-1", SpringSpec(), SpringPieces(), OneAsset(), "campaigns");
  ASSERT_EQ(files.size(), 7u);
  EXPECT_EQ(files[0].path, "campaigns/wf-1/README.md");
  EXPECT_THAT(files[0].content, HasSubstr("# Spring Launch"));
  EXPECT_THAT(files[0].content, HasSubstr("https://assets.example.com/x.png"));
  EXPECT_EQ(files[1].path, "campaigns/wf-1/headline.md");
  EXPECT_THAT(files[1].content, HasSubstr("Run into spring"));
}

TEST(PullRequestBody, ShowsTheContentAndNamesTheWorkflow) {
  const std::string body = PullRequestBody("wf-1", SpringSpec(), SpringPieces(), OneAsset());
  EXPECT_THAT(body, HasSubstr("### Headline\n\n> Run into spring\n"));
  EXPECT_THAT(body, HasSubstr("<!-- campaign-workflow-id: wf-1 -->"));
  EXPECT_THAT(body, HasSubstr("| Goals | Grow sign-ups, Win back customers |"));
}

TEST(PullRequestBody, NeitherMentionsNorMarksUp) {
  v1::CampaignSpec spec = SpringSpec();
  spec.set_campaign_name("@everyone <img src=x> | [x](y)\n# no");
  const std::string body = PullRequestBody("wf-1", spec, SpringPieces(), OneAsset());
  EXPECT_THAT(body, Not(HasSubstr("@everyone")));
  EXPECT_THAT(body, Not(HasSubstr("<img")));
  EXPECT_THAT(body, Not(HasSubstr("[x](y)")));
}

TEST(ClosingComment, SaysWhoApproved) {
  v1::ApprovalDecision decision;
  decision.set_decided_by("Ann");
  decision.set_via("slack");
  decision.set_comment("well done");
  const std::string comment = ClosingComment("approved", decision, "");
  EXPECT_THAT(comment, HasSubstr("**approved** by Ann via slack"));
  EXPECT_THAT(comment, HasSubstr("> well done"));
}

TEST(EscapeMarkdown, LeavesNoMarkupAndNobodyMentioned) {
  EXPECT_EQ(EscapeMarkdown("a *b* `c`\n[d](e) <f> @g #1 | h\\"),
            "a \\*b\\* \\`c\\` \\[d\\](e) &lt;f&gt; &#64;g \\#1 \\| h\\\\");
}

TEST(ClosingComment, SaysWhyItWasWithdrawn) {
  const std::string comment = ClosingComment("withdrawn", {}, "blog did not get through");
  EXPECT_THAT(comment, HasSubstr("**withdrawn**"));
  EXPECT_THAT(comment, HasSubstr("> blog did not get through"));
}

TEST(SlackReview, HoldsContentAndReviewers) {
  const slack::Review review = SlackReview("wf-1", SpringSpec(), SpringPieces(), "https://pr");
  EXPECT_EQ(review.workflow_id, "wf-1");
  EXPECT_THAT(review.reviewers, ElementsAre("U012AB3CD"));
  EXPECT_EQ(review.content.size(), 6u);
  EXPECT_EQ(review.content[0].first, "Headline");
  EXPECT_THAT(review.summary, HasSubstr("email, social, blog"));
}

}  // namespace
}  // namespace campaign
