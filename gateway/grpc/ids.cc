#include "gateway/grpc/ids.h"

#include <openssl/sha.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace gateway {

std::string RandomHex(base::Random& random) {
  return absl::StrCat(absl::Hex(random.Next(), absl::kZeroPad16));
}

std::string HashHex(absl::string_view text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return absl::BytesToHexString(absl::string_view(reinterpret_cast<char*>(digest), 8));
}

}  // namespace gateway
