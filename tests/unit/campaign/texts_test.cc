// The texts that go out: mail, post, page.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "activities/campaign/blog_page.h"
#include "activities/campaign/email_text.h"
#include "activities/campaign/names.h"
#include "tests/unit/campaign/specs.h"

namespace campaign {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kLink[] = "https://e.com/c/x?utm_campaign=x&utm_source=email";

TEST(MakeEmail, HasTextAndHtmlWithTheLink) {
  const Email email = MakeEmail(SpringSpec(), SpringPieces(), kLink, "https://e.com/b.png");
  EXPECT_EQ(email.subject, "Your spring shoes");
  EXPECT_THAT(email.text, EndsWith("Find out more: " + std::string(kLink) + "\n"));
  EXPECT_THAT(email.html,
              HasSubstr("href=\"https://e.com/c/x?utm_campaign=x&amp;utm_source=email\""));
  EXPECT_THAT(email.html, HasSubstr("<img src=\"https://e.com/b.png\""));
  EXPECT_THAT(email.html, HasSubstr("Light shoes &amp; &lt;bright&gt; days"));
  EXPECT_THAT(email.html, HasSubstr("<p>spring is here.<br>\nRun!</p>"));
}

TEST(MakeEmail, DoesWithoutABanner) {
  EXPECT_THAT(MakeEmail(SpringSpec(), SpringPieces(), kLink, "").html, Not(HasSubstr("<img")));
}

TEST(BlogPage, IsOneEscapedPage) {
  const std::string page = BlogPage(SpringSpec(), SpringPieces(), kLink, "https://e.com/h.png");
  EXPECT_THAT(page, HasSubstr("<title>Run into spring</title>"));
  EXPECT_THAT(page, HasSubstr("<h2>Why</h2>"));
  EXPECT_THAT(page, HasSubstr("<li><strong>fast</strong></li>"));
  EXPECT_THAT(page, HasSubstr("og:image\" content=\"https://e.com/h.png\""));
  EXPECT_THAT(page, Not(HasSubstr("<bright>")));
}

TEST(BlogPage, CarriesNoScriptOfTheContent) {
  Pieces pieces;
  AddPiece(&pieces, "headline", "</title><script>alert(1)</script>");
  AddPiece(&pieces, "blog_outline", "<script>alert(2)</script>");
  EXPECT_THAT(BlogPage(SpringSpec(), pieces, kLink, "javascript:alert(3)"),
              Not(HasSubstr("<script")));
}

}  // namespace
}  // namespace campaign
