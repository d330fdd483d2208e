// What of a run's properties filters can find: each search attribute's values, and its patches
// under the name "patches", which no attribute may have.
//
// Thread-safety: pure functions.
#pragma once

#include <string>
#include <vector>

#include "orchestrator/filter/expression.h"
#include "orchestrator/store/store.h"

namespace store {

inline constexpr char kPatchesName[] = "patches";

struct IndexedValue {
  std::string name;
  filter::Value value;
};

// Sorted, each pair once. Null properties have none.
std::vector<IndexedValue> IndexedValues(const RunProperties* properties);

}  // namespace store
