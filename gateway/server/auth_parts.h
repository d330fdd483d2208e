// AuthParts: who may call, made from the settings: the keys and users of the data directory, the
// checking of tokens and the fetching of the issuer's keys.
//
// Thread-safety: made and stopped on the main thread; what it hands out is thread-safe.
//
// Example:
//   ASSIGN_OR_RETURN(auto parts, AuthParts::Make(settings, data_dir, clock, metrics));
//   FrontDoor door(parts->authenticator(), ...);
//   parts->Stop();  // after the servers
#pragma once

#include <memory>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "activities/outbound/http_client.h"
#include "gateway/auth/access_store.h"
#include "gateway/auth/gatekeeper.h"
#include "gateway/auth/jwt_verifier.h"
#include "gateway/server/data_dir.h"
#include "gateway/server/settings.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/metrics.h"

namespace server {

class AuthParts {
 public:
  // `clock` and `metrics` outlive the parts. INVALID_ARGUMENT: the settings do not go together, or
  // a key file cannot be used; FAILED_PRECONDITION: the server would listen beyond this machine and
  // ask nobody for a credential. Else as AccessStore::Open.
  static absl::StatusOr<std::unique_ptr<AuthParts>> Make(const Settings& settings,
                                                         const DataDir& data_dir,
                                                         base::Clock& clock,
                                                         base::Metrics& metrics);
  ~AuthParts();  // calls Stop

  auth::Authenticator& authenticator() { return *gatekeeper_; }
  auth::AccessStore& store() { return *store_; }
  // The allowed e-mail domains, in lower case.
  const std::vector<std::string>& email_domains() const { return email_domains_; }
  // Routes that the settings open.
  const std::set<std::string>& public_routes() const { return public_routes_; }
  // Ends fetches under way, and those to come at once: no call waits for one any more.
  void EndFetches();
  // Ends fetches and what is being written. After the servers have stopped. Idempotent.
  void Stop();

 private:
  AuthParts(const Settings& settings, std::unique_ptr<auth::AccessStore> store, base::Clock& clock,
            base::Metrics& metrics);
  void Fetch(const std::string& url, auth::KeySource::Fetched done);

  base::Metrics& metrics_;
  std::vector<std::string> email_domains_;
  std::set<std::string> public_routes_;
  base::EpollLoop loop_;
  std::unique_ptr<outbound::HttpClient> http_;
  std::unique_ptr<auth::AccessStore> store_;
  std::unique_ptr<auth::JwtVerifier> verifier_;  // null: no tokens
  std::unique_ptr<auth::Gatekeeper> gatekeeper_;
  bool stopped_ = false;
};

// Makes an admin's key of every namespace, with the server stopped.
absl::StatusOr<auth::NewKey> CreateAdminKey(const DataDir& data_dir, const std::string& name,
                                            base::Clock& clock);

}  // namespace server
