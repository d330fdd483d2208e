#include "gateway/auth/digest.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "absl/strings/escaping.h"
#include "orchestrator/base/check.h"

namespace auth {

namespace {

std::string RandomBytes(size_t bytes) {
  std::string text(bytes, '\0');
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(text.data()), static_cast<int>(bytes)) == 1)
      << "the system gives no random bytes";
  return text;
}

}  // namespace

bool SameBytes(absl::string_view a, absl::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string RandomText(size_t bytes) {
  std::string text = absl::WebSafeBase64Escape(RandomBytes(bytes));
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

std::string RandomDigits(size_t bytes) { return absl::BytesToHexString(RandomBytes(bytes)); }

}  // namespace auth
