// Research in Notion: pages found, read and bounded.
#include "activities/connectors/notion/notion_client.h"
#include "gmock/gmock.h"
#include "tests/contract/connectors/fixture.h"
#include "tests/contract/connectors/scripted_vendor.h"

namespace connector_test {
namespace {

using testing::HasSubstr;

Json PageJson(const std::string& id, const std::string& title, const std::string& topic = "") {
  return {{"object", "page"},
          {"id", id},
          {"url", "https://notion.so/" + id},
          {"in_trash", false},
          {"properties",
           {{"Name", {{"type", "title"}, {"title", {{{"plain_text", title}}}}}},
            {"Topic", {{"type", "select"}, {"select", {{"name", topic}}}}}}}};
}

Json List(Json results, const std::string& next = "") {
  return {{"object", "list"},
          {"results", std::move(results)},
          {"has_more", !next.empty()},
          {"next_cursor", next.empty() ? Json() : Json(next)}};
}

Json Paragraph(const std::string& id, const std::string& text, bool has_children = false) {
  return {{"object", "block"},
          {"id", id},
          {"type", "paragraph"},
          {"has_children", has_children},
          {"paragraph", {{"rich_text", {{{"plain_text", text}}}}}}};
}

// A workspace with one database of two data sources, each read in two pages.
outbound::Transfer Workspace(const outbound::HttpRequest& request) {
  const auto has = [&](const char* part) { return request.url.find(part) != std::string::npos; };
  if (has("/v1/databases/db")) {
    return Answer(200, R"({"object":"database","data_sources":[{"id":"a"},{"id":"b"}]})");
  }
  const bool second = request.body.find("start_cursor") != std::string::npos;
  if (has("/v1/data_sources/a/query")) {
    return second
               ? Answer(200, List(Json::array({PageJson("a2", "Tents for camping")})).dump())
               : Answer(200, List(Json::array({PageJson("a1", "Shoes", "Running")}), "c").dump());
  }
  if (has("/v1/data_sources/b/query")) {
    return Answer(200, List(Json::array({PageJson("b1", "Running shoes review")})).dump());
  }
  if (has("/v1/blocks/a1/children")) {
    return Answer(
        200, List(Json::array({Paragraph("p1", "Outer", true), Paragraph("p2", "Last")})).dump());
  }
  if (has("/v1/blocks/p1/children")) {
    return Answer(200, List(Json::array({Paragraph("p3", "Inner")})).dump());
  }
  return Answer(200, List(Json::array({Paragraph("x", "Text")})).dump());
}

class NotionTest : public SandboxTest, public testing::WithParamInterface<std::string> {
 protected:
  NotionTest() {
    if (GetParam() == "none") return;
    AddFault(R"({"vendor":"notion","count":2,"kind":")" + GetParam() + "\"}");
  }
  notion::NotionClient client_{outbound(), {.base_url = url("/notion"), .token = "ntn-test-1"}};
};

TEST_P(NotionTest, FindsPagesOfADatabaseWithTheirText) {
  const auto found =
      Run(client_.QueryDatabase("campaign-research", "audience of developers", 3, Context("wf-1")));
  ASSERT_TRUE(found.ok()) << found.failure().ToString();
  ASSERT_FALSE(found->pages.empty());
  EXPECT_EQ(found->pages[0].title, "Audience profile: developers");
  EXPECT_THAT(found->pages[0].text, HasSubstr("working examples"));
  EXPECT_FALSE(found->pages[0].url.empty());
}

TEST_P(NotionTest, SearchesEverythingShared) {
  ASSERT_TRUE(Run(client_.QueryDatabase("campaign-research", "", 1, Context("wf-1"))).ok());
  const auto found = Run(client_.Search("developers", 3, Context("wf-1")));
  ASSERT_TRUE(found.ok()) << found.failure().ToString();
  for (const notion::Page& page : found->pages) EXPECT_FALSE(page.text.empty()) << page.title;
}

TEST_P(NotionTest, ADatabaseThatIsNotSharedIsNotFound) {
  const auto found = Run(client_.QueryDatabase("missing", "x", 3, Context("wf-1")));
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.failure().type, "NotFound");
}

INSTANTIATE_TEST_SUITE_P(Kinds, NotionTest,
                         testing::Values("none", "error", "reset", "lost_response", "malformed"),
                         [](const auto& info) { return info.param; });

