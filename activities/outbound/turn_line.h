// TurnLine: who goes first at one limit. An activity makes several calls; when one of them has to
// wait in the engine, the activity begins again with the first. So whoever has got a call through
// is let through with the others too, and only as many newcomers are let in as the limit can
// carry. Newcomers that were sent away keep their place, first come, first served; before them
// come those that were sent away amidst their calls.
//
// Callers are named (by an activity's idempotency key); nobody ("") has no place. Bounded: callers
// beyond `callers_max` are treated like nobody. Pure: time and randomness are given in.
//
// Thread-safety: externally synchronised.
//
// Example:
//   if (!line.IsIn(now, caller) && wait + line.Amidst(now) * gap > wait_max) {
//     return Later(wait + line.ComeBackAfter(now, caller, gap, random).value_or(gap));
//   }
//   line.Take(now, now + wait, caller);
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/time/time.h"

namespace outbound {

class TurnLine {
 public:
  explicit TurnLine(size_t callers_max = 10'000) : callers_max_(callers_max) {}

  // Whether the caller has got a call through and may go on.
  bool IsIn(absl::Time now, const std::string& caller) const;
  // Callers that are amidst their calls: each may ask for another turn at any moment.
  int Amidst(absl::Time now);
  // The calls that they will still make, as far as is known from others; at least one each.
  int CallsToCome(absl::Time now);
  // The caller has a turn, which comes at `turn_at`.
  void Take(absl::Time now, absl::Time turn_at, const std::string& caller);
  // The caller is sent away, and is no longer in. How long after the next free turn its own is
  // due, at one turn each `gap`. `random` in [0, 1) spreads them. Nothing for one without a place.
  std::optional<absl::Duration> ComeBackAfter(absl::Time now, const std::string& caller,
                                              absl::Duration gap, double random);

 private:
  struct Caller {
    absl::Time turn_at = absl::InfinitePast();   // the last turn
    absl::Time in_until = absl::InfinitePast();  // goes before newcomers
    absl::Time forget_at = absl::InfinitePast();
    int64_t ticket = 0;  // its place in the line; 0: none
    int turns = 0;       // since it is amidst its calls; 0: it is not
  };
  Caller* Find(absl::Time now, const std::string& caller);
  // The caller has made its calls, or was `cut` short.
  void EndCalls(Caller& caller, bool cut);
  void LeaveLine(Caller& caller);
  void Prune(absl::Time now);

  const size_t callers_max_;
  std::unordered_map<std::string, Caller> callers_;
  absl::Time prune_at_ = absl::InfinitePast();
  std::deque<std::pair<absl::Time, std::string>> turns_;  // of the last seconds, and those to come
  int amidst_ = 0;
  int turns_amidst_ = 0;   // of those
  double calls_each_ = 1;  // of a caller, learned
  int64_t last_ticket_ = 0;
  int64_t waiting_ = 0;
  int64_t served_ = 0;  // tickets that are done with
};

}  // namespace outbound
