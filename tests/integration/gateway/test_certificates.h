// Certificates for tests, made on the spot: an authority, what it signs, and their files.
//
// Example:
//   const TestAuthority authority("Test CA");
//   const TestCertificate server = authority.Sign({.common_name = "server"});
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/support/temporary_folder.h"

namespace gateway {

struct TestCertificate {
  std::string certificate;  // PEM
  std::string key;          // PEM
};

struct TestSubject {
  std::string common_name;
  std::string email;  // in the subject alternative name; empty: none
  absl::Time not_before = absl::Now() - absl::Hours(1);
  absl::Time not_after = absl::Now() + absl::Hours(24);
};

class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name);
  ~TestAuthority();
  // Good for 127.0.0.1 and "localhost", as a server and as a client.
  TestCertificate Sign(const TestSubject& subject) const;
  const std::string& pem() const { return pem_; }

 private:
  EVP_PKEY* key_;
  X509* certificate_;
  std::string pem_;
};

// The files that a server with TLS reads, in a folder of their own; a base of fixtures.
class CertificateFiles {
 protected:
  std::string Path(const std::string& name) const { return certificate_folder_.File(name); }
  void Write(const std::string& name, const std::string& text) const;
  // server.pem and server.key.
  void WriteServer(const TestCertificate& certificate) const;

 private:
  test::TemporaryFolder certificate_folder_;
};

using TlsContext = std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)>;
// Of a client that trusts the authority and shows `own` when it is given.
TlsContext ClientContext(const TestAuthority& trusted, const TestCertificate* own = nullptr);

}  // namespace gateway
