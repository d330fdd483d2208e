// Checks of request fields that several services share. Each adds what is wrong to `violations`
// under the given path. Pure; thread-safe.
#pragma once

#include <google/protobuf/duration.pb.h>

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "gateway/json/field_violations.h"

namespace gateway {

inline constexpr size_t kWorkflowIdLengthMax = 255;
inline constexpr size_t kRequestIdLengthMax = 128;
inline constexpr size_t kReasonLengthMax = 1000;
inline constexpr int kWaitSecondsMax = 60;

enum class Presence { kOptional, kRequired };
enum class Lines { kSingle, kMultiple };  // whether newlines and tabs are allowed

// Unicode characters in valid UTF-8; -1 when it is not valid (RFC 3629: no overlong forms, no
// surrogates, nothing above U+10FFFF).
int64_t CountCharacters(absl::string_view text);

// UTF-8 of at most `length_max` characters, without control characters.
void CheckText(absl::string_view field, absl::string_view text, size_t length_max,
               Presence presence, Lines lines, FieldViolations* violations);

// 1..255 of [A-Za-z0-9._:-].
void CheckWorkflowId(absl::string_view field, absl::string_view id, FieldViolations* violations);
// Optional; letters, digits and - (a UUID), at most 64.
void CheckRunId(absl::string_view id, FieldViolations* violations);
// 1..length_max of [A-Za-z0-9._:#/-].
void CheckName(absl::string_view field, absl::string_view name, size_t length_max,
               FieldViolations* violations);
// Optional; printable ASCII of at most 128.
void CheckRequestId(absl::string_view field, absl::string_view id, FieldViolations* violations);
void CheckRange(absl::string_view field, int64_t value, int64_t least, int64_t most,
                FieldViolations* violations);
// 0..60 s.
void CheckWait(const google::protobuf::Duration& wait, FieldViolations* violations);

}  // namespace gateway
