#include "activities/campaign/review_files.h"

#include <gtest/gtest.h>

#include "activities/campaign/review_text.h"
#include "tests/unit/campaign/specs.h"

namespace campaign {
namespace {

TEST(ContentFiles, EveryTextComesBackFromItsFile) {
  const v1::CampaignSpec spec = SpringSpec();
  const Pieces pieces = SpringPieces();
  const auto files = ReviewFiles("acme/wf 1", spec, pieces, {}, "reviews/");
  int found = 0;
  for (const github::File& file : files) {
    const std::string id = ContentIdOfPath("reviews/", "acme/wf 1", file.path);
    if (id.empty()) continue;
    ++found;
    for (const v1::ContentPiece& piece : pieces) {
      if (piece.content_id() == id) EXPECT_EQ(TextOfContentFile(file.content), piece.text());
    }
  }
  EXPECT_EQ(found, pieces.size());
}

TEST(ContentFiles, OtherPathsHoldNoText) {
  EXPECT_EQ(ContentIdOfPath("reviews", "wf", "reviews/wf/headline.md"), "headline");
  EXPECT_EQ(ContentIdOfPath("reviews", "wf", "reviews/wf/README.md"), "");
  EXPECT_EQ(ContentIdOfPath("reviews", "wf", "reviews/other/headline.md"), "");
  EXPECT_EQ(ContentIdOfPath("reviews", "wf", "reviews/wf/headline.md.bak"), "");
  EXPECT_EQ(ContentIdOfPath("reviews", "wf", "x/reviews/wf/headline.md"), "");
}

TEST(ContentFiles, EditorsMayChangeWhatIsAroundTheText) {
  EXPECT_EQ(TextOfContentFile("<!-- Headline -->\n\nRun\n"), "Run");
  EXPECT_EQ(TextOfContentFile("\xEF\xBB\xBF<!-- Headline -->\r\n\r\nRun\r\nfast\r\n"), "Run\nfast");
  EXPECT_EQ(TextOfContentFile("Run"), "Run");
  EXPECT_EQ(TextOfContentFile("<!-- Headline"), "");
  EXPECT_EQ(TextOfContentFile("<!-- x -->\nA <!-- y --> B"), "A <!-- y --> B");
  EXPECT_EQ(TextOfContentFile(""), "");
}

TEST(CampaignOfPull, IsWhatTheMarkerAndTheBranchSay) {
  for (const char* key : {"wf-1", "a--b>c", "acme/wf-1"}) {
    const std::string body =
        PullRequestBody(key, SpringSpec(), SpringPieces(), Assets(), Moderation());
    EXPECT_EQ(CampaignOfPull(body, BranchName(key)).value_or(""), key);
  }
  const std::string body = CampaignMarker("victim");
  EXPECT_FALSE(CampaignOfPull(body, BranchName("mine")).has_value());  // an edited description
  EXPECT_FALSE(CampaignOfPull("no marker", "campaign/x").has_value());
  EXPECT_FALSE(CampaignOfPull("<!-- campaign-workflow-id: x", "campaign/x").has_value());
  EXPECT_TRUE(IsCampaignBranch(BranchName("wf")));
  EXPECT_FALSE(IsCampaignBranch("feature/x"));
  EXPECT_FALSE(IsCampaignBranch("campaign/"));
}

}  // namespace
}  // namespace campaign
