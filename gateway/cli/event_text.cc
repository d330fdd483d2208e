#include "gateway/cli/event_text.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/json/text_values.h"
#include "orchestrator/v1/common.pb.h"

namespace cli {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using orchestrator::v1::HistoryEvent;

const FieldDescriptor* AttributesOf(const HistoryEvent& event) {
  const auto* oneof = HistoryEvent::descriptor()->FindOneofByName("attributes");
  return event.GetReflection()->GetOneofFieldDescriptor(event, oneof);
}

std::string FailureText(const orchestrator::v1::Failure& failure) {
  return absl::StrCat(failure.type(), ": ", failure.message());
}

// One attribute as text; empty for what says little in a table.
std::string FieldText(const Message& message, const FieldDescriptor* field) {
  const auto* reflection = message.GetReflection();
  if (field->is_repeated()) {
    std::vector<std::string> values;
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      if (field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) return "";
      values.push_back(reflection->GetRepeatedString(message, field, i));
    }
    return absl::StrJoin(values, ", ");
  }
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection->GetString(message, field);
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(reflection->GetInt32(message, field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection->GetEnum(message, field)->name();
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      const Message& child = reflection->GetMessage(message, field);
      if (field->message_type() == orchestrator::v1::Failure::descriptor()) {
        return FailureText(static_cast<const orchestrator::v1::Failure&>(child));
      }
      if (field->message_type() == google::protobuf::Duration::descriptor()) {
        return gateway::DurationText(static_cast<const google::protobuf::Duration&>(child));
      }
      return "";
    }
    default:
      return "";
  }
}

// In the order of telling; the first ones that are set make the detail.
constexpr const char* kTelling[] = {
    "workflow_id",           "workflow_type",     "activity_type", "signal_name",
    "update_name",           "marker_name",       "timer_id",      "step",
    "timeout_type",          "attempt",           "reason",        "failure",
    "last_failure",          "compensation_type", "group",         "decision",
    "start_to_fire_timeout", "steps_left_behind", "new_run_id",    "identity"};

}  // namespace

std::string EventName(const HistoryEvent& event) {
  const FieldDescriptor* attributes = AttributesOf(event);
  return attributes == nullptr ? "?" : attributes->message_type()->name();
}

std::string EventDetail(const HistoryEvent& event) {
  const FieldDescriptor* attributes = AttributesOf(event);
  if (attributes == nullptr) return "";
  const Message& message = event.GetReflection()->GetMessage(event, attributes);
  std::vector<std::string> parts;
  for (const char* name : kTelling) {
    const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
    if (field == nullptr) continue;
    // The run's own id is known; of another run it is what matters.
    if (event.has_workflow_execution_started() && field->name() == "workflow_id") continue;
    const bool set = field->is_repeated() ? message.GetReflection()->FieldSize(message, field) > 0
                                          : message.GetReflection()->HasField(message, field);
    if (!set) continue;
    std::string text = FieldText(message, field);
    if (text.empty()) continue;
    if (field->name() == "attempt") {
      if (text == "1") continue;
      text = absl::StrCat("attempt ", text);
    }
    parts.push_back(std::move(text));
  }
  const FieldDescriptor* scheduled = message.GetDescriptor()->FindFieldByName("scheduled_event_id");
  if (scheduled != nullptr) {
    parts.push_back(
        absl::StrCat("of event ", message.GetReflection()->GetInt64(message, scheduled)));
  }
  const FieldDescriptor* initiated = message.GetDescriptor()->FindFieldByName("initiated_event_id");
  if (initiated != nullptr) {
    parts.push_back(
        absl::StrCat("of event ", message.GetReflection()->GetInt64(message, initiated)));
  }
  return absl::StrJoin(parts, ", ");
}

}  // namespace cli
