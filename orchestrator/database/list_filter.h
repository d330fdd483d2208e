// Filters over lists (filter::ParseFor) as conditions of SQL: the text with a "?" for each value,
// and the values. A prefix is a range, so that an index can serve it.
//
// Thread-safety: pure functions.
//
// Example:
//   ASSIGN_OR_RETURN(auto where, filter::ParseFor(kFields, "status = draft"));
//   const Condition condition = ConditionOf(*where, {});  // "(status = ?)", {"draft"}
//   int next = Bind(select, condition);
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "orchestrator/database/statement.h"
#include "orchestrator/filter/expression.h"

namespace database {

// " < ?" and the like; kHas is " = ?".
const char* OperatorSql(filter::Operator op);

struct Condition {
  std::string sql = "1";
  std::vector<std::variant<std::string, int64_t>> values;  // in the order of the "?"
};

// `columns`: of the fields whose column has another name. Texts are never NULL, times are Unix
// microseconds.
Condition ConditionOf(const filter::Expression& where,
                      const std::map<absl::string_view, absl::string_view>& columns);

// Binds the values, which must outlive the statement's run, from parameter 1 on. Returns the next
// parameter.
int Bind(Statement& statement, const Condition& condition);

}  // namespace database
