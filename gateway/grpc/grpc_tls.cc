#include "gateway/grpc/grpc_tls.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace gateway {

namespace {

constexpr unsigned kRefreshSeconds = 1;

// Of this process and nobody else; never on a disk.
int MemoryFile(const char* name) { return memfd_create(name, MFD_CLOEXEC); }

std::string PathOf(int fd) { return fd < 0 ? "" : absl::StrCat("/proc/self/fd/", fd); }

void Replace(int fd, const std::string& text) {
  if (fd < 0) return;
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t written =
        pwrite(fd, text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (written <= 0) return;
    done += static_cast<size_t>(written);
  }
  [[maybe_unused]] const int cut = ftruncate(fd, static_cast<off_t>(text.size()));
}

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcTls>> GrpcTls::Make(tls::TlsFiles& files) {
  std::unique_ptr<GrpcTls> grpc_tls(new GrpcTls());
  GrpcTls* self = grpc_tls.get();
  const bool mutual = !files.options().client_ca_file.empty();
  self->certificate_fd_ = MemoryFile("certificate");
  self->key_fd_ = MemoryFile("key");
  if (mutual) self->client_ca_fd_ = MemoryFile("client-ca");
  if (self->certificate_fd_ < 0 || self->key_fd_ < 0 || (mutual && self->client_ca_fd_ < 0)) {
    return absl::UnavailableError("cannot make files in memory for the certificates");
  }
  self->Write(*files.current());
  files.OnChange([self](const tls::Material& material) { self->Write(material); });
  namespace experimental = grpc::experimental;
  auto provider = std::make_shared<experimental::FileWatcherCertificateProvider>(
      PathOf(self->key_fd_), PathOf(self->certificate_fd_), PathOf(self->client_ca_fd_),
      kRefreshSeconds);
  experimental::TlsServerCredentialsOptions options(std::move(provider));
  options.watch_identity_key_cert_pairs();
  if (mutual) {
    options.watch_root_certs();
    options.set_cert_request_type(files.options().require_client_certificate
                                      ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                      : GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  }
  self->credentials_ = experimental::TlsServerCredentials(options);
  return grpc_tls;
}

GrpcTls::~GrpcTls() {
  credentials_.reset();
  for (const int fd : {certificate_fd_, key_fd_, client_ca_fd_}) {
    if (fd >= 0) close(fd);
  }
}

void GrpcTls::Write(const tls::Material& material) const {
  Replace(client_ca_fd_, material.client_ca);
  Replace(certificate_fd_, material.certificate);
  Replace(key_fd_, material.key);
}

}  // namespace gateway
