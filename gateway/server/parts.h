// Parts: the system's clock and randomness and the process's metrics; made once, by main, and
// passed to everything. Thread-safe.
#pragma once

#include "orchestrator/base/clock.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/base/random.h"

namespace server {

struct Parts {
  base::SystemClock clock;
  base::SystemRandom random;
  base::Metrics metrics;
};

}  // namespace server
