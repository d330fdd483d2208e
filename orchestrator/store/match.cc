#include "orchestrator/store/match.h"

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "orchestrator/store/properties.h"

namespace store {
namespace {

using filter::Expression;
using filter::Field;
using filter::Operator;

// Negative, 0, positive; nothing when the types do not compare.
std::optional<int> Compare(const filter::Value& a, const filter::Value& b) {
  const auto order = [](const auto& x, const auto& y) { return x < y ? -1 : x == y ? 0 : 1; };
  const auto number = [](const filter::Value& value) -> std::optional<double> {
    if (const auto* i = std::get_if<int64_t>(&value)) return static_cast<double>(*i);
    if (const auto* d = std::get_if<double>(&value)) return *d;
    return std::nullopt;
  };
  if (a.index() != b.index()) {
    if (!number(a).has_value() || !number(b).has_value()) return std::nullopt;
    return order(*number(a), *number(b));
  }
  if (const auto* time = std::get_if<absl::Time>(&a)) {  // stores keep microseconds
    return order(absl::ToUnixMicros(*time), absl::ToUnixMicros(std::get<absl::Time>(b)));
  }
  return order(a, b);
}

bool Holds(Operator op, const filter::Value& found, const filter::Value& wanted) {
  const std::optional<int> order = Compare(found, wanted);
  if (!order.has_value()) return false;
  switch (op) {
    case Operator::kEqual:
    case Operator::kHas:
      return *order == 0;
    case Operator::kLess:
      return *order < 0;
    case Operator::kLessOrEqual:
      return *order <= 0;
    case Operator::kGreater:
      return *order > 0;
    case Operator::kGreaterOrEqual:
      return *order >= 0;
  }
  return false;
}

bool TextHolds(const Expression& compare, const std::string& text) {
  const auto& wanted = std::get<std::string>(compare.value);
  if (compare.prefix) return absl::StartsWith(text, wanted);
  if (compare.op == Operator::kHas) return absl::StrContains(text, wanted);
  return Holds(compare.op, text, wanted);
}

bool AnyValueHolds(const Expression& compare, const RunRow& row) {
  const std::string name =
      compare.field == Field::kPatches ? std::string(kPatchesName) : compare.attribute;
  const std::vector<IndexedValue> values = IndexedValues(row.properties.get());
  return std::any_of(values.begin(), values.end(), [&](const IndexedValue& value) {
    if (value.name != name) return false;
    if (compare.present) return true;
    if (!compare.prefix) return Holds(compare.op, value.value, compare.value);
    const auto* text = std::get_if<std::string>(&value.value);
    return text != nullptr && absl::StartsWith(*text, std::get<std::string>(compare.value));
  });
}

bool CompareHolds(const Expression& compare, const RunRow& row) {
  switch (compare.field) {
    case Field::kWorkflowId:
      return TextHolds(compare, row.workflow_id.value());
    case Field::kRunId:
      return TextHolds(compare, row.run_id.value());
    case Field::kWorkflowType:
      return TextHolds(compare, row.workflow_type);
    case Field::kStatusReason:
      return TextHolds(compare, row.status_reason);
    case Field::kBuildId:
      return TextHolds(compare, row.build_id);
    case Field::kParentWorkflowId:
      return TextHolds(compare, row.parent_workflow_id);
    case Field::kStatus:
      return Holds(compare.op, static_cast<int64_t>(row.status), compare.value);
    case Field::kSagaState:
      return Holds(compare.op, static_cast<int64_t>(row.saga_state), compare.value);
    case Field::kStartTime:
      return Holds(compare.op, row.start_time, compare.value);
    case Field::kCloseTime:
      return row.close_time != absl::InfiniteFuture() &&
             Holds(compare.op, row.close_time, compare.value);
    case Field::kPatches:
    case Field::kAttribute:
      return AnyValueHolds(compare, row);
  }
  return false;
}

}  // namespace

bool Matches(const Expression& expression, const RunRow& row) {
  const auto matches = [&](const Expression& operand) { return Matches(operand, row); };
  const auto& operands = expression.operands;
  switch (expression.kind) {
    case Expression::Kind::kAnd:
      return std::all_of(operands.begin(), operands.end(), matches);
    case Expression::Kind::kOr:
      return std::any_of(operands.begin(), operands.end(), matches);
    case Expression::Kind::kNot:
      return !Matches(operands[0], row);
    case Expression::Kind::kCompare:
      return CompareHolds(expression, row);
  }
  return false;
}

}  // namespace store
