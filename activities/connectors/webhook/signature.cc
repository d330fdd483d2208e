#include "activities/connectors/webhook/signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "absl/strings/escaping.h"
#include "activities/connectors/wire/text.h"

namespace webhook {
namespace {

constexpr std::string_view kSecretPrefix = "whsec_";

}  // namespace

absl::StatusOr<std::string> KeyOf(std::string_view secret) {
  if (!secret.starts_with(kSecretPrefix)) return std::string(secret);
  const std::string_view encoded = secret.substr(kSecretPrefix.size());
  std::string key;
  if (!absl::Base64Unescape(absl::string_view(encoded.data(), encoded.size()), &key) ||
      key.empty()) {
    return absl::InvalidArgumentError("what follows whsec_ must be base64");
  }
  return key;
}

std::string Sign(std::string_view key, std::string_view id, int64_t unix_seconds,
                 std::string_view body) {
  const std::string text = wire::Cat(id, ".", unix_seconds, ".", body);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
  return wire::Cat(
      "v1,", absl::Base64Escape(absl::string_view(reinterpret_cast<const char*>(digest), size)));
}

}  // namespace webhook
