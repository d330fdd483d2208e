#include "gateway/webhooks/signature.h"

#include <openssl/crypto.h>

#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "orchestrator/base/sha256.h"

namespace webhooks {
namespace {

constexpr size_t kTimestampDigitsMax = 12;

bool Same(absl::string_view a, absl::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool IsTimestamp(absl::string_view text) {
  return !text.empty() && text.size() <= kTimestampDigitsMax &&
         text.find_first_not_of("0123456789") == text.npos;
}

}  // namespace

const char* SignatureProblem(SignatureCheck check) {
  switch (check) {
    case SignatureCheck::kGood:
      return "good";
    case SignatureCheck::kMissing:
      return "missing";
    case SignatureCheck::kStale:
      return "stale";
    case SignatureCheck::kWrong:
      return "wrong";
  }
  return "";
}

std::string HmacSha256Hex(absl::string_view secret, absl::string_view text) {
  return absl::BytesToHexString(base::HmacSha256(secret, text));
}

std::string Sha256Hex(absl::string_view text) { return absl::BytesToHexString(base::Sha256(text)); }

SignatureCheck CheckSlackSignature(absl::string_view secret, absl::string_view timestamp,
                                   absl::string_view body, absl::string_view signature,
                                   absl::Time now) {
  if (!IsTimestamp(timestamp) || !absl::ConsumePrefix(&signature, "v0=")) {
    return SignatureCheck::kMissing;
  }
  const std::string expected = HmacSha256Hex(secret, absl::StrCat("v0:", timestamp, ":", body));
  if (secret.empty() || !Same(expected, signature)) return SignatureCheck::kWrong;
  // The time stamp is signed: it is looked at after it is known to be Slack's.
  int64_t seconds = 0;
  if (!absl::SimpleAtoi(timestamp, &seconds)) return SignatureCheck::kMissing;
  const absl::Duration age = now - absl::FromUnixSeconds(seconds);
  return absl::AbsDuration(age) > kSlackReplayWindow ? SignatureCheck::kStale
                                                     : SignatureCheck::kGood;
}

SignatureCheck CheckGithubSignature(absl::string_view secret, absl::string_view body,
                                    absl::string_view signature) {
  if (!absl::ConsumePrefix(&signature, "sha256=")) return SignatureCheck::kMissing;
  const bool same = Same(HmacSha256Hex(secret, body), signature);
  return same && !secret.empty() ? SignatureCheck::kGood : SignatureCheck::kWrong;
}

}  // namespace webhooks
