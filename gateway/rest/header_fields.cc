#include "gateway/rest/header_fields.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gateway/auth/limit_status.h"

namespace gateway {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr size_t kHeaderMax = 1024;

// The field of that name when it holds one text.
const FieldDescriptor* TextField(const Message& message, const char* name) {
  const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
  if (field == nullptr || field->is_repeated() ||
      field->cpp_type() != FieldDescriptor::CPPTYPE_STRING) {
    return nullptr;
  }
  return field;
}

// "W/\"abc\"" and "\"abc\"" -> "abc"; other texts stay.
std::string Unquoted(absl::string_view text) {
  absl::string_view inner = text;
  absl::ConsumePrefix(&inner, "W/");
  if (inner.size() >= 2 && inner.front() == '"' && inner.back() == '"') {
    return std::string(inner.substr(1, inner.size() - 2));
  }
  return std::string(text);
}

void Fill(const char* header, const std::string& value, const FieldDescriptor& field,
          Message* request, FieldViolations* violations) {
  const auto* reflection = request->GetReflection();
  const std::string given = reflection->GetString(*request, &field);
  if (value.size() > kHeaderMax) {
    return violations->Add(field.name(), absl::StrCat("the header ", header, " is too long"));
  }
  if (!given.empty() && Unquoted(given) != value) {
    return violations->Add(
        field.name(), absl::StrCat("is ", given.substr(0, 100), ", but the header ", header, " is ",
                                   value.substr(0, 100)));
  }
  reflection->SetString(request, &field, value);
}

}  // namespace

void ReadHeaderFields(const HttpRequest& http, Message* request, FieldViolations* violations) {
  if (const std::string key = Unquoted(http.Header("idempotency-key")); !key.empty()) {
    if (const auto* field = TextField(*request, "request_id")) {
      Fill("Idempotency-Key", key, *field, request, violations);
    }
  }
  if (const std::string id = http.Header("last-event-id"); !id.empty()) {
    if (const auto* field = TextField(*request, "resume_token")) {
      Fill("Last-Event-ID", id, *field, request, violations);
    }
  }
  const std::string match = http.Header("if-match");
  if (match.empty() || http.method == "GET" || http.method == "HEAD") return;
  const auto* field = TextField(*request, "etag");
  if (field == nullptr) {
    return violations->Add("If-Match", "is a header that this method cannot heed");
  }
  if (match.find(',') != match.npos) {
    return violations->Add("If-Match", "may name one etag only");
  }
  Fill("If-Match", Unquoted(match), *field, request, violations);
}

std::string EtagOf(const Message& message) {
  const FieldDescriptor* field = TextField(message, "etag");
  if (field == nullptr) return "";
  const std::string value = message.GetReflection()->GetString(message, field);
  // RFC 9110 section 8.8.3: no quotes, blanks or control characters inside.
  const bool clean = std::all_of(value.begin(), value.end(),
                                 [](unsigned char c) { return c > ' ' && c != '"' && c < 127; });
  return value.empty() || !clean ? "" : absl::StrCat("\"", value, "\"");
}

std::string RetryAfterOf(const absl::Status& status) {
  const std::optional<absl::Duration> delay = auth::RetryAfterOf(status);
  if (!delay.has_value()) return "";
  const absl::Duration whole = absl::Ceil(*delay, absl::Seconds(1));
  return absl::StrCat(std::max<int64_t>(0, absl::ToInt64Seconds(whole)));
}

}  // namespace gateway
