#include "activities/connectors/webdriver/browser_pool.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"
#include "orchestrator/base/log.h"

namespace webdriver {
namespace {

using base::Outcome;
using base::Task;
using base::Unit;
using outbound::CallContext;

constexpr absl::Duration kEndTimeout = absl::Seconds(1);
constexpr absl::Duration kStopTimeout = absl::Milliseconds(1500);

bool IsWebUrl(const std::string& url) {
  const auto host_follows = [&url](const std::string& scheme) {
    return url.starts_with(scheme) && url.size() > scheme.size() && url[scheme.size()] != '/';
  };
  return (host_follows("http://") || host_follows("https://")) && url.size() <= 8192 &&
         std::none_of(url.begin(), url.end(),
                      [](unsigned char c) { return c <= ' ' || c == 0x7F; });
}

// Says what became of the page itself; anything else is the browser's trouble.
bool IsAboutThePage(const base::Failure& failure) {
  return failure.type == "PageError" || failure.type == "PageUnreachable";
}

BrowserPool::Options WithDataDir(BrowserPool::Options options) {
  if (options.data_dir.empty()) {
    options.data_dir = wire::Cat("/tmp/campaignd-browsers-", getuid(), "-", getpid());
  }
  return options;
}

void RemoveDirectory(const std::string& directory) {
  if (directory.empty()) return;
  std::error_code error;
  std::filesystem::remove_all(directory, error);
}

// Removes what NewSession made ("4711-3"), of any process, and nothing else.
void RemoveSessionDirectories(const std::string& data_dir) {
  std::error_code error;
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(data_dir, error)) {
    const std::string name = entry.path().filename();
    const size_t dash = name.find('-');
    if (dash != std::string::npos && dash > 0 && dash + 1 < name.size() &&
        name.find_first_not_of("0123456789", 0) == dash &&
        name.find_first_not_of("0123456789", dash + 1) == std::string::npos) {
      found.push_back(entry.path());
    }
  }
  for (const std::string& directory : found) RemoveDirectory(directory);
}

}  // namespace

struct BrowserPool::Session {
  std::string id;
  std::string directory;  // "": a remote end's own affair
  WebDriverClient client;
  int generation = 0;
  int renders = 0;
  absl::Duration used_at;
};

// One URL being rendered, and who waits for it.
struct BrowserPool::Job {
  base::CancelSource cancel;
  std::vector<base::Completion<bool>> waiters;
  int waiting = 0;
  std::optional<Outcome<RenderedPage>> result;
};

BrowserPool::BrowserPool(base::EpollLoop& loop, outbound::Outbound& outbound, Options options)
    : loop_(loop),
      outbound_(outbound),
      options_(WithDataDir(std::move(options))),
      driver_(loop, outbound, options_.chromedriver_path),
      gate_(loop, {.private_addresses_allowed = options_.private_addresses_allowed,
                   .may_send = options_.may_send}),
      slots_(std::max(1, options_.sessions_max)) {
  const int killed = KillBrowsersBelow(options_.data_dir);
  if (killed > 0) {
    base::Log(base::LogLevel::kWarning, "ended browsers of an earlier process", {},
              {{"processes", killed}, {"directory", options_.data_dir}});
  }
  RemoveSessionDirectories(options_.data_dir);
}

BrowserPool::~BrowserPool() { loop_.CancelTimer(idle_timer_); }

