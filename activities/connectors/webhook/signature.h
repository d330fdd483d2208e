// Signatures of outgoing webhooks, by Standard Webhooks 1.0 (symmetric, HMAC-SHA256): what is
// signed is "<id>.<timestamp>.<body>", and the header is "v1,<base64>".
// Thread-safety: free functions on values.
//
// Example:
//   absl::StatusOr<std::string> key = webhook::KeyOf("whsec_c2VjcmV0");
//   header = webhook::Sign(*key, id, absl::ToUnixSeconds(now), body);
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace webhook {

// The bytes of a secret: "whsec_" and base64, or any other text as it is. INVALID_ARGUMENT when
// what follows "whsec_" is not base64. The message never repeats the secret.
absl::StatusOr<std::string> KeyOf(std::string_view secret);

// The value of the header webhook-signature.
std::string Sign(std::string_view key, std::string_view id, int64_t unix_seconds,
                 std::string_view body);

}  // namespace webhook
