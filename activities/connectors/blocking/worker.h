// A thread for calls that block (disk, SQLite), so that the I/O loop never does: the work runs on
// the worker, one piece after another, and its awaiter goes on on the loop it came from.
//
// Thread-safety: Run is for the loop given as `home`; several loops may share one Worker. Destroy
// it after the coroutines that wait on it have ended, and before their loops.
//
// Example:
//   blocking::Worker worker(clock, "disk");
//   base::Outcome<std::string> text = co_await worker.Run<std::string>(loop, [path] {
//     return ReadWholeFile(path);
//   });
#pragma once

#include <atomic>
#include <exception>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/task.h"

namespace blocking {

// Work that waits for the thread at one time; more is refused with
// "ResourceExhausted".
inline constexpr int kQueueMax = 10'000;

class Worker {
 public:
  Worker(base::Clock& clock, std::string name)
      : own_(std::make_unique<base::EpollLoop>(clock, std::move(name))), loop_(*own_) {
    own_->Start();
  }
  // Works on a loop that is not its own and outlives it (the simulation's).
  explicit Worker(base::EventLoop& loop) : loop_(loop) {}
  // Does the work that was queued, then ends the thread.
  ~Worker() {
    if (own_ != nullptr) own_->Stop();
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Runs `work` on the thread and returns what it returned, on `home`. An exception becomes the
  // failure "Internal"; a full queue the retryable failure "ResourceExhausted" with nothing done.
  template <typename T>
  base::Task<base::Outcome<T>> Run(base::EventLoop& home,
                                   absl::AnyInvocable<base::Outcome<T>()> work) {
    if (queued_.fetch_add(1) >= kQueueMax) {
      queued_.fetch_sub(1);
      co_return base::Failure::Retryable("ResourceExhausted",
                                         "too much disk work is waiting; try again later");
    }
    base::Completion<base::Outcome<T>> done;
    Post<T>(home, std::move(work), done);
    base::Outcome<T> outcome = co_await done;
    co_return outcome;
  }

 private:
  template <typename T>
  void Post(base::EventLoop& home, absl::AnyInvocable<base::Outcome<T>()> work,
            base::Completion<base::Outcome<T>> done) {
    loop_.Post([this, &home, work = std::move(work), done = std::move(done)]() mutable {
      base::Outcome<T> outcome = Guard<T>(work);
      queued_.fetch_sub(1);
      home.Post([done = std::move(done), outcome = std::move(outcome)]() mutable {
        done.Set(std::move(outcome));
      });
    });
  }
  template <typename T>
  static base::Outcome<T> Guard(absl::AnyInvocable<base::Outcome<T>()>& work) {
    try {
      return work();
    } catch (const std::exception& error) {
      return base::Failure::Permanent("Internal", error.what());
    }
  }

  std::atomic<int> queued_ = 0;
  const std::unique_ptr<base::EpollLoop> own_;
  base::EventLoop& loop_;
};

}  // namespace blocking
