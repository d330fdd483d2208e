// Keys that are fetched: caching, rotation, outages and floods of unknown keys.
#include "gateway/auth/jwt_verifier.h"

#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <vector>

#include "gateway/auth/authenticator.h"
#include "orchestrator/base/log.h"
#include "tests/support/manual_clock.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/auth/test_tokens.h"

namespace auth {
namespace {

class JwtVerifierTest : public ::testing::Test {
 protected:
  JwtVerifierTest() { base::SetLogLevel(base::LogLevel::kOff); }

  JwtOptions Options() {
    return {.rules = {.issuer = "issuer", .audiences = {"campaignd"}},
            .jwks_url = "https://issuer/jwks",
            .jwks_refresh = absl::Hours(1),
            .between_fetches = absl::Seconds(10)};
  }
  // Fetches are answered by Answer.
  JwtVerifier::Fetch Fetch() {
    return [this](const std::string&, KeySource::Fetched done) {
      ++fetches_;
      if (held_) return pending_.push_back(std::move(done));
      done(document_);
    };
  }
  std::string Token(const TokenKey& key) {
    return key.Sign({{"iss", "issuer"},
                     {"aud", "campaignd"},
                     {"sub", "ann"},
                     {"exp", absl::ToUnixSeconds(clock_.Now() + absl::Hours(10))}});
  }
  // Empty: it was taken.
  std::string Reason(JwtVerifier& verifier, const std::string& token) {
    std::optional<absl::Status> status;
    verifier.Verify(token, [&](absl::StatusOr<Claims> claims) { status = claims.status(); });
    if (!status.has_value()) return "waits";
    if (status->ok()) return "";
    const std::string reason = ReasonOf(*status);
    return reason.empty() ? absl::StatusCodeToString(status->code()) : reason;
  }

