// Dice: random choices from a seed. Several of them, so that one choice less in the plan leaves
// the others as they were.
//
// One thread.
#pragma once

#include <cstdint>

#include "absl/time/time.h"
#include "orchestrator/base/random.h"

namespace sim {

class Dice {
 public:
  explicit Dice(uint64_t seed) : random_(seed) {}
  base::Random& random() { return random_; }
  uint64_t Below(uint64_t end) { return random_.Next() % end; }
  bool Chance(double p) { return random_.NextDouble() < p; }
  // Uniform in [low, high).
  absl::Duration Between(absl::Duration low, absl::Duration high) {
    return absl::Microseconds(
        absl::ToInt64Microseconds(low) +
        static_cast<int64_t>(random_.NextDouble() * absl::ToDoubleMicroseconds(high - low)));
  }

 private:
  base::SeededRandom random_;
};

}  // namespace sim
