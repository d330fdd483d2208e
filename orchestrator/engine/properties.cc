#include "orchestrator/engine/properties.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/filter/parser.h"

namespace engine {
namespace {

namespace v1 = core::v1;

absl::Status CheckValue(const std::string& name, const v1::SearchAttribute& attribute,
                        const EngineOptions& options) {
  const size_t bytes = attribute.ByteSizeLong();
  if (bytes > static_cast<size_t>(options.search_attribute_bytes_max)) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "search attribute \"", name, "\" has ", bytes,
        " bytes (limit search_attribute_bytes_max = ", options.search_attribute_bytes_max, ")"));
  }
  if (attribute.has_double_() && std::isnan(attribute.double_())) {
    return absl::InvalidArgumentError(
        absl::StrCat("search attribute \"", name, "\": NaN compares with nothing"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckSearchAttributes(const v1::SearchAttributes& attributes,
                                   const EngineOptions& options) {
  if (attributes.fields().size() > static_cast<size_t>(options.search_attributes_max)) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the run has ", attributes.fields().size(),
        " search attributes (limit search_attributes_max = ", options.search_attributes_max, ")"));
  }
  for (const auto& [name, attribute] : attributes.fields()) {
    RETURN_IF_ERROR(filter::CheckAttributeName(name));
    RETURN_IF_ERROR(CheckValue(name, attribute, options));
  }
  return absl::OkStatus();
}

absl::Status CheckMemo(const v1::Memo& memo, const EngineOptions& options) {
  const size_t bytes = memo.ByteSizeLong();
  if (bytes <= static_cast<size_t>(options.memo_bytes_max)) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "the memo has ", bytes, " bytes (limit memo_bytes_max = ", options.memo_bytes_max, ")"));
}

absl::Status CheckUpserts(const core::RunState& state, const std::vector<v1::Command>& commands,
                          const EngineOptions& options) {
  const bool any = std::any_of(commands.begin(), commands.end(), [](const v1::Command& command) {
    return command.event().has_upsert_workflow_search_attributes() ||
           command.event().has_workflow_properties_modified();
  });
  if (!any) return absl::OkStatus();
  v1::SearchAttributes attributes = state.search_attributes;
  v1::Memo memo = state.memo;
  for (const v1::Command& command : commands) {
    const auto& upserted = command.event().upsert_workflow_search_attributes().search_attributes();
    for (const auto& [name, attribute] : upserted.fields()) {
      RETURN_IF_ERROR(filter::CheckAttributeName(name));
      if (attribute.value_case() == v1::SearchAttribute::VALUE_NOT_SET) {
        attributes.mutable_fields()->erase(name);
      } else {
        (*attributes.mutable_fields())[name] = attribute;
      }
    }
    const auto& modified = command.event().workflow_properties_modified().upserted_memo();
    for (const auto& [name, payload] : modified.fields()) {
      (*memo.mutable_fields())[name] = payload;
    }
  }
  RETURN_IF_ERROR(CheckSearchAttributes(attributes, options));
  return CheckMemo(memo, options);
}

bool ChangesProperties(const core::TransitionBuilder& transition) {
  const auto& events = transition.events();
  return std::any_of(events.begin(), events.end(), [](const v1::HistoryEvent& event) {
    switch (event.attributes_case()) {
      case v1::HistoryEvent::kWorkflowExecutionStarted:
      case v1::HistoryEvent::kUpsertWorkflowSearchAttributes:
      case v1::HistoryEvent::kWorkflowPropertiesModified:
        return true;
      case v1::HistoryEvent::kMarkerRecorded:
        return absl::StartsWith(event.marker_recorded().marker_name(), "patch:");
      default:
        return false;
    }
  });
}

std::shared_ptr<const store::RunProperties> PropertiesOf(const core::RunState& state) {
  if (state.search_attributes.fields().empty() && state.memo.fields().empty() &&
      state.patches.empty()) {
    return nullptr;
  }
  auto properties = std::make_shared<store::RunProperties>();
  properties->search_attributes = state.search_attributes;
  properties->memo = state.memo;
  properties->patches.assign(state.patches.begin(), state.patches.end());
  return properties;
}

}  // namespace engine
