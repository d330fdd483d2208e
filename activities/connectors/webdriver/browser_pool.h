// BrowserPool: pages rendered in real headless browsers. Keeps a few Chromium sessions of one
// chromedriver (its own, started on demand, or a given one), hands them out in turn, replaces
// broken ones; renders a URL that several ask for once, and remembers the result for a minute.
//
// Thread-safety: loop thread only, except the constructor. Await Stop before destroying it.
//
// Example:
//   webdriver::BrowserPool browsers(loop, outbound, {.data_dir = data_dir + "/browsers"});
//   base::Outcome<webdriver::RenderedPage> page =
//       co_await browsers.Render("https://example.com/", context);
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "activities/connectors/webdriver/browser_gate.h"
#include "activities/connectors/webdriver/driver_process.h"
#include "activities/connectors/webdriver/page_renderer.h"
#include "activities/connectors/webdriver/page_script.h"
#include "activities/connectors/webdriver/webdriver_client.h"
#include "activities/outbound/call.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/task.h"

namespace webdriver {

class BrowserPool : public PageRenderer {
 public:
  struct Options {
    std::string chromedriver_path = "/usr/bin/chromedriver";
    std::string webdriver_url;  // of a running remote end; empty: start chromedriver
    std::string browser_path;   // empty: chromedriver's choice
    // User-data-dirs live below it; give each server its own. Browsers of an earlier process in
    // it are ended at start. Empty: a directory of this process in /tmp.
    std::string data_dir;
    int sessions_max = 2;
    int renders_per_session_max = 200;
    absl::Duration session_idle_max = absl::Minutes(5);
    absl::Duration page_timeout = absl::Seconds(30);  // until the document is there
    absl::Duration settle_time = absl::Seconds(3);    // more, until all of it has loaded
    size_t text_bytes_max = 64 * 1024;
    PageLimits page_limits;  // a larger page is cut there
    absl::Duration cache_ttl = absl::Seconds(60);
    size_t cache_entries_max = 256;
    // Pages are named by users: without this no private, loopback or link-local address is
    // reached, directly, by name, by redirect or as a part of a page.
    // A remote end's browsers are asked to do so themselves.
    bool private_addresses_allowed = false;
    std::function<bool()> may_send;  // BrowserGate::Options
  };

  // Ends leftovers of an earlier process; blocks for some milliseconds.
  BrowserPool(base::EpollLoop& loop, outbound::Outbound& outbound, Options options);
  ~BrowserPool() override;

  base::Task<base::Outcome<RenderedPage>> Render(std::string url,
                                                 outbound::CallContext context) override;

  // Ends what runs, all sessions and chromedriver; takes at most 2 s. Idempotent.
  base::Task<base::Outcome<base::Unit>> Stop();

  // Sessions that exist, busy or idle.
  int sessions() const { return sessions_; }
  int driver_pid() const { return driver_.pid(); }

 private:
  struct Job;
  struct Session;
  struct Cached {
    RenderedPage page;
    absl::Duration until;  // monotonic
  };
  using SessionPtr = std::unique_ptr<Session>;

  base::Task<base::Outcome<base::Unit>> RunJob(std::string url, std::shared_ptr<Job> job,
                                               outbound::CallContext context);
  base::Task<base::Outcome<RenderedPage>> RenderOnce(std::string url, SessionPtr* session,
                                                     outbound::CallContext context);
  base::Task<base::Outcome<SessionPtr>> TakeSession(outbound::CallContext context);
  base::Task<base::Outcome<SessionPtr>> NewSession(outbound::CallContext context);
  base::Task<base::Outcome<base::Unit>> GiveBack(SessionPtr session, bool healthy);
  base::Task<base::Outcome<base::Unit>> End(SessionPtr session);
  void Finish(const std::string& url, const std::shared_ptr<Job>& job,
              base::Outcome<RenderedPage> result);
  const RenderedPage* Recall(const std::string& url);
  void Remember(const std::string& url, const RenderedPage& page);
  void WatchIdle();

  base::EpollLoop& loop_;
  outbound::Outbound& outbound_;
  const Options options_;
  DriverProcess driver_;
  BrowserGate gate_;
  base::Semaphore slots_;
  std::vector<SessionPtr> idle_;  // most recently used last
  int sessions_ = 0;
  int sessions_made_ = 0;
  bool stopping_ = false;
  base::TimerId idle_timer_ = 0;
  std::map<std::string, std::shared_ptr<Job>> jobs_;  // by URL, while they run
  std::map<std::string, Cached> cache_;
  std::deque<std::string> cache_order_;  // oldest first
};

}  // namespace webdriver
