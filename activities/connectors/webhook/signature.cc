#include "activities/connectors/webhook/signature.h"

#include "absl/strings/escaping.h"
#include "activities/connectors/wire/text.h"
#include "orchestrator/base/sha256.h"

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
  return wire::Cat("v1,", absl::Base64Escape(base::HmacSha256({key.data(), key.size()}, text)));
}

}  // namespace webhook
