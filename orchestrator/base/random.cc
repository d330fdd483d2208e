#include "orchestrator/base/random.h"

#include <random>

#include "absl/random/random.h"

namespace base {

uint64_t SystemRandom::Next() {
  thread_local absl::BitGen generator;
  return absl::Uniform<uint64_t>(generator);
}

uint64_t SeededRandom::Next() {
  uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

}  // namespace base
