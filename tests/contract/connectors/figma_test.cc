// Renders of Figma nodes: nulls, sizes and expired URLs are part of the day.
#include "activities/connectors/figma/figma_client.h"
#include "gmock/gmock.h"
#include "tests/contract/connectors/fixture.h"
#include "tests/contract/connectors/scripted_vendor.h"

namespace connector_test {
namespace {

using testing::HasSubstr;

const std::string kPng("\x89PNG\r\n\x1A\n....", 12);

class FigmaTest : public SandboxTest, public testing::WithParamInterface<std::string> {
 protected:
  figma::FigmaClient client_{outbound(), {.base_url = url("/figma"), .token = "figd-test-1"}};
};

TEST_P(FigmaTest, RendersAndDownloads) {
  if (GetParam() != "none") {
    AddFault(R"({"vendor":"figma","count":1,"kind":")" + GetParam() + "\"}");
  }
  const auto renders =
      Run(client_.RenderNodes("CampaignKit", {"1:2", "1:3"}, "png", 1, Context("wf-1")));
  ASSERT_TRUE(renders.ok()) << renders.failure().ToString();
  ASSERT_EQ(renders->size(), 2u);
  ASSERT_TRUE((*renders)[0].url.has_value());
  const auto image = Run(client_.Download(*(*renders)[0].url, Context("wf-1")));
  ASSERT_TRUE(image.ok()) << image.failure().ToString();
  EXPECT_EQ(image->content_type, "image/png");
}

TEST_P(FigmaTest, DownloadsThroughTheImageHostsFaults) {
  const auto renders = Run(client_.RenderNodes("CampaignKit", {"1:7"}, "svg", 1, Context("wf-1")));
  ASSERT_TRUE(renders.ok() && (*renders)[0].url.has_value());
  // Garbage in place of a picture is told to the caller, who asks again.
  if (GetParam() != "none" && GetParam() != "malformed") {
    AddFault(R"({"vendor":"figma-render","count":1,"kind":")" + GetParam() + "\"}");
  }
  const auto image = Run(client_.Download(*(*renders)[0].url, Context("wf-1")));
  ASSERT_TRUE(image.ok()) << image.failure().ToString();
  EXPECT_EQ(image->content_type, "image/svg+xml");
}

TEST_P(FigmaTest, SaysWhichNodesFailed) {
  const auto renders =
      Run(client_.RenderNodes("CampaignKit", {"1:2", "missing-node"}, "png", 1, Context("wf-1")));
  ASSERT_TRUE(renders.ok()) << renders.failure().ToString();
  EXPECT_TRUE((*renders)[0].url.has_value());
  EXPECT_FALSE((*renders)[1].url.has_value());
}

INSTANTIATE_TEST_SUITE_P(Kinds, FigmaTest,
                         testing::Values("none", "error", "reset", "lost_response", "malformed",
                                         "rate_limit"),
                         [](const auto& info) { return info.param; });

class FigmaScriptedTest : public ScriptedTest {
 protected:
  base::Outcome<std::vector<figma::Render>> Render(std::vector<std::string> nodes,
                                                   double scale = 2) {
    return Run(client_.RenderNodes("key/1", std::move(nodes), "png", scale, Context("wf-1")));
  }
  figma::FigmaClient client_{scripted(), {.base_url = "https://figma", .token = "figd-test-1"}};
};

