// Sign-in by token. The first byte says what the rest is: 't' a token, 'k' a document of keys, 'c'
// claims, which are signed here so that they are read at all. Nothing that is not signed is let in.
#include <openssl/hmac.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gateway/auth/jwt.h"
#include "gateway/auth/key_set.h"
#include "orchestrator/base/check.h"

namespace {

constexpr char kSecret[] = "0123456789abcdef0123456789abcdef";

const auth::KeySet& Keys() {
  static const auto* const keys = new auth::KeySet(*auth::KeySet::FromSecret(kSecret));
  return *keys;
}

std::string Base64Url(const std::string& text) {
  std::string out;
  absl::WebSafeBase64Escape(text, &out);
  out.erase(out.find_last_not_of('=') + 1);
  return out;
}

std::string Mac(const std::string& text) {
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  HMAC(EVP_sha256(), kSecret, sizeof(kSecret) - 1,
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac, &length);
  return Base64Url(std::string(reinterpret_cast<char*>(mac), length));
}

void CheckToken(const std::string& token) {
  const auto header = auth::ReadJwtHeader(token);
  if (!header.ok()) {
    CHECK(absl::IsUnauthenticated(header.status())) << header.status().ToString();
    return;
  }
  CHECK(header->algorithm == "HS256" || header->algorithm == "RS256" ||
        header->algorithm == "ES256")
      << header->algorithm;
  const auto claims = auth::VerifyJwt(token, *header, Keys(), {});
  if (!claims.ok()) {
    CHECK(absl::IsUnauthenticated(claims.status())) << claims.status().ToString();
    return;
  }
  // The signature is right only if it is ours; its last letter may have bits that say nothing.
  const size_t dot = token.rfind('.');
  std::string given, ours;
  CHECK(absl::WebSafeBase64Unescape(token.substr(dot + 1), &given));
  CHECK(absl::WebSafeBase64Unescape(Mac(token.substr(0, dot)), &ours));
  CHECK(header->algorithm == "HS256" && given == ours) << "a token that nobody signed";
}

void CheckSignedClaims(const std::string& json) {
  const std::string text = absl::StrCat(Base64Url("{\"alg\":\"HS256\"}"), ".", Base64Url(json));
  const std::string token = absl::StrCat(text, ".", Mac(text));
  const auto header = auth::ReadJwtHeader(token);
  if (!header.ok()) return;  // it is too long
  const auto claims = auth::VerifyJwt(token, *header, Keys(), {});
  if (!claims.ok()) return;
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  const absl::Status status = auth::CheckClaims(
      *claims, {.issuer = "https://id.example.com", .audiences = {"campaignd"}}, now);
  if (!status.ok()) return;
  CHECK(claims->issuer == "https://id.example.com" && claims->has_expiry);
  CHECK(claims->expires > now - absl::Minutes(2)) << absl::FormatTime(claims->expires);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0]) {
    case 't':
      CheckToken(text);
      break;
    case 'c':
      CheckSignedClaims(text);
      break;
    case 'k':
      for (const bool shared : {false, true}) {
        const auto keys = auth::KeySet::FromText(text, shared);
        if (!keys.ok()) continue;
        const size_t secrets = keys->Find("HS256", "").size();
        const size_t all =
            secrets + keys->Find("RS256", "").size() + keys->Find("ES256", "").size();
        CHECK(all > 0 && all <= auth::KeySet::kKeysMax);
        CHECK(shared || secrets == 0);
      }
      break;
    default:
      break;
  }
  return 0;
}
