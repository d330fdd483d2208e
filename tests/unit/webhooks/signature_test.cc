// The vectors that Slack and GitHub publish (vendor-apis.md sections 5 and 6), and what is not
// them.
#include "gateway/webhooks/signature.h"

#include <gtest/gtest.h>

namespace webhooks {
namespace {

constexpr char kSlackSecret[] = "8f742231b10e8888abcd99yyyzzz85a5";
constexpr char kSlackTime[] = "1531420618";
constexpr char kSlackBody[] =
    "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
    "&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&"
    "response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIG"
    "lgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
constexpr char kSlackSignature[] =
    "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
const absl::Time kSlackNow = absl::FromUnixSeconds(1531420618);

SignatureCheck Slack(const std::string& timestamp, const std::string& body,
                     const std::string& signature, absl::Time now = kSlackNow,
                     const std::string& secret = kSlackSecret) {
  return CheckSlackSignature(secret, timestamp, body, signature, now);
}

TEST(SlackSignature, TakesThePublishedVector) {
  EXPECT_EQ(Slack(kSlackTime, kSlackBody, kSlackSignature), SignatureCheck::kGood);
}

TEST(SlackSignature, RefusesAnotherBodySecretTimeOrVersion) {
  EXPECT_EQ(Slack(kSlackTime, std::string(kSlackBody) + "x", kSlackSignature),
            SignatureCheck::kWrong);
  EXPECT_EQ(Slack(kSlackTime, kSlackBody, kSlackSignature, kSlackNow, "another"),
            SignatureCheck::kWrong);
  EXPECT_EQ(Slack("1531420619", kSlackBody, kSlackSignature), SignatureCheck::kWrong);
  std::string flipped = kSlackSignature;
  flipped.back() = '4';
  EXPECT_EQ(Slack(kSlackTime, kSlackBody, flipped), SignatureCheck::kWrong);
  EXPECT_EQ(Slack(kSlackTime, kSlackBody, std::string(kSlackSignature).substr(0, 40)),
            SignatureCheck::kWrong);
  EXPECT_EQ(Slack(kSlackTime, kSlackBody, "v1" + std::string(kSlackSignature).substr(2)),
            SignatureCheck::kMissing);
}

TEST(SlackSignature, ItsWindowIsFiveMinutesBothWays) {
  const auto at = [](absl::Duration after) {
    return Slack(kSlackTime, kSlackBody, kSlackSignature, kSlackNow + after);
  };
  EXPECT_EQ(at(absl::Minutes(5)), SignatureCheck::kGood);
  EXPECT_EQ(at(absl::Minutes(-5)), SignatureCheck::kGood);
  EXPECT_EQ(at(absl::Seconds(301)), SignatureCheck::kStale);
  EXPECT_EQ(at(absl::Seconds(-301)), SignatureCheck::kStale);
}

TEST(SlackSignature, MissingPartsAreSaid) {
  EXPECT_EQ(Slack("", kSlackBody, kSlackSignature), SignatureCheck::kMissing);
  EXPECT_EQ(Slack(kSlackTime, kSlackBody, ""), SignatureCheck::kMissing);
  EXPECT_EQ(Slack("-1531420618", kSlackBody, kSlackSignature), SignatureCheck::kMissing);
  EXPECT_EQ(Slack("99999999999999999999", kSlackBody, kSlackSignature), SignatureCheck::kMissing);
}

TEST(SlackSignature, AnEmptySecretFitsNothing) {
  const std::string signature =
      "v0=" + HmacSha256Hex("", std::string("v0:") + kSlackTime + ":" + kSlackBody);
  EXPECT_EQ(Slack(kSlackTime, kSlackBody, signature, kSlackNow, ""), SignatureCheck::kWrong);
}

TEST(GithubSignature, TakesThePublishedVector) {
  const char* const secret = "It's a Secret to Everybody";
  const std::string signature =
      "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
  EXPECT_EQ(CheckGithubSignature(secret, "Hello, World!", signature), SignatureCheck::kGood);
  EXPECT_EQ(CheckGithubSignature(secret, "Hello, World?", signature), SignatureCheck::kWrong);
  EXPECT_EQ(CheckGithubSignature("another", "Hello, World!", signature), SignatureCheck::kWrong);
  EXPECT_EQ(CheckGithubSignature(secret, "Hello, World!", signature.substr(0, 20)),
            SignatureCheck::kWrong);
  EXPECT_EQ(CheckGithubSignature(secret, "Hello, World!", ""), SignatureCheck::kMissing);
  EXPECT_EQ(CheckGithubSignature(secret, "Hello, World!", "sha1=757107ea0e"),
            SignatureCheck::kMissing);
  EXPECT_EQ(CheckGithubSignature("", "x", "sha256=" + HmacSha256Hex("", "x")),
            SignatureCheck::kWrong);
}

}  // namespace
}  // namespace webhooks
