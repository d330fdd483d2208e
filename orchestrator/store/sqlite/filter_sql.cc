#include "orchestrator/store/sqlite/filter_sql.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "orchestrator/database/list_filter.h"
#include "orchestrator/store/properties.h"
#include "orchestrator/store/sqlite/encoding.h"

namespace store::sqlite {
namespace {

using database::OperatorSql;
using filter::Expression;
using filter::Field;
using filter::Operator;

// How much a part of a filter narrows the search down; less is better. From kCommon on it may fit
// so many runs that collecting them costs more than walking in order.
enum Rank {
  kOneRun,
  kOneWorkflow,
  kOneValue,
  kOneParent,
  kRareState,
  kSomeWorkflows,
  kOneBuild,
  kSomeValues,
  kInOrder,  // the order's own index, cut short by the filter
  kCommon,
  kType,
  kSpan,
  kEverything,
};

struct Driver {
  Rank rank = kEverything;
  std::string from = "runs INDEXED BY runs_start";
  Sql where;
  std::string started = "start_time";
  std::string id = "runs.id";
};

// The first text after all that begin with `prefix`; none when there is no such text.
std::optional<std::string> AfterPrefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  ++prefix.back();
  return prefix;
}

void Append(Sql& sql, absl::string_view joint, Sql more) {
  if (more.text.empty()) return;
  if (!sql.text.empty()) absl::StrAppend(&sql.text, joint);
  sql.text += more.text;
  for (SqlValue& value : more.values) sql.values.push_back(std::move(value));
}

Sql TextCondition(const std::string& column, const Expression& compare) {
  const auto& text = std::get<std::string>(compare.value);
  if (compare.prefix) {
    Sql sql{absl::StrCat(column, " >= ?"), {text}};
    if (const auto after = AfterPrefix(text)) Append(sql, " AND ", {column + " < ?", {*after}});
    return sql;
  }
  if (compare.op == Operator::kHas) return {absl::StrCat("instr(", column, ", ?) > 0"), {text}};
  return {column + OperatorSql(compare.op), {text}};
}

int64_t Micros(const filter::Value& value) { return EncodeTime(std::get<absl::Time>(value)); }

SqlValue RunIdValue(const std::string& text) {
  const base::RunId run_id(text);
  const RunKey key(run_id);
  if (key.is_uuid()) return Bytes{std::string(key.bytes())};
  return text;
}

// Conditions on the columns name and value of `attributes`, called `table`. Values of other types
// than the filter's never match.
Sql AttributeCondition(const std::string& table, const Expression& compare) {
  const std::string value = table + ".value";
  Sql sql{table + ".name = ?",
          {compare.field == Field::kPatches ? std::string(kPatchesName) : compare.attribute}};
  if (compare.present) return sql;
  const auto bound = [&](const char* condition) {
    absl::StrAppend(&sql.text, " AND ", value, condition);
  };
  if (compare.prefix) {
    const auto& text = std::get<std::string>(compare.value);
    Append(sql, " AND ", {value + " >= ?", {text}});
    if (const auto after = AfterPrefix(text)) {
      Append(sql, " AND ", {value + " < ?", {*after}});
    } else {
      bound(" < x''");
    }
    return sql;
  }
  Append(sql, " AND ", {value + OperatorSql(compare.op), {EncodeAttribute(compare.value)}});
  const bool below = compare.op == Operator::kLess || compare.op == Operator::kLessOrEqual;
  const bool above = compare.op == Operator::kGreater || compare.op == Operator::kGreaterOrEqual;
  // SQLite sorts numbers before texts before blobs.
  if (std::holds_alternative<std::string>(compare.value)) {
    if (below) bound(" >= ''");
    if (above) bound(" < x''");
  } else if (std::holds_alternative<absl::Time>(compare.value)) {
    if (below) bound(" >= x'74'");
    if (above) bound(" < x'75'");
  } else if (above) {
    bound(" < ''");
  }
  return sql;
}

Sql CompareCondition(const Expression& compare) {
  switch (compare.field) {
    case Field::kWorkflowId:
      return TextCondition("workflow_id", compare);
    case Field::kRunId:
      return {"run_id = ?", {RunIdValue(std::get<std::string>(compare.value))}};
    case Field::kWorkflowType:
      return TextCondition("workflow_type", compare);
    case Field::kStatusReason:
      return TextCondition("status_reason", compare);
    case Field::kBuildId:
      return TextCondition("ifnull(build_id, '')", compare);
    case Field::kParentWorkflowId:
      return TextCondition("ifnull(parent_workflow_id, '')", compare);
    case Field::kStatus:
      return {"status = ?", {std::get<int64_t>(compare.value)}};
    case Field::kSagaState:
      return {"saga_state = ?", {std::get<int64_t>(compare.value)}};
    case Field::kStartTime:
      return {absl::StrCat("start_time", OperatorSql(compare.op)), {Micros(compare.value)}};
    case Field::kCloseTime:
      return {absl::StrCat("ifnull(close_time", OperatorSql(compare.op), ", 0)"),
              {Micros(compare.value)}};
    case Field::kPatches:
    case Field::kAttribute: {
      Sql sql = AttributeCondition("a", compare);
      sql.text = absl::StrCat("EXISTS (SELECT 1 FROM attributes AS a WHERE a.run = runs.id AND ",
                              sql.text, ")");
      return sql;
    }
  }
  return {"1", {}};
}

// Finds runs of a workflow id in every namespace, by one step in the index for each.
constexpr char kEachNamespace[] =
    "(WITH RECURSIVE spaces(name) AS (SELECT min(namespace) FROM runs UNION ALL "
    "SELECT (SELECT min(namespace) FROM runs WHERE namespace > spaces.name) FROM spaces "
    "WHERE spaces.name IS NOT NULL) SELECT name FROM spaces WHERE name IS NOT NULL) AS each_space";

Driver WorkflowDriver(const Expression& compare, const base::Namespace& ns) {
  Driver driver{.rank = compare.prefix ? kSomeWorkflows : kOneWorkflow};
  if (ns.empty()) {
    driver.from = absl::StrCat(kEachNamespace, " CROSS JOIN runs INDEXED BY runs_workflow");
    driver.where = {"runs.namespace = each_space.name", {}};
  } else {
    driver.from = "runs INDEXED BY runs_workflow";
    driver.where = {"runs.namespace = ?", {ns.value()}};
  }
  Append(driver.where, " AND ", TextCondition("workflow_id", compare));
  return driver;
}

Driver AttributeDriver(const Expression& compare) {
  const bool one = compare.op == Operator::kEqual || compare.op == Operator::kHas;
  if (one && !compare.prefix && !compare.present) {
    return {
        .rank = kOneValue,
        .from = "attributes AS d INDEXED BY attributes_value CROSS JOIN runs ON runs.id = d.run",
        .where = AttributeCondition("d", compare),
        .started = "d.started",
        .id = "d.run"};
  }
  // A run may have several values in the range.
  Sql where = AttributeCondition("d", compare);
  where.text = absl::StrCat(
      "runs.id IN (SELECT d.run FROM attributes AS d INDEXED BY "
      "attributes_value WHERE ",
      where.text, ")");
  return {.rank = kSomeValues, .from = "runs NOT INDEXED", .where = std::move(where)};
}

Driver CompareDriver(const Expression& compare, const base::Namespace& ns, bool by_close) {
  const bool equal = compare.op == Operator::kEqual && !compare.prefix;
  const bool text = std::holds_alternative<std::string>(compare.value);
  const bool some_text = text && !std::get<std::string>(compare.value).empty();
  switch (compare.field) {
    case Field::kRunId:
      return {.rank = kOneRun,
              .from = "runs INDEXED BY runs_run_id",
              .where = CompareCondition(compare)};
    case Field::kWorkflowId:
      if (equal || (compare.prefix && some_text)) return WorkflowDriver(compare, ns);
      return {};
    case Field::kParentWorkflowId:
      if (!equal || !some_text) return {};
      return {.rank = kOneParent,
              .from = "runs INDEXED BY runs_parent",
              .where = TextCondition("parent_workflow_id", compare)};
    case Field::kBuildId:
      if (!equal || !some_text) return {};
      return {.rank = kOneBuild,
              .from = "runs INDEXED BY runs_build",
              .where = {"build = (SELECT number FROM builds WHERE build_id = ?)",
                        {std::get<std::string>(compare.value)}}};
    case Field::kSagaState: {
      const int64_t state = std::get<int64_t>(compare.value);
      if (state == v1::SagaState::FORWARD) return {};
      const bool rare =
          state == v1::SagaState::COMPENSATING || state == v1::SagaState::COMPENSATION_BLOCKED;
      return {.rank = rare ? kRareState : kCommon,
              .from = "runs INDEXED BY runs_saga",
              .where = {"saga_state > 0 AND saga_state = ?", {state}}};
    }
    case Field::kStatus: {
      const int64_t status = std::get<int64_t>(compare.value);
      const bool rare = status == v1::RunStatus::PAUSED || status == v1::RunStatus::STUCK;
      return {.rank = rare ? kRareState : kCommon,
              .from = "runs INDEXED BY runs_status",
              .where = CompareCondition(compare)};
    }
    case Field::kWorkflowType:
      if (!equal) return {};
      return {
          .rank = kType, .from = "runs INDEXED BY runs_type", .where = CompareCondition(compare)};
    case Field::kStartTime:
      return {.rank = by_close ? kSpan : kInOrder, .where = CompareCondition(compare)};
    case Field::kCloseTime:
      return {
          .rank = by_close ? kInOrder : kSpan,
          .from = "runs INDEXED BY runs_close",
          .where = {absl::StrCat("close_time IS NOT NULL AND close_time", OperatorSql(compare.op)),
                    {Micros(compare.value)}}};
    case Field::kPatches:
    case Field::kAttribute:
      return AttributeDriver(compare);
    case Field::kStatusReason:
      return {};
  }
  return {};
}

Driver FindDriver(const Expression& expression, const base::Namespace& ns, bool by_close) {
  switch (expression.kind) {
    case Expression::Kind::kCompare:
      return CompareDriver(expression, ns, by_close);
    case Expression::Kind::kNot:
      return {};
    case Expression::Kind::kAnd: {
      Driver best;
      for (const Expression& operand : expression.operands) {
        Driver driver = FindDriver(operand, ns, by_close);
        if (driver.rank < best.rank) best = std::move(driver);
      }
      return best;
    }
    case Expression::Kind::kOr: {
      // All operands must lead somewhere; then the runs of each are collected.
      Driver all{.rank = kOneRun, .from = "runs NOT INDEXED"};
      for (const Expression& operand : expression.operands) {
        Driver driver = FindDriver(operand, ns, by_close);
        if (driver.rank >= kInOrder) return {};
        all.rank = std::max(all.rank, driver.rank);
        driver.where.text =
            absl::StrCat("SELECT ", driver.id, " FROM ", driver.from, " WHERE ", driver.where.text);
        Append(all.where, " UNION ALL ", std::move(driver.where));
      }
      all.where.text = absl::StrCat("runs.id IN (", all.where.text, ")");
      return all;
    }
  }
  return {};
}

}  // namespace

