// Bodies of webhooks, as they are read once their signature is good: "slack", "github EVENT",
// "chat" (Google's) or "signed TIMESTAMP SIGNATURE", a line break, the body. No guess is a
// signature.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/webhooks/github_hooks.h"
#include "gateway/webhooks/google_chat_event.h"
#include "gateway/webhooks/signature.h"
#include "gateway/webhooks/slack_hooks.h"
#include "orchestrator/base/check.h"

namespace {

constexpr char kSecret[] = "fuzz secret";

void CheckChat(const std::string& body) {
  webhooks::SystemIdToken(body);
  const auto event = webhooks::ReadChatEvent(body);
  if (!event.ok()) {
    CHECK(absl::IsInvalidArgument(event.status())) << event.status().ToString();
  }
  // What people write is read as it is, too.
  for (const std::string& text : {body, event.ok() ? event->text : std::string()}) {
    const webhooks::ChatCommand command = webhooks::ReadChatCommand(text);
    CHECK(command.topic.size() <= 4 * webhooks::kTopicCharactersMax || !command.problem.empty());
  }
}

void CheckSignatures(const std::vector<std::string>& words, const std::string& body) {
  const std::string timestamp = words.size() > 1 ? words[1] : "";
  const std::string signature = words.size() > 2 ? words[2] : "";
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  using webhooks::SignatureCheck;
  if (webhooks::CheckSlackSignature(kSecret, timestamp, body, signature, now) ==
      SignatureCheck::kGood) {
    const std::string text = absl::StrCat("v0:", timestamp, ":", body);
    CHECK(absl::EqualsIgnoreCase(signature,
                                 absl::StrCat("v0=", webhooks::HmacSha256Hex(kSecret, text))));
  }
  if (webhooks::CheckGithubSignature(kSecret, body, signature) == SignatureCheck::kGood) {
    CHECK(absl::EqualsIgnoreCase(signature,
                                 absl::StrCat("sha256=", webhooks::HmacSha256Hex(kSecret, body))));
  }
  CHECK(webhooks::CheckGithubSignature("", body, signature) != SignatureCheck::kGood);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  const size_t line = std::min(input.find('\n'), input.size());
  const std::vector<std::string> words = absl::StrSplit(input.substr(0, line), ' ');
  const std::string body = line < input.size() ? input.substr(line + 1) : "";
  if (words[0] == "slack") {
    const auto press =
        webhooks::SlackHooks::ReadPress({.source = "slack", .id = "1", .body = body});
    if (press.has_value()) CHECK(!press->key.empty() && !press->user_id.empty());
  } else if (words[0] == "github") {
    const auto event =
        webhooks::ReadGithubEvent(words.size() > 1 ? words[1] : "", body, "acme/campaigns");
    if (event.has_value()) {
      const bool push = event->kind == webhooks::GithubEvent::Kind::kPush;
      CHECK(push ? !event->branch.empty() : event->pull_number > 0);
    }
  } else if (words[0] == "chat") {
    CheckChat(body);
  } else {
    CheckSignatures(words, body);
  }
  return 0;
}
