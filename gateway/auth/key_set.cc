#include "gateway/auth/key_set.h"

#include <cjose/cjose.h>
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "orchestrator/base/status_macros.h"

namespace auth {

namespace {

using nlohmann::json;

constexpr int kEcCoordinateBytes = 32;  // of P-256

std::string Member(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string Base64Url(absl::string_view bytes) {
  std::string text = absl::WebSafeBase64Escape(bytes);
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

// The one algorithm that a key of this kind is for; empty: none of ours.
std::string AlgorithmOf(const json& jwk) {
  const std::string kind = Member(jwk, "kty");
  if (kind == "RSA") return "RS256";
  if (kind == "EC" && Member(jwk, "crv") == "P-256") return "ES256";
  if (kind == "oct") return "HS256";
  return "";
}

// Whether the key may verify signatures with `algorithm` (RFC 7517 section 4).
bool IsForSignatures(const json& jwk, const std::string& algorithm) {
  if (const auto alg = jwk.find("alg"); alg != jwk.end() && *alg != algorithm) return false;
  if (const auto use = jwk.find("use"); use != jwk.end() && *use != "sig") return false;
  const auto operations = jwk.find("key_ops");
  if (operations == jwk.end()) return true;
  if (!operations->is_array()) return false;
  for (const json& operation : *operations) {
    if (operation == "verify") return true;
  }
  return false;
}

bool IsLongEnough(const json& jwk, const std::string& algorithm) {
  std::string bytes;
  if (algorithm == "RS256") {
    if (!absl::WebSafeBase64Unescape(Member(jwk, "n"), &bytes)) return false;
    while (!bytes.empty() && bytes[0] == '\0') bytes.erase(0, 1);
    return bytes.size() * 8 >= KeySet::kRsaBitsMin;
  }
  if (algorithm == "HS256") {
    return absl::WebSafeBase64Unescape(Member(jwk, "k"), &bytes) &&
           bytes.size() >= KeySet::kSecretBytesMin;
  }
  return true;
}

// What remains of a JWK that may have a private half, which we have no use for.
json PublicHalf(const json& jwk) {
  json half;
  for (const char* name : {"kty", "crv", "x", "y", "n", "e", "k"}) {
    if (const std::string value = Member(jwk, name); !value.empty()) half[name] = value;
  }
  return half;
}

std::shared_ptr<cjose_jwk_t> Import(const json& jwk) {
  const std::string text = PublicHalf(jwk).dump();
  cjose_err error{};
  cjose_jwk_t* key = cjose_jwk_import(text.data(), text.size(), &error);
  if (key == nullptr) return nullptr;
  return {key, [](cjose_jwk_t* held) { cjose_jwk_release(held); }};
}

std::optional<KeySet::Key> ReadKey(const json& jwk, std::string* why) {
  if (!jwk.is_object()) {
    *why = "a key is no object";
    return std::nullopt;
  }
  KeySet::Key key{.id = Member(jwk, "kid"), .algorithm = AlgorithmOf(jwk), .key = nullptr};
  if (key.algorithm.empty()) {
    *why = "its kind is none of RSA, EC with P-256 and oct";
  } else if (!IsForSignatures(jwk, key.algorithm)) {
    *why = absl::StrCat("it is not for signatures with ", key.algorithm);
  } else if (!IsLongEnough(jwk, key.algorithm)) {
    *why = "it is too short";
  } else if (key.key = Import(jwk); key.key == nullptr) {
    *why = "it cannot be read";
  } else {
    return key;
  }
  return std::nullopt;
}

std::string Number(EVP_PKEY* key, const char* name, int bytes_min) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) return "";
  std::string bytes(static_cast<size_t>(std::max(BN_num_bytes(number), bytes_min)), '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()),
               static_cast<int>(bytes.size()));
  BN_free(number);
  return Base64Url(bytes);
}

// Null when it is neither RSA nor P-256.
json JwkOf(EVP_PKEY* key) {
  if (EVP_PKEY_is_a(key, "RSA")) {
    return {{"kty", "RSA"},
            {"n", Number(key, OSSL_PKEY_PARAM_RSA_N, 0)},
            {"e", Number(key, OSSL_PKEY_PARAM_RSA_E, 0)}};
  }
  char group[64] = {};
  size_t size = 0;
  if (EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, &size) == 1 &&
      absl::string_view(group, size) == "prime256v1") {
    return {{"kty", "EC"},
            {"crv", "P-256"},
            {"x", Number(key, OSSL_PKEY_PARAM_EC_PUB_X, kEcCoordinateBytes)},
            {"y", Number(key, OSSL_PKEY_PARAM_EC_PUB_Y, kEcCoordinateBytes)}};
  }
  return nullptr;
}

EVP_PKEY* ReadPublic(const char* name, const unsigned char* data, long size) {
  if (absl::string_view(name) == PEM_STRING_PUBLIC) return d2i_PUBKEY(nullptr, &data, size);
  if (absl::string_view(name) != PEM_STRING_X509) return nullptr;
  X509* certificate = d2i_X509(nullptr, &data, size);
  EVP_PKEY* key = certificate == nullptr ? nullptr : X509_get_pubkey(certificate);
  X509_free(certificate);
  return key;
}

}  // namespace

