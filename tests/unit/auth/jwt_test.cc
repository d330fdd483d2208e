// Tokens: the examples of RFC 7515, what is refused, and the claims.
#include "gateway/auth/jwt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gateway/auth/authenticator.h"
#include "tests/unit/auth/test_tokens.h"

namespace auth {
namespace {

using nlohmann::json;

// RFC 7515 appendix A: the payload of its three examples, and RFC 7519 section 3.1.
constexpr char kPayload[] =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlf"
    "Q";
const absl::Time kExpires = absl::FromUnixSeconds(1300819380);
const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
const char kSecret[] = "a secret of at least 32 bytes, so it is taken";

std::string Reason(const absl::Status& status) { return ReasonOf(status); }

absl::StatusOr<Claims> Verify(const std::string& token, const KeySet& keys,
                              const ClaimNames& names = {}) {
  const auto header = ReadJwtHeader(token);
  if (!header.ok()) return header.status();
  return VerifyJwt(token, *header, keys, names);
}

KeySet KeysOf(const std::string& jwk) {
  return *KeySet::FromText(absl::StrCat("{\"keys\":[", jwk, "]}"), true);
}

void ExpectJoe(const absl::StatusOr<Claims>& claims) {
  ASSERT_TRUE(claims.ok()) << claims.status().ToString();
  EXPECT_EQ(claims->issuer, "joe");
  EXPECT_EQ(claims->expires, kExpires);
}

TEST(Jwt, Rfc7515ExampleA1Hs256) {
  const std::string token = absl::StrCat("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.", kPayload,
                                         ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
  const KeySet keys = KeysOf(
      R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})");
  ExpectJoe(Verify(token, keys));
  // One bit of the signature, of the payload.
  EXPECT_EQ(Reason(Verify(absl::StrReplaceAll(token, {{".dBjf", ".dBjg"}}), keys).status()),
            "TOKEN_SIGNATURE");
  EXPECT_EQ(Reason(Verify(absl::StrReplaceAll(token, {{"eyJpc3Mi", "eyJpc3Ni"}}), keys).status()),
            "TOKEN_SIGNATURE");
}

TEST(Jwt, Rfc7515ExampleA2Rs256) {
  const std::string token = absl::StrCat(
      "eyJhbGciOiJSUzI1NiJ9.", kPayload,
      ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_"
      "O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSj"
      "tQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6Ie"
      "YI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw");
  ExpectJoe(Verify(
      token,
      KeysOf(
          R"({"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"})")));
}

TEST(Jwt, Rfc7515ExampleA3Es256) {
  const std::string token =
      absl::StrCat("eyJhbGciOiJFUzI1NiJ9.", kPayload,
                   ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISl"
                   "SApmWQxfKTUJqPP3-Kg6NU1Q");
  ExpectJoe(Verify(
      token,
      KeysOf(
          R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})")));
}

TEST(Jwt, NoneIsRefusedHoweverItIsWritten) {
  const KeySet keys = *KeySet::FromSecret(kSecret);
  for (const char* none : {"none", "None", "NONE", "nOnE", ""}) {
    const std::string unsigned_token =
        absl::StrCat(Base64Url(json({{"alg", none}}).dump()), ".", kPayload, ".");
    EXPECT_EQ(Reason(Verify(unsigned_token, keys).status()), "TOKEN_ALGORITHM") << none;
  }
  for (const char* other : {"HS384", "HS512", "PS256", "RS1", "ES512", "EdDSA", "hs256"}) {
    const std::string token = TokenKey::Secret(kSecret).Sign({{"sub", "ann"}}, {{"alg", other}});
    EXPECT_EQ(Reason(Verify(token, keys).status()), "TOKEN_ALGORITHM") << other;
  }
}

// The public key of RS256 is no secret: a token that is signed with it by HS256 must not pass.
TEST(Jwt, ThePublicKeyIsNoSecretForHs256) {
  const TokenKey rsa = TokenKey::Rsa("key-1");
  const KeySet keys = *KeySet::FromText(rsa.Pem(), true);
  for (const std::string& secret :
       {rsa.Pem(), rsa.Jwk().dump(), rsa.Jwk()["n"].get<std::string>()}) {
    const std::string token =
        TokenKey::Secret(secret).Sign({{"sub", "mallory"}}, {{"kid", "key-1"}});
    EXPECT_EQ(Reason(Verify(token, keys).status()), "TOKEN_KEY_UNKNOWN");
  }
  EXPECT_TRUE(Verify(rsa.Sign({{"sub", "ann"}}), keys).ok());
}

TEST(Jwt, TheKeyDecidesTheAlgorithm) {
  const TokenKey rsa = TokenKey::Rsa("one");
  const TokenKey ec = TokenKey::Ec("one");  // the same id
  const KeySet only_rsa = *KeySet::FromText(Jwks({&rsa}), false);
  EXPECT_EQ(Reason(Verify(ec.Sign({{"sub", "ann"}}), only_rsa).status()), "TOKEN_KEY_UNKNOWN");
  const std::string claims_to_be_rsa = ec.Sign({{"sub", "ann"}}, {{"alg", "RS256"}});
  EXPECT_EQ(Reason(Verify(claims_to_be_rsa, only_rsa).status()), "TOKEN_SIGNATURE");
}

TEST(Jwt, KeysInTheTokenAreNotLookedAt) {
  const TokenKey ours = TokenKey::Rsa("key-1");
  const TokenKey theirs = TokenKey::Rsa("key-1");
  const KeySet keys = *KeySet::FromText(Jwks({&ours}), false);
  const json header = {{"jwk", theirs.Jwk()}, {"jku", "https://mallory.example.com/jwks"}};
  EXPECT_EQ(Reason(Verify(theirs.Sign({{"sub", "ann"}}, header), keys).status()),
            "TOKEN_SIGNATURE");
}

TEST(Jwt, WhatIsNoTokenIsMalformed) {
  const KeySet keys = *KeySet::FromSecret(kSecret);
  const TokenKey key = TokenKey::Secret(kSecret);
  const std::string good = key.Sign({{"sub", "ann"}});
  ASSERT_TRUE(Verify(good, keys).ok());
  for (const std::string& bad : {std::string(),
                                 std::string("."),
                                 std::string(".."),
                                 std::string("a.b.c"),
                                 good + ".",
                                 good + "=",
                                 "x" + good,
                                 std::string("eyJhbGciOiJIUzI1NiJ9.e30"),
                                 std::string(kJwtBytesMax + 1, 'a'),
                                 key.Sign({{"sub", "ann"}}, {{"crit", json::array({"exp"})}}),
                                 key.Sign({{"sub", "ann"}}, {{"typ", "secevent+jwt"}}),
                                 key.Sign({{"sub", "ann"}}, {{"kid", 7}}),
                                 key.Sign({{"sub", 7}}),
                                 key.Sign({{"sub", "a\nb"}}),
                                 key.Sign({{"exp", "tomorrow"}}),
                                 key.Sign({{"exp", 1e300}}),
                                 key.Sign({{"nbf", -5}}),
                                 key.Sign(json::array({1})),
                                 key.Sign({{"namespace", 5}}),
                                 std::string("bnVsbA.e30."),
                                 std::string("W10.e30.AAAA")}) {
    EXPECT_EQ(Reason(Verify(bad, keys).status()), "TOKEN_MALFORMED") << bad;
  }
}

TEST(Jwt, EveryFlippedByteIsNoticed) {
  const TokenKey key = TokenKey::Secret(kSecret);
  const KeySet keys = *KeySet::FromSecret(kSecret);
  const std::string good = key.Sign({{"sub", "ann"}, {"exp", 2'000'000'000}});
  // The last character holds bits that are not part of the signature.
  for (size_t i = 0; i + 1 < good.size(); ++i) {
    std::string bad = good;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    if (bad == good) continue;
    EXPECT_FALSE(Verify(bad, keys).ok()) << i;
  }
}

TEST(Jwt, ReadsTheClaims) {
  const TokenKey key = TokenKey::Secret(kSecret);
  const KeySet keys = *KeySet::FromSecret(kSecret);
  const json claims = {{"iss", "https://issuer"},
                       {"aud", json::array({"campaignd", "other"})},
                       {"sub", "u-17"},
                       {"email", "Ann@Example.com"},
                       {"email_verified", true},
                       {"exp", 1800000000.5},
                       {"nbf", 1700000000},
                       {"iat", 1700000001},
                       {"realm_access", {{"roles", json::array({"editor", "offline"})}}},
                       {"tenant", "marketing"}};
  const auto read = Verify(key.Sign(claims), keys, {.roles = "realm_access.roles", .ns = "tenant"});
  ASSERT_TRUE(read.ok()) << read.status().ToString();
  EXPECT_EQ(read->email, "ann@example.com");
  EXPECT_FALSE(read->email_refuted);
  EXPECT_THAT(read->audience, testing::ElementsAre("campaignd", "other"));
  EXPECT_THAT(read->roles, testing::ElementsAre("editor", "offline"));
  EXPECT_EQ(read->ns, "marketing");
  EXPECT_EQ(read->expires, absl::FromUnixMillis(1800000000500));
  EXPECT_TRUE(Verify(key.Sign({{"email_verified", false}}), keys)->email_refuted);
  EXPECT_TRUE(Verify(key.Sign({{"email_verified", "false"}}), keys)->email_refuted);
  EXPECT_TRUE(Verify(key.Sign({{"roles", "admin"}}), keys)->roles.size() == 1);
  // A claim of the very name wins over the path.
  const json both = {{"realm_access.roles", "viewer"}, {"realm_access", {{"roles", "admin"}}}};
  EXPECT_THAT(Verify(key.Sign(both), keys, {.roles = "realm_access.roles"})->roles,
              testing::ElementsAre("viewer"));
}

TEST(Jwt, ChecksIssuerAudienceAndTimes) {
  const ClaimRules rules{
      .issuer = "https://issuer", .audiences = {"campaignd"}, .leeway = absl::Seconds(60)};
  Claims claims;
  claims.issuer = "https://issuer";
  claims.audience = {"campaignd"};
  claims.has_expiry = true;
  claims.expires = kNow + absl::Hours(1);
  EXPECT_TRUE(CheckClaims(claims, rules, kNow).ok());
  const auto reason = [&](auto change, absl::Time now = kNow) {
    Claims changed = claims;
    change(changed);
    return Reason(CheckClaims(changed, rules, now));
  };
  EXPECT_EQ(reason([](Claims& c) { c.issuer = "https://issuer/"; }), "TOKEN_ISSUER");
  EXPECT_EQ(reason([](Claims& c) { c.issuer = ""; }), "TOKEN_ISSUER");
  EXPECT_EQ(reason([](Claims& c) { c.audience = {"other"}; }), "TOKEN_AUDIENCE");
  EXPECT_EQ(reason([](Claims& c) { c.audience = {}; }), "TOKEN_AUDIENCE");
  EXPECT_EQ(reason([](Claims& c) { c.has_expiry = false; }), "TOKEN_WITHOUT_EXPIRY");
  // The leeway, to the second, on both sides.
  const absl::Time end = claims.expires + rules.leeway;
  EXPECT_EQ(reason([](Claims&) {}, end - absl::Seconds(1)), "");
  EXPECT_EQ(reason([](Claims&) {}, end), "TOKEN_EXPIRED");
  EXPECT_EQ(reason([](Claims& c) { c.not_before = kNow + absl::Seconds(60); }), "");
  EXPECT_EQ(reason([](Claims& c) { c.not_before = kNow + absl::Seconds(61); }),
            "TOKEN_NOT_YET_VALID");
  EXPECT_EQ(reason([](Claims& c) { c.issued = kNow + absl::Seconds(61); }), "TOKEN_NOT_YET_VALID");
}

TEST(KeySet, LeavesOutWhatIsNotForOurSignatures) {
  const TokenKey rsa = TokenKey::Rsa("r");
  const TokenKey ec = TokenKey::Ec("e");
  const auto with = [&](const TokenKey& key, const json& changes) {
    json jwk = key.Jwk();
    jwk.update(changes);
    return KeySet::FromText(json({{"keys", json::array({jwk})}}).dump(), false);
  };
  EXPECT_TRUE(with(rsa, {{"use", "sig"}, {"alg", "RS256"}}).ok());
  EXPECT_TRUE(with(rsa, {{"key_ops", json::array({"verify"})}}).ok());
  EXPECT_FALSE(with(rsa, {{"use", "enc"}}).ok());
  EXPECT_FALSE(with(rsa, {{"alg", "RS512"}}).ok());
  EXPECT_FALSE(with(rsa, {{"key_ops", json::array({"encrypt"})}}).ok());
  EXPECT_FALSE(with(ec, {{"crv", "P-521"}}).ok());
  EXPECT_FALSE(with(ec, {{"x", "AAAA"}}).ok());
  EXPECT_FALSE(KeySet::FromText(Jwks({&rsa}) + "x", false).ok());
  const TokenKey weak = TokenKey::Rsa("w", 1024);
  EXPECT_FALSE(KeySet::FromText(Jwks({&weak}), false).ok());
  EXPECT_FALSE(KeySet::FromText(weak.Pem(), false).ok());
  EXPECT_FALSE(KeySet::FromSecret("too short").ok());
  // The good ones among bad ones count.
  const KeySet good = *KeySet::FromText(Jwks({&weak, &rsa, &ec}), false);
  for (const TokenKey* key : {&rsa, &ec}) {
    EXPECT_TRUE(Verify(key->Sign({{"sub", "ann"}}), good).ok());
  }
  EXPECT_FALSE(Verify(weak.Sign({{"sub", "ann"}}), good).ok());
}

TEST(KeySet, ASecretThatIsPublishedDoesNotCount) {
  const TokenKey secret = TokenKey::Secret(kSecret);
  EXPECT_FALSE(KeySet::FromText(Jwks({&secret}), false).ok());
  EXPECT_TRUE(KeySet::FromText(Jwks({&secret}), true).ok());
}

TEST(KeySet, ReadsPemWithSeveralKeys) {
  const TokenKey rsa = TokenKey::Rsa("");
  const TokenKey ec = TokenKey::Ec("");
  const KeySet keys = *KeySet::FromText(absl::StrCat("# ours\n", rsa.Pem(), ec.Pem()), false);
  EXPECT_TRUE(Verify(rsa.Sign({{"sub", "ann"}}), keys).ok());
  EXPECT_TRUE(Verify(ec.Sign({{"sub", "ann"}}, {{"kid", "whatever"}}), keys).ok());
  // A private key is none that others may have.
  std::string wrong = rsa.Pem();
  wrong = absl::StrReplaceAll(wrong, {{"PUBLIC", "PRIVATE"}});
  EXPECT_FALSE(KeySet::FromText(wrong, false).ok());
  EXPECT_FALSE(KeySet::FromText("hello", false).ok());
}

TEST(KeySet, TheIdChoosesTheKey) {
  const TokenKey one = TokenKey::Rsa("one");
  const TokenKey two = TokenKey::Rsa("two");
  const KeySet keys = *KeySet::FromText(Jwks({&one, &two}), false);
  EXPECT_TRUE(Verify(two.Sign({{"sub", "ann"}}), keys).ok());
  EXPECT_EQ(Reason(Verify(two.Sign({{"sub", "ann"}}, {{"kid", "one"}}), keys).status()),
            "TOKEN_SIGNATURE");
  EXPECT_EQ(Reason(Verify(two.Sign({{"sub", "ann"}}, {{"kid", "three"}}), keys).status()),
            "TOKEN_KEY_UNKNOWN");
}

}  // namespace
}  // namespace auth
