// SHA-256 and what is made of it, by OpenSSL. Pure; thread-safe.
//
// Example:
//   const std::string id = absl::BytesToHexString(base::Sha256(text)).substr(0, 16);
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace base {

// 32 bytes each.
std::string Sha256(absl::string_view bytes);
// RFC 2104 with SHA-256.
std::string HmacSha256(absl::string_view key, absl::string_view bytes);

}  // namespace base
