// Scheduler: virtual time and one seeded order for many logical loops on one thread. A step runs
// one ready function of one loop: first in first out within a loop, any order between loops. When
// nothing is ready, time jumps to the next timer. The order, and so the trace, is a function of
// the seed.
//
// One thread. Loops outlive what was posted to them and die before the scheduler.
//
// Example:
//   sim::Scheduler scheduler(seed);
//   sim::SimLoop loop(scheduler, "partition");
//   loop.Post([] { ... });
//   while (scheduler.Step()) {}
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "orchestrator/base/event_loop.h"
#include "tests/simulation/dice.h"

namespace sim {

// What a run did, as a hash and, when wanted, as readable lines (the last ones).
class Trace {
 public:
  explicit Trace(bool readable) : readable_(readable) {}
  void Mix(uint64_t value) { hash_ = (hash_ ^ value) * 0x100000001b3ull; }
  void Mix(std::string_view text) {
    for (const unsigned char c : text) Mix(uint64_t{c});
  }
  bool readable() const { return readable_; }
  void Line(absl::Duration at, const std::string& line);
  uint64_t hash() const { return hash_; }
  const std::deque<std::string>& lines() const { return lines_; }

 private:
  const bool readable_;
  uint64_t hash_ = 0xcbf29ce484222325ull;
  std::deque<std::string> lines_;
};

class SimLoop;

class Scheduler : public Dice {
 public:
  Scheduler(uint64_t seed, Trace& trace);

  // Runs one function, or jumps to the next timer. False: nothing is left to do, for ever.
  bool Step();
  uint64_t steps() const { return steps_; }

  base::Clock& clock() { return clock_; }
  absl::Duration now() const { return now_; }
  // Of a clock that is right.
  absl::Time wall() const { return wall_base_ + now_; }
  // The latest wall time that any clock has shown: no stored time may be beyond it.
  absl::Time latest_wall() const { return wall() + offset_max_; }
  // A clock shows this much more than the right time.
  void NoteOffset(absl::Duration offset) { offset_max_ = std::max(offset_max_, offset); }

  Trace& trace() { return trace_; }
  void Log(const std::function<std::string()>& line) {
    if (trace_.readable()) trace_.Line(now_, line());
  }

 private:
  friend class SimLoop;
  class SimClock : public base::Clock {
   public:
    explicit SimClock(Scheduler& scheduler) : scheduler_(scheduler) {}
    absl::Time Now() override { return scheduler_.wall(); }
    absl::Duration Monotonic() override { return scheduler_.now(); }

   private:
    Scheduler& scheduler_;
  };

  Trace& trace_;
  SimClock clock_;
  absl::Duration now_ = absl::ZeroDuration();
  const absl::Time wall_base_;
  absl::Duration offset_max_ = absl::ZeroDuration();
  std::vector<SimLoop*> loops_;  // in the order of their making
  uint64_t steps_ = 0;
};

// The clock of one node, which may be wrong.
class NodeClock : public base::Clock {
 public:
  NodeClock(Scheduler& scheduler, absl::Duration offset) : scheduler_(scheduler) { Set(offset); }
  absl::Time Now() override { return scheduler_.wall() + offset_ + ahead_; }
  absl::Duration Monotonic() override { return scheduler_.now(); }
  absl::Duration offset() const { return offset_; }
  void Set(absl::Duration offset) {
    offset_ = offset;
    scheduler_.NoteOffset(offset);
  }
  // Lies about the time, and nobody is told.
  void RunAhead(absl::Duration by) { ahead_ = by; }

 private:
  Scheduler& scheduler_;
  absl::Duration offset_ = absl::ZeroDuration();
  absl::Duration ahead_ = absl::ZeroDuration();
};

class SimLoop : public base::EventLoop {
 public:
  SimLoop(Scheduler& scheduler, std::string name);
  ~SimLoop() override;
  SimLoop(const SimLoop&) = delete;
  SimLoop& operator=(const SimLoop&) = delete;

  void Post(Function fn) override;
  base::TimerId PostAfter(absl::Duration delay, Function fn) override;
  void CancelTimer(base::TimerId id) override;
  bool InLoop() const override { return true; }
  base::Clock& clock() override { return clock_ == nullptr ? scheduler_.clock() : *clock_; }
  // Another clock for what lives on the loop.
  void set_clock(base::Clock* clock) { clock_ = clock; }

  // Runs nothing before `until` (a slow disk, a paused process).
  void PauseUntil(absl::Duration until) { paused_until_ = std::max(paused_until_, until); }
  // Runs the oldest ready function now; false when there is none.
  bool RunOne();
  // Destroys everything that waits, without running it.
  void Drop();
  const std::string& name() const { return name_; }

 private:
  friend class Scheduler;
  struct Ready {
    base::TimerId timer;  // 0: fn
    Function fn;
  };
  bool ready() const;
  void MoveDue();
  // When it next has something to do; InfiniteDuration: never.
  absl::Duration NextAt() const;

  Scheduler& scheduler_;
  const std::string name_;
  base::Clock* clock_ = nullptr;
  absl::Duration paused_until_ = absl::ZeroDuration();
  std::deque<Ready> queue_;
  std::map<base::TimerId, Function> timers_;
  std::set<std::pair<absl::Duration, base::TimerId>> waiting_;  // not yet moved to the queue
  std::map<base::TimerId, absl::Duration> at_;
  base::TimerId last_timer_ = 0;
};

}  // namespace sim
