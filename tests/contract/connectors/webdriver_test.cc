// Pages in a real Chromium by a real chromedriver (Debian package chromium-driver).
#include <signal.h>
#include <unistd.h>

#include <filesystem>

#include "activities/connectors/webdriver/browser_pool.h"
#include "gmock/gmock.h"
#include "tests/contract/connectors/fixture.h"
#include "tests/contract/connectors/raw_server.h"
#include "tests/support/temporary_folder.h"

namespace connector_test {
namespace {

using testing::HasSubstr;
using webdriver::BrowserPool;
using webdriver::RenderedPage;

class BrowserTest : public SandboxTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(access("/usr/bin/chromedriver", X_OK), 0)
        << "/usr/bin/chromedriver is missing: run deploy/install-deps.sh";
    Make({});
  }
  void TearDown() override {
    if (pool_ != nullptr) Stop();
  }
  void Make(BrowserPool::Options options) {
    if (pool_ != nullptr) Stop();
    options.data_dir = directory_;
    if (!closed_) options.private_addresses_allowed = true;
    pool_ = std::make_unique<BrowserPool>(loop(), outbound(), options);
  }
  void Stop() {
    ASSERT_TRUE(Run(pool_->Stop()).ok());
    RunOnLoop([this] { pool_.reset(); });
  }
  base::Outcome<RenderedPage> Render(const std::string& address) {
    return Run(pool_->Render(address, Context("wf-1")));
  }
  int DriverPid() {
    int pid = 0;
    RunOnLoop([&] { pid = pool_->driver_pid(); });
    return pid;
  }
  int BrowsersLeft() { return webdriver::KillBrowsersBelow(directory_); }

  bool closed_ = false;  // to private addresses
  test::TemporaryFolder folder_;
  const std::string directory_ = folder_.File("browsers");
  std::unique_ptr<BrowserPool> pool_;
};

TEST_F(BrowserTest, RendersWhatScriptsShow) {
  const auto page = Render(url("/site/acme"));
  ASSERT_TRUE(page.ok()) << page.failure().ToString();
  EXPECT_EQ(page->http_status, 200);
  EXPECT_EQ(page->final_url, url("/site/acme"));
  EXPECT_THAT(page->title, HasSubstr("Acme"));
  EXPECT_EQ(page->h1, "Know your customers before they call");
  EXPECT_THAT(page->description, HasSubstr("Acme Analytics"));
  EXPECT_THAT(page->text, HasSubstr("spring offer"));
  EXPECT_THAT(page->text, testing::Not(HasSubstr("Loading...")));
}

TEST_F(BrowserTest, StopEndsEverythingWithinTwoSeconds) {
  ASSERT_TRUE(Render(url("/site/acme")).ok());
  const int driver = DriverPid();
  const absl::Duration begin = clock().Monotonic();
  Stop();
  EXPECT_LT(clock().Monotonic() - begin, absl::Seconds(2));
  EXPECT_NE(kill(driver, 0), 0);
  EXPECT_EQ(BrowsersLeft(), 0);
  EXPECT_TRUE(!std::filesystem::exists(directory_) || std::filesystem::is_empty(directory_));
}

// A page without end is loaded as far as the limit, and read: well before the time for a page ends.
TEST_F(BrowserTest, APageWithoutEndIsCut) {
  Make({.page_limits = {.characters_max = 512 * 1024}});
  AddFault(R"({"vendor":"site","operation":"site.company","kind":"endless_body"})");
  const auto page = Render(url("/site/acme"));
  ASSERT_TRUE(page.ok()) << page.failure().ToString();
  EXPECT_EQ(page->h1, "Know your customers before they call");
  EXPECT_THAT(page->text, HasSubstr("per month"));
  EXPECT_LE(page->text.size(), 64u * 1024);
  ClearFaults();
  // The browser is as good as before.
  const auto next = Render(url("/site/globex"));
  ASSERT_TRUE(next.ok()) << next.failure().ToString();
}

