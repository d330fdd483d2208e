#include "gateway/auth/jwt.h"

#include <cjose/cjose.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/auth/authenticator.h"
#include "orchestrator/base/status_macros.h"

namespace auth {

namespace {

using nlohmann::json;

constexpr size_t kTextMax = 256;                // of a kid, a subject, a role, ...
constexpr size_t kListMax = 100;                // of audiences and roles
constexpr double kSecondsMax = 253402300799.0;  // the year 9999

absl::Status Malformed(absl::string_view what) {
  return Unauthenticated("TOKEN_MALFORMED",
                         absl::StrCat("the token is no JWT: ", std::string(what)));
}

bool IsBase64Url(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_'; });
}

// The object that a part of a token holds; discarded when it holds none.
json ReadPart(absl::string_view bytes) {
  json value = json::parse(bytes.begin(), bytes.end(), nullptr, /*allow_exceptions=*/false);
  return value.is_object() ? value : json(json::value_t::discarded);
}

struct Parts {
  absl::string_view header, payload, signature;
};

absl::StatusOr<Parts> Split(absl::string_view token) {
  if (token.size() > kJwtBytesMax) return Malformed("it is too long");
  const std::vector<absl::string_view> parts = absl::StrSplit(token, '.');
  if (parts.size() != 3) return Malformed("it has not three parts");
  for (const absl::string_view part : parts) {
    if (!IsBase64Url(part)) return Malformed("a part is not base64url");
  }
  return Parts{parts[0], parts[1], parts[2]};
}

// A short text, or empty when the claim is missing; nothing when it is something else.
std::optional<std::string> Text(const json& object, const std::string& name) {
  const auto found = object.find(name);
  if (found == object.end()) return "";
  if (!found->is_string()) return std::nullopt;
  std::string text = found->get<std::string>();
  const bool printable = std::none_of(text.begin(), text.end(),
                                      [](unsigned char c) { return absl::ascii_iscntrl(c); });
  if (text.size() > kTextMax || !printable) return std::nullopt;
  return text;
}

// A text or a list of texts.
std::vector<std::string> Texts(const json& value) {
  std::vector<std::string> texts;
  if (value.is_string()) texts.push_back(value.get<std::string>());
  if (!value.is_array()) return texts;
  for (const json& element : value) {
    if (texts.size() == kListMax) break;
    if (element.is_string()) texts.push_back(element.get<std::string>());
  }
  return texts;
}

// The claim of that name or, where there is none, at that path; null when there is neither.
const json* FindClaim(const json& claims, const std::string& name) {
  if (name.empty()) return nullptr;
  if (const auto found = claims.find(name); found != claims.end()) return &*found;
  const json* place = &claims;
  for (const absl::string_view step : absl::StrSplit(name, '.')) {
    if (!place->is_object()) return nullptr;
    const auto found = place->find(std::string(step));
    if (found == place->end()) return nullptr;
    place = &*found;
  }
  return place;
}

absl::Status ReadTime(const json& claims, const char* name, bool* given, absl::Time* time) {
  const auto found = claims.find(name);
  if (found == claims.end()) return absl::OkStatus();
  if (!found->is_number()) return Malformed(absl::StrCat(name, " is no number"));
  const double seconds = found->get<double>();
  if (!std::isfinite(seconds) || seconds < 0 || seconds > kSecondsMax) {
    return Malformed(absl::StrCat(name, " is no time"));
  }
  *given = true;
  *time = absl::UnixEpoch() + absl::Seconds(seconds);
  return absl::OkStatus();
}

absl::StatusOr<Claims> ReadClaims(absl::string_view payload, const ClaimNames& names) {
  const json object = ReadPart(payload);
  if (object.is_discarded()) return Malformed("its claims are no JSON object");
  Claims claims;
  const auto issuer = Text(object, "iss");
  const auto subject = Text(object, "sub");
  const auto email = Text(object, "email");
  if (!issuer || !subject || !email) return Malformed("iss, sub or email is no short text");
  claims.issuer = *issuer;
  claims.subject = *subject;
  claims.email = absl::AsciiStrToLower(*email);
  const auto verified = object.find("email_verified");
  claims.email_refuted = verified != object.end() && *verified != true && *verified != "true";
  if (const auto audience = object.find("aud"); audience != object.end()) {
    claims.audience = Texts(*audience);
  }
  if (const json* roles = FindClaim(object, names.roles)) claims.roles = Texts(*roles);
  if (const json* ns = FindClaim(object, names.ns)) {
    if (!ns->is_string() || ns->get<std::string>().size() > kTextMax) {
      return Malformed(absl::StrCat(names.ns, " is no short text"));
    }
    claims.ns = ns->get<std::string>();
  }
  bool given = false;
  RETURN_IF_ERROR(ReadTime(object, "exp", &claims.has_expiry, &claims.expires));
  RETURN_IF_ERROR(ReadTime(object, "nbf", &given, &claims.not_before));
  RETURN_IF_ERROR(ReadTime(object, "iat", &given, &claims.issued));
  return claims;
}

// The payload when the signature is that of `key`.
std::optional<std::string> Open(absl::string_view token, const KeySet::Key& key) {
  cjose_err error{};
  const std::unique_ptr<cjose_jws_t, void (*)(cjose_jws_t*)> jws(
      cjose_jws_import(token.data(), token.size(), &error), &cjose_jws_release);
  if (jws == nullptr || !cjose_jws_verify(jws.get(), key.key.get(), &error)) return std::nullopt;
  uint8_t* bytes = nullptr;  // owned by jws
  size_t size = 0;
  if (!cjose_jws_get_plaintext(jws.get(), &bytes, &size, &error)) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(bytes), size);
}

}  // namespace

