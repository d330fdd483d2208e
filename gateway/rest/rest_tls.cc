#include "gateway/rest/rest_tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/status_macros.h"

namespace gateway {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Forward secrecy and authenticated encryption only (TLS 1.2; 1.3 has nothing else).
constexpr char kCiphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr unsigned char kSessionId[] = "campaignd";
constexpr unsigned char kHttp11[] = "\x08http/1.1";

int ChooseProtocol(SSL*, const unsigned char** out, unsigned char* out_size,
                   const unsigned char* in, unsigned in_size, void*) {
  unsigned char* chosen = nullptr;
  const int found =
      SSL_select_next_proto(&chosen, out_size, kHttp11, sizeof kHttp11 - 1, in, in_size);
  if (found != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

asio::const_buffer Bytes(const std::string& text) { return asio::buffer(text); }

absl::Status Wrong(const char* what, const error_code& error) {
  ERR_clear_error();
  return absl::InvalidArgumentError(absl::StrCat("TLS: ", what, ": ", error.message()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<RestTls>> RestTls::Make(tls::TlsFiles& files) {
  auto rest = std::make_unique<RestTls>();
  const bool require = files.options().require_client_certificate;
  RETURN_IF_ERROR(rest->Use(*files.current(), require));
  files.OnChange([rest = rest.get(), require](const tls::Material& material) {
    const absl::Status status = rest->Use(material, require);
    if (status.ok()) return;
    base::Log(base::LogLevel::kError, "REST goes on with its old certificate", {},
              {{"error", std::string(status.message())}});
  });
  return rest;
}

absl::Status RestTls::Use(const tls::Material& material, bool require_client_certificate) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
  SSL_CTX* raw = context->native_handle();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
  // Idle connections keep no buffers.
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_cipher_list(raw, kCiphers);
  SSL_CTX_set_session_id_context(raw, kSessionId, sizeof kSessionId - 1);
  SSL_CTX_set_alpn_select_cb(raw, &ChooseProtocol, nullptr);
  error_code error;
  context->use_certificate_chain(Bytes(material.certificate), error);
  if (error) return Wrong("the certificate", error);
  context->use_private_key(Bytes(material.key), asio::ssl::context::pem, error);
  if (error) return Wrong("the key", error);
  if (!material.client_ca.empty()) {
    context->add_certificate_authority(Bytes(material.client_ca), error);
    if (error) return Wrong("the client authorities", error);
    SSL_CTX_set_verify(
        raw, SSL_VERIFY_PEER | (require_client_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
        nullptr);
  }
  absl::MutexLock lock(&mu_);
  context_ = std::move(context);
  return absl::OkStatus();
}

std::shared_ptr<asio::ssl::context> RestTls::context() const {
  absl::MutexLock lock(&mu_);
  return context_;
}

std::shared_ptr<const tls::PeerCertificate> PeerOf(SSL* ssl) {
  // Of a connection whose handshake failed to verify it there is no answer to give.
  if (SSL_get_verify_result(ssl) != X509_V_OK) return nullptr;
  X509* certificate = SSL_get1_peer_certificate(ssl);
  if (certificate == nullptr) return nullptr;
  BIO* writer = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(writer, certificate);
  char* data = nullptr;
  const long size = BIO_get_mem_data(writer, &data);
  const auto peer = tls::Describe(std::string(data, static_cast<size_t>(size)));
  BIO_free(writer);
  X509_free(certificate);
  if (!peer.ok()) return nullptr;
  return std::make_shared<const tls::PeerCertificate>(*peer);
}

}  // namespace gateway
