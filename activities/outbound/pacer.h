// Pacer: lets callers through at a steady pace with a small burst (the generic cell rate
// algorithm, ITU-T I.371), and gives those that cannot wait for their turn a time to come back,
// one after another. Pure: time and randomness are given in.
//
// Thread-safety: externally synchronised.
//
// Example:
//   Pacer pacer(/*gap=*/absl::Milliseconds(100), /*burst=*/5);
//   if (pacer.WaitFor(now) <= absl::Seconds(2)) {
//     pacer.Take(now);  // the turn is ours, WaitFor(now) from now
//   } else {
//     retry_after = pacer.ComeBackAfter(now, random.NextDouble());
//   }
#pragma once

#include <algorithm>

#include "absl/time/time.h"

namespace outbound {

// Nobody is told to come back later than this: what they wait for may end sooner than it seems.
inline constexpr absl::Duration kComeBackMax = absl::Minutes(10);

class Pacer {
 public:
  Pacer(absl::Duration gap, int burst) : gap_(gap), burst_(std::max(1, burst)) {}

  // When the next turn is free, and `ahead` more have gone before it; zero: now.
  absl::Duration WaitFor(absl::Time now, int ahead = 0) const {
    const absl::Time next = ahead == 0 ? next_ : std::max(next_, now) + ahead * gap_;
    return std::max(absl::ZeroDuration(), next - (burst_ - 1) * gap_ - now);
  }
  // Takes the next free turn.
  void Take(absl::Time now) { next_ = std::max(next_, now) + gap_; }
  // No turn before `at`.
  void HoldUntil(absl::Time at) { next_ = std::max(next_, at + (burst_ - 1) * gap_); }
  // Forgets who was told to come back; for when the wait turned out longer or shorter.
  void ForgetQueue() { queue_ = absl::InfinitePast(); }

  // A place behind those that were sent away before, not before `earliest`.
  absl::Duration ComeBackAfter(absl::Time now, absl::Time earliest, double random) {
    queue_ = std::max({queue_, earliest, now + WaitFor(now)});
    const absl::Time slot = queue_ + gap_ * random;
    queue_ += gap_;
    if (slot - now <= kComeBackMax) return std::max(slot - now, absl::Milliseconds(1));
    queue_ = std::min(queue_, std::max(earliest, now) + kComeBackMax);
    return kComeBackMax * (0.5 + 0.5 * random);
  }
  absl::Duration ComeBackAfter(absl::Time now, double random) {
    return ComeBackAfter(now, now, random);
  }
  // The last place that was given out.
  absl::Time queue_end() const { return queue_; }
  absl::Duration gap() const { return gap_; }

 private:
  absl::Duration gap_;
  int burst_;
  absl::Time next_ = absl::InfinitePast();   // when the bucket is full again, in GCRA's words
  absl::Time queue_ = absl::InfinitePast();  // the next place to give out
};

}  // namespace outbound
