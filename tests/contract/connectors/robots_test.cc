// robots.txt: the rules by themselves, and a renderer that keeps to them over real sockets.
#include "activities/connectors/webdriver/polite_renderer.h"
#include "activities/connectors/webdriver/robots_rules.h"
#include "gmock/gmock.h"
#include "tests/contract/connectors/fixture.h"
#include "tests/contract/connectors/raw_server.h"

namespace connector_test {
namespace {

using webdriver::RenderedPage;
using webdriver::RobotsRules;

struct Case {
  const char* robots;
  const char* path;
  bool allowed;
};

TEST(RobotsRules, FollowsRfc9309) {
  const Case cases[] = {
      {"", "/", true},
      {"User-agent: *\nDisallow: /", "/x", false},
      {"User-agent: *\nDisallow:", "/x", true},
      {"User-agent: *\nDisallow: /private", "/private/x", false},
      {"User-agent: *\nDisallow: /private", "/public", true},
      {"User-agent: *\nDisallow: /p\nAllow: /p/open", "/p/open/x", true},
      {"User-agent: *\nAllow: /p/open\nDisallow: /p", "/p/shut", false},
      {"User-agent: *\nDisallow: /p\nAllow: /p", "/p", true},
      {"User-agent: *\nDisallow: /*.pdf$", "/a/b.pdf", false},
      {"User-agent: *\nDisallow: /*.pdf$", "/a/b.pdf?x", true},
      {"User-agent: *\nDisallow: /*/secret", "/a/b/secret/c", false},
      {"User-agent: *\nDisallow: *", "/x", false},
      {"User-agent: *\nDisallow: /?q=", "/?q=1", false},
      {"User-agent: other\nDisallow: /", "/x", true},
      {"User-agent: CampaignD/1.0\nDisallow: /", "/x", false},
      {"User-agent: campaignd\nAllow: /\nUser-agent: *\nDisallow: /", "/x", true},
      {"User-agent: other\nUser-agent: campaignd\nDisallow: /", "/x", false},
      {"user-AGENT : * # all\r\n DISALLOW : /x # not this\r\n", "/x/y", false},
      {"Disallow: /\nUser-agent: *\nDisallow: /a", "/b", true},
      {"User-agent: *\nCrawl-delay: 5\nDisallow: /a\n\nSitemap: http://x/", "/a", false},
      {"User-agent: *\nDisallow: /", "/robots.txt", true},
      {"\x01\x02 nonsense\n:::\nUser-agent\n", "/x", true},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(RobotsRules::Parse(each.robots, "campaignd").Allows(each.path), each.allowed)
        << each.robots << " : " << each.path;
  }
}

TEST(RobotsRules, AHostilePatternCostsLittle) {
  std::string pattern = "/";
  for (int i = 0; i < 2000; ++i) pattern += "*a";
  const RobotsRules rules =
      RobotsRules::Parse("User-agent: *\nDisallow: " + pattern + "b", "campaignd");
  EXPECT_TRUE(rules.Allows("/" + std::string(8000, 'a')));
}

class FakePages : public webdriver::PageRenderer {
 public:
  base::Task<base::Outcome<RenderedPage>> Render(std::string url, outbound::CallContext) override {
    rendered.push_back(url);
    co_return RenderedPage{.url = url};
  }
  std::vector<std::string> rendered;
};

std::string Answer(const std::string& status, const std::string& body,
                   const std::string& header = "") {
  return "HTTP/1.1 " + status + "\r\n" + header + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + body;
}

class PoliteRendererTest : public LoopTest {
 protected:
  base::Outcome<RenderedPage> Render(const std::string& url, bool private_allowed = true) {
    webdriver::PoliteRenderer polite(loop(), outbound(), pages_,
                                     {.private_addresses_allowed = private_allowed});
    return Run(polite.Render(url, Context("wf")));
  }
  FakePages pages_;
};

TEST_F(PoliteRendererTest, RendersWhatIsAllowedAndAsksOnce) {
  RawServer site({Answer("200 OK", "User-agent: *\nDisallow: /private\n")});
  webdriver::PoliteRenderer polite(loop(), outbound(), pages_, {.private_addresses_allowed = true});
  EXPECT_TRUE(Run(polite.Render(site.url() + "a", Context("wf"))).ok());
  EXPECT_TRUE(Run(polite.Render(site.url() + "b", Context("wf"))).ok());
  const auto forbidden = Run(polite.Render(site.url() + "private/x", Context("wf")));
  ASSERT_FALSE(forbidden.ok());
  EXPECT_EQ(forbidden.failure().type, "RobotsDisallow");
  EXPECT_FALSE(forbidden.failure().retryable);
  EXPECT_EQ(pages_.rendered.size(), 2u);
  EXPECT_EQ(site.requests(), 1);
}

TEST_F(PoliteRendererTest, ASiteWithoutRulesAllowsAllAndOneInTroubleNothing) {
  RawServer without({Answer("404 Not Found", "no")});
  EXPECT_TRUE(Render(without.url() + "x").ok());
  RawServer broken({Answer("500 Internal Server Error", "")});
  const auto later = Render(broken.url() + "x");
  ASSERT_FALSE(later.ok());
  EXPECT_TRUE(later.failure().retryable);
  EXPECT_EQ(pages_.rendered.size(), 1u);
}

TEST_F(PoliteRendererTest, FollowsARedirectOfTheRules) {
  RawServer target({Answer("200 OK", "User-agent: *\nDisallow: /\n")});
  RawServer site({Answer("301 Moved", "", "Location: " + target.url() + "robots.txt\r\n")});
  EXPECT_EQ(Render(site.url() + "x").failure().type, "RobotsDisallow");
}

TEST_F(PoliteRendererTest, NoPrivateAddressIsConnectedTo) {
  RawServer site({Answer("200 OK", "")});
  const auto refused = Render(site.url() + "x", /*private_allowed=*/false);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.failure().type, "AddressNotAllowed");
  EXPECT_FALSE(refused.failure().retryable);
  EXPECT_EQ(site.connections(), 0);
  const std::string port = std::to_string(site.port());
  for (const char* host :
       {"localhost", "127.1", "2130706433", "0x7f.0.0.1", "[::ffff:127.0.0.1]"}) {
    const auto other = Render("http://" + std::string(host) + ":" + port + "/", false);
    ASSERT_FALSE(other.ok()) << host;
    EXPECT_EQ(other.failure().type, "AddressNotAllowed") << host;
  }
  EXPECT_EQ(site.connections(), 0);
  EXPECT_TRUE(pages_.rendered.empty());
}

// A pooled connection to the same host must not be used by a request that may not go there.
TEST_F(PoliteRendererTest, APooledConnectionIsNoWayAround) {
  RawServer site({Answer("200 OK", "")});
  ASSERT_EQ(Run(http().Send({.url = site.url()}, {}, {})).end, outbound::TransferEnd::kAnswered);
  outbound::HttpRequest request{.url = site.url()};
  request.public_only = true;
  EXPECT_EQ(Run(http().Send(request, {}, {})).end, outbound::TransferEnd::kForbidden);
  EXPECT_EQ(site.requests(), 1);
}

}  // namespace
}  // namespace connector_test
