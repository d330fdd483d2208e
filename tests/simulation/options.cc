#include "tests/simulation/options.h"

#include "absl/strings/str_cat.h"

namespace sim {
namespace {

constexpr const char* kRules[] = {
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
    "lease-not-checked",
    "pause-dropped",
    "put-off-counts",
    "child-end-dropped",
    "message-twice",
};
static_assert(sizeof(kRules) / sizeof(kRules[0]) == static_cast<size_t>(Rule::kCount));

constexpr const char* kTroubles[] = {
    "crash",  "takeover", "freeze", "close",   "pause",  "clock",
    "commit", "read",     "vendor", "network", "client", "outage",
};
static_assert(sizeof(kTroubles) / sizeof(kTroubles[0]) == static_cast<size_t>(Trouble::kCount));

template <typename T, size_t kSize>
bool Parse(const char* const (&names)[kSize], const std::string& name, T* value) {
  for (size_t i = 0; i < kSize; ++i) {
    if (name != names[i]) continue;
    *value = static_cast<T>(i);
    return true;
  }
  return false;
}

}  // namespace

const char* NameOf(Rule rule) { return kRules[static_cast<int>(rule)]; }
bool ParseRule(const std::string& name, Rule* rule) { return Parse(kRules, name, rule); }

const char* NameOf(Trouble trouble) { return kTroubles[static_cast<int>(trouble)]; }
bool ParseTrouble(const std::string& name, Trouble* trouble) {
  return Parse(kTroubles, name, trouble);
}

std::string Options::Flags() const {
  const Options all;
  std::string text = absl::StrCat("--seed ", seed);
  if (broken != Rule::kNone) absl::StrAppend(&text, " --break ", NameOf(broken));
  if (salt != 0) absl::StrAppend(&text, " --salt ", salt);
  std::string left_out;
  for (int i = 0; i < static_cast<int>(Trouble::kCount); ++i) {
    const Trouble trouble = static_cast<Trouble>(i);
    if (!has(trouble)) absl::StrAppend(&left_out, left_out.empty() ? "" : ",", NameOf(trouble));
  }
  if (!left_out.empty()) absl::StrAppend(&text, " --without ", left_out);
  if (hurts_max != all.hurts_max) absl::StrAppend(&text, " --hurts ", hurts_max);
  if (partitions_max != all.partitions_max)
    absl::StrAppend(&text, " --partitions ", partitions_max);
  if (nodes_max != all.nodes_max) absl::StrAppend(&text, " --nodes ", nodes_max);
  if (campaigns_max != all.campaigns_max) absl::StrAppend(&text, " --campaigns ", campaigns_max);
  if (campaigns_min != 0) absl::StrAppend(&text, " --campaigns-min ", campaigns_min);
  for (const auto& [number, program] : programs) {
    absl::StrAppend(&text, " --program '", number, "=", program, "'");
  }
  return text;
}

}  // namespace sim
