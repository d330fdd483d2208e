// GrpcTls: the TLS side of the gRPC port. gRPC reads certificates from files again and again; it
// is given files in memory, which hold nothing but what TlsFiles has checked.
// Heavy header (grpc): server.cc only. Thread-safe.
#pragma once

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "absl/status/statusor.h"
#include "gateway/tls/tls_files.h"

namespace gateway {

class GrpcTls {
 public:
  // Follows `files`, which must outlive it. UNAVAILABLE when there is no memory for it.
  static absl::StatusOr<std::unique_ptr<GrpcTls>> Make(tls::TlsFiles& files);
  ~GrpcTls();

  // TLS 1.2 or newer.
  std::shared_ptr<grpc::ServerCredentials> credentials() const { return credentials_; }

 private:
  GrpcTls() = default;
  void Write(const tls::Material& material) const;

  int certificate_fd_ = -1;
  int key_fd_ = -1;
  int client_ca_fd_ = -1;
  std::shared_ptr<grpc::ServerCredentials> credentials_;
};

}  // namespace gateway