SqlValue EncodeAttribute(const filter::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<int64_t>(&value)) return *number;
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* flag = std::get_if<bool>(&value)) {
    return Bytes{std::string("b") + (*flag ? '\1' : '\0')};
  }
  // Big-endian with the sign turned round sorts like the number.
  const uint64_t micros = static_cast<uint64_t>(Micros(value)) ^ (uint64_t{1} << 63);
  std::string bytes = "t";
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(micros >> shift & 0xff);
  return Bytes{std::move(bytes)};
}

Sql CompileCondition(const Expression& expression) {
  const auto join = [&](absl::string_view joint) {
    Sql sql;
    for (const Expression& operand : expression.operands) {
      Append(sql, joint, CompileCondition(operand));
    }
    sql.text = absl::StrCat("(", sql.text, ")");
    return sql;
  };
  switch (expression.kind) {
    case Expression::Kind::kAnd:
      return join(" AND ");
    case Expression::Kind::kOr:
      return join(" OR ");
    case Expression::Kind::kNot: {
      Sql sql = CompileCondition(expression.operands[0]);
      sql.text = absl::StrCat("NOT (", sql.text, ")");
      return sql;
    }
    case Expression::Kind::kCompare: {
      Sql sql = CompareCondition(expression);
      sql.text = absl::StrCat("(", sql.text, ")");
      return sql;
    }
  }
  return {"1", {}};
}