Task<Outcome<RenderedPage>> BrowserPool::Render(std::string url, CallContext context) {
  if (!IsWebUrl(url)) {
    co_return base::Failure::Permanent("InvalidUrl",
                                       wire::Truncate(url, 200) + " is not an http or https URL");
  }
  if (stopping_) co_return base::Failure::Canceled("the browsers are being stopped");
  if (const RenderedPage* page = Recall(url)) co_return *page;

  std::shared_ptr<Job> job;
  if (auto it = jobs_.find(url); it != jobs_.end()) {
    job = it->second;
  } else {
    job = std::make_shared<Job>();
    jobs_.emplace(url, job);
    CallContext own = context;  // outlives this caller as long as others wait
    own.cancel = job->cancel.token();
    own.deadline = absl::InfiniteFuture();
    base::Spawn(RunJob(url, job, std::move(own)),
                [this, url, job](std::exception_ptr error, Outcome<Unit>*) {
                  if (!error || job->result.has_value()) return;
                  Finish(url, job, base::Failure::Retryable("Internal", "rendering failed"));
                });
  }
  if (!job->result.has_value()) {
    base::Completion<bool> done;
    job->waiters.push_back(done);
    ++job->waiting;
    const auto on_cancel = context.cancel.OnCancel([done] { done.Set(false); });
    const absl::Duration left = context.deadline - loop_.clock().Now();
    const base::TimerId timer = context.deadline == absl::InfiniteFuture()
                                    ? 0
                                    : loop_.PostAfter(left, [done] { done.Set(false); });
    const bool finished = co_await done;
    context.cancel.Forget(on_cancel);
    loop_.CancelTimer(timer);
    --job->waiting;
    if (!finished) {
      if (job->waiting == 0 && !job->result.has_value()) {
        if (auto it = jobs_.find(url); it != jobs_.end() && it->second == job) jobs_.erase(it);
        job->cancel.Cancel("nobody waits for the page any more");
      }
      if (context.cancel.canceled()) co_return base::Failure::Canceled(context.cancel.reason());
      co_return base::Failure::Retryable("DeadlineExceeded", url + " was not rendered in time");
    }
  }
  co_return *job->result;
}

void BrowserPool::Finish(const std::string& url, const std::shared_ptr<Job>& job,
                         Outcome<RenderedPage> result) {
  if (auto it = jobs_.find(url); it != jobs_.end() && it->second == job) jobs_.erase(it);
  if (result.ok()) Remember(url, *result);
  job->result.emplace(std::move(result));
  const auto waiters = std::move(job->waiters);
  for (const auto& waiter : waiters) waiter.Set(true);
}

Task<Outcome<Unit>> BrowserPool::RunJob(std::string url, std::shared_ptr<Job> job,
                                        CallContext context) {
  const base::Semaphore::Permit slot = co_await slots_.Acquire(context.cancel);
  if (!slot.held()) {
    Finish(url, job, base::Failure::Canceled(context.cancel.reason()));
    co_return Unit{};
  }
  // A session that worked a minute ago, or chromedriver itself, may be dead by now: then once
  // more, with fresh ones.
  for (int round = 1;; ++round) {
    SessionPtr session;
    Outcome<RenderedPage> page = co_await RenderOnce(url, &session, context);
    const bool healthy = session != nullptr && (page.ok() || IsAboutThePage(page.failure()));
    const bool again = round == 1 && !page.ok() && !IsAboutThePage(page.failure()) &&
                       page.failure().retryable && page.failure().type != "PageTimeout" &&
                       !context.cancel.canceled();
    if (!again) Finish(url, job, std::move(page));
    if (session != nullptr) {
      // The slot is held until the session is clean or gone.
      Outcome<Unit> returned = co_await GiveBack(std::move(session), healthy);
      if (!returned.ok()) co_return returned.failure();
    }
    if (!again) co_return Unit{};
  }
}

// `session` outlives the call: it is in the frame of RunJob.
Task<Outcome<RenderedPage>> BrowserPool::RenderOnce(std::string url, SessionPtr* session,
                                                    CallContext context) {
  Outcome<SessionPtr> taken = co_await TakeSession(context);
  if (!taken.ok()) co_return taken.failure();
  *session = std::move(*taken);
  Session& browser = **session;
  ++browser.renders;
  Outcome<Unit> loaded = co_await browser.client.Navigate(
      browser.id, url, options_.page_timeout + absl::Seconds(5), context);
  if (!loaded.ok()) {
    base::Failure failure = loaded.failure();
    if (failure.is_canceled()) co_return failure;
    if (failure.type == "WebDriver: timeout" || failure.type == "DeadlineExceeded") {
      co_return base::Failure::Retryable(
          "PageTimeout",
          wire::Cat(url, " did not load within ", absl::FormatDuration(options_.page_timeout)));
    }
    if (failure.message.find("net::ERR_") != std::string::npos ||
        failure.type == "WebDriver: insecure certificate") {
      co_return base::Failure::Retryable("PageUnreachable",
                                         wire::Cat(url, " could not be loaded: ", failure.message));
    }
    if (failure.type == "WebDriver: invalid argument") {
      co_return base::Failure::Permanent("InvalidUrl", url + ": " + failure.message);
    }
    co_return failure;
  }
  const std::string arguments =
      wire::DumpJson({absl::ToInt64Milliseconds(options_.settle_time), options_.text_bytes_max});
  Outcome<std::string> read = co_await browser.client.Execute(
      browser.id, kPageScript, arguments, options_.settle_time + absl::Seconds(10), context);
  if (!read.ok()) co_return read.failure();
  co_return ReadPage(url, *read, options_.text_bytes_max);
}

