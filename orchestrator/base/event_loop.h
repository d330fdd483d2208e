// EventLoop: one thread (or one simulated scheduler) that runs posted functions, timers and file
// descriptor watches one after another. Everything that lives on a loop is lock-free by being
// serial.
//
// Thread-safety: Post is thread-safe; every other method is for the loop's own thread.
//
// Example:
//   base::EpollLoop loop(clock, "io");
//   loop.Start();
//   loop.Post([&] { loop.PostAfter(absl::Seconds(1), [] { ... }); });
//   loop.Stop();  // runs what was posted before, joins the thread
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "orchestrator/base/clock.h"

namespace base {

using TimerId = uint64_t;  // 0 is never a timer

class EventLoop {
 public:
  using Function = absl::AnyInvocable<void()>;
  virtual ~EventLoop() = default;
  // Queues `fn`; it runs on the loop's thread, after everything posted before it.
  virtual void Post(Function fn) = 0;
  // Runs `fn` not earlier than `delay` from now (monotonic). Loop thread only.
  virtual TimerId PostAfter(absl::Duration delay, Function fn) = 0;
  // Forgets a timer; no effect when it already ran. Loop thread only.
  virtual void CancelTimer(TimerId id) = 0;
  virtual bool InLoop() const = 0;
  virtual Clock& clock() = 0;
};

// What a file descriptor may be watched for; a set of bits.
enum FdEvents : uint32_t { kFdRead = 1, kFdWrite = 2 };

// The system loop: a thread on epoll(7), with an eventfd to wake it.
class EpollLoop : public EventLoop {
 public:
  using FdCallback = absl::AnyInvocable<void(uint32_t events)>;
  EpollLoop(Clock& clock, std::string name);
  ~EpollLoop() override;  // calls Stop
  EpollLoop(const EpollLoop&) = delete;
  EpollLoop& operator=(const EpollLoop&) = delete;

  void Start();
  // Runs what was posted before the call, then ends and joins the thread. Idempotent. Not from
  // the loop's thread. Functions posted later are destroyed without running.
  void Stop();

  void Post(Function fn) override;
  TimerId PostAfter(absl::Duration delay, Function fn) override;
  void CancelTimer(TimerId id) override;
  bool InLoop() const override;
  Clock& clock() override;

  // Watches `fd` for `events` (0 stops watching). Loop thread only. The callback may change or
  // stop any watch, its own included.
  void WatchFd(int fd, uint32_t events, FdCallback callback);
  void UnwatchFd(int fd);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace base