TEST_F(BrowserTest, FailsForPagesThatFail) {
  const auto missing = Render(url("/site/a/b/c"));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.failure().type, "PageError");
  EXPECT_FALSE(missing.failure().retryable);
  const auto broken = Render(url("/site/broken"));
  ASSERT_FALSE(broken.ok());
  EXPECT_EQ(broken.failure().type, "PageError");
  EXPECT_TRUE(broken.failure().retryable);
  const auto refused = Render("http://127.0.0.1:4/");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.failure().type, "PageUnreachable");
  const auto unsafe = Render("http://127.0.0.1:1/");
  ASSERT_FALSE(unsafe.ok());
  EXPECT_EQ(unsafe.failure().type, "PageUnreachable");
  EXPECT_TRUE(Render(url("/site/acme")).ok()) << "the session is still good";
}

TEST_F(BrowserTest, TakesHttpAndHttpsOnly) {
  for (const char* bad : {"file:///etc/passwd", "javascript:alert(1)", "ftp://example.com/", "",
                          "chrome://version", "http://", "https:///x", "data:text/html,hi"}) {
    const auto page = Render(bad);
    ASSERT_FALSE(page.ok()) << bad;
    EXPECT_EQ(page.failure().type, "InvalidUrl");
    EXPECT_FALSE(page.failure().retryable);
  }
}

base::Task<int> RenderMany(BrowserPool& pool, std::vector<std::string> urls,
                           outbound::CallContext context) {
  std::vector<base::Task<base::Outcome<RenderedPage>>> renders;
  for (const std::string& each : urls) renders.push_back(pool.Render(each, context));
  std::vector<base::Outcome<RenderedPage>> pages = co_await base::WhenAll(std::move(renders));
  int rendered = 0;
  for (const auto& page : pages) rendered += page.ok();
  co_return rendered;
}

TEST_F(BrowserTest, RendersAUrlOnceForAllWhoAsk) {
  const std::vector<std::string> urls(40, url("/site/globex"));
  EXPECT_EQ(Run(RenderMany(*pool_, urls, Context("wf-1"))), 40);
  EXPECT_TRUE(Render(url("/site/globex")).ok());
  EXPECT_EQ(CallCount("site", "site.company"), 1);
}

TEST_F(BrowserTest, KeepsToItsNumberOfSessions) {
  std::vector<std::string> urls;
  for (int i = 0; i < 12; ++i) urls.push_back(url("/site/company-" + std::to_string(i)));
  EXPECT_EQ(Run(RenderMany(*pool_, urls, Context("wf-1"))), 12);
  RunOnLoop([this] { EXPECT_LE(pool_->sessions(), 2); });
}

TEST_F(BrowserTest, StartsAgainAfterChromedriverWasKilled) {
  ASSERT_TRUE(Render(url("/site/acme")).ok());
  const int old = DriverPid();
  kill(old, SIGKILL);
  const auto page = Render(url("/site/initech"));
  ASSERT_TRUE(page.ok()) << page.failure().ToString();
  EXPECT_NE(DriverPid(), old);
}

TEST_F(BrowserTest, TimesOutAndGoesOn) {
  Make({.page_timeout = absl::Seconds(1)});
  RawServer silent({RawServer::kHang});
  const auto late = Render(silent.url());
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.failure().type, "PageTimeout");
  // The time-out that makes the first page late may be short for a good page on a busy machine.
  bool rendered = false;
  for (int i = 0; i < 20 && !rendered; ++i) rendered = Render(url("/site/acme")).ok();
  EXPECT_TRUE(rendered);
}

TEST_F(BrowserTest, CancelEndsTheWaitAtOnce) {
  ASSERT_TRUE(Render(url("/site/acme")).ok());  // the browser is there
  RawServer silent({RawServer::kHang});
  base::CancelSource source;
  outbound::CallContext context = Context("wf-1");
  context.cancel = source.token();
  RunOnLoop([&] { loop().PostAfter(absl::Milliseconds(100), [&] { source.Cancel("enough"); }); });
  const auto page = Run(pool_->Render(silent.url(), context));
  ASSERT_FALSE(page.ok());
  EXPECT_TRUE(page.failure().is_canceled());
  EXPECT_TRUE(Render(url("/site/globex")).ok());
}

