// RestTls: the TLS side of the REST port: a context for new connections, made anew when the files
// change (connections that are open keep theirs). Thread-safe.
//
// Example:
//   ASSIGN_OR_RETURN(auto tls, RestTls::Make(*files));
//   asio::ssl::stream<tcp::socket&> stream(socket, *tls->context());
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "gateway/tls/tls_files.h"

namespace gateway {

class RestTls {
 public:
  // Follows `files`, which must outlive it. INVALID_ARGUMENT when OpenSSL refuses them.
  static absl::StatusOr<std::unique_ptr<RestTls>> Make(tls::TlsFiles& files);
  std::shared_ptr<boost::asio::ssl::context> context() const;

 private:
  absl::Status Use(const tls::Material& material, bool require_client_certificate);

  mutable absl::Mutex mu_;
  std::shared_ptr<boost::asio::ssl::context> context_ ABSL_GUARDED_BY(mu_);
};

// The certificate that the client showed; null: none.
std::shared_ptr<const tls::PeerCertificate> PeerOf(SSL* ssl);

}  // namespace gateway
