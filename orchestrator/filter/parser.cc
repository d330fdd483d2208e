#include "orchestrator/filter/parser.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/filter/tokens.h"
#include "orchestrator/v1/common.pb.h"

namespace filter {
namespace {

namespace v1 = ::orchestrator::v1;

constexpr size_t kNameBytesMax = 64;
constexpr Field kFields[] = {
    Field::kWorkflowId,   Field::kRunId,     Field::kWorkflowType,     Field::kStatus,
    Field::kStatusReason, Field::kStartTime, Field::kCloseTime,        Field::kSagaState,
    Field::kBuildId,      Field::kPatches,   Field::kParentWorkflowId,
};

std::optional<Field> FindField(absl::string_view name) {
  for (const Field field : kFields) {
    if (FieldName(field) == name) return field;
  }
  return std::nullopt;
}

bool IsNameShaped(absl::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax) return false;
  if (!absl::ascii_isalpha(static_cast<unsigned char>(name[0]))) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-';
  });
}

// Without case, "_" and "-".
std::string Plain(absl::string_view text) {
  std::string letters;
  for (const char c : text) {
    if (c != '_' && c != '-') letters += absl::ascii_tolower(static_cast<unsigned char>(c));
  }
  return letters;
}

// The field that the name is, or is another spelling of.
std::optional<Field> FindLikeField(absl::string_view name) {
  for (const Field field : kFields) {
    if (Plain(FieldName(field)) == Plain(name)) return field;
  }
  return std::nullopt;
}

bool IsJoint(absl::string_view word) { return word == "AND" || word == "OR" || word == "NOT"; }

bool IsTimeField(Field field) { return field == Field::kStartTime || field == Field::kCloseTime; }
bool IsEnumField(Field field) { return field == Field::kStatus || field == Field::kSagaState; }

std::optional<absl::Time> ReadTime(const std::string& text) {
  absl::Time time;
  std::string error;
  // Only whole times; "infinite-future" and the like are texts.
  if (text.size() < 20 || !absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
    return std::nullopt;
  }
  return time;
}

// Values of an enum message such as RunStatus, by name.
absl::StatusOr<int64_t> ReadEnum(const google::protobuf::EnumDescriptor* names, Field field,
                                 const Token& token) {
  const std::string name = absl::AsciiStrToUpper(token.text);
  const auto* value = names->FindValueByName(name);
  if (value != nullptr && name != "UNSPECIFIED") return value->number();
  std::vector<std::string> known;
  for (int i = 0; i < names->value_count(); ++i) {
    if (names->value(i)->name() != "UNSPECIFIED") known.push_back(names->value(i)->name());
  }
  return ErrorAt(token.place, absl::StrCat("\"", token.text, "\" is not a value of ",
                                           std::string(FieldName(field)), "; it can be ",
                                           absl::StrJoin(known, ", ")));
}

// What a value of a search attribute says by its form: "2026-11-01T00:00:00Z" is a time, 5 and 5.0
// are numbers, true is a bool, everything else is a text; so is everything else in quotes.
Value ReadAttributeValue(const Token& token) {
  if (const std::optional<absl::Time> time = ReadTime(token.text)) return *time;
  if (token.kind == Token::Kind::kText) return token.text;
  if (token.text == "true") return true;
  if (token.text == "false") return false;
  if (int64_t number; absl::SimpleAtoi(token.text, &number)) return number;
  const bool numeric = absl::ascii_isdigit(static_cast<unsigned char>(token.text[0])) ||
                       token.text[0] == '-' || token.text[0] == '.';
  if (double number; numeric && absl::SimpleAtod(token.text, &number)) return number;
  return token.text;
}

class Parser {
 public:
  // Without `fields`: the fields of runs.
  Parser(std::vector<Token> tokens, absl::Span<const ListField> fields)
      : tokens_(std::move(tokens)), fields_(fields) {}

  absl::StatusOr<Expression> Whole() {
    ASSIGN_OR_RETURN(Expression expression, And());
    if (Next().kind == Token::Kind::kEnd) return expression;
    if (Next().kind == Token::Kind::kClose) {
      return ErrorAt(Next().place, "this \")\" closes nothing");
    }
    return ErrorAt(Next().place, "expected AND, OR or the end");
  }

