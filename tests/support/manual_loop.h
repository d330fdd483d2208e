// ManualLoop: an event loop that a test moves by hand, with its clock. Timers run in the order of
// their time while the clock is advanced.
//
// One thread.
//
// Example:
//   test::ManualLoop loop;
//   base::Spawn(Something(loop), ...);
//   loop.Advance(absl::Seconds(10));
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "orchestrator/base/event_loop.h"
#include "tests/support/manual_clock.h"

namespace test {

class ManualLoop : public base::EventLoop {
 public:
  void Post(Function fn) override { ready_.push_back(std::move(fn)); }
  base::TimerId PostAfter(absl::Duration delay, Function fn) override {
    const base::TimerId id = ++last_id_;
    at_[id] = clock_.Monotonic() + delay;
    timers_.emplace(std::pair(at_[id], id), std::move(fn));
    return id;
  }
  void CancelTimer(base::TimerId id) override {
    const auto at = at_.find(id);
    if (at == at_.end()) return;
    timers_.erase(std::pair(at->second, id));
    at_.erase(at);
  }
  bool InLoop() const override { return true; }
  base::Clock& clock() override { return clock_; }
  ManualClock& manual_clock() { return clock_; }

  void RunReady() {
    while (!ready_.empty()) {
      Function fn = std::move(ready_.front());
      ready_.pop_front();
      fn();
    }
  }
  void Advance(absl::Duration by) {
    const absl::Duration until = clock_.Monotonic() + by;
    RunReady();
    while (!timers_.empty() && timers_.begin()->first.first <= until) {
      auto timer = timers_.extract(timers_.begin());
      at_.erase(timer.key().second);
      clock_.Advance(std::max(absl::ZeroDuration(), timer.key().first - clock_.Monotonic()));
      timer.mapped()();
      RunReady();
    }
    clock_.Advance(until - clock_.Monotonic());
  }
  size_t timers() const { return timers_.size(); }

 private:
  ManualClock clock_;
  std::deque<Function> ready_;
  base::TimerId last_id_ = 0;
  std::map<base::TimerId, absl::Duration> at_;
  std::map<std::pair<absl::Duration, base::TimerId>, Function> timers_;
};

}  // namespace test
