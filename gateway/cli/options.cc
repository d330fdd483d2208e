#include "gateway/cli/options.h"

#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"
#include "gateway/cli/text_file.h"
#include "gateway/json/json_reader.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/history/time.h"

namespace cli {
namespace {

absl::StatusOr<std::string> TextOf(const std::string& option, const std::string& text) {
  if (text.empty() || text[0] != '@') return text;
  absl::StatusOr<std::string> file = ReadFile(text.substr(1));
  if (file.ok()) return file;
  return absl::InvalidArgumentError(
      absl::StrCat(option, ": ", std::string(file.status().message())));
}

absl::Status ReadMessage(const std::string& option, const std::string& json,
                         google::protobuf::Message* message) {
  gateway::FieldViolations violations;
  const absl::Status status = gateway::ReadJson(json, message, &violations, option);
  return status.ok() ? violations.ToStatus() : status;
}

// Whether the faults are those of a payload, not of other JSON that was read as one: they are in
// its value or its type.
bool IsPayload(const std::string& option, const gateway::FieldViolations& faults) {
  bool in_payload = false;
  for (const gateway::FieldViolation& fault : faults.list()) {
    if (fault.unknown && fault.field.find('.', option.size() + 1) == std::string::npos)
      return false;
    in_payload = in_payload || absl::StartsWith(fault.field, option + ".value") ||
                 fault.field == option + ".message_type";
  }
  return in_payload;
}

}  // namespace

absl::Status ReadDuration(const std::string& option, const std::string& text,
                          google::protobuf::Duration* value) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration) || duration < absl::ZeroDuration()) {
    return absl::InvalidArgumentError(
        absl::StrCat(option, " ", text, " is no duration such as 30s, 5m or 24h"));
  }
  *value = history::ToProto(duration);
  return absl::OkStatus();
}

absl::Status ReadTime(const std::string& option, const std::string& text,
                      google::protobuf::Timestamp* value) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime(absl::RFC3339_full, text, &time, &error) &&
      !absl::ParseTime("%Y-%m-%d", text, &time, &error)) {
    return absl::InvalidArgumentError(
        absl::StrCat(option, " ", text, " is no time such as 2026-11-21T09:30:00Z or 2026-11-21"));
  }
  *value = history::ToProto(time);
  return absl::OkStatus();
}

absl::Status ReadPayload(const std::string& option, const std::string& text,
                         orchestrator::v1::Payload* payload) {
  ASSIGN_OR_RETURN(const std::string json, TextOf(option, text));
  gateway::FieldViolations violations;
  const absl::Status status = gateway::ReadJson(json, payload, &violations, option);
  if (!status.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(option, ": ", std::string(status.message())));
  }
  if (violations.empty()) return absl::OkStatus();
  if (IsPayload(option, violations)) return violations.ToStatus();
  payload->Clear();
  return ReadMessage(option, absl::StrCat("{\"value\":", json, "}"), payload);
}

std::vector<std::string> RunStatusNames() {
  const auto* type = orchestrator::v1::RunStatus::Value_descriptor();
  std::vector<std::string> names;
  for (int i = 1; i < type->value_count(); ++i) names.push_back(type->value(i)->name());
  return names;
}

std::string EnumText(const std::string& text) {
  return absl::AsciiStrToUpper(absl::StrReplaceAll(text, {{"-", "_"}}));
}

}  // namespace cli
