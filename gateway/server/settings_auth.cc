#include "gateway/server/settings_auth.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gateway/auth/key_set.h"
#include "gateway/auth/users.h"
#include "gateway/server/address.h"

namespace server {
namespace {

constexpr size_t kNamespaceLengthMax = 64;

// Keys that came over a plain connection could be anybody's.
bool IsSafeUrl(absl::string_view url) {
  if (!absl::ConsumePrefix(&url, "http://")) return true;  // https: the schema takes only the two
  const absl::string_view authority = url.substr(0, url.find_first_of("/?#"));
  const bool with_port = authority.rfind(':') != authority.npos && !absl::EndsWith(authority, "]");
  const auto address = ParseAddress(with_port ? std::string(authority)
                                              : absl::StrCat(std::string(authority), ":80"));
  return address.has_value() && IsLoopback(*address);
}

bool IsNamespaceOrAll(const std::string& text) {
  return text == "*" || (!text.empty() && text.size() <= kNamespaceLengthMax &&
                         std::all_of(text.begin(), text.end(), [](char c) {
                           return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
                         }));
}

}  // namespace

std::vector<std::string> AuthFaults(const AuthSettings& s) {
  std::vector<std::string> faults;
  const bool keys = !s.jwt_secret.empty() || !s.jwt_keys_file.empty() || !s.jwt_jwks_url.empty();
  if (keys && s.jwt_issuer.empty()) {
    faults.push_back("auth.jwt.issuer: is needed with keys: who makes the tokens");
  }
  if (keys && s.jwt_audiences.empty()) {
    faults.push_back(
        "auth.jwt.audiences: is needed with keys, or any token of the issuer, for whatever "
        "service, would do here");
  }
  if (!keys && (!s.jwt_issuer.empty() || !s.jwt_audiences.empty())) {
    faults.push_back(
        "auth.jwt: there are no keys to check tokens with: set jwks_url, keys_file or secret");
  }
  if (!IsSafeUrl(s.jwt_jwks_url)) {
    faults.push_back(
        "auth.jwt.jwks_url: must be https: whoever can change what it answers can make tokens");
  }
  if (!s.jwt_secret.empty() && s.jwt_secret.value().size() < auth::KeySet::kSecretBytesMin) {
    faults.push_back(
        absl::StrCat("auth.jwt.secret: needs ", auth::KeySet::kSecretBytesMin, " bytes or more"));
  }
  for (const std::string& domain : s.email_domains) {
    if (auth::DomainOf(absl::StrCat("a@", domain)).empty() || absl::StrContains(domain, '@')) {
      faults.push_back(
          absl::StrCat("auth.email_domains: ", domain, " is no domain such as example.com"));
    }
  }
  if (!IsNamespaceOrAll(s.default_namespace)) {
    faults.push_back(
        "auth.default_namespace: must be 1 to 64 letters, digits, dots, hyphens or underscores, or "
        "\"*\"");
  }
  return faults;
}

}  // namespace server
