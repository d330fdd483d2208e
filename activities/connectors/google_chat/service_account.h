// A Google service account: its key file, and the signed assertions that it gets access tokens for
// (RFC 7523).
//
// Thread-safety: free functions on values.
//
// Example:
//   base::Outcome<ServiceAccount> account = ParseServiceAccount(key_file_text);
//   base::Outcome<std::string> assertion = SignAssertion(*account, scope, audience, now);
#pragma once

#include <string>

#include "absl/time/time.h"
#include "orchestrator/base/outcome.h"

namespace google_chat {

struct ServiceAccount {
  std::string email;
  std::string key_id;
  std::string private_key;  // PEM
};

// The JSON key file of the Google Cloud console. Failure "InvalidKeyFile" names what is missing and
// never the key.
base::Outcome<ServiceAccount> ParseServiceAccount(const std::string& json);

// A JWT signed with RS256, good for `life` (at most an hour). Failure "InvalidKeyFile".
base::Outcome<std::string> SignAssertion(const ServiceAccount& account, const std::string& scope,
                                         const std::string& audience, absl::Time now,
                                         absl::Duration life = absl::Hours(1));

}  // namespace google_chat