Task<Outcome<BrowserPool::SessionPtr>> BrowserPool::TakeSession(CallContext context) {
  while (!idle_.empty()) {
    SessionPtr session = std::move(idle_.back());
    idle_.pop_back();
    if (options_.webdriver_url.empty() && session->generation != driver_.generation()) {
      Outcome<Unit> ended = co_await End(std::move(session));  // its chromedriver has died
      continue;
    }
    co_return session;
  }
  Outcome<SessionPtr> fresh = co_await NewSession(std::move(context));
  co_return fresh;
}

Task<Outcome<BrowserPool::SessionPtr>> BrowserPool::NewSession(CallContext context) {
  std::string url = options_.webdriver_url;
  SessionSettings settings{.browser_path = options_.browser_path,
                           .private_addresses_allowed = options_.private_addresses_allowed,
                           .page_timeout = options_.page_timeout};
  if (url.empty()) {
    Outcome<std::string> running = co_await driver_.EnsureRunning(context);
    if (!running.ok()) co_return running.failure();
    url = *running;
    const Outcome<int> gate_port = gate_.Listen();
    if (!gate_port.ok()) co_return gate_port.failure();
    settings.gate_port = *gate_port;
    settings.user_data_dir = wire::Cat(options_.data_dir, "/", getpid(), "-", ++sessions_made_);
    std::error_code error;
    std::filesystem::create_directories(settings.user_data_dir, error);
    if (error) {
      co_return base::Failure::Permanent(
          "Internal", wire::Cat("cannot make ", settings.user_data_dir, ": ", error.message()));
    }
  }
  const int generation = driver_.generation();
  WebDriverClient client(outbound_, url);
  ++sessions_;
  Outcome<std::string> id = co_await client.NewSession(CapabilitiesJson(settings), context);
  if (!id.ok()) {
    --sessions_;
    const bool canceled = id.failure().is_canceled();
    if (!canceled) {
      base::Log(base::LogLevel::kWarning, "no browser session", {},
                {{"failure", id.failure().type}, {"reason", id.failure().message}});
    }
    // chromedriver did not answer: the next session starts a new one.
    const bool said_by_driver = id.failure().type.starts_with("WebDriver: ");
    if (!canceled && !said_by_driver && generation == driver_.generation()) driver_.Kill();
    // A browser may have started although nobody knows its session.
    if (!settings.user_data_dir.empty()) {
      KillBrowsersBelow(settings.user_data_dir);
      RemoveDirectory(settings.user_data_dir);
    }
    if (canceled) co_return id.failure();
    co_return base::Failure::Retryable("VendorUnavailable", "no browser: " + id.failure().message);
  }
  auto session = std::make_unique<Session>(Session{.id = *id,
                                                   .directory = settings.user_data_dir,
                                                   .client = std::move(client),
                                                   .generation = generation});
  const Outcome<Unit> guarded = co_await session->client.RunInNewDocuments(
      session->id, PageGuard(options_.page_limits), context);
  if (guarded.ok()) co_return session;
  if (guarded.failure().type.starts_with("WebDriver: unknown")) {
    base::Log(base::LogLevel::kWarning, "the WebDriver service cannot limit the size of pages", {},
              {{"reason", guarded.failure().message}});
    co_return session;
  }
  const base::Failure failure = guarded.failure();
  [[maybe_unused]] const Outcome<Unit> ended = co_await End(std::move(session));
  co_return failure;
}

