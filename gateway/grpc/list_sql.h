// A filter over a list as a condition of SQL: the text with a "?" for each value, and the values.
// Knows no database. Pure.
//
// Example:
//   ASSIGN_OR_RETURN(auto where, filter::ParseFor(kFields, "status = draft"));
//   SqlCondition condition = ToSql(*where, {{"status", "status"}});   // "(status = ?)", {"draft"}
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "orchestrator/filter/expression.h"

namespace gateway {

struct SqlCondition {
  std::string sql;
  std::vector<std::variant<std::string, int64_t>> values;  // in the order of the "?"
};

// `columns`: of each field that the filter was parsed for; texts are never NULL, times are Unix
// microseconds.
SqlCondition ToSql(const filter::Expression& where,
                   const std::map<absl::string_view, absl::string_view>& columns);

}  // namespace gateway
