// The watchdog names workflow code that holds its partition's loop: while it does, no other run of
// the partition goes on, and nobody would say why.
//
// LoopWatch is written by the loop, two short locks a task, and read by the watchdog's thread. It
// also holds the calls that must be answered although the loop cannot: see Guard.
//
// Thread-safety: LoopWatch is thread-safe; Enter and Leave are called by the loop only. Watchdog is
// externally synchronised; its callbacks run on its thread.
//
// Example:
//   const LoopWatch::Scope task(watch_, {.kind = LoopWatch::Kind::kTask, .row = &run.row});
//   run.workflow->RunTask(...);
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/store/store.h"

namespace engine {

class LoopWatch {
 public:
  enum class Kind { kTask, kReplay, kQuery };
  // What the loop does. `row` stays valid, and its names unchanged, until Leave.
  struct Work {
    Kind kind = Kind::kTask;
    const store::RunRow* row = nullptr;
    int64_t events = 0;  // of a replay: its length
  };
  class Scope {
   public:
    Scope(LoopWatch& watch, Work work, absl::Duration now) : watch_(watch) {
      watch.Enter(work, now);
    }
    ~Scope() { watch_.Leave(); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    LoopWatch& watch_;
  };

  void Enter(Work work, absl::Duration now);  // monotonic
  void Leave();

  // Work that holds the loop, in copies.
  struct Blocked {
    Kind kind = Kind::kTask;
    uint64_t number = 0;  // of the work, growing
    std::string ns;
    std::string workflow_type;
    std::string workflow_id;
    std::string run_id;
    int64_t events = 0;
    absl::Duration since = absl::ZeroDuration();  // monotonic
    // "blocked: workflow code has held its partition's loop for 3s (...)".
    std::string Reason(absl::Duration now) const;
  };
  // The work that began before `before`; nullopt when there is none.
  std::optional<Blocked> LongerThan(absl::Duration before) const;

  // Runs `otherwise` with what holds the loop when the watchdog finds it blocked before the
  // returned function is called; that function says whether the call is still to be answered.
  using Otherwise = absl::AnyInvocable<void(const Blocked&)>;
  std::function<bool()> Guard(Otherwise otherwise);
  // Answers the guarded calls. Called by the watchdog.
  void AnswerGuarded(const Blocked& blocked);

 private:
  mutable absl::Mutex mutex_;
  Work work_ ABSL_GUARDED_BY(mutex_);
  absl::Duration since_ ABSL_GUARDED_BY(mutex_) = absl::ZeroDuration();
  uint64_t number_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t last_guard_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<uint64_t, Otherwise> guarded_ ABSL_GUARDED_BY(mutex_);
};

class Watchdog {
 public:
  // `watches` outlive the watchdog. It looks every quarter of `limit`, on a thread of its own.
  Watchdog(base::Clock& clock, base::Metrics& metrics, absl::Duration limit,
           std::vector<LoopWatch*> watches);
  ~Watchdog();

  // What holds the loop for longer than the limit now.
  std::optional<LoopWatch::Blocked> BlockedNow(const LoopWatch& watch) const;
  absl::Duration Now() const { return clock_.Monotonic(); }

  // One look; the thread does this.
  void Look();

 private:
  void Schedule();
  void Began(const LoopWatch::Blocked& blocked);
  void Ended(const LoopWatch::Blocked& blocked);

  base::Clock& clock_;
  base::Metrics& metrics_;
  const absl::Duration limit_;
  const std::vector<LoopWatch*> watches_;
  std::vector<std::optional<LoopWatch::Blocked>> seen_;  // watchdog's thread only
  base::EpollLoop thread_;
};

}  // namespace engine
