#include "gateway/audit/filter_sql.h"

#include <memory>

#include "orchestrator/base/status_macros.h"
#include "orchestrator/filter/parser.h"

namespace audit {
namespace {

using filter::ListField;

constexpr ListField kFields[] = {
    {"sequence", ListField::Type::kInteger}, {"started_by", ListField::Type::kInteger},
    {"time", ListField::Type::kTime},        {"action", ListField::Type::kText},
    {"actor", ListField::Type::kText},       {"address", ListField::Type::kText},
    {"credential", ListField::Type::kText},  {"correlation_id", ListField::Type::kText},
    {"detail", ListField::Type::kText},      {"namespace", ListField::Type::kText},
    {"outcome", ListField::Type::kText},     {"subject", ListField::Type::kText},
};

}  // namespace

absl::StatusOr<database::Condition> ToSql(absl::string_view text) {
  ASSIGN_OR_RETURN(const auto where, filter::ParseFor(kFields, text));
  if (where == nullptr) return database::Condition();
  return database::ConditionOf(*where, {{"time", "time_us"}});
}

}  // namespace audit
