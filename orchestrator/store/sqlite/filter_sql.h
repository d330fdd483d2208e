// Turns filters into SQL with bound parameters, and chooses the index that finds the matches: the
// most selective part that every match must fulfil leads, the rest is looked at row by row.
//
// Thread-safety: pure functions.
//
// Example:
//   const Query query = CompileQuery(filter, RunOrder::kStartTimeDescending);
//   "SELECT ... FROM " + query.from + " WHERE " + query.where.text, bound with BindAll
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "orchestrator/database/statement.h"
#include "orchestrator/filter/expression.h"
#include "orchestrator/store/store.h"

namespace store::sqlite {

struct Bytes {
  std::string data;
};
using SqlValue = std::variant<std::string, int64_t, double, Bytes>;

// A piece of SQL with "?" for its values, in order.
struct Sql {
  std::string text;
  std::vector<SqlValue> values;
};

struct Query {
  std::string from;  // tables and indexes; `runs`, run_properties and builds among them
  Sql where;
  std::string order_key;  // columns of the order: a time, and the row id
  std::string order_id;
  bool indexed = false;  // a part of the filter led to an index
};

Query CompileQuery(const RunFilter& filter, RunOrder order);
// Whether `workflow_type` and `status` are all that the filter looks at.
bool OnlyGroups(const filter::Expression& expression);
// The condition alone; never NULL.
Sql CompileCondition(const filter::Expression& expression);

// How a value of an attribute lies in its column: text, integers and reals as such, times and
// bools as blobs that sort like them.
SqlValue EncodeAttribute(const filter::Value& value);

// Binds from parameter `first` on; the values must outlive the statement's run. Returns the next.
int BindAll(database::Statement& statement, int first, const std::vector<SqlValue>& values);

}  // namespace store::sqlite
