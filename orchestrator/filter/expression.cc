#include "orchestrator/filter/expression.h"

namespace filter {

absl::string_view FieldName(Field field) {
  switch (field) {
    case Field::kWorkflowId:
      return "workflow_id";
    case Field::kRunId:
      return "run_id";
    case Field::kWorkflowType:
      return "workflow_type";
    case Field::kStatus:
      return "status";
    case Field::kStatusReason:
      return "status_reason";
    case Field::kStartTime:
      return "start_time";
    case Field::kCloseTime:
      return "close_time";
    case Field::kSagaState:
      return "saga_state";
    case Field::kBuildId:
      return "build_id";
    case Field::kPatches:
      return "patches";
    case Field::kParentWorkflowId:
      return "parent_workflow_id";
    case Field::kAttribute:
      return "";
  }
  return "";
}

}  // namespace filter
