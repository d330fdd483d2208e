// Randomness as an interface, so that a simulation can own it. Implementations say whether they
// are thread-safe; SystemRandom is.
#pragma once

#include <cstdint>

namespace base {

class Random {
 public:
  virtual ~Random() = default;
  virtual uint64_t Next() = 0;
  // Uniform in [0, 1).
  double NextDouble() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }
};

// Thread-safe; seeded by the operating system.
class SystemRandom : public Random {
 public:
  uint64_t Next() override;
};

// Deterministic generator (SplitMix64, Steele et al. 2014). Externally synchronised.
class SeededRandom : public Random {
 public:
  explicit SeededRandom(uint64_t seed) : state_(seed) {}
  uint64_t Next() override;

 private:
  uint64_t state_;
};

}  // namespace base
