// Protobuf to JSON by reflection, as REST answers it: snake_case names, enum names, RFC 3339
// times, 64-bit integers as numbers (as strings above 2^53, where JSON readers lose digits), a
// payload decoded into {"metadata","message_type","value"} when its type is linked in. Fields at
// their default are written, so that readers need no table of defaults, but in history events
// and failures, where most are. Pure; thread-safe.
//
// Example:
//   std::string json = ToJson(progress, {.pretty = true});
#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "absl/strings/string_view.h"

namespace gateway {

struct JsonOptions {
  bool pretty = false;
};

std::string ToJson(const google::protobuf::Message& message, const JsonOptions& options = {});

// `text` as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD.
std::string JsonQuote(absl::string_view text);

}  // namespace gateway
