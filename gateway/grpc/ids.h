// Short ids. Pure but for the Random given; thread-safe when that is.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "orchestrator/base/random.h"

namespace gateway {

// 16 hex digits.
std::string RandomHex(base::Random& random);
// The first 16 hex digits of the text's SHA-256: the same in every process and release.
std::string HashHex(absl::string_view text);

}  // namespace gateway