class NotionScriptedTest : public ScriptedTest {
 protected:
  notion::NotionClient client_{scripted(), {.base_url = "https://notion", .token = "ntn-test-1"}};
};

TEST_F(NotionScriptedTest, QueriesEveryDataSourceAndRanksByWords) {
  Script(Workspace);
  const auto found = Run(client_.QueryDatabase("db", "running SHOES review", 5, Context("wf-1")));
  ASSERT_TRUE(found.ok()) << found.failure().ToString();
  ASSERT_EQ(found->pages.size(), 2u);
  EXPECT_TRUE(found->complete);
  EXPECT_EQ(found->pages[0].id, "b1");
  EXPECT_EQ(found->pages[1].id, "a1");
  EXPECT_EQ(found->pages[1].title, "Shoes");
  EXPECT_EQ(found->pages[1].url, "https://notion.so/a1");
  EXPECT_EQ(found->pages[1].text, "Outer\nInner\nLast");
  EXPECT_EQ(HeaderOf(requests()[0], "Notion-Version"), "2025-09-03");
}

TEST_F(NotionScriptedTest, WithoutAWordThatFitsItGivesTheNewest) {
  Script(Workspace);
  for (const char* query : {"", "nothing of the kind"}) {
    const auto found = Run(client_.QueryDatabase("db", query, 2, Context("wf-1")));
    ASSERT_TRUE(found.ok()) << found.failure().ToString();
    ASSERT_EQ(found->pages.size(), 2u);
    EXPECT_EQ(found->pages[0].id, "a1");
    EXPECT_EQ(found->pages[1].id, "a2");
  }
}

TEST_F(NotionScriptedTest, TheOldVersionQueriesTheDatabase) {
  Script([](const outbound::HttpRequest&) { return Answer(200, List(Json::array()).dump()); });
  notion::NotionClient old(
      scripted(), {.base_url = "https://notion", .token = "ntn-test-1", .version = "2022-06-28"});
  ASSERT_TRUE(Run(old.QueryDatabase("db", "x", 5, Context("wf-1"))).ok());
  EXPECT_EQ(requests()[0].url, "https://notion/v1/databases/db/query");
}

TEST_F(NotionScriptedTest, StopsAtItsBoundsAndSaysSo) {
  int calls = 0;
  Script([&calls](const outbound::HttpRequest& request) {
    if (request.url.find("/blocks/") != std::string::npos) {
      Json blocks = Json::array();
      for (int i = 0; i < 100; ++i) blocks.push_back(Paragraph("p", std::string(1000, 'x'), true));
      return Answer(200, List(blocks, "more").dump());
    }
    ++calls;
    return Answer(200, List(Json::array({PageJson("p", "T"), PageJson("q", "T")}), "more").dump());
  });
  notion::NotionClient client(scripted(), {.base_url = "https://notion",
                                           .token = "ntn-test-1",
                                           .pages_scanned_max = 6,
                                           .text_bytes_max = 5000});
  const auto found = Run(client.Search("t", 1, Context("wf-1")));
  ASSERT_TRUE(found.ok()) << found.failure().ToString();
  EXPECT_FALSE(found->complete);
  EXPECT_EQ(calls, 3);
  ASSERT_EQ(found->pages.size(), 1u);
  EXPECT_LE(found->pages[0].text.size(), 5000u);
}

TEST_F(NotionScriptedTest, SaysWhatNotionSaid) {
  ScriptList({Answer(404, R"({"object":"error","status":404,"code":"object_not_found",
                              "message":"Could not find database"})")});
  const auto missing = Run(client_.QueryDatabase("db", "x", 5, Context("wf-1")));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.failure().type, "NotFound");
  EXPECT_THAT(missing.failure().message, HasSubstr("Could not find database"));
  ScriptList({Answer(401, R"({"object":"error","code":"unauthorized","message":"bad token"})")});
  const auto unauthorized = Run(client_.Search("x", 5, Context("wf-1")));
  EXPECT_EQ(unauthorized.failure().type, "Unauthorized");
  EXPECT_FALSE(unauthorized.failure().retryable);
}

TEST_F(NotionScriptedTest, AConflictPasses) {
  ScriptList({Answer(409, R"({"object":"error","code":"conflict_error","message":"again"})"),
              Answer(200, List(Json::array()).dump())});
  EXPECT_TRUE(Run(client_.Search("x", 5, Context("wf-1"))).ok());
}

}  // namespace
}  // namespace connector_test
