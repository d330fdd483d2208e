// Programs: random workflows. A program is a line of words that travels as the workflow's input;
// one workflow type interprets it:
//   run:3.0:r        saga step 3.0 with an undo; r: the vendor may refuse it, h: it heartbeats,
//                    b: its undo has few attempts, so that it may block
//   act:3.0:         a step that has nothing to undo
//   par:3.0:r,3.1:   steps at once
//   sleep:500        milliseconds
//   sig              waits for the signal "go"
//   wait:500         waits for the signal, at most so many milliseconds
//   child:3.0:t:(run:0.0:;fail)  runs a program as a child and shares its fate; t, a(bandon),
//                    c(ancel): what becomes of it when this one closes first; x: its id is taken,
//                    o: it has ten seconds; of these and of c the end does not matter
//   ext:w2, extc:w2  signals, cancels another workflow
//   local:3.0:       a local activity
//   any:500          timers and an activity at once; the first one counts
//   scope:3.0:       a step in a scope that is canceled after a moment
//   side:blue        a side effect, a patch, search attributes and a memo
//   pivot            nothing is undone from here
//   can              continues as new with the rest, carrying the saga
//   fail             ends with a failure, after undoing
// The number before the dot is the place in the program: what is undone later has a smaller one.
#pragma once

#include <memory>
#include <string>

#include "orchestrator/sdk/registry.h"
#include "tests/simulation/options.h"
#include "tests/simulation/vendor.h"

namespace sim {

inline constexpr char kWorkflowType[] = "program";

std::string RandomProgram(Dice& dice);

// A process that is gone has no more effects.
struct Life {
  bool dead = false;
};

// Registers the workflow type, its activities and compensations.
void RegisterPrograms(sdk::Registry& registry, Scheduler& scheduler, Vendor& vendor,
                      std::shared_ptr<Life> life, Rule broken);

}  // namespace sim
