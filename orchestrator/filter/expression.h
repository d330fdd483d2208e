// Expression: a filter over runs as a tree, checked: fields exist, operators fit them, and values
// have the field's type. parser.h makes one of text; stores look runs up with it.
//
// Pure data.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace filter {

enum class Field {
  kWorkflowId,
  kRunId,
  kWorkflowType,
  kStatus,  // compared with an int64: a RunStatus
  kStatusReason,
  kStartTime,
  kCloseTime,  // an open run has none: no comparison holds
  kSagaState,  // compared with an int64: a SagaState
  kBuildId,
  kPatches,  // kHas only
  kParentWorkflowId,
  kAttribute,  // a search attribute, by name; without one no comparison holds
};

// "!=" has no operator of its own: it is kNot of kEqual.
enum class Operator { kEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual, kHas };

// Numbers of both kinds compare with each other. Text compares by bytes.
using Value = std::variant<std::string, int64_t, double, bool, absl::Time>;

struct Expression {
  enum class Kind { kAnd, kOr, kNot, kCompare };
  Kind kind = Kind::kAnd;
  std::vector<Expression> operands;  // of kAnd and kOr two or more, of kNot one

  // Of kCompare.
  Field field = Field::kAttribute;
  std::string attribute;  // of kAttribute
  // kHas of a text field: it contains the value; of patches and attributes: one of the elements
  // equals it.
  Operator op = Operator::kEqual;
  Value value;
  bool prefix = false;  // kEqual: the text begins with the value
  bool present =
      false;  // kHas of patches and attributes: there is a value; `value` does not matter
};

// Shown to people; empty for kAttribute.
absl::string_view FieldName(Field field);

}  // namespace filter
