#include "gateway/auth/jwt_verifier.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/auth/authenticator.h"
#include "gateway/auth/digest.h"
#include "orchestrator/base/status_macros.h"

namespace auth {

namespace {

constexpr char kKeyUnknown[] = "TOKEN_KEY_UNKNOWN";
constexpr char kWrongSignature[] = "TOKEN_SIGNATURE";

absl::StatusOr<std::string> ReadKeysFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(absl::StrCat("cannot read ", path));
  std::string text(KeySet::kDocumentBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

}  // namespace

JwtVerifier::JwtVerifier(JwtOptions options, base::Clock& clock, Fetch fetch)
    : options_(std::move(options)), clock_(clock) {
  KeySource::Options source{.refresh_after = options_.jwks_refresh,
                            .between_fetches = options_.between_fetches};
  if (!options_.jwks_url.empty()) {
    address_ = std::make_unique<KeySource>(
        options_.jwks_url,
        [fetch = std::move(fetch), url = options_.jwks_url](KeySource::Fetched done) {
          fetch(url, std::move(done));
        },
        source, clock);
  }
  if (!options_.keys_file.empty()) {
    source.shared_secrets = true;
    source.refresh_after = options_.between_fetches;
    // A small file: it is read on the thread that asks.
    file_ = std::make_unique<KeySource>(
        options_.keys_file,
        [path = options_.keys_file](KeySource::Fetched done) { done(ReadKeysFile(path)); }, source,
        clock);
  }
}

absl::Status JwtVerifier::Open() {
  if (!options_.secret.empty()) {
    RETURN_IF_ERROR(KeySet::FromSecret(options_.secret.value()).status());
  }
  if (file_ != nullptr) {
    file_->RefreshWhenOld();
    if (const absl::Status status = file_->status(); !status.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(options_.keys_file, ": ", std::string(status.message())));
    }
  }
  if (address_ != nullptr) address_->RefreshWhenOld();
  return absl::OkStatus();
}

JwtVerifier::Keys JwtVerifier::SecretKeys() {
  const std::string value = options_.secret.value();
  if (value.empty()) return nullptr;
  absl::MutexLock lock(&mu_);
  if (secret_keys_ == nullptr || secret_ != value) {
    absl::StatusOr<KeySet> keys = KeySet::FromSecret(value);
    secret_keys_ = keys.ok() ? std::make_shared<const KeySet>(*std::move(keys)) : nullptr;
    secret_ = value;
  }
  return secret_keys_;
}

std::vector<JwtVerifier::Keys> JwtVerifier::CurrentKeys() {
  std::vector<Keys> all = {SecretKeys(), file_ == nullptr ? nullptr : file_->keys(),
                           address_ == nullptr ? nullptr : address_->keys()};
  std::erase(all, nullptr);
  return all;
}

absl::StatusOr<Claims> JwtVerifier::Check(const std::string& token, const JwtHeader& header) {
  const std::vector<Keys> all = CurrentKeys();
  const std::string digest = Sha256(token);
  {
    absl::MutexLock lock(&mu_);
    const auto found = known_.find(digest);
    if (found != known_.end()) {
      // Only while the keys that verified it are still trusted.
      if (std::find(all.begin(), all.end(), found->second.keys) != all.end()) {
        return found->second.claims;
      }
      known_.erase(found);
    }
  }
  if (all.empty()) {
    return absl::UnavailableError("the keys that tokens are checked with are not there yet");
  }
  absl::Status refusal;
  for (const Keys& keys : all) {
    absl::StatusOr<Claims> claims = VerifyJwt(token, header, *keys, options_.names);
    if (claims.ok()) {
      absl::MutexLock lock(&mu_);
      if (known_.size() >= kKnownMax) known_.clear();
      known_[digest] = {*claims, keys};
      return claims;
    }
    // A wrong signature says more than an unknown key.
    if (refusal.ok() || ReasonOf(claims.status()) != kKeyUnknown) refusal = claims.status();
  }
  return refusal;
}

void JwtVerifier::Verify(std::string token, Done done) {
  absl::StatusOr<JwtHeader> header = ReadJwtHeader(token);
  if (!header.ok()) return done(header.status());
  if (file_ != nullptr) file_->RefreshWhenOld();
  if (address_ != nullptr) address_->RefreshWhenOld();
  absl::StatusOr<Claims> claims = CheckAll(token, *header);
  if (claims.ok()) return done(std::move(claims));
  // The issuer may have new keys.
  const std::string reason = ReasonOf(claims.status());
  const bool fetch_again = absl::IsUnavailable(claims.status()) || reason == kKeyUnknown ||
                           (reason == kWrongSignature && header->key_id.empty());
  if (!fetch_again || address_ == nullptr) return done(claims.status());
  address_->Refresh([this, token = std::move(token), header = *std::move(header),
                     done = std::move(done)]() mutable { done(CheckAll(token, header)); });
}

absl::StatusOr<Claims> JwtVerifier::CheckAll(const std::string& token, const JwtHeader& header) {
  ASSIGN_OR_RETURN(Claims claims, Check(token, header));
  RETURN_IF_ERROR(CheckClaims(claims, options_.rules, clock_.Now()));
  return claims;
}

}  // namespace auth
