#include "tests/unit/auth/test_tokens.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "orchestrator/base/check.h"

namespace auth {

namespace {

constexpr int kCoordinateBytes = 32;

std::string Number(EVP_PKEY* key, const char* name, int bytes) {
  BIGNUM* number = nullptr;
  CHECK(EVP_PKEY_get_bn_param(key, name, &number) == 1) << name;
  std::string text(static_cast<size_t>(std::max(bytes, BN_num_bytes(number))), '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(text.data()),
               static_cast<int>(text.size()));
  BN_free(number);
  return Base64Url(text);
}

// DER to r and s side by side (RFC 7518 section 3.4).
std::string Flat(const std::string& der) {
  const auto* bytes = reinterpret_cast<const unsigned char*>(der.data());
  ECDSA_SIG* signature = d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(der.size()));
  std::string flat(2 * kCoordinateBytes, '\0');
  auto* out = reinterpret_cast<unsigned char*>(flat.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(signature), out, kCoordinateBytes);
  BN_bn2binpad(ECDSA_SIG_get0_s(signature), out + kCoordinateBytes, kCoordinateBytes);
  ECDSA_SIG_free(signature);
  return flat;
}

}  // namespace

std::string Base64Url(const std::string& bytes) {
  std::string text = absl::WebSafeBase64Escape(bytes);
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

TokenKey TokenKey::Rsa(const std::string& id, int bits) {
  TokenKey key;
  key.id_ = id;
  key.algorithm_ = "RS256";
  key.key_.reset(EVP_RSA_gen(static_cast<unsigned>(bits)), &EVP_PKEY_free);
  return key;
}

TokenKey TokenKey::Ec(const std::string& id) {
  TokenKey key;
  key.id_ = id;
  key.algorithm_ = "ES256";
  key.key_.reset(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  return key;
}

TokenKey TokenKey::Secret(const std::string& secret) {
  TokenKey key;
  key.algorithm_ = "HS256";
  key.secret_ = secret;
  return key;
}

std::string TokenKey::SignatureOf(const std::string& text) const {
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  if (key_ == nullptr) {
    std::string mac(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()), bytes, text.size(),
         reinterpret_cast<unsigned char*>(mac.data()), &size);
    mac.resize(size);
    return mac;
  }
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  CHECK(EVP_DigestSignInit(context, nullptr, EVP_sha256(), nullptr, key_.get()) == 1);
  size_t size = 0;
  EVP_DigestSign(context, nullptr, &size, bytes, text.size());
  std::string signature(size, '\0');
  EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size, bytes,
                 text.size());
  EVP_MD_CTX_free(context);
  signature.resize(size);
  return algorithm_ == "ES256" ? Flat(signature) : signature;
}

std::string TokenKey::Sign(const nlohmann::json& claims, const nlohmann::json& header) const {
  nlohmann::json whole = {{"alg", algorithm_}};
  if (!id_.empty()) whole["kid"] = id_;
  whole.update(header);
  const std::string text = absl::StrCat(Base64Url(whole.dump()), ".", Base64Url(claims.dump()));
  return absl::StrCat(text, ".", Base64Url(SignatureOf(text)));
}

nlohmann::json TokenKey::Jwk() const {
  nlohmann::json jwk;
  if (algorithm_ == "RS256") {
    jwk = {{"kty", "RSA"},
           {"n", Number(key_.get(), OSSL_PKEY_PARAM_RSA_N, 0)},
           {"e", Number(key_.get(), OSSL_PKEY_PARAM_RSA_E, 0)}};
  } else if (algorithm_ == "ES256") {
    jwk = {{"kty", "EC"},
           {"crv", "P-256"},
           {"x", Number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_X, kCoordinateBytes)},
           {"y", Number(key_.get(), OSSL_PKEY_PARAM_EC_PUB_Y, kCoordinateBytes)}};
  } else {
    jwk = {{"kty", "oct"}, {"k", Base64Url(secret_)}};
  }
  if (!id_.empty()) jwk["kid"] = id_;
  return jwk;
}

std::string TokenKey::Pem() const {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(bio, key_.get());
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<size_t>(size));
  BIO_free(bio);
  return pem;
}

std::string Jwks(const std::vector<const TokenKey*>& keys) {
  nlohmann::json document = {{"keys", nlohmann::json::array()}};
  for (const TokenKey* key : keys) document["keys"].push_back(key->Jwk());
  return document.dump();
}

}  // namespace auth
