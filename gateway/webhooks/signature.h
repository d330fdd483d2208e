// The signatures of webhooks: HMAC-SHA-256 with a shared secret over the raw body, compared in
// constant time. Pure; thread-safe.
//
// Example:
//   SignatureCheck check = CheckSlackSignature(secret, request.Header("x-slack-request-timestamp"),
//                                              body, request.Header("x-slack-signature"), now);
//   if (check != SignatureCheck::kGood) return Refuse(SignatureProblem(check));
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace webhooks {

// How far Slack's time stamp may be from ours, into the past and into the future.
inline constexpr absl::Duration kSlackReplayWindow = absl::Minutes(5);

enum class SignatureCheck {
  kGood,
  kMissing,  // no signature or no time stamp, or one that is none
  kStale,    // signed outside of the window
  kWrong,    // not made with the secret, or not of this body
};

// For logs and metrics: "good", "missing", "stale", "wrong".
const char* SignatureProblem(SignatureCheck check);

std::string HmacSha256Hex(absl::string_view secret, absl::string_view text);
std::string Sha256Hex(absl::string_view text);

// `signature`: "v0=" and 64 hex digits over "v0:TIMESTAMP:BODY". An empty secret fits nothing.
SignatureCheck CheckSlackSignature(absl::string_view secret, absl::string_view timestamp,
                                   absl::string_view body, absl::string_view signature,
                                   absl::Time now);

// `signature`: "sha256=" and 64 hex digits over the body. An empty secret fits nothing.
SignatureCheck CheckGithubSignature(absl::string_view secret, absl::string_view body,
                                    absl::string_view signature);

}  // namespace webhooks
