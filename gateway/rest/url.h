// Percent-encoding and query strings (RFC 3986, and application/x-www-form-urlencoded for '+').
// Pure; thread-safe.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace gateway {

// Nothing for a broken escape or a NUL. `plus_is_space` for queries.
std::optional<std::string> PercentDecode(absl::string_view text, bool plus_is_space);

// "a=1&b" -> {("a","1"), ("b","")}; nothing when an escape is broken.
std::optional<std::vector<std::pair<std::string, std::string>>> ParseQuery(absl::string_view query);

}  // namespace gateway