absl::StatusOr<JwtHeader> ReadJwtHeader(absl::string_view token) {
  ASSIGN_OR_RETURN(const Parts parts, Split(token));
  std::string bytes;
  if (!absl::WebSafeBase64Unescape(parts.header, &bytes)) return Malformed("its header is no JSON");
  const json header = ReadPart(bytes);
  if (header.is_discarded()) return Malformed("its header is no JSON object");
  const auto algorithm = Text(header, "alg");
  const auto key_id = Text(header, "kid");
  const auto type = Text(header, "typ");
  if (!algorithm || !key_id || !type) return Malformed("alg, kid or typ is no short text");
  if (*algorithm != "RS256" && *algorithm != "ES256" && *algorithm != "HS256") {
    return Unauthenticated("TOKEN_ALGORITHM", "the token is not signed with RS256, ES256 or HS256");
  }
  // What it says must be understood is not (RFC 7515 section 4.1.11).
  if (header.contains("crit")) return Malformed("its header has critical parameters");
  const std::string kind = absl::AsciiStrToLower(*type);
  if (!kind.empty() && kind != "jwt" && kind != "at+jwt" && kind != "application/at+jwt") {
    return Malformed("its type is another");
  }
  return JwtHeader{*algorithm, *key_id};
}

absl::StatusOr<Claims> VerifyJwt(absl::string_view token, const JwtHeader& header,
                                 const KeySet& keys, const ClaimNames& names) {
  const std::vector<const KeySet::Key*> candidates = keys.Find(header.algorithm, header.key_id);
  if (candidates.empty()) {
    return Unauthenticated("TOKEN_KEY_UNKNOWN",
                           "the token is signed with a key that this server does not know");
  }
  for (const KeySet::Key* key : candidates) {
    if (const auto payload = Open(token, *key)) return ReadClaims(*payload, names);
  }
  return Unauthenticated("TOKEN_SIGNATURE", "the token's signature is wrong");
}

absl::Status CheckClaims(const Claims& claims, const ClaimRules& rules, absl::Time now) {
  if (claims.issuer != rules.issuer) {
    return Unauthenticated("TOKEN_ISSUER", "the token is from another issuer");
  }
  const bool meant =
      std::any_of(claims.audience.begin(), claims.audience.end(), [&](const std::string& audience) {
        return std::find(rules.audiences.begin(), rules.audiences.end(), audience) !=
               rules.audiences.end();
      });
  if (!meant) return Unauthenticated("TOKEN_AUDIENCE", "the token is for another audience");
  if (!claims.has_expiry) {
    return Unauthenticated("TOKEN_WITHOUT_EXPIRY", "the token has no expiry (exp)");
  }
  if (now >= claims.expires + rules.leeway) {
    return Unauthenticated(
        "TOKEN_EXPIRED",
        absl::StrCat("the token expired at ",
                     absl::FormatTime(absl::RFC3339_sec, claims.expires, absl::UTCTimeZone())));
  }
  if (now + rules.leeway < claims.not_before || now + rules.leeway < claims.issued) {
    return Unauthenticated("TOKEN_NOT_YET_VALID",
                           "the token is not valid yet; are the clocks right?");
  }
  return absl::OkStatus();
}

}  // namespace auth
