#include "gateway/server/auth_parts.h"

#include <prometheus/counter.h>

#include <future>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/auth/roles.h"
#include "gateway/server/address.h"
#include "gateway/server/settings_auth.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/status_macros.h"

namespace server {
namespace {

constexpr absl::Duration kFetchTimeout = absl::Seconds(10);

auth::JwtOptions JwtOptionsOf(const AuthSettings& s) {
  return {.rules = {.issuer = s.jwt_issuer, .audiences = s.jwt_audiences, .leeway = s.jwt_leeway},
          .names = {.roles = s.jwt_roles_claim, .ns = s.jwt_namespace_claim},
          .secret = s.jwt_secret,
          .keys_file = s.jwt_keys_file,
          .jwks_url = s.jwt_jwks_url,
          .jwks_refresh = s.jwt_jwks_refresh};
}

auth::Role RoleOf(const std::string& name) {
  return auth::ParseRole(name).value_or(auth::Role::kNone);
}

prometheus::Counter& KeyFetches(base::Metrics& metrics, bool ok) {
  return metrics.Counter("auth_key_fetches_total", "Times that the keys of tokens were fetched.",
                         {{"outcome", ok ? "fetched" : "failed"}});
}

absl::Status CheckSettings(const AuthSettings& s) {
  const std::vector<std::string> faults = AuthFaults(s);
  if (faults.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrJoin(faults, "; "));
}

// The open mode is for this machine only.
absl::Status CheckListening(const ServerSettings& s, bool configured) {
  if (configured) return absl::OkStatus();
  for (const std::string& listen : {s.http_listen, s.grpc_listen}) {
    const auto address = ParseAddress(listen);
    if (address.has_value() && !IsLoopback(*address)) {
      return absl::FailedPreconditionError(absl::StrCat(
          "will not listen on ", listen,
          ": there is no credential, and anybody who reaches it could do anything. Make a key "
          "first "
          "(campaignd --create-admin-key NAME), set up tokens (auth.jwt) or client certificates "
          "(server.tls.client_ca_file), or listen on 127.0.0.1"));
    }
  }
  base::Log(base::LogLevel::kWarning,
            "there is no credential: every caller on this machine is admin; make a key with "
            "campaignd --create-admin-key NAME");
  return absl::OkStatus();
}

base::Task<absl::StatusOr<std::string>> Get(outbound::HttpClient& http, std::string url) {
  outbound::HttpRequest request{.url = std::move(url)};
  request.headers.push_back({"Accept", "application/jwk-set+json, application/json"});
  outbound::Transfer transfer = co_await http.Send(
      std::move(request),
      {.timeout = kFetchTimeout, .response_bytes_max = auth::KeySet::kDocumentBytesMax}, {});
  if (transfer.end != outbound::TransferEnd::kAnswered) {
    co_return absl::UnavailableError(transfer.message);
  }
  if (transfer.response.status != 200) {
    co_return absl::UnavailableError(absl::StrCat("HTTP status ", transfer.response.status));
  }
  co_return std::move(transfer.response.body);
}

}  // namespace

AuthParts::AuthParts(const Settings& settings, std::unique_ptr<auth::AccessStore> store,
                     base::Clock& clock, base::Metrics& metrics)
    : metrics_(metrics), loop_(clock, "auth"), store_(std::move(store)) {
  for (const bool ok : {true, false}) KeyFetches(metrics_, ok);  // from 0
  const AuthSettings& s = settings.auth;
  for (const std::string& domain : s.email_domains) {
    email_domains_.push_back(absl::AsciiStrToLower(domain));
  }
  if (s.public_metrics) public_routes_.insert("GET /metrics");
  if (s.public_assets) public_routes_.insert("GET /assets/{key...}");
  if (auth::JwtOptions options = JwtOptionsOf(s); options.enabled()) {
    http_ = std::make_unique<outbound::HttpClient>(loop_, outbound::HttpClient::Options{});
    verifier_ = std::make_unique<auth::JwtVerifier>(
        std::move(options), clock, [this](const std::string& url, auth::KeySource::Fetched done) {
          Fetch(url, std::move(done));
        });
  }
  gatekeeper_ = std::make_unique<auth::Gatekeeper>(
      *store_, verifier_.get(),
      auth::Gatekeeper::Options{.email_domains = email_domains_,
                                .default_role = RoleOf(s.default_role),
                                .default_ns = s.default_namespace,
                                .certificates = !settings.server.tls.client_ca_file.empty(),
                                .certificate_role = RoleOf(s.certificate_role)},
      clock);
  loop_.Start();
}

absl::StatusOr<std::unique_ptr<AuthParts>> AuthParts::Make(const Settings& settings,
                                                           const DataDir& data_dir,
                                                           base::Clock& clock,
                                                           base::Metrics& metrics) {
  RETURN_IF_ERROR(CheckSettings(settings.auth));
  ASSIGN_OR_RETURN(auto store, auth::AccessStore::Open(data_dir.Path("access.db"), clock));
  std::unique_ptr<AuthParts> parts(new AuthParts(settings, std::move(store), clock, metrics));
  RETURN_IF_ERROR(CheckListening(settings.server, parts->gatekeeper_->configured()));
  if (parts->verifier_ != nullptr) RETURN_IF_ERROR(parts->verifier_->Open());
  return parts;
}

AuthParts::~AuthParts() { Stop(); }

void AuthParts::Fetch(const std::string& url, auth::KeySource::Fetched done) {
  loop_.Post([this, url, done = std::move(done)]() mutable {
    base::Spawn(Get(*http_, url),
                [this, done = std::move(done)](std::exception_ptr,
                                               absl::StatusOr<std::string>* body) mutable {
                  absl::StatusOr<std::string> document = absl::InternalError("the fetch broke off");
                  if (body != nullptr) document = std::move(*body);
                  KeyFetches(metrics_, document.ok()).Increment();
                  done(std::move(document));
                });
  });
}

void AuthParts::EndFetches() {
  if (http_ == nullptr) return;
  loop_.Post([this] { http_->Shutdown(); });
}

void AuthParts::Stop() {
  if (std::exchange(stopped_, true)) return;
  EndFetches();
  loop_.Stop();
  store_->Close();
}

absl::StatusOr<auth::NewKey> CreateAdminKey(const DataDir& data_dir, const std::string& name,
                                            base::Clock& clock) {
  ASSIGN_OR_RETURN(auto store, auth::AccessStore::Open(data_dir.Path("access.db"), clock));
  std::promise<absl::StatusOr<auth::NewKey>> made;
  store->CreateKey({.name = name, .role = auth::Role::kAdmin, .ns = "*", .created_by = "campaignd"},
                   [&made](absl::StatusOr<auth::NewKey> key) { made.set_value(std::move(key)); });
  return made.get_future().get();
}

}  // namespace server
