// RunSimulation: one simulated world from its seed: a workload, faults for a while, then peace
// until everything has ended, and the checks. The same options give the same run, to the byte.
// Runs on the calling thread; one at a time.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "orchestrator/base/metrics.h"
#include "tests/simulation/options.h"

namespace sim {

struct Result {
  std::string violation;  // empty: all rules held
  uint64_t hash = 0;
  uint64_t steps = 0;
  int lives = 0;                        // workflows that lived and ended
  int campaigns = 0;                    // of the lives
  int hurts = 0;                        // blows to nodes
  std::map<int, std::string> programs;  // what ran, by the workflow's number
  std::set<std::string> reached;        // fault kinds, event types, verbs
  std::vector<std::string> trace;       // the last lines, when asked for
};

Result RunSimulation(const Options& options, base::Metrics& metrics);

}  // namespace sim
