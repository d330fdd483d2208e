// What a simulated run is made of. Plain data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sim {

// Rules that a red run breaks on purpose, by decorators around the engine; production code has no
// switch for them.
enum class Rule {
  kNone,
  kNoEpochCheck,        // a stale owner's commits are accepted
  kAckBeforeDurable,    // a crash loses what the store had acknowledged
  kLostWrite,           // the store says OK and writes nothing
  kForgedToken,         // a refused result is sent again with the token of the next attempt
  kEarlyTimer,          // the engine's clock runs ahead
  kNewKeyPerAttempt,    // an attempt carries a key of its own
  kCompensationIsNoop,  // an undo says it is done and does nothing
  kRegisteredLate,      // a compensation is registered when its step has succeeded
  kOldestFirst,         // compensations run in the wrong order
  kAttemptsForgotten,   // the attempts beside the history are not stored
  kSignalDropped,       // a signal is acknowledged and dropped
  kNondeterministic,    // workflow code depends on more than its history
  kDueRunsLost,         // recovery does not find the runs that are due
  kClosedRunChanges,    // a write to a closed run is made up
  kCount,
};
const char* NameOf(Rule rule);
// False when there is no such rule.
bool ParseRule(const std::string& name, Rule* rule);

struct Options {
  uint64_t seed = 1;
  Rule broken = Rule::kNone;
  bool trace = false;
};

}  // namespace sim
