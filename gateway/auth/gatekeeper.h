// Gatekeeper: the authenticator of a server. An API key, a JWT or, with neither, the name in a
// client certificate; while none of them is configured, everybody is admin (OpenAuthenticator).
//
// A person's role: their entry among the users; else what their token says; else, when their
// e-mail's domain is an allowed one, the default role; else none.
//
// Thread-safety: thread-safe.
//
// Example:
//   Gatekeeper gatekeeper(*store, &verifier, {.email_domains = {"example.com"}}, clock);
//   gatekeeper.Authenticate({.authorization = "Bearer ..."}, [](absl::StatusOr<Caller>) { ... });
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "gateway/auth/access_store.h"
#include "gateway/auth/authenticator.h"
#include "gateway/auth/jwt_verifier.h"
#include "orchestrator/base/clock.h"

namespace auth {

class Gatekeeper : public Authenticator {
 public:
  struct Options {
    std::vector<std::string> email_domains;      // in lower case; empty: any
    Role default_role = Role::kViewer;           // of somebody whose domain is allowed
    std::string default_ns = kDefaultNamespace;  // of a token that names none
    bool certificates = false;                   // whether TLS asks for client certificates
    Role certificate_role = Role::kNone;         // of a certificate whose name has no entry
  };

  // `verifier` may be null: no tokens. All outlive the gatekeeper and every call.
  Gatekeeper(AccessStore& store, JwtVerifier* verifier, Options options, base::Clock& clock)
      : store_(store), verifier_(verifier), options_(std::move(options)), clock_(clock) {}

  void Authenticate(Credentials credentials, Done done) override;
  bool configured() const override {
    return verifier_ != nullptr || options_.certificates || store_.has_keys();
  }
  // The caller behind checked claims; PERMISSION_DENIED for a domain that is not allowed.
  absl::StatusOr<Caller> CallerOf(const Claims& claims) const;

 private:
  absl::StatusOr<Caller> CallerOfKey(absl::string_view secret);
  absl::StatusOr<Caller> CallerOfCertificate(const std::string& name) const;
  bool IsAllowed(const std::string& email) const;

  AccessStore& store_;
  JwtVerifier* const verifier_;
  const Options options_;
  base::Clock& clock_;
  OpenAuthenticator open_;
};

}  // namespace auth