 private:
  const Token& Next() const { return tokens_[at_]; }
  Token Take() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool TakeWord(absl::string_view word) {
    if (Next().kind != Token::Kind::kWord || Next().text != word || Next().star) return false;
    Take();
    return true;
  }

  absl::StatusOr<Expression> And() {
    ASSIGN_OR_RETURN(Expression first, Or());
    Expression all{.kind = Expression::Kind::kAnd};
    all.operands.push_back(std::move(first));
    while (TakeWord("AND")) {
      ASSIGN_OR_RETURN(Expression operand, Or());
      all.operands.push_back(std::move(operand));
    }
    if (all.operands.size() == 1) return std::move(all.operands[0]);
    return all;
  }

  absl::StatusOr<Expression> Or() {
    ASSIGN_OR_RETURN(Expression first, Unary());
    Expression any{.kind = Expression::Kind::kOr};
    any.operands.push_back(std::move(first));
    while (TakeWord("OR")) {
      ASSIGN_OR_RETURN(Expression operand, Unary());
      any.operands.push_back(std::move(operand));
    }
    if (any.operands.size() == 1) return std::move(any.operands[0]);
    return any;
  }

  absl::StatusOr<Expression> Unary() {
    if (++depth_ > kDepthMax) {
      return ErrorAt(Next().place, absl::StrCat("nested more than ", kDepthMax, " deep"));
    }
    absl::StatusOr<Expression> expression = UnaryInside();
    --depth_;
    return expression;
  }

  absl::StatusOr<Expression> UnaryInside() {
    if (Next().kind == Token::Kind::kMinus) {
      Take();
      return Negated(Unary());
    }
    if (TakeWord("NOT")) return Negated(Unary());
    if (Next().kind != Token::Kind::kOpen) return Comparison();
    const size_t place = Take().place;
    ASSIGN_OR_RETURN(Expression inside, And());
    if (Next().kind == Token::Kind::kEnd) {
      return ErrorAt(place, "this \"(\" is not closed");
    }
    if (Next().kind != Token::Kind::kClose) {
      return ErrorAt(Next().place, "expected AND, OR or \")\"");
    }
    Take();
    return inside;
  }

  static absl::StatusOr<Expression> Negated(absl::StatusOr<Expression> expression) {
    if (!expression.ok()) return expression;
    Expression negated{.kind = Expression::Kind::kNot};
    negated.operands.push_back(*std::move(expression));
    return negated;
  }

  absl::StatusOr<Expression> Comparison() {
    const Token name = Take();
    if (name.kind == Token::Kind::kEnd) return ErrorAt(name.place, "expected a field");
    if (name.kind != Token::Kind::kWord || name.star) {
      return ErrorAt(name.place, "expected a field, NOT or \"(\"");
    }
    if (IsJoint(name.text)) {
      return ErrorAt(name.place, absl::StrCat("expected a field before ", name.text));
    }
    if (++comparisons_ > kComparisonsMax) {
      return ErrorAt(name.place, absl::StrCat("more than ", kComparisonsMax, " comparisons"));
    }
    Expression compare{.kind = Expression::Kind::kCompare};
    if (!fields_.empty()) return ListComparison(name);
    const std::optional<Field> field = FindField(name.text);
    if (field.has_value()) {
      compare.field = *field;
    } else if (IsNameShaped(name.text)) {
      RETURN_IF_ERROR(CheckSpelling(name));
      compare.attribute = name.text;
    } else {
      return ErrorAt(name.place, absl::StrCat("\"", name.text,
                                              "\" is neither a field nor the name of a search "
                                              "attribute"));
    }
    ASSIGN_OR_RETURN(const Token op, TakeOperator(name));
    ASSIGN_OR_RETURN(const Token value, TakeValue(op));
    RETURN_IF_ERROR(SetOperator(name, op, compare));
    RETURN_IF_ERROR(SetValue(name, value, compare));
    if (op.text == "!=") return Negated(std::move(compare));
    return compare;
  }

