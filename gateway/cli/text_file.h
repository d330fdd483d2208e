// Files that users name on the command line. Errors are INVALID_ARGUMENT and name the path.
// Thread-safe.
//
// Example:
//   ASSIGN_OR_RETURN(const std::string text, ReadFile(path));  // "-": standard input
#pragma once

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace cli {

// All of it; "-" is standard input.
absl::StatusOr<std::string> ReadFile(const std::string& path);
// Replaces the file in one step, so that a crash leaves the old one or the new one. A secret one is
// for its owner's eyes alone.
enum class Secrecy { kOpen, kSecret };
absl::Status WriteFile(const std::string& path, const std::string& text,
                       Secrecy secrecy = Secrecy::kOpen);

}  // namespace cli
