#include "activities/campaign/names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace campaign {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(Slug, KeepsOrdinaryIds) { EXPECT_EQ(Slug("spring-launch_2026"), "spring-launch_2026"); }

TEST(Slug, MakesOtherIdsSafeAndKeepsThemApart) {
  EXPECT_THAT(Slug("a b"), StartsWith("a-b-"));
  EXPECT_NE(Slug("a b"), Slug("a/b"));
  EXPECT_NE(Slug("../etc"), Slug("..-etc"));
  EXPECT_THAT(Slug("../etc"), Not(HasSubstr("..")));
  EXPECT_FALSE(Slug("").empty());
}

TEST(CampaignKey, KeepsTenantsWithOneWorkflowIdApart) {
  EXPECT_EQ(CampaignKey("default", "wf-1"), "wf-1");
  EXPECT_EQ(CampaignKey("acme", "wf-1"), "acme/wf-1");
  EXPECT_EQ(SplitCampaignKey("wf-1"), std::make_pair(std::string("default"), std::string("wf-1")));
  EXPECT_EQ(SplitCampaignKey("a/b/wf-1"), std::make_pair(std::string("a/b"), std::string("wf-1")));
  EXPECT_EQ(BranchName("acme/wf-1"), "campaign/wf-1.in-acme");
  // No workflow id of "default" makes these names: they have no dot.
  for (const char* id : {"wf-1.in-acme", "wf-1-in-acme", "acme-wf-1"}) {
    EXPECT_NE(Slug(id), Slug("acme/wf-1"));
    EXPECT_THAT(Slug(id), Not(HasSubstr(".")));
  }
  EXPECT_NE(DraftKey("acme/wf-1", kHeadline), DraftKey("wf-1", kHeadline));
  EXPECT_THAT(TrackedLink("https://e.com", "acme/wf-1", kSocial),
              HasSubstr(SocialMarker("acme/wf-1")));
}

TEST(Slug, IsBounded) {
  const std::string id(5000, 'x');
  EXPECT_LT(Slug(id).size(), 120u);
  EXPECT_NE(Slug(id), Slug(id + "x"));
}

TEST(Names, FollowFromTheWorkflowId) {
  EXPECT_EQ(BranchName("wf-1"), "campaign/wf-1");
  EXPECT_EQ(PagePath("campaigns/", "wf-1"), "campaigns/wf-1.html");
  EXPECT_EQ(ReviewDir("campaigns", "wf-1"), "campaigns/wf-1");
  EXPECT_EQ(AssetKey("wf-1", AssetType(kEmail), "png"), "campaigns/wf-1/email_banner.png");
  EXPECT_EQ(DraftKey("wf-1", kHeadline), "wf-1/headline");
  EXPECT_EQ(DraftKeys("wf-1").size(), 6u);
}

TEST(TrackedLink, HoldsTheMarkerOfTheSocialPost) {
  const std::string link = TrackedLink("https://example.com/", "wf-1", kSocial);
  EXPECT_EQ(link, "https://example.com/c/wf-1?utm_campaign=wf-1&utm_source=social&utm_medium=web");
  EXPECT_THAT(link, HasSubstr(SocialMarker("wf-1")));
}

TEST(TrackedLink, MarkerOfOneCampaignIsNotInTheLinkOfAnother) {
  for (const char* other : {"wf-12", "1wf-1"}) {
    EXPECT_THAT(TrackedLink("https://example.com", other, kSocial),
                Not(HasSubstr(SocialMarker("wf-1"))));
  }
}

TEST(TrackedLink, EscapesTheId) {
  EXPECT_THAT(TrackedLink("https://e.com", "a b&c", kEmail), HasSubstr("utm_campaign=a%20b%26c&"));
}

TEST(CleanText, CutsBetweenCharacters) {
  EXPECT_EQ(CleanText("äöü", 3), "äöü");
  EXPECT_EQ(CleanText("äöüß", 3), "äö…");
}

TEST(CleanText, MakesEverythingUtf8) {
  EXPECT_EQ(CleanText("a\xFF"
                      "b",
                      10),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(CleanText("a\xC3", 10), "a\xEF\xBF\xBD");                // a sequence without its end
  EXPECT_EQ(CleanText("\xC0\xAF", 10), "\xEF\xBF\xBD\xEF\xBF\xBD");  // overlong
  EXPECT_EQ(CleanText(std::string("a\0b\x07", 4), 10), "ab");
}

TEST(CleanLine, JoinsLines) { EXPECT_EQ(CleanLine("  a\n\t b  ", 10), "a b"); }

TEST(CharacterCount, CountsCharactersNotBytes) { EXPECT_EQ(CharacterCount("äöü€😀"), 5u); }

}  // namespace
}  // namespace campaign