  absl::StatusOr<Token> TakeOperator(const Token& name) {
    Token op = Take();
    if (op.kind == Token::Kind::kOperator) return op;
    return ErrorAt(op.place, absl::StrCat("expected an operator (= != < <= > >= :) after \"",
                                          name.text, "\""));
  }

  absl::StatusOr<Token> TakeValue(const Token& op) {
    Token value = Take();
    const bool is_value = value.kind == Token::Kind::kText ||
                          (value.kind == Token::Kind::kWord && !IsJoint(value.text));
    if (is_value) return value;
    return ErrorAt(value.place, absl::StrCat("expected a value after \"", op.text, "\""));
  }

  // A comparison of a field of `fields_`.
  absl::StatusOr<Expression> ListComparison(const Token& name) {
    const auto field = std::find_if(fields_.begin(), fields_.end(),
                                    [&](const ListField& f) { return f.name == name.text; });
    if (field == fields_.end()) {
      std::vector<absl::string_view> names;
      for (const ListField& known : fields_) names.push_back(known.name);
      return ErrorAt(name.place, absl::StrCat("unknown field \"", name.text, "\"; there are ",
                                              absl::StrJoin(names, ", ")));
    }
    Expression compare{.kind = Expression::Kind::kCompare, .attribute = name.text};
    ASSIGN_OR_RETURN(const Token op, TakeOperator(name));
    ASSIGN_OR_RETURN(const Token value, TakeValue(op));
    RETURN_IF_ERROR(SetOperator(name, op, compare));
    const bool text = field->type == ListField::Type::kText;
    if (!text && compare.op == Operator::kHas) {
      return ErrorAt(op.place,
                     absl::StrCat("\":\" does not fit ", name.text, "; use = != < <= > >="));
    }
    if (value.star && text && compare.op == Operator::kHas && value.text.empty()) {
      compare.present = true;
      return compare;
    }
    if (value.star && (!text || compare.op != Operator::kEqual)) {
      return ErrorAt(value.place,
                     "\"*\" has no meaning here; it stands at the end of a text "
                     "after = or !=, or alone after \":\"");
    }
    compare.prefix = value.star;
    RETURN_IF_ERROR(SetListValue(*field, value, compare));
    if (op.text == "!=") return Negated(std::move(compare));
    return compare;
  }

  static absl::Status SetListValue(const ListField& field, const Token& value,
                                   Expression& compare) {
    const std::string name(field.name);
    if (field.type == ListField::Type::kTime) {
      const std::optional<absl::Time> time = ReadTime(value.text);
      if (!time.has_value()) {
        return ErrorAt(value.place, absl::StrCat("\"", value.text, "\" is not a time for ", name,
                                                 "; write one as \"2026-11-01T00:00:00Z\""));
      }
      compare.value = *time;
    } else if (field.type == ListField::Type::kInteger) {
      int64_t number = 0;
      if (!absl::SimpleAtoi(value.text, &number)) {
        return ErrorAt(value.place,
                       absl::StrCat("\"", value.text, "\" is not a whole number for ", name));
      }
      compare.value = number;
    } else {
      compare.value = value.text;
    }
    return absl::OkStatus();
  }

  // A field written in another way is not taken for a search attribute that no run has.
  static absl::Status CheckSpelling(const Token& name) {
    const std::optional<Field> field = FindLikeField(name.text);
    if (!field.has_value()) return absl::OkStatus();
    return ErrorAt(name.place, absl::StrCat("unknown field \"", name.text, "\"; it is written \"",
                                            std::string(FieldName(*field)), "\""));
  }

