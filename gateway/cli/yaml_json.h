// YAML to JSON text, and where in the file each value stood. Pure; thread-safe.
//
// Plain scalars become null, booleans (true, false), numbers or strings; quoted ones stay strings.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace cli {

struct YamlJson {
  std::string json;
  std::map<std::string, int> lines;  // "channels[1]" -> 7
};

// INVALID_ARGUMENT: not YAML (with its line), a key given twice, nested or expanded too far.
absl::StatusOr<YamlJson> YamlToJson(const std::string& text);

}  // namespace cli
