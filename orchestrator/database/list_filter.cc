#include "orchestrator/database/list_filter.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace database {

using filter::Expression;
using filter::Operator;

const char* OperatorSql(Operator op) {
  switch (op) {
    case Operator::kLess:
      return " < ?";
    case Operator::kLessOrEqual:
      return " <= ?";
    case Operator::kGreater:
      return " > ?";
    case Operator::kGreaterOrEqual:
      return " >= ?";
    case Operator::kEqual:
    case Operator::kHas:
      break;
  }
  return " = ?";
}

namespace {

class Writer {
 public:
  explicit Writer(const std::map<absl::string_view, absl::string_view>& columns)
      : columns_(columns) {}

  void Write(const Expression& e) {
    switch (e.kind) {
      case Expression::Kind::kAnd:
        return Join(e, " AND ");
      case Expression::Kind::kOr:
        return Join(e, " OR ");
      case Expression::Kind::kNot:
        out_.sql += "NOT ";
        return Write(e.operands[0]);
      case Expression::Kind::kCompare:
        out_.sql += "(";
        Compare(e);
        out_.sql += ")";
    }
  }
  Condition Take() { return std::move(out_); }

 private:
  void Join(const Expression& e, const char* between) {
    out_.sql += "(";
    for (size_t i = 0; i < e.operands.size(); ++i) {
      if (i > 0) out_.sql += between;
      Write(e.operands[i]);
    }
    out_.sql += ")";
  }

  void Compare(const Expression& e) {
    const auto column = columns_.find(e.attribute);
    const std::string name(column == columns_.end() ? e.attribute : column->second);
    const auto* text = std::get_if<std::string>(&e.value);
    if (e.present) {
      absl::StrAppend(&out_.sql, name, " <> ''");
    } else if (e.prefix) {
      Prefix(name, *text);
    } else if (text != nullptr && e.op == Operator::kHas) {
      absl::StrAppend(&out_.sql, "instr(", name, ", ?) > 0");
      out_.values.emplace_back(*text);
    } else {
      absl::StrAppend(&out_.sql, name, OperatorSql(e.op));
      if (text != nullptr) {
        out_.values.emplace_back(*text);
      } else if (const auto* time = std::get_if<absl::Time>(&e.value)) {
        out_.values.emplace_back(absl::ToUnixMicros(*time));
      } else {
        out_.values.emplace_back(std::get<int64_t>(e.value));
      }
    }
  }

  // By bytes, as "=" compares: up to the first text after all that begin so, if there is one.
  void Prefix(const std::string& name, std::string text) {
    absl::StrAppend(&out_.sql, name, " >= ?");
    out_.values.emplace_back(text);
    while (!text.empty() && text.back() == '\xff') text.pop_back();
    if (text.empty()) return;
    ++text.back();
    absl::StrAppend(&out_.sql, " AND ", name, " < ?");
    out_.values.emplace_back(std::move(text));
  }

  const std::map<absl::string_view, absl::string_view>& columns_;
  Condition out_{.sql = ""};
};

}  // namespace

Condition ConditionOf(const Expression& where,
                      const std::map<absl::string_view, absl::string_view>& columns) {
  Writer writer(columns);
  writer.Write(where);
  return writer.Take();
}

int Bind(Statement& statement, const Condition& condition) {
  int place = 0;
  for (const auto& value : condition.values) {
    if (const auto* text = std::get_if<std::string>(&value)) {
      statement.BindText(++place, *text);
    } else {
      statement.BindInt(++place, std::get<int64_t>(value));
    }
  }
  return place + 1;
}

}  // namespace database
