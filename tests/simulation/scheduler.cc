#include "tests/simulation/scheduler.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/check.h"

namespace sim {
namespace {

constexpr size_t kLinesMax = 400;

}  // namespace

void Trace::Line(absl::Duration at, const std::string& line) {
  lines_.push_back(absl::StrCat(absl::FormatDuration(at), "  ", line));
  if (lines_.size() > kLinesMax) lines_.pop_front();
}

Scheduler::Scheduler(uint64_t seed, Trace& trace)
    : Dice(seed), trace_(trace), clock_(*this), wall_base_(absl::FromUnixSeconds(1'800'000'000)) {}

bool Scheduler::Step() {
  ++steps_;
  now_ += absl::Microseconds(Below(40));
  size_t ready = 0;
  for (SimLoop* loop : loops_) {
    loop->MoveDue();
    ready += loop->ready() ? 1 : 0;
  }
  if (ready == 0) {
    absl::Duration next = absl::InfiniteDuration();
    for (const SimLoop* loop : loops_) next = std::min(next, loop->NextAt());
    if (next == absl::InfiniteDuration()) return false;
    now_ = std::max(now_, next);
    return true;
  }
  size_t choice = Below(ready);
  for (size_t i = 0; i < loops_.size(); ++i) {
    if (!loops_[i]->ready()) continue;
    if (choice-- > 0) continue;
    trace_.Mix(i);
    trace_.Mix(static_cast<uint64_t>(absl::ToInt64Microseconds(now_)));
    loops_[i]->RunOne();
    break;
  }
  return true;
}

SimLoop::SimLoop(Scheduler& scheduler, std::string name)
    : scheduler_(scheduler), name_(std::move(name)) {
  scheduler_.loops_.push_back(this);
}

SimLoop::~SimLoop() {
  Drop();
  std::erase(scheduler_.loops_, this);
}

void SimLoop::Post(Function fn) { queue_.push_back({0, std::move(fn)}); }

base::TimerId SimLoop::PostAfter(absl::Duration delay, Function fn) {
  const base::TimerId id = ++last_timer_;
  // Whole microseconds, and never early.
  const absl::Duration at =
      absl::Ceil(scheduler_.now() + std::max(delay, absl::ZeroDuration()), absl::Microseconds(1));
  timers_[id] = std::move(fn);
  at_[id] = at;
  waiting_.insert({at, id});
  return id;
}

void SimLoop::CancelTimer(base::TimerId id) {
  const auto it = timers_.find(id);
  if (it == timers_.end()) return;
  const Function dropped = std::move(it->second);
  timers_.erase(it);
  waiting_.erase({at_[id], id});
  at_.erase(id);
}

bool SimLoop::ready() const { return !queue_.empty() && paused_until_ <= scheduler_.now(); }

void SimLoop::MoveDue() {
  while (!waiting_.empty() && waiting_.begin()->first <= scheduler_.now()) {
    queue_.push_back({waiting_.begin()->second, nullptr});
    waiting_.erase(waiting_.begin());
  }
}

absl::Duration SimLoop::NextAt() const {
  absl::Duration next = absl::InfiniteDuration();
  if (!queue_.empty()) next = scheduler_.now();
  if (!waiting_.empty()) next = std::min(next, waiting_.begin()->first);
  return std::max(next, paused_until_);
}

bool SimLoop::RunOne() {
  if (queue_.empty()) return false;
  Ready ready = std::move(queue_.front());
  queue_.pop_front();
  if (ready.timer == 0) {
    ready.fn();
    return true;
  }
  const auto it = timers_.find(ready.timer);
  if (it == timers_.end()) return true;  // was canceled
  Function fn = std::move(it->second);
  timers_.erase(it);
  at_.erase(ready.timer);
  fn();
  return true;
}

void SimLoop::Drop() {
  // What is destroyed may post or cancel once more.
  while (!queue_.empty() || !timers_.empty()) {
    const std::deque<Ready> queue = std::exchange(queue_, {});
    const std::map<base::TimerId, Function> timers = std::exchange(timers_, {});
    waiting_.clear();
    at_.clear();
  }
}

}  // namespace sim
