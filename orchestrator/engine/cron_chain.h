// Whether and when a cron run is followed by another one. It follows from the closed run's history
// alone, so that it is answered alike when the run closes and after a restart. Pure; thread-safe.
//
// Example:
//   const absl::Time next = NextCronTime(run.state);
//   if (next == absl::InfiniteFuture()) { /* the chain has ended */ }
#pragma once

#include "absl/time/time.h"
#include "orchestrator/core/run_state.h"

namespace engine {

namespace v1 = ::orchestrator::v1;

// The time that the next run waits for; InfiniteFuture: `closed` is the last one of its chain.
absl::Time NextCronTime(const core::RunState& closed);

}  // namespace engine