// Keeps a healthy session for the next one, on an empty page: the last one's scripts end there.
Task<Outcome<Unit>> BrowserPool::GiveBack(SessionPtr session, bool healthy) {
  if (healthy && !stopping_ && session->renders < options_.renders_per_session_max) {
    Outcome<Unit> blank = co_await session->client.Navigate(session->id, "about:blank",
                                                            absl::Seconds(5), CallContext{});
    if (blank.ok() && !stopping_) {
      session->used_at = loop_.clock().Monotonic();
      idle_.push_back(std::move(session));
      WatchIdle();
      co_return Unit{};
    }
  }
  Outcome<Unit> ended = co_await End(std::move(session));
  co_return ended;
}

Task<Outcome<Unit>> BrowserPool::End(SessionPtr session) {
  const bool alive = !options_.webdriver_url.empty() || session->generation == driver_.generation();
  if (alive) {
    Outcome<bool> deleted = co_await session->client.DeleteSession(
        session->id, kEndTimeout, CallContext{.deadline = loop_.clock().Now() + kEndTimeout});
    if (!deleted.ok() && !session->directory.empty()) KillBrowsersBelow(session->directory);
  }
  RemoveDirectory(session->directory);
  --sessions_;
  co_return Unit{};
}

// Ends sessions that nobody has used for a while; a browser is a hundred megabytes.
void BrowserPool::WatchIdle() {
  if (idle_timer_ != 0 || idle_.empty() || stopping_) return;
  const absl::Duration due = idle_.front()->used_at + options_.session_idle_max;
  idle_timer_ = loop_.PostAfter(due - loop_.clock().Monotonic(), [this] {
    idle_timer_ = 0;
    if (stopping_) return;
    const absl::Duration now = loop_.clock().Monotonic();
    while (!idle_.empty() && idle_.front()->used_at + options_.session_idle_max <= now) {
      SessionPtr session = std::move(idle_.front());
      idle_.erase(idle_.begin());
      base::Spawn(End(std::move(session)), [](std::exception_ptr, Outcome<Unit>*) {});
    }
    WatchIdle();
  });
}

Task<Outcome<Unit>> BrowserPool::Stop() {
  stopping_ = true;
  loop_.CancelTimer(std::exchange(idle_timer_, 0));
  const auto jobs = jobs_;
  for (const auto& [url, job] : jobs) job->cancel.Cancel("the browsers are being stopped");
  base::CancelSource too_late;
  const base::TimerId timer =
      loop_.PostAfter(kStopTimeout, [too_late]() mutable { too_late.Cancel("too late"); });
  // All slots are ours once every job has ended its session.
  std::vector<base::Semaphore::Permit> slots;
  for (int i = 0; i < std::max(1, options_.sessions_max); ++i) {
    base::Semaphore::Permit slot = co_await slots_.Acquire(too_late.token());
    if (slot.held()) slots.push_back(std::move(slot));
  }
  if (!options_.webdriver_url.empty()) {
    while (!idle_.empty()) {
      SessionPtr session = std::move(idle_.back());
      idle_.pop_back();
      Outcome<Unit> ended = co_await End(std::move(session));
    }
  }
  // Our own browsers end with their chromedriver.
  idle_.clear();
  driver_.Kill();
  gate_.Close();
  if (options_.webdriver_url.empty()) sessions_ = 0;
  KillBrowsersBelow(options_.data_dir);
  RemoveSessionDirectories(options_.data_dir);
  loop_.CancelTimer(timer);
  co_return Unit{};
}

const RenderedPage* BrowserPool::Recall(const std::string& url) {
  auto it = cache_.find(url);
  if (it == cache_.end() || it->second.until <= loop_.clock().Monotonic()) return nullptr;
  return &it->second.page;
}

void BrowserPool::Remember(const std::string& url, const RenderedPage& page) {
  if (options_.cache_ttl <= absl::ZeroDuration() || options_.cache_entries_max == 0) return;
  const absl::Duration now = loop_.clock().Monotonic();
  while (!cache_order_.empty()) {
    auto oldest = cache_.find(cache_order_.front());
    const bool stale = oldest == cache_.end() || oldest->second.until <= now;
    if (!stale && cache_order_.size() < options_.cache_entries_max) break;
    if (oldest != cache_.end()) cache_.erase(oldest);
    cache_order_.pop_front();
  }
  if (cache_.insert_or_assign(url, Cached{page, now + options_.cache_ttl}).second) {
    cache_order_.push_back(url);
  }
}

}  // namespace webdriver
