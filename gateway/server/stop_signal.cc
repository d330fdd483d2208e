#include "gateway/server/stop_signal.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>

namespace server {
namespace {

// Handlers may touch only this.
std::atomic<int> first_signal = 0;
std::atomic<bool> hung_up = false;
int wake_fd = -1;

// A line of the log, but for its time: handlers may not format one.
void Say(const char* line) {
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line, std::strlen(line));
}

void OnStop(int signal) {
  int none = 0;
  if (!first_signal.compare_exchange_strong(none, signal)) {
    Say("{\"level\":\"warning\",\"message\":\"second signal: ending at once\"}\n");
    _exit(128 + signal);
  }
  const int saved = errno;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_fd, &one, sizeof one);
  errno = saved;
}

void OnHangup(int) {
  hung_up = true;
  const int saved = errno;
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_fd, &one, sizeof one);
  errno = saved;
}

void OnLimit(int) {
  Say("{\"level\":\"error\",\"message\":\"stopping took too long: ending at once\"}\n");
  _exit(1);
}

void Handle(int signal, void (*handler)(int)) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

}  // namespace

StopSignal::StopSignal() {
  wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  Handle(SIGPIPE, SIG_IGN);
  Handle(SIGTERM, &OnStop);
  Handle(SIGINT, &OnStop);
  Handle(SIGHUP, &OnHangup);
}

int StopSignal::Wait(const std::function<void()>& on_hangup) {
  while (first_signal == 0) {
    pollfd wait{.fd = wake_fd, .events = POLLIN, .revents = 0};
    poll(&wait, 1, -1);
    uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = read(wake_fd, &count, sizeof count);
    if (hung_up.exchange(false)) on_hangup();
  }
  return first_signal;
}

void StopSignal::LimitStop(absl::Duration limit) {
  Handle(SIGALRM, &OnLimit);
  alarm(static_cast<unsigned>(std::max<int64_t>(1, absl::ToInt64Seconds(limit))));
}

}  // namespace server
