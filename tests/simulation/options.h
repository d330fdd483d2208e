// What a simulated run is made of. Plain data.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"

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
  kLeaseNotChecked,     // who lost its lease goes on dispatching
  kPauseDropped,        // a pause is acknowledged and dropped
  kPutOffCounts,        // an attempt that was not made counts
  kChildEndDropped,     // a parent is not told how its child ended
  kMessageTwice,        // a message of a run to a run is taken twice
  kCount,
};
const char* NameOf(Rule rule);
// False when there is no such rule.
bool ParseRule(const std::string& name, Rule* rule);

// The kinds of trouble, each of which can be left out.
enum class Trouble {
  kCrash,     // a node dies
  kTakeover,  // a partition gets another owner while the old one runs
  kFreeze,    // a node stops for a long while and then goes on with its old leases
  kClose,     // a node is closed in good order
  kPause,     // one thread of a node stands still: slow disk, slow code
  kClock,     // the wall clock of a node jumps
  kCommit,    // a commit fails, or nobody knows whether it did
  kRead,      // a read of the store fails
  kVendor,    // vendors fail, stall, and lose answers
  kNetwork,   // messages between nodes are lost
  kClient,    // clients cancel and terminate
  kOutage,    // a vendor of the campaigns is down, or the kill switch is on
  kCount,
};
const char* NameOf(Trouble trouble);
bool ParseTrouble(const std::string& name, Trouble* trouble);

struct Options {
  uint64_t seed = 1;
  Rule broken = Rule::kNone;
  bool trace = false;

  // What a shrunk run leaves out. The plan follows from the seed alone, so that what is left stays
  // as it was; `salt` gives another order of events for the same plan.
  uint64_t salt = 0;
  uint32_t without = 0;       // bits of Trouble
  int hurts_max = 1'000'000;  // blows to nodes; peace after the last one
  int partitions_max = 1'000;
  int nodes_max = 1'000;
  int campaigns_max = 1'000;
  int campaigns_min = 0;                // more than planned, to measure
  std::map<int, std::string> programs;  // by the workflow's number; empty: as planned

  bool has(Trouble trouble) const { return (without & (1u << static_cast<int>(trouble))) == 0; }
  // The flags of the program that give this run again.
  std::string Flags() const;
};

}  // namespace sim
