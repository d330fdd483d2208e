// Filters over the audit trail (orchestrator/filter's language) as a condition of SQL.
// Pure; thread-safe.
//
// Example:
//   ASSIGN_OR_RETURN(Condition where, ToSql("actor = \"ann\" AND subject = \"workflow/*\""));
//   // where.sql: "(actor = ?1) AND (...)", where.values: what is bound, in order
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace audit {

struct Condition {
  std::string sql;  // "1" for an empty filter
  std::vector<std::variant<int64_t, std::string>> values;
};

// INVALID_ARGUMENT says what is wrong with the filter.
absl::StatusOr<Condition> ToSql(absl::string_view filter);

}  // namespace audit
