// What counts as a page: by what the browser says of the document.
#include <string>

#include "activities/connectors/webdriver/page_script.h"
#include "gtest/gtest.h"

namespace webdriver {
namespace {

base::Outcome<RenderedPage> Read(const std::string& type) {
  return ReadPage(
      "https://example.com/x",
      R"({"url":"https://example.com/x","status":200,"title":"T","type":")" + type + "\"}", 1000);
}

TEST(ReadPage, TakesDocumentsThatPeopleRead) {
  for (const char* type : {"", "text/html", "application/xhtml+xml", "text/plain",
                           "application/xml", "application/rss+xml", "application/json"}) {
    const auto page = Read(type);
    ASSERT_TRUE(page.ok()) << type << ": " << page.failure().ToString();
    EXPECT_EQ(page->title, "T");
  }
}

TEST(ReadPage, RefusesOtherContent) {
  for (const char* type :
       {"image/png", "image/svg+xml", "video/mp4", "application/pdf", "application/octet-stream"}) {
    const auto page = Read(type);
    ASSERT_FALSE(page.ok()) << type;
    EXPECT_EQ(page.failure().type, "PageError");
    EXPECT_FALSE(page.failure().retryable);
  }
}

}  // namespace
}  // namespace webdriver
