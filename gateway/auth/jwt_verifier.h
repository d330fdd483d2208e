// JwtVerifier: the claims of tokens that are signed by whom we trust and are for us, with keys from
// a shared secret, a file (JWKS or PEM) and a JWKS address. All keys count at once.
//
// Thread-safety: thread-safe after Open.
//
// Example:
//   JwtVerifier verifier({.rules = {.issuer = "https://issuer.example.com",
//                                   .audiences = {"campaignd"}},
//                         .jwks_url = "https://issuer.example.com/jwks"}, clock, fetch);
//   RETURN_IF_ERROR(verifier.Open());
//   verifier.Verify(token, [](absl::StatusOr<Claims> claims) { ... });
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "gateway/auth/jwt.h"
#include "gateway/auth/key_source.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/secret.h"

namespace auth {

struct JwtOptions {
  ClaimRules rules;
  ClaimNames names;
  base::Secret secret;    // for HS256; may be replaced while the process runs
  std::string keys_file;  // JWKS or PEM; read again with a token after `between_fetches`
  std::string jwks_url;   // fetched again every `jwks_refresh` and for unknown keys
  absl::Duration jwks_refresh = absl::Hours(1);
  absl::Duration between_fetches = absl::Seconds(10);

  bool enabled() const { return !secret.empty() || !keys_file.empty() || !jwks_url.empty(); }
};

class JwtVerifier {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<Claims>)>;
  // Fetches an address: the body of a 200, or why there is none.
  using Fetch = std::function<void(const std::string& url, KeySource::Fetched done)>;

  // `fetch` may be empty without a JWKS address. Every fetch has ended before the verifier is
  // destroyed.
  JwtVerifier(JwtOptions options, base::Clock& clock, Fetch fetch);

  // INVALID_ARGUMENT: the secret or the file cannot be used. Begins to fetch the address.
  absl::Status Open();
  // Answers once, at once or after a fetch. UNAUTHENTICATED as in jwt.h; UNAVAILABLE: there are no
  // keys yet.
  void Verify(std::string token, Done done);

 private:
  static constexpr size_t kKnownMax = 4096;
  using Keys = std::shared_ptr<const KeySet>;
  struct Known {
    Claims claims;
    Keys keys;  // that verified it
  };

  std::vector<Keys> CurrentKeys();
  Keys SecretKeys();
  absl::StatusOr<Claims> Check(const std::string& token, const JwtHeader& header);
  absl::StatusOr<Claims> CheckAll(const std::string& token, const JwtHeader& header);

  const JwtOptions options_;
  base::Clock& clock_;
  std::unique_ptr<KeySource> file_;  // null: none
  std::unique_ptr<KeySource> address_;

  absl::Mutex mu_;
  std::string secret_ ABSL_GUARDED_BY(mu_);  // that secret_keys_ were made of
  Keys secret_keys_ ABSL_GUARDED_BY(mu_);
  // Tokens whose signature was found right, by their hash: a signature is checked once.
  absl::flat_hash_map<std::string, Known> known_ ABSL_GUARDED_BY(mu_);
};

}  // namespace auth
