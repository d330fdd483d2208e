// Certificates as OpenSSL reads them: what one says, and whether the files of a server fit.
// Pure functions; thread-safe.
#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/tls/peer_certificate.h"

namespace tls {

// The texts (PEM) that a server shows and trusts.
struct Material {
  std::string certificate;  // its own first, then intermediate ones
  std::string key;
  std::string client_ca;  // empty: client certificates are not asked for
  absl::Time not_after;   // of its own certificate

  bool SameTexts(const Material& other) const {
    return certificate == other.certificate && key == other.key && client_ca == other.client_ca;
  }
};

// Whether a server can use it at `now`; fills in `not_after`. INVALID_ARGUMENT says what is wrong:
// no PEM, a key of another certificate, a key with a pass phrase, one that is expired or not yet
// valid. Never shows the key.
absl::Status Check(absl::Time now, Material* material);

// The first certificate of a PEM text.
absl::StatusOr<PeerCertificate> Describe(const std::string& pem);

// The same, remembered: the calls of a connection all show the same one. Null when it cannot be
// read. Thread-safe.
std::shared_ptr<const PeerCertificate> DescribeCached(const std::string& pem);

}  // namespace tls
