// Keys of an issuer, and tokens signed with them by OpenSSL: what libcjose then has to accept.
//
// Example:
//   TokenKey key = TokenKey::Rsa("key-1");
//   std::string token = key.Sign({{"sub", "ann"}});
//   std::string document = Jwks({&key});
#pragma once

#include <openssl/evp.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace auth {

std::string Base64Url(const std::string& bytes);

class TokenKey {
 public:
  static TokenKey Rsa(const std::string& id, int bits = 2048);
  static TokenKey Ec(const std::string& id);
  static TokenKey Secret(const std::string& secret);

  // A compact token; `header` adds to alg and kid, or replaces them.
  std::string Sign(const nlohmann::json& claims,
                   const nlohmann::json& header = nlohmann::json::object()) const;
  // The signature of any text.
  std::string SignatureOf(const std::string& text) const;
  nlohmann::json Jwk() const;  // the public half
  std::string Pem() const;

 private:
  std::string id_;
  std::string algorithm_;
  std::string secret_;
  std::shared_ptr<EVP_PKEY> key_;
};

std::string Jwks(const std::vector<const TokenKey*>& keys);

}  // namespace auth
