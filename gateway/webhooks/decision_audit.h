// What is decided outside of the API, in the audit trail: who, where, on which campaign, and
// whether it counted. Each attempt is one event; it may be there twice when the process ended in
// between. Thread-safe.
//
// Example:
//   Decisions decisions(client, AuditDecisions(audit_log));
#pragma once

#include "gateway/audit/audit_log.h"
#include "gateway/webhooks/decisions.h"

namespace webhooks {

audit::Event EventOf(const DecisionRequest& request, const DecisionAnswer& answer);

// `log` outlives the decisions; null: there is no trail.
Decisions::Observer AuditDecisions(audit::AuditLog* log);

}  // namespace webhooks
