#include "gateway/grpc/call_audit.h"

#include <set>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "campaign/v1/operations.pb.h"

namespace gateway {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

struct IdField {
  const char* field;
  const char* kind;
};
// What a call is about: the first of these that a message has.
constexpr IdField kIds[] = {{"workflow_id", "workflow"}, {"wizard_id", "wizard"},
                            {"schedule_id", "schedule"}, {"batch_id", "batch"},
                            {"service", "breaker"},      {"key_id", "key"},
                            {"email", "user"},           {"user", "user"}};

// Fields that may be shown: ids, names, switches and what people wrote as a reason.
const std::set<std::string>& ShownFields() {
  static const auto* const kFields = new std::set<std::string>{
      "activity_id",  "children",    "comment",       "content_id",   "count_max", "dry_run",
      "drop_signals", "event_id",    "expected_head", "filter",       "force",     "name",
      "note",         "on",          "operation",     "paused",       "query",     "reason",
      "request_id",   "role",        "run_id",        "signal_name",  "source_id", "step",
      "update_id",    "update_name", "via",           "workflow_type"};
  return *kFields;
}

const FieldDescriptor* TextField(const Message& message, const char* name) {
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
  const bool text = field != nullptr && !field->is_repeated() &&
                    field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
  return text ? field : nullptr;
}

std::string Text(const Message& message, const char* name) {
  const FieldDescriptor* field = TextField(message, name);
  return field == nullptr ? "" : message.GetReflection()->GetString(message, field);
}

// A message inside that says more of the same: the workflow to start, the key that was made.
const Message* Nested(const Message& message, const char* name) {
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
  if (field == nullptr || field->is_repeated() ||
      field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE ||
      !message.GetReflection()->HasField(message, field)) {
    return nullptr;
  }
  return &message.GetReflection()->GetMessage(message, field);
}

std::string SubjectOf(const Message& message) {
  for (const IdField& id : kIds) {
    const std::string value = Text(message, id.field);
    if (!value.empty()) return absl::StrCat(id.kind, "/", value);
  }
  for (const char* name : {"start", "api_key", "key", "user"}) {
    const Message* nested = Nested(message, name);
    if (nested == nullptr) continue;
    std::string subject = SubjectOf(*nested);
    if (!subject.empty()) return subject;
  }
  return "";
}

std::string ValueText(const Message& message, const FieldDescriptor& field) {
  const auto* reflection = message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      return field.type() == FieldDescriptor::TYPE_STRING ? reflection->GetString(message, &field)
                                                          : "";
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection->GetBool(message, &field) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(reflection->GetInt64(message, &field));
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(reflection->GetInt32(message, &field));
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection->GetEnum(message, &field)->name();
    default:
      return "";
  }
}

void AddShown(const Message& message, std::vector<std::string>* parts) {
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    if (field.is_repeated() || !ShownFields().contains(field.name())) continue;
    // A switch says something when it is off, too.
    const bool is_switch = field.name() == "on";
    if (!is_switch && !message.GetReflection()->HasField(message, &field)) continue;
    const std::string value = ValueText(message, field);
    if (!value.empty()) parts->push_back(absl::StrCat(field.name(), "=", value));
  }
}

std::string Joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) absl::StrAppend(&text, text.empty() ? "" : ", ", part);
  return text;
}

}  // namespace

std::string ActionOf(const auth::Rule& rule) {
  const std::string name(rule.name);
  if (absl::StrContains(name, ' ')) return name;  // a raw route
  return name.substr(name.rfind('.') + 1);
}

bool IsAudited(const auth::Rule& rule) {
  const std::string action = ActionOf(rule);
  if (action == "ExportAuditEvents") return true;
  if (rule.access == auth::Access::kOpen || rule.group == "read" || rule.group == "watch") {
    return false;
  }
  return !absl::StartsWith(action, "List") && !absl::StartsWith(action, "Get") &&
         !absl::StartsWith(action, "Verify");
}

std::string OutcomeOf(const absl::Status& status) {
  return absl::StatusCodeToString(status.code());
}

std::string ActorOf(const CallInfo& call, const Message* request) {
  if (call.caller.proven()) return call.caller.identity;
  if (request != nullptr) {
    for (const char* name : {"identity", "decided_by", "updated_by"}) {
      std::string claimed = Text(*request, name);
      if (!claimed.empty()) return claimed;
    }
  }
  return call.IdentityOr("");
}

namespace {

// gRPC's peers are "ipv4:127.0.0.1:5".
std::string PlainAddress(absl::string_view address) {
  if (!absl::ConsumePrefix(&address, "ipv4:")) absl::ConsumePrefix(&address, "ipv6:");
  return absl::StrReplaceAll(address, {{"%5B", "["}, {"%5D", "]"}});
}

}  // namespace

audit::Event DescribeCall(const auth::Rule& rule, const CallInfo& call, const Message* request) {
  audit::Event event{.actor = ActorOf(call, request),
                     .credential = call.caller.credential,
                     .action = ActionOf(rule),
                     .outcome = audit::kStarted,
                     .correlation_id = call.correlation_id,
                     .address = PlainAddress(call.caller.address),
                     .ns = call.ns};
  if (request == nullptr) return event;
  event.subject = SubjectOf(*request);
  if (event.subject.empty() &&
      request->GetDescriptor() == campaign::v1::SetKillSwitchRequest::descriptor()) {
    event.subject = "kill-switch";
  }
  std::vector<std::string> parts;
  AddShown(*request, &parts);
  if (const Message* start = Nested(*request, "start")) AddShown(*start, &parts);
  event.detail = Joined(parts);
  return event;
}

audit::Event DescribeEnd(audit::Event started, int64_t sequence, const absl::Status& status,
                         const Message* response) {
  audit::Event event = std::move(started);
  event.outcome = OutcomeOf(status);
  event.started_by = sequence;
  std::vector<std::string> parts;
  if (!status.ok()) {
    parts.emplace_back(status.message());
  } else if (response != nullptr) {
    const std::string subject = SubjectOf(*response);
    if (event.subject.empty()) {
      event.subject = subject;
    } else if (!subject.empty() && subject != event.subject) {
      parts.push_back(subject);
    }
    const std::string run = Text(*response, "run_id");
    if (!run.empty()) parts.push_back(absl::StrCat("run_id=", run));
  }
  event.detail = Joined(parts);
  return event;
}

bool IsEmergency(const Message* request) {
  const auto* order = dynamic_cast<const campaign::v1::SetKillSwitchRequest*>(request);
  return order != nullptr && order->on();
}

}  // namespace gateway
