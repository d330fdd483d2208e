// CircuitBreaker: the state machine of one service's breaker.
//
//   closed     calls go; failures are counted
//   open       no call goes until the time of the next probe
//   half-open  one probe is on its way; its end decides
//
// It opens on failures in a row, on a failure rate over a window, or at once when the service
// says that it will be away for long. While it is open callers are told when to come back, one
// after another, so that the backlog drains at `drain_per_second` when it closes. Pure: time and
// randomness are given in; the time must never go back.
//
// Thread-safety: externally synchronised (Breakers does).
//
// Example:
//   CircuitBreaker breaker({});
//   const CircuitBreaker::Admission admission = breaker.Ask(now, random.NextDouble());
//   if (!admission.go) return Later(admission.come_back_after);
//   ... call ...
//   breaker.Succeeded(admission.ticket, now);
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "activities/outbound/pacer.h"

namespace outbound {

// The numbers are those of the metric circuit_breaker_state.
enum class BreakerState { kClosed = 0, kOpen = 1, kHalfOpen = 2 };
enum class BreakerForce { kNone, kOpen, kClosed };
// "closed", "open", "half-open".
const char* BreakerStateName(BreakerState state);

struct BreakerOptions {
  int consecutive_failures = 5;
  double failure_rate = 0.5;  // over `window`, once there were `rate_calls_min` calls
  int rate_calls_min = 20;
  absl::Duration window = absl::Minutes(1);
  absl::Duration open_initial = absl::Seconds(10);  // doubles with every failed probe
  absl::Duration open_max = absl::Minutes(5);
  absl::Duration long_retry_after = absl::Minutes(5);  // from here on it opens at once
  double drain_per_second = 10;                        // pace of the backlog when it closes
};

class CircuitBreaker {
 public:
  explicit CircuitBreaker(BreakerOptions options);

  // Which stay in which state a call belongs to: what ends after the state changed decides nothing.
  struct Ticket {
    uint64_t generation = 0;
    bool probe = false;
  };
  struct Admission {
    bool go = false;
    Ticket ticket;                   // when go
    absl::Duration come_back_after;  // else
  };
  struct FailureNote {
    std::string reason;          // for people
    absl::Duration retry_after;  // the service's own wish; zero: none
    bool opens = false;          // the service says it is away: open at once
    // It may be this one request that the service cannot stand (a plain 500). Such failures open
    // the breaker only when they hit more than one caller.
    bool doubtful = false;
    std::string caller;
  };

  // Whether a call would be let through now; changes nothing. While a backlog drains each `caller`
  // (an activity; "" is nobody) takes one turn: its further calls go at once, else activities of
  // several calls would take each other's turns and none would end.
  bool WouldGo(absl::Time now, const std::string& caller = "") const;
  Admission Ask(absl::Time now, double random, const std::string& caller = "");
  void Succeeded(Ticket ticket, absl::Time now);
  // Returns whether the breaker is open now.
  bool Failed(Ticket ticket, absl::Time now, const FailureNote& note);
  // The call ended without saying anything about the service (canceled, not sent).
  void Ended(Ticket ticket);
  // When a caller that found it open should come back; also a caller whose own call opened it.
  absl::Duration ComeBackAfter(absl::Time now, double random);

  // Whether the next call would be a probe.
  bool DueForProbe(absl::Time now) const;
  // Somebody else probes: no probe here before `at`.
  void PutOffProbe(absl::Time at);
  // What another process, or the one before this, knew: open since `opened_at`, ...
  void OpenAs(const std::string& reason, absl::Time opened_at, absl::Time probe_at,
              int opened_in_a_row);
  // ... or closed by now.
  void CloseAs(absl::Time now);

  // By an operator, until Reset.
  void Force(BreakerForce force, std::string by, std::string reason, absl::Time now);
  // Closed, automatic, nothing remembered but the number of failures.
  void Reset(absl::Time now);

  BreakerState state() const;
  BreakerForce forced() const { return force_; }
  const std::string& forced_by() const { return forced_by_; }
  const std::string& reason() const { return reason_; }
  absl::Time opened_at() const { return opened_at_; }  // when not closed
  absl::Time probe_at() const { return probe_at_; }    // when open
  int64_t failures() const { return failures_; }
  int consecutive_failures() const { return consecutive_; }
  int64_t calls_held() const { return held_; }
  int opened_in_a_row() const { return opened_in_a_row_; }

 private:
  // A part of the window.
  struct Slice {
    int64_t number;
    int calls = 0;
    int failures = 0;
    bool certain = false;              // a failure that is not doubtful
    std::vector<std::string> callers;  // of doubtful failures; two are enough
  };
  Slice& SliceAt(absl::Time now);
  bool IsLetIn(absl::Time now, const std::string& caller) const;
  // Takes a turn of the backlog, unless the caller has one.
  void LetIn(absl::Time now, const std::string& caller);
  void Enter(BreakerState state);
  void Open(absl::Time now, const FailureNote& note);
  void Close(absl::Time now);
  bool ShouldOpen() const;
  Admission TakeProbe(absl::Time now);

  const BreakerOptions options_;
  BreakerState state_ = BreakerState::kClosed;
  BreakerForce force_ = BreakerForce::kNone;
  std::string forced_by_;
  uint64_t generation_ = 1;
  std::string reason_;
  absl::Time opened_at_;
  absl::Time closed_at_ = absl::InfinitePast();
  absl::Time probe_at_;
  absl::Time probe_lost_at_;  // half-open: a probe that never ends is given up
  bool probing_ = false;
  int opened_in_a_row_ = 0;
  Pacer pacer_;
  absl::Time recovering_until_ = absl::InfinitePast();
  std::map<std::string, absl::Time> let_in_;  // while recovering: callers, by when they took a turn
  int64_t failures_ = 0;
  int64_t held_ = 0;
  int consecutive_ = 0;
  bool certain_in_a_row_ = false;
  std::vector<std::string> callers_in_a_row_;
  std::deque<Slice> slices_;
};

}  // namespace outbound
