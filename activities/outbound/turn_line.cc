#include "activities/outbound/turn_line.h"

#include <algorithm>
#include <cmath>

#include "activities/outbound/pacer.h"

namespace outbound {
namespace {

// How long a caller that got a call through goes before newcomers.
constexpr absl::Duration kInFor = absl::Minutes(10);
// A caller that has not asked again for so long after its turn is not waited for.
constexpr absl::Duration kAmidstFor = absl::Seconds(2);
constexpr absl::Duration kPruneEvery = absl::Minutes(1);
// How much the next caller's calls say against what was learned before. More is learned at once:
// to let in too many costs beginnings, to let in too few costs little.
constexpr double kLearning = 0.05;
// Callers come back a bit too early: a limit that is idle is worse than one that is asked twice.
constexpr double kEarly = 0.8;

}  // namespace

bool TurnLine::IsIn(absl::Time now, const std::string& caller) const {
  const auto it = callers_.find(caller);
  return it != callers_.end() && now < it->second.in_until;
}

int TurnLine::Amidst(absl::Time now) {
  while (!turns_.empty() && turns_.front().first < now - kAmidstFor) {
    const auto it = callers_.find(turns_.front().second);
    if (it != callers_.end() && it->second.turn_at == turns_.front().first) {
      EndCalls(it->second, /*cut=*/false);
    }
    turns_.pop_front();
  }
  return amidst_;
}

int TurnLine::CallsToCome(absl::Time now) {
  const int callers = Amidst(now);
  const double all = std::ceil(callers * calls_each_ - 1e-9);
  return std::max(callers, static_cast<int>(all) - turns_amidst_);
}

void TurnLine::EndCalls(Caller& caller, bool cut) {
  if (caller.turns == 0) return;
  if (caller.turns > calls_each_) {
    calls_each_ = caller.turns;
  } else if (!cut) {
    calls_each_ += (caller.turns - calls_each_) * kLearning;
  }
  --amidst_;
  turns_amidst_ -= caller.turns;
  caller.turns = 0;
}

TurnLine::Caller* TurnLine::Find(absl::Time now, const std::string& caller) {
  if (caller.empty()) return nullptr;
  if (now >= prune_at_) Prune(now);
  const auto it = callers_.find(caller);
  if (it != callers_.end()) return &it->second;
  return callers_.size() < callers_max_ ? &callers_[caller] : nullptr;
}

void TurnLine::Prune(absl::Time now) {
  prune_at_ = now + kPruneEvery;
  Amidst(now);
  for (auto it = callers_.begin(); it != callers_.end();) {
    const bool gone = now >= it->second.in_until && now >= it->second.forget_at;
    if (gone) {
      LeaveLine(it->second);
      EndCalls(it->second, /*cut=*/true);
    }
    it = gone ? callers_.erase(it) : std::next(it);
  }
}

void TurnLine::LeaveLine(Caller& caller) {
  if (caller.ticket == 0) return;
  caller.ticket = 0;
  --waiting_;
  ++served_;
}

void TurnLine::Take(absl::Time now, absl::Time turn_at, const std::string& caller) {
  Caller* const known = Find(now, caller);
  if (known == nullptr) return;
  Amidst(now);
  if (known->turns++ == 0) ++amidst_;
  ++turns_amidst_;
  if (turn_at > known->turn_at) {
    known->turn_at = turn_at;
    turns_.emplace_back(turn_at, caller);
  } else if (known->turns == 1) {
    turns_.emplace_back(known->turn_at, caller);
  }
  known->in_until = std::max(known->in_until, turn_at + kInFor);
  LeaveLine(*known);
}

std::optional<absl::Duration> TurnLine::ComeBackAfter(absl::Time now, const std::string& caller,
                                                      absl::Duration gap, double random) {
  Caller* const known = Find(now, caller);
  if (known == nullptr) return std::nullopt;
  Amidst(now);
  known->forget_at = now + kComeBackMax + kInFor;
  if (known->ticket == 0) {
    ++last_ticket_;
    ++waiting_;
    known->ticket = now < known->in_until ? served_ + 1 : last_ticket_;
  }
  known->in_until = absl::InfinitePast();
  EndCalls(*known, /*cut=*/true);
  const int64_t place = std::clamp<int64_t>(known->ticket - served_ - 1, 0, waiting_ - 1);
  return gap * calls_each_ * kEarly * (static_cast<double>(place) + random);
}

}  // namespace outbound