bool OnlyGroups(const Expression& expression) {
  if (expression.kind == Expression::Kind::kCompare) {
    return expression.field == Field::kStatus || expression.field == Field::kWorkflowType;
  }
  for (const Expression& operand : expression.operands) {
    if (!OnlyGroups(operand)) return false;
  }
  return true;
}

Query CompileQuery(const RunFilter& filter, RunOrder order) {
  const bool by_close =
      order == RunOrder::kCloseTimeDescending || order == RunOrder::kCloseTimeAscending;
  // The plain fields of the filter are parts like any other.
  Expression all{.kind = Expression::Kind::kAnd};
  const auto add = [&all](Field field, filter::Value value) {
    Expression part{.kind = Expression::Kind::kCompare, .field = field, .value = std::move(value)};
    all.operands.push_back(std::move(part));
  };
  if (filter.status != v1::RunStatus::UNSPECIFIED) {
    add(Field::kStatus, static_cast<int64_t>(filter.status));
  }
  if (!filter.workflow_type.empty()) add(Field::kWorkflowType, filter.workflow_type);
  if (filter.where != nullptr) all.operands.push_back(*filter.where);

  Driver driver = FindDriver(all, filter.ns, by_close);
  Query query{.indexed = driver.rank != kEverything};
  if (!query.indexed && by_close) driver.from = "runs INDEXED BY runs_close";
  query.from = absl::StrCat(driver.from, kRunJoins);
  query.order_key = by_close ? "close_time" : driver.started;
  query.order_id = driver.id;
  query.where = std::move(driver.where);
  if (by_close) Append(query.where, " AND ", {"close_time IS NOT NULL", {}});
  if (!filter.ns.empty()) Append(query.where, " AND ", {"runs.namespace = ?", {filter.ns.value()}});
  if (!all.operands.empty()) Append(query.where, " AND ", CompileCondition(all));
  if (query.where.text.empty()) query.where.text = "1";
  return query;
}

int BindAll(database::Statement& statement, int first, const std::vector<SqlValue>& values) {
  for (const SqlValue& value : values) {
    if (const auto* text = std::get_if<std::string>(&value)) {
      statement.BindText(first, *text);
    } else if (const auto* number = std::get_if<int64_t>(&value)) {
      statement.BindInt(first, *number);
    } else if (const auto* real = std::get_if<double>(&value)) {
      statement.BindDouble(first, *real);
    } else {
      statement.BindBlob(first, std::get<Bytes>(value).data);
    }
    ++first;
  }
  return first;
}

}  // namespace store::sqlite
