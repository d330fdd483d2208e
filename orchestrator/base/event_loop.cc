#include "orchestrator/base/event_loop.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "orchestrator/base/check.h"

namespace base {

struct EpollLoop::Impl {
  struct Watch {
    uint32_t events = 0;
    std::shared_ptr<FdCallback> callback;
  };

  Clock& clock;
  const std::string name;
  int epoll_fd = -1;
  int wake_fd = -1;
  std::thread thread;
  std::atomic<std::thread::id> thread_id{};

  // Loop thread only.
  std::map<std::pair<absl::Duration, TimerId>, Function> timers;
  absl::flat_hash_map<TimerId, absl::Duration> timer_due;
  absl::flat_hash_map<int, Watch> watches;
  TimerId next_timer = 1;

  absl::Mutex mu;
  std::vector<Function> inbox ABSL_GUARDED_BY(mu);
  bool stopping ABSL_GUARDED_BY(mu) = false;
  bool started ABSL_GUARDED_BY(mu) = false;
  bool stopped ABSL_GUARDED_BY(mu) = false;

  Impl(Clock& c, std::string n) : clock(c), name(std::move(n)) {
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    CHECK(epoll_fd >= 0 && wake_fd >= 0) << "errno " << errno;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = wake_fd;
    CHECK(epoll_ctl(epoll_fd, EPOLL_CTL_ADD, wake_fd, &event) == 0);
  }

  ~Impl() {
    close(epoll_fd);
    close(wake_fd);
  }

  void Wake() {
    const uint64_t one = 1;
    [[maybe_unused]] ssize_t n = write(wake_fd, &one, sizeof(one));
  }

  // Milliseconds to wait in epoll, rounded up so that no timer runs early.
  int WaitMs() {
    if (timers.empty()) return -1;
    const absl::Duration left = timers.begin()->first.first - clock.Monotonic();
    if (left <= absl::ZeroDuration()) return 0;
    const int64_t ms = absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1)));
    return static_cast<int>(std::min<int64_t>(ms, 60'000));
  }

  void RunTimers() {
    const absl::Duration now = clock.Monotonic();
    while (!timers.empty() && timers.begin()->first.first <= now) {
      auto it = timers.begin();
      Function fn = std::move(it->second);
      timer_due.erase(it->first.second);
      timers.erase(it);
      fn();
    }
  }

  // Returns false when the loop should end.
  bool RunInbox() {
    std::vector<Function> batch;
    bool stop;
    {
      absl::MutexLock lock(&mu);
      batch.swap(inbox);
      stop = stopping;
    }
    for (Function& fn : batch) {
      fn();
      fn = nullptr;
    }
    return !(stop && batch.empty());
  }

  void RunFds(const epoll_event* events, int count) {
    for (int i = 0; i < count; ++i) {
      const int fd = events[i].data.fd;
      if (fd == wake_fd) {
        uint64_t value;
        [[maybe_unused]] ssize_t n = read(wake_fd, &value, sizeof(value));
        continue;
      }
      auto it = watches.find(fd);
      if (it == watches.end()) continue;
      uint32_t ready = 0;
      if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) ready |= kFdRead;
      if (events[i].events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) ready |= kFdWrite;
      std::shared_ptr<FdCallback> callback = it->second.callback;  // survives its own removal
      (*callback)(ready & it->second.events);
    }
  }

  void Run() {
    thread_id = std::this_thread::get_id();
    pthread_setname_np(pthread_self(), name.substr(0, 15).c_str());
    epoll_event events[256];
    while (RunInbox()) {
      RunTimers();
      int wait = WaitMs();
      {
        absl::MutexLock lock(&mu);
        if (!inbox.empty() || stopping) wait = 0;
      }
      const int count = epoll_wait(epoll_fd, events, 256, wait);
      CHECK(count >= 0 || errno == EINTR) << "errno " << errno;
      if (count > 0) RunFds(events, count);
      RunTimers();
    }
    timers.clear();
    timer_due.clear();
  }
};

EpollLoop::EpollLoop(Clock& clock, std::string name)
    : impl_(std::make_unique<Impl>(clock, std::move(name))) {}

EpollLoop::~EpollLoop() { Stop(); }

void EpollLoop::Start() {
  {
    absl::MutexLock lock(&impl_->mu);
    CHECK(!impl_->started);
    impl_->started = true;
  }
  impl_->thread = std::thread([this] { impl_->Run(); });
}

void EpollLoop::Stop() {
  {
    absl::MutexLock lock(&impl_->mu);
    impl_->stopping = true;
  }
  impl_->Wake();
  if (impl_->thread.joinable()) {
    CHECK(!InLoop()) << "EpollLoop::Stop called on its own thread";
    impl_->thread.join();
  }
  std::vector<Function> leftover;  // destroyed without the lock: a destructor may post
  absl::MutexLock lock(&impl_->mu);
  impl_->stopped = true;
  leftover.swap(impl_->inbox);
}

void EpollLoop::Post(Function fn) {
  bool wake;
  {
    absl::MutexLock lock(&impl_->mu);
    if (impl_->stopped) return;  // `fn` is destroyed when the caller's argument is
    wake = impl_->inbox.empty();
    impl_->inbox.push_back(std::move(fn));
  }
  if (wake && !InLoop()) impl_->Wake();
}

TimerId EpollLoop::PostAfter(absl::Duration delay, Function fn) {
  const TimerId id = impl_->next_timer++;
  const absl::Duration due = impl_->clock.Monotonic() + std::max(delay, absl::ZeroDuration());
  impl_->timers.emplace(std::make_pair(due, id), std::move(fn));
  impl_->timer_due.emplace(id, due);
  return id;
}

void EpollLoop::CancelTimer(TimerId id) {
  auto it = impl_->timer_due.find(id);
  if (it == impl_->timer_due.end()) return;
  impl_->timers.erase({it->second, id});
  impl_->timer_due.erase(it);
}

bool EpollLoop::InLoop() const { return impl_->thread_id.load() == std::this_thread::get_id(); }

Clock& EpollLoop::clock() { return impl_->clock; }

void EpollLoop::WatchFd(int fd, uint32_t events, FdCallback callback) {
  if (events == 0) return UnwatchFd(fd);
  epoll_event event{};
  event.events = ((events & kFdRead) ? EPOLLIN : 0) | ((events & kFdWrite) ? EPOLLOUT : 0);
  event.data.fd = fd;
  const bool known = impl_->watches.contains(fd);
  if (epoll_ctl(impl_->epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0) {
    // The number may have been closed and used again between two calls.
    const int op = errno == ENOENT ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    CHECK(epoll_ctl(impl_->epoll_fd, op, fd, &event) == 0) << "fd " << fd << " errno " << errno;
  }
  impl_->watches[fd] = {events, std::make_shared<FdCallback>(std::move(callback))};
}

void EpollLoop::UnwatchFd(int fd) {
  if (impl_->watches.erase(fd) == 0) return;
  epoll_ctl(impl_->epoll_fd, EPOLL_CTL_DEL, fd, nullptr);  // fails harmlessly on a closed fd
}

}  // namespace base
