// What is decided and changed outside of the API, in the audit trail: who, where, on which
// campaign, before it happens, and what came of it. Work on a webhook that is repeated is recorded
// once; after a crash in between it may be there twice. Thread-safe.
//
// Example:
//   Decisions decisions(client, AuditDecisions(audit_log, true, metrics));
#pragma once

#include "gateway/audit/audit_log.h"
#include "gateway/webhooks/decisions.h"

namespace webhooks {

// `log` and `metrics` outlive the decisions; `log` null: there is no trail. `required`: what cannot
// be recorded does not happen; else it does, and audit_events_lost_total counts it.
Decisions::Recorder AuditDecisions(audit::AuditLog* log, bool required, base::Metrics& metrics);

}  // namespace webhooks
