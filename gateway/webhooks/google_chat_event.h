// Events of Google Chat as values: what happened, where, and by whom; and what a text asks for.
// Pure; thread-safe. Who sent it must have been proven before any of it is believed.
//
// Example:
//   ASSIGN_OR_RETURN(ChatEvent event, ReadChatEvent(request.body));
//   if (event.type == ChatEvent::Type::kMessage) Run(ReadChatCommand(event.text));
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"

namespace webhooks {

struct ChatEvent {
  enum class Type { kMessage, kCardClicked, kAdded, kOther };
  Type type = Type::kOther;
  std::string time;      // as Google wrote it
  std::string space;     // "spaces/AAAA"
  std::string thread;    // "spaces/AAAA/threads/BBBB"
  std::string message;   // that was written or clicked: "spaces/AAAA/messages/CCCC"
  std::string text;      // without the mention of the app
  std::string email;     // of the person, in lower case
  std::string name;      // of the person, for people
  std::string function;  // of the button
  std::map<std::string, std::string> parameters;
  std::map<std::string, std::string> inputs;  // of the dialog or the card's fields
  bool dialog = false;                        // a dialog may be answered with
};

// INVALID_ARGUMENT: it is no event of Chat.
absl::StatusOr<ChatEvent> ReadChatEvent(const std::string& body);

// The token that an add-on's event carries in its body; "" when there is none.
std::string SystemIdToken(const std::string& body);

struct ChatCommand {
  enum class Kind { kHelp, kPing, kStatus, kStart, kPost, kUnknown };
  Kind kind = Kind::kUnknown;
  std::string id;        // of kStatus; empty: all that wait
  std::string topic;     // of kStart and kPost
  std::string audience;  // what came after "for"; may be empty
  std::string problem;   // what is wrong with it, for people
};

inline constexpr size_t kTopicCharactersMax = 500;     // requirement R3
inline constexpr size_t kAudienceCharactersMax = 200;  // requirement R3

// "start a campaign about winter shoes for runners", "draft a post about ...", "status ID", ...
ChatCommand ReadChatCommand(const std::string& text);

}  // namespace webhooks
