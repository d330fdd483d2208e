// Authenticator: who is behind what a call has shown. And the errors of those who are refused.
//
// Example:
//   authenticator.Authenticate({.authorization = "Bearer ck_..."}, [](absl::StatusOr<Caller>
//   caller) { ... });
#pragma once

#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gateway/auth/caller.h"

namespace auth {

inline constexpr char kErrorInfoUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";
inline constexpr char kErrorDomain[] = "campaignd";

// What a call has shown, as the front found it.
struct Credentials {
  std::string authorization;  // the header; empty: none
  std::string certificate;    // the name in a client certificate that TLS has verified
  std::string address;        // "127.0.0.1:40112"
  // REST only: a browser on this machine must not be led to a server that asks nobody.
  std::string host;        // the Host header
  std::string origin;      // the Origin header
  std::string fetch_site;  // Sec-Fetch-Site
};

class Authenticator {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<Caller>)>;
  virtual ~Authenticator() = default;
  // Answers once, at once or later on another thread. UNAUTHENTICATED: no or no good credential
  // (with google.rpc.ErrorInfo); PERMISSION_DENIED: known, but not let in; UNAVAILABLE: could not
  // be checked now. Thread-safe.
  virtual void Authenticate(Credentials credentials, Done done) = 0;
  // Whether there is any credential that could be shown. Thread-safe.
  virtual bool configured() const = 0;
};

// With google.rpc.ErrorInfo: `reason` is a constant such as "TOKEN_EXPIRED".
absl::Status Unauthenticated(absl::string_view reason, absl::string_view message);
absl::Status PermissionDenied(absl::string_view reason, absl::string_view message);
// The reason in such a status; empty: there is none.
std::string ReasonOf(const absl::Status& status);

// For a server without any credential, which listens on this machine only: everybody is admin. What
// a web page from elsewhere sends through a browser on this machine is PERMISSION_DENIED.
class OpenAuthenticator : public Authenticator {
 public:
  void Authenticate(Credentials credentials, Done done) override;
  bool configured() const override { return false; }
};

}  // namespace auth
