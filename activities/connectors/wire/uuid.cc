#include "activities/connectors/wire/uuid.h"

#include "absl/strings/escaping.h"
#include "orchestrator/base/sha256.h"

namespace wire {

std::string UuidOf(std::string_view text) {
  std::string bytes = base::Sha256({text.data(), text.size()}).substr(0, 16);
  bytes[6] = static_cast<char>((bytes[6] & 0x0f) | 0x80);
  bytes[8] = static_cast<char>((bytes[8] & 0x3f) | 0x80);
  std::string uuid = absl::BytesToHexString(bytes);
  for (const size_t dash : {20, 16, 12, 8}) uuid.insert(dash, 1, '-');
  return uuid;
}

}  // namespace wire