absl::StatusOr<KeySet> KeySet::FromText(absl::string_view text, bool shared_secrets) {
  if (text.size() > kDocumentBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("the keys take ", text.size(), " bytes; ", kDocumentBytesMax, " is the most"));
  }
  text = absl::StripLeadingAsciiWhitespace(text);
  return absl::StartsWith(text, "{") ? FromJwks(text, shared_secrets) : FromPem(text);
}

absl::StatusOr<KeySet> KeySet::FromJwks(absl::string_view text, bool shared_secrets) {
  const json document = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) return absl::InvalidArgumentError("the keys are no JSON object");
  const auto list = document.find("keys");
  if (list == document.end() || !list->is_array()) {
    return absl::InvalidArgumentError("the keys are no JWKS: there is no array \"keys\"");
  }
  if (list->size() > kKeysMax) {
    return absl::InvalidArgumentError(
        absl::StrCat("there are ", list->size(), " keys; ", kKeysMax, " is the most"));
  }
  KeySet keys;
  std::string why = "there is none";
  for (const json& jwk : *list) {
    auto key = ReadKey(jwk, &why);
    if (!key.has_value()) continue;
    if (key->algorithm == "HS256" && !shared_secrets) {
      why = "a secret that is published is none";
    } else {
      keys.keys_.push_back(*std::move(key));
    }
  }
  if (keys.keys_.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("no key can be used: ", why));
  }
  return keys;
}

absl::StatusOr<KeySet> KeySet::FromPem(absl::string_view pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  KeySet keys;
  std::string why = "this is neither a JWKS nor PEM with public keys";
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  while (keys.keys_.size() < kKeysMax && PEM_read_bio(bio, &name, &header, &data, &size) == 1) {
    EVP_PKEY* key = ReadPublic(name, data, size);
    if (key == nullptr) why = absl::StrCat("a PEM block is a ", name, ", not a public key");
    if (key != nullptr) {
      if (auto read = ReadKey(JwkOf(key), &why)) keys.keys_.push_back(*std::move(read));
    }
    EVP_PKEY_free(key);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
  }
  BIO_free(bio);
  if (keys.keys_.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("no key can be used: ", why));
  }
  return keys;
}

absl::StatusOr<KeySet> KeySet::FromSecret(absl::string_view secret) {
  std::string why;
  auto key = ReadKey({{"kty", "oct"}, {"k", Base64Url(secret)}}, &why);
  if (!key.has_value()) {
    return absl::InvalidArgumentError(absl::StrCat("the secret for HS256 cannot be used: ", why,
                                                   "; it needs ", kSecretBytesMin, " bytes"));
  }
  KeySet keys;
  keys.keys_.push_back(*std::move(key));
  return keys;
}

std::vector<const KeySet::Key*> KeySet::Find(absl::string_view algorithm,
                                             absl::string_view id) const {
  std::vector<const Key*> named;
  std::vector<const Key*> unnamed;
  for (const Key& key : keys_) {
    if (key.algorithm != algorithm) continue;
    if (id.empty() || key.id == id) {
      named.push_back(&key);
    } else if (key.id.empty()) {
      unnamed.push_back(&key);
    }
  }
  return named.empty() ? unnamed : named;
}

}  // namespace auth
