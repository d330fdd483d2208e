// Hashes and random texts of credentials. Pure but for the system's random source; thread-safe.
//
// Example:
//   const std::string secret = RandomText(32);
//   const std::string stored = Sha256(secret);
//   if (SameBytes(stored, Sha256(shown))) ...
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "orchestrator/base/sha256.h"

namespace auth {

using base::Sha256;
// In a time that depends on the lengths only.
bool SameBytes(absl::string_view a, absl::string_view b);
// `bytes` bytes of the system's cryptographic generator, as base64url without padding.
std::string RandomText(size_t bytes);
// The same as hexadecimal digits.
std::string RandomDigits(size_t bytes);

}  // namespace auth
