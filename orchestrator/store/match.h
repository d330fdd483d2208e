// Whether a run matches a filter, looked at by itself: for stores without indexes, and the words
// in which the others' look-ups are checked.
//
// Thread-safety: pure functions.
#pragma once

#include "orchestrator/filter/expression.h"
#include "orchestrator/store/store.h"

namespace store {

bool Matches(const filter::Expression& expression, const RunRow& row);

}  // namespace store
