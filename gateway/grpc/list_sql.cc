#include "gateway/grpc/list_sql.h"

#include "absl/strings/str_cat.h"
#include "orchestrator/base/check.h"

namespace gateway {
namespace {

const char* OperatorText(filter::Operator op) {
  switch (op) {
    case filter::Operator::kEqual:
      return " = ?";
    case filter::Operator::kLess:
      return " < ?";
    case filter::Operator::kLessOrEqual:
      return " <= ?";
    case filter::Operator::kGreater:
      return " > ?";
    case filter::Operator::kGreaterOrEqual:
      return " >= ?";
    case filter::Operator::kHas:
      break;
  }
  return "";
}

class Writer {
 public:
  explicit Writer(const std::map<absl::string_view, absl::string_view>& columns)
      : columns_(columns) {}

  void Write(const filter::Expression& e) {
    switch (e.kind) {
      case filter::Expression::Kind::kAnd:
        return Join(e, " AND ");
      case filter::Expression::Kind::kOr:
        return Join(e, " OR ");
      case filter::Expression::Kind::kNot:
        out_.sql += "NOT ";
        return Write(e.operands[0]);
      case filter::Expression::Kind::kCompare:
        return Compare(e);
    }
  }
  SqlCondition Take() { return std::move(out_); }

 private:
  void Join(const filter::Expression& e, const char* between) {
    out_.sql += "(";
    for (size_t i = 0; i < e.operands.size(); ++i) {
      if (i > 0) out_.sql += between;
      Write(e.operands[i]);
    }
    out_.sql += ")";
  }

  void Compare(const filter::Expression& e) {
    const auto column = columns_.find(e.attribute);
    CHECK(column != columns_.end()) << e.attribute;
    const std::string name(column->second);
    if (const auto* text = std::get_if<std::string>(&e.value)) {
      if (e.prefix) {
        // By bytes, as "=" compares.
        absl::StrAppend(&out_.sql, "(substr(CAST(", name, " AS BLOB), 1, ", text->size(),
                        ") = CAST(? AS BLOB))");
      } else if (e.op == filter::Operator::kHas) {
        absl::StrAppend(&out_.sql, "(instr(", name, ", ?) > 0)");
      } else {
        absl::StrAppend(&out_.sql, "(", name, OperatorText(e.op), ")");
      }
      out_.values.emplace_back(*text);
      return;
    }
    absl::StrAppend(&out_.sql, "(", name, OperatorText(e.op), ")");
    if (const auto* time = std::get_if<absl::Time>(&e.value)) {
      out_.values.emplace_back(absl::ToUnixMicros(*time));
    } else {
      out_.values.emplace_back(std::get<int64_t>(e.value));
    }
  }

  const std::map<absl::string_view, absl::string_view>& columns_;
  SqlCondition out_;
};

}  // namespace

SqlCondition ToSql(const filter::Expression& where,
                   const std::map<absl::string_view, absl::string_view>& columns) {
  Writer writer(columns);
  writer.Write(where);
  return writer.Take();
}

}  // namespace gateway
