// DiskThread: the thread of a small database, so that no caller waits for the disk. Work is done in
// the order in which it was given.
//
// Thread-safety: thread-safe, but Start (once, before the others) and destruction.
//
// Example:
//   DiskThread thread(clock, "wizards");
//   thread.Start();
//   thread.Run<Wizard>(std::move(done), [this, id] { return Get(id); });
#pragma once

#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/event_loop.h"

namespace database {

class DiskThread {
 public:
  DiskThread(base::Clock& clock, const std::string& name) : loop_(clock, name) {}
  ~DiskThread() { Close(); }

  void Start() { loop_.Start(); }
  // Calls `work` on the thread. False: it is closed, and nothing is called.
  bool Post(absl::AnyInvocable<void()> work) {
    absl::ReaderMutexLock lock(&mu_);
    if (!closed_) loop_.Post(std::move(work));
    return !closed_;
  }
  // The same, and answers with what `work` returns; UNAVAILABLE, on the caller's thread, when
  // it is closed.
  template <typename T, typename Work>
  void Run(absl::AnyInvocable<void(absl::StatusOr<T>)> done, Work work) {
    {
      absl::ReaderMutexLock lock(&mu_);
      if (!closed_) {
        loop_.Post([done = std::move(done), work = std::move(work)]() mutable { done(work()); });
        return;
      }
    }
    done(absl::UnavailableError("the server is stopping; try again"));
  }
  // Ends when what was given before is done; takes nothing more. Idempotent.
  void Close() {
    {
      absl::MutexLock lock(&mu_);
      closed_ = true;
    }
    loop_.Stop();
  }

 private:
  absl::Mutex mu_;
  bool closed_ ABSL_GUARDED_BY(mu_) = false;
  base::EpollLoop loop_;
};

}  // namespace database
