// Single values as text: what JSON strings and URL query parameters have in common. The parsers
// say what they expected, in words that go into a field violation. Pure; thread-safe.
#pragma once

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/message.h>
#include <google/protobuf/timestamp.pb.h>

#include <string>

#include "absl/strings/string_view.h"

namespace gateway {

// Sets or appends (repeated) `field` of `message` from its text form: numbers, true/false, enum
// names, RFC 3339 times, durations such as 30s, field masks a,b, base64 bytes. Returns "" or
// what was expected.
std::string SetFromText(absl::string_view text, const google::protobuf::FieldDescriptor* field,
                        google::protobuf::Message* message);

// "" or what was expected.
std::string ParseTimestampText(absl::string_view text, google::protobuf::Timestamp* out);
std::string ParseDurationText(absl::string_view text, google::protobuf::Duration* out);

// Enum value by name (any case) or number; null when unknown.
const google::protobuf::EnumValueDescriptor* FindEnumValue(
    const google::protobuf::EnumDescriptor* type, absl::string_view name);
// "must be one of A, B, C".
std::string ExpectedEnum(const google::protobuf::EnumDescriptor* type);

// RFC 3339 in UTC with 0, 3, 6 or 9 fractional digits; "3.5s".
std::string TimestampText(const google::protobuf::Timestamp& time);
std::string DurationText(const google::protobuf::Duration& duration);

}  // namespace gateway
