#include "gateway/auth/gatekeeper.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/auth/api_keys.h"
#include "gateway/auth/roles.h"
#include "gateway/auth/users.h"

namespace auth {

namespace {

constexpr char kHowTo[] =
    "; send an API key or a JWT as \"Authorization: Bearer ...\" (docs/security.md)";

// What follows "Bearer "; empty when it is something else.
absl::string_view BearerOf(absl::string_view header) {
  header = absl::StripAsciiWhitespace(header);
  const size_t blank = header.find(' ');
  if (blank == header.npos || !absl::EqualsIgnoreCase(header.substr(0, blank), "bearer")) return "";
  return absl::StripAsciiWhitespace(header.substr(blank));
}

Role HighestOf(const std::vector<std::string>& names) {
  Role highest = Role::kNone;
  for (const std::string& name : names) {
    highest = std::max(highest, ParseRole(name).value_or(Role::kNone));
  }
  return highest;
}

}  // namespace

void Gatekeeper::Authenticate(Credentials credentials, Done done) {
  if (!configured()) return open_.Authenticate(std::move(credentials), std::move(done));
  const std::string address = credentials.address;
  const auto answer = [&](absl::StatusOr<Caller> caller) {
    if (caller.ok()) caller->address = address;
    done(std::move(caller));
  };
  if (credentials.authorization.empty()) {
    if (!credentials.certificate.empty())
      return answer(CallerOfCertificate(credentials.certificate));
    return done(Unauthenticated("CREDENTIAL_MISSING",
                                absl::StrCat("this call needs a credential", kHowTo)));
  }
  const absl::string_view token = BearerOf(credentials.authorization);
  if (token.empty()) {
    return done(Unauthenticated(
        "CREDENTIAL_UNKNOWN", absl::StrCat("the Authorization header is of another kind", kHowTo)));
  }
  if (LooksLikeKey(token)) return answer(CallerOfKey(token));
  if (verifier_ == nullptr) {
    return done(Unauthenticated("CREDENTIAL_UNKNOWN",
                                "the credential is no API key, and this server takes no tokens"));
  }
  verifier_->Verify(std::string(token),
                    [this, address, done = std::move(done)](absl::StatusOr<Claims> claims) mutable {
                      if (!claims.ok()) return done(claims.status());
                      absl::StatusOr<Caller> caller = CallerOf(*claims);
                      if (caller.ok()) caller->address = address;
                      done(std::move(caller));
                    });
}

absl::StatusOr<Caller> Gatekeeper::CallerOfKey(absl::string_view secret) {
  const std::optional<ApiKey> key = store_.FindKey(secret);
  if (!key.has_value()) {
    return Unauthenticated("API_KEY_UNKNOWN", "there is no such API key");
  }
  const absl::Time now = clock_.Now();
  if (now >= key->revoked) {
    return Unauthenticated("API_KEY_REVOKED",
                           absl::StrCat("the API key ", key->id, " was revoked"));
  }
  if (now >= key->expires) {
    return Unauthenticated("API_KEY_EXPIRED",
                           absl::StrCat("the API key ", key->id, " has expired"));
  }
  return Caller{.identity = absl::StrCat("key:", key->name),
                .credential = "api_key",
                .role = key->role,
                .ns = key->ns,
                .key_id = key->id};
}

bool Gatekeeper::IsAllowed(const std::string& email) const {
  const std::string domain = DomainOf(email);
  return !domain.empty() && std::find(options_.email_domains.begin(), options_.email_domains.end(),
                                      domain) != options_.email_domains.end();
}

absl::StatusOr<Caller> Gatekeeper::CallerOf(const Claims& claims) const {
  const bool has_email = !claims.email_refuted && IsEmail(claims.email);
  const std::string identity = has_email ? claims.email : claims.subject;
  if (identity.empty()) {
    return Unauthenticated("TOKEN_WITHOUT_IDENTITY",
                           "the token names nobody: it has neither email nor sub");
  }
  const bool allowed = has_email && IsAllowed(claims.email);
  if (!options_.email_domains.empty() && !allowed) {
    return PermissionDenied(
        "EMAIL_DOMAIN_FORBIDDEN",
        absl::StrCat(identity,
                     " has no verified e-mail address of a domain that may use this server"));
  }
  Caller caller{.identity = identity, .credential = "jwt", .ns = claims.ns};
  if (caller.ns.empty()) caller.ns = options_.default_ns;
  const std::optional<User> user =
      has_email ? store_.FindUser(claims.email) : std::optional<User>();
  if (user.has_value()) {
    caller.role = user->role;
    caller.ns = user->ns;
    return caller;
  }
  caller.role = HighestOf(claims.roles);
  if (caller.role == Role::kNone && allowed) caller.role = options_.default_role;
  return caller;
}

absl::StatusOr<Caller> Gatekeeper::CallerOfCertificate(const std::string& name) const {
  const std::string identity = absl::AsciiStrToLower(name);
  Caller caller{.identity = identity, .credential = "certificate"};
  if (!options_.email_domains.empty() && !IsAllowed(identity)) {
    return PermissionDenied(
        "EMAIL_DOMAIN_FORBIDDEN",
        absl::StrCat(identity, " is no e-mail address of a domain that may use this server"));
  }
  if (const std::optional<User> user = store_.FindUser(identity)) {
    caller.role = user->role;
    caller.ns = user->ns;
  } else {
    caller.role = options_.certificate_role;
    caller.ns = options_.default_ns;
  }
  return caller;
}

}  // namespace auth