  static absl::Status SetOperator(const Token& name, const Token& op, Expression& compare) {
    const auto unfit = [&](absl::string_view instead) {
      return ErrorAt(op.place, absl::StrCat("\"", op.text, "\" does not fit ", name.text, "; use ",
                                            std::string(instead)));
    };
    compare.op = op.text == "<"    ? Operator::kLess
                 : op.text == "<=" ? Operator::kLessOrEqual
                 : op.text == ">"  ? Operator::kGreater
                 : op.text == ">=" ? Operator::kGreaterOrEqual
                 : op.text == ":"  ? Operator::kHas
                                   : Operator::kEqual;
    const bool equality = compare.op == Operator::kEqual;
    if (compare.field == Field::kPatches && compare.op != Operator::kHas) {
      return unfit("\":\", as in patches:\"id\"");
    }
    if (IsEnumField(compare.field) && !equality) return unfit("= or !=");
    if (compare.field == Field::kRunId && !equality) return unfit("= or !=");
    if (IsTimeField(compare.field) && compare.op == Operator::kHas) return unfit("= != < <= > >=");
    return absl::OkStatus();
  }

  static absl::Status SetValue(const Token& name, const Token& value, Expression& compare) {
    if (value.star) {
      const bool list = compare.field == Field::kPatches || compare.field == Field::kAttribute;
      if (compare.op == Operator::kHas && list && value.text.empty()) {
        compare.present = true;
        return absl::OkStatus();
      }
      if (compare.op != Operator::kEqual || IsEnumField(compare.field) ||
          IsTimeField(compare.field) || compare.field == Field::kRunId) {
        return ErrorAt(value.place, absl::StrCat("\"*\" has no meaning here; it stands at the end "
                                                 "of a text after = or !=, or alone after \":\" of "
                                                 "a search attribute"));
      }
      compare.prefix = true;
      compare.value = value.text;
      return absl::OkStatus();
    }
    if (IsEnumField(compare.field)) {
      ASSIGN_OR_RETURN(compare.value,
                       ReadEnum(compare.field == Field::kStatus ? v1::RunStatus::Value_descriptor()
                                                                : v1::SagaState::Value_descriptor(),
                                compare.field, value));
      return absl::OkStatus();
    }
    if (IsTimeField(compare.field)) {
      const std::optional<absl::Time> time = ReadTime(value.text);
      if (!time.has_value()) {
        return ErrorAt(value.place,
                       absl::StrCat("\"", value.text, "\" is not a time for ", name.text,
                                    "; write one as \"2026-11-01T00:00:00Z\""));
      }
      compare.value = *time;
      return absl::OkStatus();
    }
    if (compare.field == Field::kAttribute) {
      compare.value = ReadAttributeValue(value);
      if (std::holds_alternative<bool>(compare.value) && compare.op != Operator::kEqual &&
          compare.op != Operator::kHas) {
        return ErrorAt(value.place, "true and false are compared with = or !=");
      }
      return absl::OkStatus();
    }
    compare.value = value.text;
    return absl::OkStatus();
  }

  const std::vector<Token> tokens_;
  const absl::Span<const ListField> fields_;
  size_t at_ = 0;
  int depth_ = 0;
  int comparisons_ = 0;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const Expression>> Parse(absl::string_view text) {
  return ParseFor({}, text);
}

absl::StatusOr<std::shared_ptr<const Expression>> ParseFor(absl::Span<const ListField> fields,
                                                           absl::string_view text) {
  if (text.size() > kBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("filter: it has ", text.size(), " bytes (limit ", kBytesMax, ")"));
  }
  ASSIGN_OR_RETURN(std::vector<Token> tokens, Tokenize(text));
  if (tokens.size() == 1) return std::shared_ptr<const Expression>();
  ASSIGN_OR_RETURN(Expression expression, Parser(std::move(tokens), fields).Whole());
  return std::make_shared<const Expression>(std::move(expression));
}

absl::Status CheckAttributeName(absl::string_view name) {
  if (!IsNameShaped(name)) {
    return absl::InvalidArgumentError(
        absl::StrCat("search attribute \"", std::string(name.substr(0, 100)),
                     "\": a name is a letter, then letters, digits, \"_\" and \"-\", at most ",
                     kNameBytesMax, " characters"));
  }
  if (FindLikeField(name).has_value() || IsJoint(name)) {
    return absl::InvalidArgumentError(absl::StrCat("search attribute \"", std::string(name),
                                                   "\": the name means something else in filters"));
  }
  return absl::OkStatus();
}

}  // namespace filter
