#include "activities/campaign/html.h"

#include <gtest/gtest.h>

namespace campaign {
namespace {

TEST(EscapeHtml, EscapesTextAndAttributes) {
  EXPECT_EQ(EscapeHtml("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
}

TEST(ParagraphsToHtml, SplitsAtBlankLines) {
  EXPECT_EQ(ParagraphsToHtml("a\nb\n\n\nc"), "<p>a<br>\nb</p>\n<p>c</p>\n");
  EXPECT_EQ(ParagraphsToHtml(""), "");
}

TEST(MarkdownToHtml, WritesHeadingsListsAndParagraphs) {
  EXPECT_EQ(MarkdownToHtml("# A\n\ntext\nmore\n\n- one\n- two\n1. first\n### B"),
            "<h2>A</h2>\n<p>text\nmore</p>\n<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n"
            "<ol>\n<li>first</li>\n</ol>\n<h3>B</h3>\n");
}

TEST(MarkdownToHtml, WritesEmphasis) {
  EXPECT_EQ(MarkdownToHtml("**a** *b* `c` 2 * 3 * 4"),
            "<p><strong>a</strong> <em>b</em> <code>c</code> 2 * 3 * 4</p>\n");
}

TEST(MarkdownToHtml, NeverLetsMarkupThrough) {
  EXPECT_EQ(MarkdownToHtml("<script>x</script>"), "<p>&lt;script&gt;x&lt;/script&gt;</p>\n");
  EXPECT_EQ(MarkdownToHtml("## <b>"), "<h2>&lt;b&gt;</h2>\n");
}

TEST(MarkdownToHtml, LeavesUnpairedMarks) {
  EXPECT_EQ(MarkdownToHtml("a ** b"), "<p>a ** b</p>\n");
  EXPECT_EQ(MarkdownToHtml("#hashtag"), "<p>#hashtag</p>\n");
}

TEST(SafeUrl, TakesOnlyHttp) {
  EXPECT_EQ(SafeUrl("https://e.com/?a=1&b=\"2\""), "https://e.com/?a=1&amp;b=&quot;2&quot;");
  EXPECT_EQ(SafeUrl("javascript:alert(1)"), "");
}

}  // namespace
}  // namespace campaign