TEST_F(FigmaScriptedTest, TriesFailedNodesOnceMoreAndSmaller) {
  ScriptList({Answer(200, R"({"err":null,"images":{"1:2":"https://a","1:3":null,"1:4":null}})"),
              Answer(200, R"({"err":null,"images":{"1:3":"https://b","1:4":null}})")});
  const auto renders = Render({"1:2", "1:3", "1:4"});
  ASSERT_TRUE(renders.ok()) << renders.failure().ToString();
  ASSERT_EQ(renders->size(), 3u);
  EXPECT_EQ((*renders)[0].url, "https://a");
  EXPECT_EQ((*renders)[0].scale, 2);
  EXPECT_EQ((*renders)[1].url, "https://b");
  EXPECT_EQ((*renders)[1].scale, 1);
  EXPECT_FALSE((*renders)[2].url.has_value());
  ASSERT_EQ(requests().size(), 2u);
  EXPECT_EQ(requests()[0].url,
            "https://figma/v1/images/key%2F1?ids=1%3A2,1%3A3,1%3A4&format=png&scale=2");
  EXPECT_THAT(requests()[1].url, HasSubstr("ids=1%3A3,1%3A4&format=png&scale=1"));
  EXPECT_EQ(HeaderOf(requests()[0], "X-Figma-Token"), "figd-test-1");
}

TEST_F(FigmaScriptedTest, ShrinksARenderThatIsTooLarge) {
  Script([](const outbound::HttpRequest& request) {
    return request.url.ends_with("scale=4")
               ? Answer(500, R"({"status":500,"err":"Render timeout"})")
               : Answer(200, R"({"err":null,"images":{"1:2":"https://a"}})");
  });
  const auto renders = Render({"1:2"}, 4);
  ASSERT_TRUE(renders.ok()) << renders.failure().ToString();
  EXPECT_EQ((*renders)[0].scale, 2);
}

TEST_F(FigmaScriptedTest, ALongWaitIsHandedToTheCaller) {
  ScriptList(
      {Answer(429, R"({"status":429,"err":"Rate limit exceeded"})", {{"retry-after", "259200"}})});
  const auto renders = Render({"1:2"});
  ASSERT_FALSE(renders.ok());
  EXPECT_EQ(renders.failure().retry_after, absl::Hours(72));
  EXPECT_TRUE(renders.failure().retryable);
  EXPECT_EQ(requests().size(), 1u);
}

TEST_F(FigmaScriptedTest, SaysWhatIsWrongForGood) {
  ScriptList({Answer(404, R"({"status":404,"err":"Not found"})")});
  EXPECT_EQ(Render({"1:2"}).failure().type, "NotFound");
  ScriptList({Answer(403, R"({"status":403,"err":"Token expired"})")});
  const auto renders = Render({"1:2"});
  EXPECT_FALSE(renders.failure().retryable);
  EXPECT_THAT(renders.failure().message, HasSubstr("Token expired"));
  for (const auto& nodes : std::vector<std::vector<std::string>>{{}, {"1:2,1:3"}, {""}}) {
    EXPECT_EQ(Render(nodes).failure().type, "InvalidRequest");
  }
  EXPECT_EQ(Render({"1:2"}, 5).failure().type, "InvalidRequest");
}

TEST_F(FigmaScriptedTest, DownloadsPicturesOnlyAndWithoutTheToken) {
  ScriptList({Answer(200, kPng, {{"content-type", "image/png"}})});
  const auto image = Run(client_.Download("https://images/1", Context("wf-1")));
  ASSERT_TRUE(image.ok()) << image.failure().ToString();
  EXPECT_EQ(image->bytes, kPng);
  EXPECT_EQ(HeaderOf(requests()[0], "X-Figma-Token"), "");
  ScriptList({Answer(200, "<html>", {{"content-type", "text/html; charset=utf-8"}})});
  EXPECT_EQ(Run(client_.Download("https://images/1", Context("wf-1"))).failure().type,
            "NotAnImage");
  ScriptList({Answer(200, kPng, {{"content-type", "text/html"}})});
  EXPECT_EQ(Run(client_.Download("https://images/1", Context("wf-1"))).failure().type,
            "NotAnImage");
  ScriptList({Answer(403, "<Error>expired</Error>")});
  EXPECT_EQ(Run(client_.Download("https://images/1", Context("wf-1"))).failure().type, "NotFound");
}

}  // namespace
}  // namespace connector_test
