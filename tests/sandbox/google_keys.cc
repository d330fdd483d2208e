#include "tests/sandbox/google_keys.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "tests/sandbox/text.h"

namespace sandbox {
namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

std::string Url64(std::string_view bytes) {
  std::string text = Base64Encode(bytes);
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  while (!text.empty() && text.back() == '=') text.pop_back();
  return text;
}

std::string FromUrl64(std::string text) {
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  while (text.size() % 4 != 0) text += '=';
  return Base64Decode(text).value_or("");
}

std::string Contents(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<size_t>(size)};
}

Owned<EVP_PKEY> KeyOf(const std::string& pem) {
  const Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Owned<EVP_PKEY>(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

std::string NewKey() {
  const Owned<EVP_PKEY> key(EVP_RSA_gen(2048));
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return Contents(bio.get());
}

std::string Number(EVP_PKEY* key, const char* name) {
  BIGNUM* raw = nullptr;
  EVP_PKEY_get_bn_param(key, name, &raw);
  const Owned<BIGNUM> number(raw);
  std::string bytes(static_cast<size_t>(BN_num_bytes(number.get())), '\0');
  BN_bn2bin(number.get(), reinterpret_cast<unsigned char*>(bytes.data()));
  return bytes;
}

std::string SignRs256(EVP_PKEY* key, const std::string& text) {
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  size_t size = 0;
  EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key);
  EVP_DigestSign(context.get(), nullptr, &size, bytes, text.size());
  std::string signature(size, '\0');
  EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, bytes,
                 text.size());
  signature.resize(size);
  return signature;
}

}  // namespace

std::string GoogleKeys::PrivatePem(const std::string& name) {
  const std::string setting = "google-key/" + name;
  const auto found = store_.settings().find(setting);
  if (found != store_.settings().end()) return found->second;
  const std::string pem = NewKey();
  store_.PutSetting(setting, pem);
  return pem;
}

std::string GoogleKeys::KeyId(const std::string& name) { return Sha1Hex(PrivatePem(name)); }

void GoogleKeys::Replace(const std::string& name) {
  store_.PutSetting("google-key/" + name, NewKey());
}

std::string GoogleKeys::Sign(const std::string& name, const Json& claims,
                             const std::string& key_id) {
  const Json header = {{"alg", "RS256"}, {"kid", key_id}, {"typ", "JWT"}};
  const std::string text = Url64(Dump(header)) + "." + Url64(Dump(claims));
  return text + "." + Url64(SignRs256(KeyOf(PrivatePem(name)).get(), text));
}

Json GoogleKeys::Verified(const std::string& name, const std::string& token) {
  const std::vector<std::string> parts = Split(token, '.');
  if (parts.size() != 3) return nullptr;
  const Json header = Json::parse(FromUrl64(parts[0]), nullptr, false);
  if (StringOr(header, "alg") != "RS256") return nullptr;
  const std::string text = parts[0] + "." + parts[1];
  const std::string signature = FromUrl64(parts[2]);
  const Owned<EVP_PKEY> key = KeyOf(PrivatePem(name));
  const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
  EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get());
  if (EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                       signature.size(), reinterpret_cast<const unsigned char*>(text.data()),
                       text.size()) != 1) {
    return nullptr;
  }
  return Json::parse(FromUrl64(parts[1]), nullptr, false);
}

Json GoogleKeys::Jwks(const std::string& name) {
  const Owned<EVP_PKEY> key = KeyOf(PrivatePem(name));
  const Json jwk = {{"kty", "RSA"},
                    {"alg", "RS256"},
                    {"use", "sig"},
                    {"kid", KeyId(name)},
                    {"n", Url64(Number(key.get(), OSSL_PKEY_PARAM_RSA_N))},
                    {"e", Url64(Number(key.get(), OSSL_PKEY_PARAM_RSA_E))}};
  return {{"keys", {jwk}}};
}

Json GoogleKeys::Certificates(const std::string& name) {
  const Owned<EVP_PKEY> key = KeyOf(PrivatePem(name));
  const Owned<X509> certificate(X509_new());
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 16 * 24 * 3600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("chat.system"), -1, -1, 0);
  X509_set_issuer_name(certificate.get(), subject);
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate.get());
  return {{KeyId(name), Contents(bio.get())}};
}

}  // namespace sandbox
