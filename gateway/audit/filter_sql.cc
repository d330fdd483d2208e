#include "gateway/audit/filter_sql.h"

#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/filter/expression.h"
#include "orchestrator/filter/parser.h"

namespace audit {
namespace {

using filter::Expression;
using filter::Operator;

// Above every text that begins with what it is put behind.
constexpr char kLastCharacter[] = "\xf4\x8f\xbf\xbf";

const std::set<std::string>& TextFields() {
  static const auto* const kFields =
      new std::set<std::string>{"action", "actor",   "address", "correlation_id", "credential",
                                "detail", "outcome", "subject", "namespace"};
  return *kFields;
}

absl::Status Wrong(const std::string& field, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("filter: ", field, " ", std::string(what)));
}

absl::string_view Sign(Operator op) {
  switch (op) {
    case Operator::kLess:
      return "<";
    case Operator::kLessOrEqual:
      return "<=";
    case Operator::kGreater:
      return ">";
    case Operator::kGreaterOrEqual:
      return ">=";
    default:
      return "=";
  }
}

class Translator {
 public:
  absl::StatusOr<std::string> Any(const Expression& expression) {
    switch (expression.kind) {
      case Expression::Kind::kAnd:
        return Joined(expression, " AND ");
      case Expression::Kind::kOr:
        return Joined(expression, " OR ");
      case Expression::Kind::kNot: {
        ASSIGN_OR_RETURN(const std::string inside, Any(expression.operands[0]));
        return absl::StrCat("NOT ", inside);
      }
      case Expression::Kind::kCompare:
        return Compare(expression);
    }
    return absl::InternalError("unknown kind of filter");
  }

  std::vector<std::variant<int64_t, std::string>> values;

 private:
  absl::StatusOr<std::string> Joined(const Expression& expression, absl::string_view word) {
    std::vector<std::string> parts;
    for (const Expression& operand : expression.operands) {
      ASSIGN_OR_RETURN(std::string part, Any(operand));
      parts.push_back(std::move(part));
    }
    return absl::StrCat("(", absl::StrJoin(parts, word), ")");
  }

  std::string Bind(std::variant<int64_t, std::string> value) {
    values.push_back(std::move(value));
    return absl::StrCat("?", values.size());
  }

  absl::StatusOr<std::string> Compare(const Expression& compare) {
    const std::string name = compare.field == filter::Field::kAttribute
                                 ? compare.attribute
                                 : std::string(filter::FieldName(compare.field));
    if (name == "time") return CompareTime(compare);
    if (name == "sequence" || name == "started_by") return CompareNumber(name, compare);
    if (TextFields().contains(name)) return CompareText(name, compare);
    return Wrong(name, absl::StrCat("is not a field of the audit trail; they are sequence, "
                                    "started_by, time, ",
                                    absl::StrJoin(TextFields(), ", ")));
  }

  absl::StatusOr<std::string> CompareTime(const Expression& compare) {
    const auto* time = std::get_if<absl::Time>(&compare.value);
    if (time == nullptr || compare.op == Operator::kHas || compare.prefix) {
      return Wrong("time", "is compared with a time such as \"2026-11-01T00:00:00Z\"");
    }
    // Events have whole microseconds: one at the value's is not after it.
    return absl::StrCat("(time_us ", std::string(Sign(compare.op)), " ",
                        Bind(absl::ToUnixMicros(*time)), ")");
  }

  absl::StatusOr<std::string> CompareNumber(const std::string& name, const Expression& compare) {
    const auto* number = std::get_if<int64_t>(&compare.value);
    if (number == nullptr || compare.op == Operator::kHas || compare.prefix) {
      return Wrong(name, "is compared with a whole number");
    }
    return absl::StrCat("(", name, " ", std::string(Sign(compare.op)), " ", Bind(*number), ")");
  }

  absl::StatusOr<std::string> CompareText(const std::string& name, const Expression& compare) {
    if (compare.present) return absl::StrCat("(", name, " <> '')");
    std::string text;
    if (const auto* given = std::get_if<std::string>(&compare.value)) {
      text = *given;
    } else if (const auto* number = std::get_if<int64_t>(&compare.value)) {
      text = absl::StrCat(*number);
    } else if (const auto* word = std::get_if<bool>(&compare.value)) {
      text = *word ? "true" : "false";
    } else {
      return Wrong(name, "is compared with a text in quotes");
    }
    if (compare.prefix) {
      const std::string from = Bind(text);
      return absl::StrCat("(", name, " >= ", from, " AND ", name, " < ",
                          Bind(absl::StrCat(text, kLastCharacter)), ")");
    }
    if (compare.op == Operator::kHas) {
      return absl::StrCat("(instr(", name, ", ", Bind(std::move(text)), ") > 0)");
    }
    return absl::StrCat("(", name, " ", std::string(Sign(compare.op)), " ", Bind(std::move(text)),
                        ")");
  }
};

}  // namespace

absl::StatusOr<Condition> ToSql(absl::string_view text) {
  ASSIGN_OR_RETURN(const std::shared_ptr<const Expression> expression, filter::Parse(text));
  if (expression == nullptr) return Condition{.sql = "1"};
  Translator translator;
  ASSIGN_OR_RETURN(std::string sql, translator.Any(*expression));
  return Condition{.sql = std::move(sql), .values = std::move(translator.values)};
}

}  // namespace audit