TEST_F(BrowserTest, EndsBrowsersOfACrashedProcess) {
  ASSERT_TRUE(Render(url("/site/acme")).ok());
  // A second pool on the same directory, as after a crash.
  BrowserPool::Options options{.private_addresses_allowed = true};
  options.data_dir = directory_;
  BrowserPool next(loop(), outbound(), options);
  for (int i = 0; i < 5000 && BrowsersLeft() > 0; ++i) {  // they are dying
    Run(base::Sleep(loop(), absl::Milliseconds(1)));
  }
  EXPECT_EQ(BrowsersLeft(), 0);
  EXPECT_TRUE(Run(next.Stop()).ok());
}

// Browsers ask for /favicon.ico as well, so requests are not counted exactly.
TEST_F(BrowserTest, ReachesNoPrivateAddressUnlessAllowed) {
  const std::string page =
      "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 11\r\n\r\n<h1>In</h1>";
  RawServer four({page});
  RawServer six({page}, /*ipv6=*/true);
  EXPECT_TRUE(Render(four.url()).ok());
  EXPECT_TRUE(Render(six.url()).ok());
  const int before = four.requests() + six.requests();
  EXPECT_GE(before, 2);
  closed_ = true;
  Make({});
  char own_name[256] = "localhost";
  gethostname(own_name, sizeof(own_name) - 1);
  const auto expect_closed = [&](const std::string& host, int port) {
    const auto closed = Render("http://" + host + ":" + std::to_string(port) + "/");
    ASSERT_FALSE(closed.ok()) << host;
    EXPECT_EQ(closed.failure().type, "PageUnreachable") << closed.failure().ToString();
  };
  for (const char* host :
       {static_cast<const char*>(own_name), "127.0.0.1", "127.1.2.3", "localhost", "a.localhost",
        "2130706433", "0x7f.1", "0.0.0.0", "[::ffff:127.0.0.1]", "[::127.0.0.1]",
        "[64:ff9b::7f00:1]", "169.254.169.254", "10.0.0.1", "192.168.1.1", "172.16.0.1"}) {
    expect_closed(host, four.port());
  }
  for (const char* host :
       {"[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "localhost", "[fd00::2]", "[fe80::1]"}) {
    expect_closed(host, six.port());
  }
  EXPECT_EQ(four.requests() + six.requests(), before);
}

TEST_F(BrowserTest, UsesAGivenRemoteEndAndLeavesNoSessionThere) {
  auto driver =
      std::make_unique<webdriver::DriverProcess>(loop(), outbound(), "/usr/bin/chromedriver");
  const auto remote = Run(driver->EnsureRunning(Context("wf-1")));
  ASSERT_TRUE(remote.ok()) << remote.failure().ToString();
  Make({.webdriver_url = *remote});
  EXPECT_TRUE(Render(url("/site/acme")).ok());
  EXPECT_EQ(DriverPid(), -1);
  ASSERT_TRUE(Run(pool_->Stop()).ok());
  RunOnLoop([&] {
    EXPECT_EQ(pool_->sessions(), 0);
    driver.reset();
  });
}

TEST_F(BrowserTest, EndsIdleSessions) {
  Make({.session_idle_max = absl::Milliseconds(50)});
  ASSERT_TRUE(Render(url("/site/acme")).ok());
  int sessions = 1;
  for (int i = 0; i < 10'000 && sessions > 0; ++i) {
    Run(base::Sleep(loop(), absl::Milliseconds(1)));
    RunOnLoop([&] { sessions = pool_->sessions(); });
  }
  EXPECT_EQ(sessions, 0);
  EXPECT_TRUE(Render(url("/site/globex")).ok());
}

TEST_F(BrowserTest, SaysWhenThereIsNoChromedriver) {
  Make({.chromedriver_path = "/nonexistent/chromedriver"});
  const auto page = Render(url("/site/acme"));
  ASSERT_FALSE(page.ok());
  EXPECT_THAT(page.failure().ToString(), HasSubstr("/nonexistent/chromedriver"));
}

}  // namespace
}  // namespace connector_test
