// PeerCertificate: what a client's certificate says of it, once TLS has proven that the client
// holds its key and that an accepted authority signed it. A plain value.
//
// Example:
//   if (call.certificate != nullptr) caller.identity = call.certificate->Identity();
#pragma once

#include <string>
#include <vector>

namespace tls {

struct PeerCertificate {
  std::string subject;              // RFC 2253: "CN=ci,O=Example"
  std::string common_name;          // empty: none
  std::vector<std::string> emails;  // of the subject alternative name, then of the subject
  std::vector<std::string> dns_names;
  std::vector<std::string> uris;
  std::string fingerprint;  // SHA-256 of the certificate, in lower-case hexadecimal

  // Who it is: the first e-mail address, else the common name, else the subject.
  std::string Identity() const {
    if (!emails.empty()) return emails.front();
    return common_name.empty() ? subject : common_name;
  }
};

}  // namespace tls
