#include "activities/campaign/moderation_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/campaign/review_text.h"
#include "activities/campaign/settings.h"
#include "tests/unit/campaign/specs.h"

namespace campaign {
namespace {

using ::testing::HasSubstr;

v1::ContentPiece Piece(const std::string& text) {
  v1::ContentPiece piece;
  piece.set_content_id("headline");
  piece.set_text(text);
  return piece;
}

std::string Found(const ModerationRules& rules, const std::string& text) {
  std::string found;
  for (const v1::ModerationFinding& finding : rules.Check(Piece(text))) {
    found += finding.rule() + "/" + finding.severity() + "/" + finding.excerpt() + ";";
  }
  return found;
}

TEST(ModerationRules, FindTheFirstPlaceOfEachRule) {
  const auto rules = ModerationRules::Make({"money warning \\$[0-9]+", "rude block (?i)damn"});
  ASSERT_TRUE(rules.ok()) << rules.status();
  EXPECT_EQ(Found(*rules, "Only $5, not $7. DAMN good."), "money/warning/$5;rude/block/DAMN;");
  EXPECT_EQ(Found(*rules, "Nice shoes."), "");
}

TEST(ModerationRules, TheDefaultsCatchPlaceholdersAndPromises) {
  const auto rules = ModerationRules::Make(ModerationSettings().rules);
  ASSERT_TRUE(rules.ok()) << rules.status();
  EXPECT_THAT(Found(*rules, "Dear [insert name]"), HasSubstr("placeholder/block/[insert name]"));
  EXPECT_THAT(Found(*rules, "Lorem ipsum dolor"), HasSubstr("placeholder/block"));
  EXPECT_THAT(Found(*rules, "Hello {{first_name}}"), HasSubstr("placeholder/block"));
  EXPECT_THAT(Found(*rules, "Results guaranteed!"), HasSubstr("promise/warning/guaranteed"));
  EXPECT_THAT(Found(*rules, "The best shoes"), HasSubstr("superlative/warning/The best"));
  EXPECT_EQ(Found(*rules, "Comfortable shoes for long runs."), "");
}

TEST(ModerationRules, NameEveryWrongLine) {
  const auto rules = ModerationRules::Make({"a warning", "b maybe x", "c block (", "d block x"});
  ASSERT_FALSE(rules.ok());
  EXPECT_THAT(rules.status().message(), HasSubstr("\"a warning\""));
  EXPECT_THAT(rules.status().message(), HasSubstr("\"b maybe x\""));
  EXPECT_THAT(rules.status().message(), HasSubstr("missing )"));
  EXPECT_EQ(rules.status().message().find("\"d block x\""), std::string::npos);
}

TEST(ModerationRules, APatternCannotTakeForever) {
  const auto rules = ModerationRules::Make({"slow block (a*)*b"});
  ASSERT_TRUE(rules.ok());
  EXPECT_EQ(Found(*rules, std::string(200'000, 'a')), "") << "RE2 is linear in the text";
}

TEST(ReviewText, ShowsTheReviewersWhatModerationFound) {
  Moderation moderation;
  v1::ModerationFinding* finding = moderation.Add();
  finding->set_content_id("headline");
  finding->set_rule("promise");
  finding->set_severity("warning");
  finding->set_excerpt("*guaranteed*");
  const std::string body = PullRequestBody("wf-1", SpringSpec(), SpringPieces(), {}, moderation);
  EXPECT_THAT(body, HasSubstr("## Moderation"));
  EXPECT_THAT(body, HasSubstr("| promise | warning | \\*guaranteed\\* |"));
  EXPECT_THAT(SlackReview("wf-1", SpringSpec(), SpringPieces(), "https://pr", moderation).summary,
              HasSubstr("Moderation (warning): "));
}

}  // namespace
}  // namespace campaign
