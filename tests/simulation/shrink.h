// Shrink: makes a failing run small while it goes on failing in the same way: fewer workflows,
// words and kinds of trouble, fewer blows, fewer nodes. Deterministic.
//
// Example:
//   sim::Shrunk small = sim::Shrink({.seed = 17}, metrics);
//   std::puts(small.options.Flags().c_str());
#pragma once

#include "tests/simulation/simulation.h"

namespace sim {

struct Shrunk {
  Options options;
  Result result;  // of these options; no violation: there was nothing to shrink
  int runs = 0;   // that it took
};

Shrunk Shrink(const Options& options, base::Metrics& metrics);

// How much there is to read in a run: words of programs, kinds of trouble, blows, nodes.
int SizeOf(const Options& options, const Result& result);

// The violation without what differs from run to run (ids, numbers, names).
std::string KindOf(const std::string& violation);

}  // namespace sim
