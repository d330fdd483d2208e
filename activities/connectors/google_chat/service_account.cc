#include "activities/connectors/google_chat/service_account.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>
#include <optional>

#include "absl/strings/escaping.h"
#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"

namespace google_chat {
namespace {

using wire::Json;

constexpr size_t kKeyFileBytesMax = 64 << 10;

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// A text, and not a private_key, so that nothing of a key file gets into an error.
base::Failure InvalidKeyFile(std::string_view what) {
  return base::Failure::Permanent(
      "InvalidKeyFile",
      wire::Cat("the key file of the Google service account ", what,
                "; make a new key of type JSON in the Google Cloud console (docs/approvals.md)"));
}

// Base64url without padding (RFC 7515 section 2).
std::string Encoded(absl::string_view bytes) {
  std::string text = absl::WebSafeBase64Escape(bytes);
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

std::optional<std::string> SignRs256(const std::string& pem, const std::string& text) {
  const std::unique_ptr<BIO, Free> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const std::unique_ptr<EVP_PKEY, Free> key(
      PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (key == nullptr || EVP_PKEY_base_id(key.get()) != EVP_PKEY_RSA) return std::nullopt;
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  size_t size = 0;
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size()) != 1) {
    return std::nullopt;
  }
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes, text.size()) != 1) {
    return std::nullopt;
  }
  signature.resize(size);
  return signature;
}

}  // namespace

base::Outcome<ServiceAccount> ParseServiceAccount(const std::string& json) {
  if (json.empty()) return InvalidKeyFile("is not set (vendors.google_chat.service_account)");
  const std::optional<Json> file =
      json.size() > kKeyFileBytesMax ? std::nullopt : wire::ParseJson(json);
  if (!file.has_value() || !file->is_object()) return InvalidKeyFile("is no JSON object");
  ServiceAccount account{.email = wire::StringAt(*file, "client_email"),
                         .key_id = wire::StringAt(*file, "private_key_id"),
                         .private_key = wire::StringAt(*file, "private_key")};
  if (account.email.empty()) return InvalidKeyFile("has no client_email");
  if (account.private_key.empty()) return InvalidKeyFile("has no private_key");
  return account;
}

base::Outcome<std::string> SignAssertion(const ServiceAccount& account, const std::string& scope,
                                         const std::string& audience, absl::Time now,
                                         absl::Duration life) {
  Json header = {{"alg", "RS256"}, {"typ", "JWT"}};
  if (!account.key_id.empty()) header["kid"] = account.key_id;
  const Json claims = {{"iss", account.email},
                       {"scope", scope},
                       {"aud", audience},
                       {"iat", absl::ToUnixSeconds(now)},
                       {"exp", absl::ToUnixSeconds(now + life)}};
  const std::string text =
      wire::Cat(Encoded(wire::DumpJson(header)), ".", Encoded(wire::DumpJson(claims)));
  const std::optional<std::string> signature = SignRs256(account.private_key, text);
  if (!signature.has_value()) return InvalidKeyFile("has a private_key that cannot sign RS256");
  return wire::Cat(text, ".", Encoded(*signature));
}

}  // namespace google_chat
