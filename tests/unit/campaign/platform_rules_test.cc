#include "activities/campaign/platform_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace campaign {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr char kLink[] = "https://example.com/c/spring?utm_campaign=spring&utm_source=social";

TEST(PostLength, IsCountedTheNetworksWay) {
  const PlatformRules& x = RulesOf("twitter");
  EXPECT_EQ(PostLength(x, "abc"), 3u);
  EXPECT_EQ(PostLength(x, "é…"), 1u + 2u) << "Latin is one, the ellipsis is two";
  EXPECT_EQ(PostLength(x, "日本語"), 6u);
  EXPECT_EQ(PostLength(x, "👍"), 2u);
  EXPECT_EQ(PostLength(x, absl::StrCat("a ", kLink)), 2u + 23u);
  EXPECT_EQ(PostLength(RulesOf("linkedin"), "👍日"), 3u) << "UTF-16 units";
  EXPECT_EQ(PostLength(RulesOf("bluesky"), "👍日"), 2u);
  EXPECT_EQ(PostLength(RulesOf("mastodon"), kLink), 23u);
  EXPECT_EQ(PostLength(RulesOf("linkedin"), kLink), absl::string_view(kLink).size());
}

TEST(PostLength, TakesAnyBytes) {
  for (const PlatformRules& rules : AllPlatformRules()) {
    EXPECT_GT(PostLength(rules, "\xFF\xC3\xE2\x82 \xF0\x9F"), 0u);
  }
}

TEST(FitPost, EveryNetworkGetsAPostWithinItsLimitThatHoldsTheLink) {
  std::string post;
  for (int i = 0; i < 1500; ++i) absl::StrAppend(&post, i % 7 == 0 ? "#läufer " : "日本 words👍 ");
  for (const PlatformRules& rules : AllPlatformRules()) {
    const std::string fitted = FitPost(rules, post, kLink);
    EXPECT_LE(PostLength(rules, fitted), rules.length_max) << rules.service;
    EXPECT_GT(PostLength(rules, fitted), rules.length_max * 9 / 10) << rules.service;
    EXPECT_THAT(fitted, EndsWith(absl::StrCat("…\n\n", kLink))) << rules.service;
    const std::vector<std::string> parts = absl::StrSplit(fitted, " #");
    EXPECT_LE(parts.size(), rules.hashtags_max + 1) << rules.service;
  }
}

TEST(FitPost, LeavesAPostThatFitsAsItIs) {
  EXPECT_EQ(FitPost(RulesOf("twitter"), "Run! #spring #city", "https://x.io"),
            "Run! #spring #city\n\nhttps://x.io");
}

TEST(FitPost, HashtagsBeyondTheLimitBecomeWords) {
  EXPECT_EQ(FitPost(RulesOf("twitter"), "#a #b #c C# #", "https://x.io"),
            "#a #b c C# #\n\nhttps://x.io");
}

TEST(FitPost, CutsAtAWordOrInsideAHugeOne) {
  const std::string cut = FitPost(RulesOf("twitter"), "one two three four", "https://x.io", 38);
  EXPECT_EQ(cut, "one two…\n\nhttps://x.io");
  const std::string huge = FitPost(RulesOf("twitter"), std::string(400, 'a'), "https://x.io");
  EXPECT_THAT(huge, StartsWith("aaaa"));
  EXPECT_EQ(PostLength(RulesOf("twitter"), huge), 280u);
  EXPECT_EQ(FitPost(RulesOf("twitter"), "word", "https://x.io", 10), "https://x.io");
}

TEST(EscapeLinkedIn, EscapesWhatWouldCutTheText) {
  EXPECT_EQ(EscapeLinkedIn("a (b) *c* #spring2026! @d"),
            "a \\(b\\) \\*c\\* {hashtag|\\#|spring2026}! \\@d");
  EXPECT_EQ(EscapeLinkedIn("C# | x"), "C\\# \\| x");
}

TEST(SocialChannel, IsAnIdAndAKnownService) {
  EXPECT_EQ(SocialChannelProblem("abc linkedin"), "");
  EXPECT_EQ(SocialChannelProblem("abc x"), "");
  EXPECT_EQ(ParseSocialChannel("abc x").service, "twitter");
  EXPECT_THAT(SocialChannelProblem("abc"), HasSubstr("CHANNEL_ID SERVICE"));
  EXPECT_THAT(SocialChannelProblem("abc myspace"), HasSubstr("twitter"));
  EXPECT_EQ(ParseSocialChannel("abc linkedin").service, "linkedin");
}

}  // namespace
}  // namespace campaign
