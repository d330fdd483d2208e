#include "tests/simulation/options.h"

namespace sim {
namespace {

constexpr const char* kNames[] = {
    "none",
    "no-epoch-check",
    "ack-before-durable",
    "lost-write",
    "forged-token",
    "early-timer",
    "new-key-per-attempt",
    "compensation-is-noop",
    "registered-late",
    "oldest-first",
    "attempts-forgotten",
    "signal-dropped",
    "nondeterministic",
    "due-runs-lost",
    "closed-run-changes",
};
static_assert(sizeof(kNames) / sizeof(kNames[0]) == static_cast<size_t>(Rule::kCount));

}  // namespace

const char* NameOf(Rule rule) { return kNames[static_cast<int>(rule)]; }

bool ParseRule(const std::string& name, Rule* rule) {
  for (int i = 0; i < static_cast<int>(Rule::kCount); ++i) {
    if (name != kNames[i]) continue;
    *rule = static_cast<Rule>(i);
    return true;
  }
  return false;
}

}  // namespace sim