  test::ManualClock clock_;
  int fetches_ = 0;
  bool held_ = false;
  std::vector<KeySource::Fetched> pending_;
  absl::StatusOr<std::string> document_ = absl::UnavailableError("no answer");
  const TokenKey one_ = TokenKey::Rsa("one");
  const TokenKey two_ = TokenKey::Ec("two");
};

TEST_F(JwtVerifierTest, FetchesOnceForManyTokens) {
  document_ = Jwks({&one_});
  JwtVerifier verifier(Options(), clock_, Fetch());
  ASSERT_TRUE(verifier.Open().ok());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Reason(verifier, Token(one_)), "");
  EXPECT_EQ(fetches_, 1);
}

TEST_F(JwtVerifierTest, ANewKeyIsFetchedAtOnceAndAGoneOneIsRefused) {
  document_ = Jwks({&one_});
  JwtVerifier verifier(Options(), clock_, Fetch());
  ASSERT_TRUE(verifier.Open().ok());
  const std::string old = Token(one_);
  EXPECT_EQ(Reason(verifier, old), "");
  document_ = Jwks({&two_});
  clock_.Advance(absl::Seconds(10));
  EXPECT_EQ(Reason(verifier, Token(two_)), "");
  EXPECT_EQ(fetches_, 2);
  // Also what was found right before.
  EXPECT_EQ(Reason(verifier, old), "TOKEN_KEY_UNKNOWN");
}

TEST_F(JwtVerifierTest, UnknownKeysFetchNotMoreOftenThanAllowed) {
  document_ = Jwks({&one_});
  JwtVerifier verifier(Options(), clock_, Fetch());
  ASSERT_TRUE(verifier.Open().ok());
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(Reason(verifier, Token(two_)), "TOKEN_KEY_UNKNOWN");
  EXPECT_EQ(fetches_, 1);
  clock_.Advance(absl::Seconds(10));
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(Reason(verifier, Token(two_)), "TOKEN_KEY_UNKNOWN");
  EXPECT_EQ(fetches_, 2);
}

TEST_F(JwtVerifierTest, AWrongSignatureOfAKnownKeyFetchesNothing) {
  document_ = Jwks({&one_});
  JwtVerifier verifier(Options(), clock_, Fetch());
  ASSERT_TRUE(verifier.Open().ok());
  clock_.Advance(absl::Minutes(1));
  EXPECT_EQ(Reason(verifier, TokenKey::Rsa("one").Sign({{"sub", "mallory"}})), "TOKEN_SIGNATURE");
  EXPECT_EQ(fetches_, 1);
}

TEST_F(JwtVerifierTest, KeepsTheOldKeysWhileTheIssuerIsDown) {
  document_ = Jwks({&one_});
  JwtVerifier verifier(Options(), clock_, Fetch());
  ASSERT_TRUE(verifier.Open().ok());
  for (const absl::StatusOr<std::string>& answer :
       {absl::StatusOr<std::string>(absl::UnavailableError("down")),
        absl::StatusOr<std::string>("<html>sorry</html>"),
        absl::StatusOr<std::string>("{\"keys\":[]}")}) {
    document_ = answer;
    clock_.Advance(absl::Hours(2));
    const int before = fetches_;
    EXPECT_EQ(Reason(verifier, Token(one_)), "");
    EXPECT_EQ(fetches_, before + 1);
  }
  document_ = Jwks({&two_});
  clock_.Advance(absl::Hours(2));
  EXPECT_EQ(Reason(verifier, Token(two_)), "");
}

TEST_F(JwtVerifierTest, WithoutKeysItSaysTryAgain) {
  JwtVerifier verifier(Options(), clock_, Fetch());
  ASSERT_TRUE(verifier.Open().ok());
  EXPECT_EQ(Reason(verifier, Token(one_)), "UNAVAILABLE");
  document_ = Jwks({&one_});
  clock_.Advance(absl::Seconds(10));
  EXPECT_EQ(Reason(verifier, Token(one_)), "");
}

TEST_F(JwtVerifierTest, CallsWaitForTheFetchUnderWay) {
  held_ = true;
  JwtVerifier verifier(Options(), clock_, Fetch());
  ASSERT_TRUE(verifier.Open().ok());
  std::vector<absl::Status> answers;
  for (int i = 0; i < 5; ++i) {
    verifier.Verify(Token(one_),
                    [&](absl::StatusOr<Claims> claims) { answers.push_back(claims.status()); });
  }
  EXPECT_TRUE(answers.empty());
  ASSERT_EQ(pending_.size(), 1);
  pending_[0](Jwks({&one_}));
  ASSERT_EQ(answers.size(), 5);
  for (const absl::Status& status : answers) EXPECT_TRUE(status.ok()) << status.ToString();
}

TEST_F(JwtVerifierTest, AnExpiredTokenIsRefusedThoughItsSignatureWasChecked) {
  document_ = Jwks({&one_});
  JwtVerifier verifier(Options(), clock_, Fetch());
  ASSERT_TRUE(verifier.Open().ok());
  const std::string token = Token(one_);
  EXPECT_EQ(Reason(verifier, token), "");
  clock_.Advance(absl::Hours(11));
  EXPECT_EQ(Reason(verifier, token), "TOKEN_EXPIRED");
}

TEST_F(JwtVerifierTest, AnotherSecretEndsTheTokensOfTheOld) {
  const std::string before(32, 'a');
  const std::string after(32, 'b');
  JwtOptions options = Options();
  options.jwks_url.clear();
  options.secret = base::Secret(before);
  JwtVerifier verifier(options, clock_, {});
  ASSERT_TRUE(verifier.Open().ok());
  const std::string token = Token(TokenKey::Secret(before));
  EXPECT_EQ(Reason(verifier, token), "");
  options.secret.Replace(after);  // a handle: the verifier's too
  EXPECT_EQ(Reason(verifier, token), "TOKEN_SIGNATURE");
  EXPECT_EQ(Reason(verifier, Token(TokenKey::Secret(after))), "");
}

TEST_F(JwtVerifierTest, AFileOfKeysIsReadAgain) {
  const test::TemporaryFolder folder;
  const std::string path = folder.File("keys.json");
  const auto write = [&](const std::string& text) { std::ofstream(path) << text; };
  JwtOptions options = Options();
  options.jwks_url.clear();
  options.keys_file = path;
  EXPECT_EQ(JwtVerifier(options, clock_, {}).Open().code(), absl::StatusCode::kInvalidArgument);
  write("neither");
  EXPECT_EQ(JwtVerifier(options, clock_, {}).Open().code(), absl::StatusCode::kInvalidArgument);
  write(one_.Pem());
  JwtVerifier verifier(options, clock_, {});
  ASSERT_TRUE(verifier.Open().ok());
  EXPECT_EQ(Reason(verifier, Token(one_)), "");
  write(Jwks({&two_}));
  clock_.Advance(absl::Seconds(10));
  EXPECT_EQ(Reason(verifier, Token(two_)), "");
  EXPECT_EQ(Reason(verifier, Token(one_)), "TOKEN_KEY_UNKNOWN");
}

}  // namespace
}  // namespace auth
