#include "activities/outbound/circuit_breaker.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace outbound {
namespace {

constexpr int kSlices = 10;
constexpr int kDrainBurst = 3;
// A probe lasts as long as a try of its call; this is longer than any.
constexpr absl::Duration kProbeMax = absl::Minutes(10);
// Half-open: when those that are not the probe look again.
constexpr absl::Duration kProbePatience = absl::Seconds(2);
// Forced open: when callers look whether it still is.
constexpr absl::Duration kForcedPatience = absl::Seconds(15);
// How long a caller that took a turn may go on with further calls.
constexpr absl::Duration kLetInFor = absl::Minutes(10);
constexpr size_t kLetInMax = 10'000;

void AddCaller(std::vector<std::string>& callers, const std::string& caller) {
  if (callers.size() < 2 && std::find(callers.begin(), callers.end(), caller) == callers.end()) {
    callers.push_back(caller);
  }
}

}  // namespace

const char* BreakerStateName(BreakerState state) {
  switch (state) {
    case BreakerState::kClosed:
      return "closed";
    case BreakerState::kOpen:
      return "open";
    case BreakerState::kHalfOpen:
      return "half-open";
  }
  return "closed";
}

CircuitBreaker::CircuitBreaker(BreakerOptions options)
    : options_(options),
      pacer_(absl::Seconds(1) / std::max(options.drain_per_second, 0.001), kDrainBurst) {}

BreakerState CircuitBreaker::state() const {
  if (force_ == BreakerForce::kOpen) return BreakerState::kOpen;
  if (force_ == BreakerForce::kClosed) return BreakerState::kClosed;
  return state_;
}

bool CircuitBreaker::WouldGo(absl::Time now, const std::string& caller) const {
  if (force_ != BreakerForce::kNone) return force_ == BreakerForce::kClosed;
  switch (state_) {
    case BreakerState::kClosed:
      return now >= recovering_until_ || IsLetIn(now, caller) ||
             pacer_.WaitFor(now) <= absl::ZeroDuration();
    case BreakerState::kOpen:
      return now >= probe_at_;
    case BreakerState::kHalfOpen:
      return !probing_ || now >= probe_lost_at_;
  }
  return true;
}

bool CircuitBreaker::IsLetIn(absl::Time now, const std::string& caller) const {
  const auto it = let_in_.find(caller);
  return it != let_in_.end() && now < it->second + kLetInFor;
}

void CircuitBreaker::LetIn(absl::Time now, const std::string& caller) {
  if (now >= recovering_until_) {
    let_in_.clear();
  } else if (!IsLetIn(now, caller)) {
    pacer_.Take(now);
    if (let_in_.size() >= kLetInMax) let_in_.clear();  // they take a turn again
    if (!caller.empty()) let_in_[caller] = now;
  }
}

CircuitBreaker::Admission CircuitBreaker::Ask(absl::Time now, double random,
                                              const std::string& caller) {
  if (!WouldGo(now, caller)) return {.come_back_after = ComeBackAfter(now, random)};
  if (force_ == BreakerForce::kNone && state_ != BreakerState::kClosed) return TakeProbe(now);
  LetIn(now, caller);
  return {.go = true, .ticket = {.generation = generation_}};
}

CircuitBreaker::Admission CircuitBreaker::TakeProbe(absl::Time now) {
  Enter(BreakerState::kHalfOpen);
  probing_ = true;
  probe_lost_at_ = now + kProbeMax;
  return {.go = true, .ticket = {.generation = generation_, .probe = true}};
}

absl::Duration CircuitBreaker::ComeBackAfter(absl::Time now, double random) {
  ++held_;
  absl::Time earliest = now;
  if (force_ == BreakerForce::kOpen) {
    earliest = now + kForcedPatience;
  } else if (state_ == BreakerState::kOpen) {
    earliest = std::max(now, probe_at_);
  } else if (state_ == BreakerState::kHalfOpen) {
    earliest = now + kProbePatience;
  }
  const absl::Duration wait = pacer_.ComeBackAfter(now, earliest, random);
  if (state_ == BreakerState::kClosed && force_ == BreakerForce::kNone) {
    recovering_until_ = std::max(recovering_until_, pacer_.queue_end());
  }
  return wait;
}

CircuitBreaker::Slice& CircuitBreaker::SliceAt(absl::Time now) {
  const absl::Duration length = options_.window / kSlices;
  const int64_t number = (now - absl::UnixEpoch()) / length;
  while (!slices_.empty() && slices_.front().number <= number - kSlices) slices_.pop_front();
  if (slices_.empty() || slices_.back().number != number) slices_.push_back({.number = number});
  return slices_.back();
}

void CircuitBreaker::Succeeded(Ticket ticket, absl::Time now) {
  if (ticket.generation != generation_ || force_ != BreakerForce::kNone) return;
  if (ticket.probe) return Close(now);
  if (state_ != BreakerState::kClosed) return;
  ++SliceAt(now).calls;
  consecutive_ = 0;
  certain_in_a_row_ = false;
  callers_in_a_row_.clear();
}

