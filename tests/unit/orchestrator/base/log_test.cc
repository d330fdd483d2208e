// Log lines as they are written, and secrets that never are.
#include "orchestrator/base/log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/retired_secrets.h"
#include "orchestrator/base/secret.h"

namespace base {
namespace {

std::string Captured(const std::function<void()>& log) {
  SetLogLevel(LogLevel::kInfo);
  ::testing::internal::CaptureStderr();
  log();
  return ::testing::internal::GetCapturedStderr();
}

TEST(Log, IsOneJsonObjectALine) {
  const std::string text = Captured([] {
    Log(LogLevel::kWarning, "two\nlines", {.workflow_id = "w", .correlation_id = "c"},
        {{"attempt", 2}, {"seconds", 0.5}, {"late", true}, {"why", "\xff"}});
  });
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  const nlohmann::json line = nlohmann::json::parse(text);
  EXPECT_EQ(line["level"], "warning");
  EXPECT_EQ(line["message"], "two\nlines");
  EXPECT_EQ(line["workflow_id"], "w");
  EXPECT_EQ(line["correlation_id"], "c");
  EXPECT_FALSE(line.contains("run_id")) << "empty fields are left out";
  EXPECT_EQ(line["extra"]["attempt"], 2);
  EXPECT_EQ(line["extra"]["late"], true);
  EXPECT_EQ(line["timestamp"].get<std::string>().back(), 'Z');
}

TEST(Log, LinesBelowTheLevelAreDropped) {
  EXPECT_EQ(Captured([] { Log(LogLevel::kDebug, "detail"); }), "");
}

TEST(Log, SecretsAreRedactedWhereverTheyAppear) {
  RegisterSecret("xoxb-very-secret");
  const std::string text = Captured([] {
    Log(LogLevel::kInfo, "sent xoxb-very-secret", {.workflow_id = "xoxb-very-secret"},
        {{"header", "Bearer xoxb-very-secret"}});
  });
  EXPECT_EQ(text.find("very-secret"), std::string::npos) << text;
  EXPECT_NE(text.find("Bearer [redacted]"), std::string::npos) << text;
}

TEST(Log, ASecretThatJsonEscapesIsRedactedToo) {
  RegisterSecret("pass\"word\\1");
  const std::string text = Captured([] { Log(LogLevel::kInfo, "used pass\"word\\1 here"); });
  EXPECT_EQ(text.find("word"), std::string::npos) << text;
}

TEST(Redact, ASecretThatBeginsWithAnotherIsGoneWhole) {
  RegisterSecret("token-abc");
  RegisterSecret("token-abc-and-more");
  EXPECT_EQ(Redact("x token-abc-and-more y token-abc"), "x [redacted] y [redacted]");
}

TEST(Redact, OfReplacedSecretsTheNewestAreRedactedStill) {
  Secret token("hourly-token-0");
  const Secret other("hourly-token-1");  // the same value in another hand
  for (size_t hour = 1; hour <= kRetiredSecretsMax + 1; ++hour) {
    token.Replace(absl::StrCat("hourly-token-", hour));
  }
  const std::string now = token.value();
  EXPECT_EQ(Redact(now), "[redacted]");
  EXPECT_EQ(Redact("hourly-token-2"), "[redacted]");
  EXPECT_EQ(Redact("hourly-token-0"), "[redacted]") << "retired, but not too long ago";
  token.Replace("hourly-token-last");
  EXPECT_EQ(Redact("hourly-token-1"), "[redacted]") << "it is held still";
  for (size_t i = 0; i < kRetiredSecretsMax; ++i) token.Replace(absl::StrCat("later-token-", i));
  EXPECT_EQ(Redact("hourly-token-0"), "hourly-token-0")
      << "forgotten: lines are not searched for it";
  EXPECT_EQ(Redact("hourly-token-1"), "[redacted]") << "it is held still";
}

TEST(Redact, ShortValuesAreNoSecrets) {
  RegisterSecret("abc");
  EXPECT_EQ(Redact("abc"), "abc");
}

TEST(ParseLogLevel, KnowsTheNamesOfTheSettings) {
  LogLevel level = LogLevel::kInfo;
  EXPECT_TRUE(ParseLogLevel("warning", &level));
  EXPECT_EQ(level, LogLevel::kWarning);
  EXPECT_FALSE(ParseLogLevel("WARN", &level));
}

}  // namespace
}  // namespace base
