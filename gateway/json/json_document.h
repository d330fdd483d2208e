// A JSON text as a tree, of which nothing is lost that its reader must refuse: a name that an
// object has twice is there twice, and a number that no double holds ("1e999") is a discarded
// value. For this folder only: nlohmann's types stay in it. Pure; thread-safe.
//
// Example:
//   ASSIGN_OR_RETURN(const Json json, ParseJson(R"({"a": 1, "a": 1e999})"));
//   // two items named "a"; the second one is_discarded()
#pragma once

#include <nlohmann/json.hpp>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace gateway {

using Json = nlohmann::ordered_json;

// INVALID_ARGUMENT with line and column when it is no JSON.
absl::StatusOr<Json> ParseJson(absl::string_view text);

}  // namespace gateway