bool CircuitBreaker::Failed(Ticket ticket, absl::Time now, const FailureNote& note) {
  ++failures_;
  if (ticket.generation != generation_ || force_ != BreakerForce::kNone) {
    return state() != BreakerState::kClosed;
  }
  ++consecutive_;
  if (ticket.probe || note.opens || note.retry_after >= options_.long_retry_after) {
    Open(now, note);
    return state() != BreakerState::kClosed;
  }
  Slice& slice = SliceAt(now);
  ++slice.calls;
  ++slice.failures;
  if (note.doubtful) {
    AddCaller(slice.callers, note.caller);
    AddCaller(callers_in_a_row_, note.caller);
  } else {
    slice.certain = certain_in_a_row_ = true;
  }
  if (state_ == BreakerState::kClosed && ShouldOpen()) Open(now, note);
  return state() != BreakerState::kClosed;
}

bool CircuitBreaker::ShouldOpen() const {
  if (consecutive_ >= options_.consecutive_failures &&
      (certain_in_a_row_ || callers_in_a_row_.size() > 1)) {
    return true;
  }
  int calls = 0;
  int failures = 0;
  bool certain = false;
  std::vector<std::string> callers;
  for (const Slice& slice : slices_) {
    calls += slice.calls;
    failures += slice.failures;
    certain = certain || slice.certain;
    for (const std::string& caller : slice.callers) AddCaller(callers, caller);
  }
  return calls >= options_.rate_calls_min && failures >= options_.failure_rate * calls &&
         (certain || callers.size() > 1);
}

void CircuitBreaker::Ended(Ticket ticket) {
  if (ticket.generation == generation_ && ticket.probe) probing_ = false;
}

void CircuitBreaker::Enter(BreakerState state) {
  state_ = state;
  probing_ = false;
  ++generation_;
}

void CircuitBreaker::Open(absl::Time now, const FailureNote& note) {
  if (state_ == BreakerState::kClosed) {
    opened_in_a_row_ = now - closed_at_ < options_.window ? opened_in_a_row_ : 0;
    opened_at_ = now;
    held_ = 0;
  }
  const double factor = std::pow(2.0, std::min(opened_in_a_row_, 30));
  ++opened_in_a_row_;
  const absl::Duration own = std::min(options_.open_initial * factor, options_.open_max);
  probe_at_ = now + std::max(own, note.retry_after);
  reason_ = note.reason;
  pacer_.ForgetQueue();
  let_in_.clear();
  Enter(BreakerState::kOpen);
}

void CircuitBreaker::Close(absl::Time now) {
  // Whoever was told to come back does so by then.
  recovering_until_ = std::clamp(pacer_.queue_end(), now, now + kComeBackMax);
  closed_at_ = now;
  reason_.clear();
  consecutive_ = 0;
  certain_in_a_row_ = false;
  callers_in_a_row_.clear();
  slices_.clear();
  Enter(BreakerState::kClosed);
}

bool CircuitBreaker::DueForProbe(absl::Time now) const {
  if (force_ != BreakerForce::kNone) return false;
  if (state_ == BreakerState::kOpen) return now >= probe_at_;
  return state_ == BreakerState::kHalfOpen && (!probing_ || now >= probe_lost_at_);
}

void CircuitBreaker::PutOffProbe(absl::Time at) {
  if (state_ == BreakerState::kOpen) probe_at_ = std::max(probe_at_, at);
}

void CircuitBreaker::OpenAs(const std::string& reason, absl::Time opened_at, absl::Time probe_at,
                            int opened_in_a_row) {
  if (state_ == BreakerState::kClosed) held_ = 0;
  opened_at_ = opened_at;
  probe_at_ = probe_at;
  reason_ = reason;
  opened_in_a_row_ = opened_in_a_row;
  let_in_.clear();
  Enter(BreakerState::kOpen);
}

void CircuitBreaker::CloseAs(absl::Time now) {
  if (state_ != BreakerState::kClosed) Close(now);
}

void CircuitBreaker::Force(BreakerForce force, std::string by, std::string reason, absl::Time now) {
  if (state() == BreakerState::kClosed && force == BreakerForce::kOpen) {
    opened_at_ = now;
    held_ = 0;
  }
  const bool was_open = state() != BreakerState::kClosed;
  if (state_ != BreakerState::kClosed || (was_open && force == BreakerForce::kClosed)) Close(now);
  force_ = force;
  forced_by_ = std::move(by);
  reason_ = std::move(reason);
  ++generation_;
}

void CircuitBreaker::Reset(absl::Time now) {
  force_ = BreakerForce::kNone;
  forced_by_.clear();
  Close(now);
  opened_in_a_row_ = 0;
}

}  // namespace outbound
