#include "gateway/grpc/ids.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "orchestrator/base/sha256.h"

namespace gateway {

std::string RandomHex(base::Random& random) {
  return absl::StrCat(absl::Hex(random.Next(), absl::kZeroPad16));
}

std::string HashHex(absl::string_view text) {
  return absl::BytesToHexString(base::Sha256(text).substr(0, 8));
}

}  // namespace gateway
