// JSON Web Tokens (RFC 7515, 7519, with the advice of RFC 8725): reading the header, checking the
// signature with a key that the caller chose, and checking the claims. The signature is libcjose's
// work.
//
// Pure functions; thread-safe. Nothing here throws, whatever the token.
//
// Example:
//   ASSIGN_OR_RETURN(JwtHeader header, ReadJwtHeader(token));
//   ASSIGN_OR_RETURN(Claims claims, VerifyJwt(token, header, keys, {}));
//   RETURN_IF_ERROR(CheckClaims(claims, rules, now));
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gateway/auth/key_set.h"

namespace auth {

inline constexpr size_t kJwtBytesMax = 8 << 10;

struct JwtHeader {
  std::string algorithm;  // RS256, ES256 or HS256
  std::string key_id;     // empty: the token names none
};

// The claims that we use. Times are infinite or zero where the token has none.
struct Claims {
  std::string issuer;
  std::vector<std::string> audience;
  std::string subject;
  std::string email;           // in lower case
  bool email_refuted = false;  // email_verified is there and false
  std::vector<std::string> roles;
  std::string ns;
  bool has_expiry = false;
  absl::Time expires = absl::InfiniteFuture();
  absl::Time not_before = absl::InfinitePast();
  absl::Time issued = absl::InfinitePast();
};

// Names of the claims that hold roles and the namespace; a dotted name is a path
// ("realm_access.roles") where there is no claim of that very name. Empty: not read.
struct ClaimNames {
  std::string roles = "roles";
  std::string ns = "namespace";
};

struct ClaimRules {
  std::string issuer;
  std::vector<std::string> audiences;  // one of them must be the token's
  absl::Duration leeway = absl::Minutes(1);
};

// UNAUTHENTICATED, with an ErrorInfo, for what is no token of ours: TOKEN_MALFORMED,
// TOKEN_ALGORITHM ("none" and every other than the three).
absl::StatusOr<JwtHeader> ReadJwtHeader(absl::string_view token);

// The claims of a token signed with one of the keys of its algorithm and id. UNAUTHENTICATED:
// TOKEN_KEY_UNKNOWN when there is no such key, TOKEN_SIGNATURE, TOKEN_MALFORMED.
absl::StatusOr<Claims> VerifyJwt(absl::string_view token, const JwtHeader& header,
                                 const KeySet& keys, const ClaimNames& names);

// UNAUTHENTICATED: TOKEN_ISSUER, TOKEN_AUDIENCE, TOKEN_EXPIRED, TOKEN_NOT_YET_VALID,
// TOKEN_WITHOUT_EXPIRY.
absl::Status CheckClaims(const Claims& claims, const ClaimRules& rules, absl::Time now);

}  // namespace auth
