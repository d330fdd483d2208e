// RSA keys that tokens are signed with, by name ("google", "account"); made when they are first
// needed, kept in the store.
// Thread-safety: externally synchronised (the server's one thread).
//
// Example:
//   GoogleKeys keys(store);
//   std::string token = keys.Sign("google", {{"iss", "accounts.google.com"}},
//   keys.KeyId("google")); Json jwks = keys.Jwks("google");
#pragma once

#include <string>

#include "tests/sandbox/json.h"
#include "tests/sandbox/store.h"

namespace sandbox {

class GoogleKeys {
 public:
  explicit GoogleKeys(Store& store) : store_(store) {}

  std::string PrivatePem(const std::string& name);
  std::string KeyId(const std::string& name);
  // Another key with another id.
  void Replace(const std::string& name);

  // A JWT, RS256.
  std::string Sign(const std::string& name, const Json& claims, const std::string& key_id);
  // The claims of a token that the key signed; null: it did not.
  Json Verified(const std::string& name, const std::string& token);

  Json Jwks(const std::string& name);
  // {"KEY ID": "-----BEGIN CERTIFICATE-----..."}.
  Json Certificates(const std::string& name);

 private:
  Store& store_;
};

}  // namespace sandbox
