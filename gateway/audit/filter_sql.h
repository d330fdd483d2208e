// Filters over the audit trail (orchestrator/filter's language) as a condition of SQL.
// Pure; thread-safe.
//
// Example:
//   ASSIGN_OR_RETURN(auto where, ToSql("actor = \"ann\" AND subject = \"workflow/*\""));
//   // where.sql: "((actor = ?) AND (...))", where.values: what is bound, in order
#pragma once

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "orchestrator/database/list_filter.h"

namespace audit {

// Everything for an empty filter. INVALID_ARGUMENT says what is wrong with it.
absl::StatusOr<database::Condition> ToSql(absl::string_view filter);

}  // namespace audit
