// KeySet: the keys that tokens may be signed with, from a JWKS document (RFC 7517), PEM public keys
// or a shared secret. A key is good for exactly one algorithm, which the key decides and not the
// token: RS256, ES256 (P-256) or HS256. Keys that are for encryption, for other algorithms or too
// short are left out.
//
// Immutable after it is made; thread-safe.
//
// Example:
//   ASSIGN_OR_RETURN(KeySet keys, KeySet::FromText(jwks_or_pem, false));
//   for (const KeySet::Key* key : keys.Find("RS256", "key-2026")) ...
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

struct _cjose_jwk_int;

namespace auth {

class KeySet {
 public:
  static constexpr size_t kDocumentBytesMax = 256 << 10;
  static constexpr size_t kKeysMax = 100;
  static constexpr size_t kSecretBytesMin = 32;  // RFC 7518 section 3.2
  static constexpr size_t kRsaBitsMin = 2048;    // RFC 7518 section 3.3

  struct Key {
    std::string id;         // kid; may be empty
    std::string algorithm;  // "RS256"
    std::shared_ptr<_cjose_jwk_int> key;
  };

  // A JWKS document, or PEM with one or more public keys or certificates. INVALID_ARGUMENT:
  // neither, or no key in it can be used; the message says why.
  // `shared_secrets`: whether keys for HS256 count; never where others can read the document.
  static absl::StatusOr<KeySet> FromText(absl::string_view text, bool shared_secrets);
  static absl::StatusOr<KeySet> FromSecret(absl::string_view secret);

  // The keys that a token with this header may be signed with: those with the `id`, else those
  // without any id. An empty `id` means the token names none: every key of the algorithm.
  std::vector<const Key*> Find(absl::string_view algorithm, absl::string_view id) const;

 private:
  static absl::StatusOr<KeySet> FromJwks(absl::string_view text, bool shared_secrets);
  static absl::StatusOr<KeySet> FromPem(absl::string_view pem);

  std::vector<Key> keys_;
};

}  // namespace auth
