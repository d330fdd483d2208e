#include "orchestrator/base/sha256.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "orchestrator/base/check.h"

namespace base {

std::string Sha256(absl::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr) == 1)
      << "the cryptographic library has no SHA-256";
  return {reinterpret_cast<const char*>(digest), size};
}

std::string HmacSha256(absl::string_view key, absl::string_view bytes) {
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  const char* begin = key.data() == nullptr ? "" : key.data();  // null: OpenSSL takes the last key
  CHECK(HMAC(EVP_sha256(), begin, static_cast<int>(key.size()),
             reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), mac,
             &size) != nullptr)
      << "the cryptographic library has no HMAC";
  return {reinterpret_cast<const char*>(mac), size};
}

}  // namespace base
