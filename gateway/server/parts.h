// Parts: the system's clock and randomness and the process's metrics; made once, by main, and
// passed to everything. Thread-safe.
#pragma once

#include "gateway/audit/audit_log.h"
#include "gateway/server/process_clock.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/base/random.h"

namespace server {

struct Parts {
  ProcessClock clock;
  base::SystemRandom random;
  base::Metrics metrics;
  audit::AuditLog* audit = nullptr;  // null: there is no audit trail
};

}  // namespace server
