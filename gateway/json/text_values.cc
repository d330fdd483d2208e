#include "gateway/json/text_values.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/util/time_util.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"

namespace gateway {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using google::protobuf::util::TimeUtil;

namespace {

// Calls Set<Suffix> or Add<Suffix>, whichever the field's label asks for.
#define SET_OR_ADD(Suffix, value)                                        \
  (field->is_repeated() ? reflection->Add##Suffix(message, field, value) \
                        : reflection->Set##Suffix(message, field, value))

Message* Mutable(const FieldDescriptor* field, Message* message) {
  const Reflection* reflection = message->GetReflection();
  return field->is_repeated() ? reflection->AddMessage(message, field)
                              : reflection->MutableMessage(message, field);
}

std::string SetMessage(absl::string_view text, const FieldDescriptor* field, Message* message) {
  const std::string& type = field->message_type()->full_name();
  if (type == "google.protobuf.Timestamp") {
    google::protobuf::Timestamp time;
    std::string expected = ParseTimestampText(text, &time);
    if (expected.empty()) Mutable(field, message)->CopyFrom(time);
    return expected;
  }
  if (type == "google.protobuf.Duration") {
    google::protobuf::Duration duration;
    std::string expected = ParseDurationText(text, &duration);
    if (expected.empty()) Mutable(field, message)->CopyFrom(duration);
    return expected;
  }
  if (type == "google.protobuf.FieldMask") {
    google::protobuf::FieldMask mask;
    for (absl::string_view path : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
      mask.add_paths(std::string(absl::StripAsciiWhitespace(path)));
    }
    Mutable(field, message)->CopyFrom(mask);
    return "";
  }
  return "must be an object, which has no text form";
}

}  // namespace

std::string SetFromText(absl::string_view text, const FieldDescriptor* field, Message* message) {
  const Reflection* reflection = message->GetReflection();
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      if (field->type() == FieldDescriptor::TYPE_BYTES) {
        std::string bytes;
        if (!absl::Base64Unescape(text, &bytes) && !absl::WebSafeBase64Unescape(text, &bytes)) {
          return "must be base64";
        }
        SET_OR_ADD(String, std::move(bytes));
        return "";
      }
      SET_OR_ADD(String, std::string(text));
      return "";
    case FieldDescriptor::CPPTYPE_BOOL:
      if (text != "true" && text != "false") return "must be true or false";
      SET_OR_ADD(Bool, text == "true");
      return "";
    case FieldDescriptor::CPPTYPE_INT32: {
      int32_t value = 0;
      if (!absl::SimpleAtoi(text, &value)) return "must be a 32-bit integer";
      SET_OR_ADD(Int32, value);
      return "";
    }
    case FieldDescriptor::CPPTYPE_INT64: {
      int64_t value = 0;
      if (!absl::SimpleAtoi(text, &value)) return "must be a 64-bit integer";
      SET_OR_ADD(Int64, value);
      return "";
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      uint32_t value = 0;
      if (!absl::SimpleAtoi(text, &value)) return "must be an unsigned 32-bit integer";
      SET_OR_ADD(UInt32, value);
      return "";
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      uint64_t value = 0;
      if (!absl::SimpleAtoi(text, &value)) return "must be an unsigned 64-bit integer";
      SET_OR_ADD(UInt64, value);
      return "";
    }
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT: {
      double value = 0;
      if (!absl::SimpleAtod(text, &value)) return "must be a number";
      if (field->cpp_type() == FieldDescriptor::CPPTYPE_FLOAT) {
        SET_OR_ADD(Float, static_cast<float>(value));
      } else {
        SET_OR_ADD(Double, value);
      }
      return "";
    }
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto* value = FindEnumValue(field->enum_type(), text);
      if (value == nullptr) return ExpectedEnum(field->enum_type());
      SET_OR_ADD(Enum, value);
      return "";
    }
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return SetMessage(text, field, message);
  }
  return "has a type that cannot be read";
}

std::string ParseTimestampText(absl::string_view text, google::protobuf::Timestamp* out) {
  if (!TimeUtil::FromString(std::string(text), out)) {
    return "must be an RFC 3339 time such as 2026-01-31T09:00:00Z";
  }
  return "";
}

std::string ParseDurationText(absl::string_view text, google::protobuf::Duration* out) {
  absl::Duration duration;
  if (!absl::ParseDuration(text, &duration) || duration == absl::InfiniteDuration() ||
      duration == -absl::InfiniteDuration() ||
      absl::AbsDuration(duration) > absl::Hours(87660000)) {
    return "must be a duration such as 30s or 1m30s";
  }
  out->set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  out->set_nanos(static_cast<int32_t>(duration / absl::Nanoseconds(1)));
  return "";
}

const google::protobuf::EnumValueDescriptor* FindEnumValue(
    const google::protobuf::EnumDescriptor* type, absl::string_view name) {
  int number = 0;
  if (absl::SimpleAtoi(name, &number)) return type->FindValueByNumber(number);
  for (int i = 0; i < type->value_count(); ++i) {
    if (absl::EqualsIgnoreCase(type->value(i)->name(), name)) return type->value(i);
  }
  return nullptr;
}

std::string ExpectedEnum(const google::protobuf::EnumDescriptor* type) {
  std::vector<std::string> names;
  for (int i = 0; i < type->value_count(); ++i) {
    if (type->value(i)->name() != "UNSPECIFIED") names.push_back(type->value(i)->name());
  }
  return absl::StrCat("must be one of ", absl::StrJoin(names, ", "));
}

std::string TimestampText(const google::protobuf::Timestamp& time) {
  return TimeUtil::ToString(time);
}

std::string DurationText(const google::protobuf::Duration& duration) {
  return TimeUtil::ToString(duration);
}

}  // namespace gateway
