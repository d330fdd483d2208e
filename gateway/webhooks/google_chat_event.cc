#include "gateway/webhooks/google_chat_event.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "activities/campaign/names.h"
#include "activities/connectors/wire/json.h"
#include "gateway/grpc/validate.h"

namespace webhooks {
namespace {

using wire::Json;

constexpr size_t kParametersMax = 50;
constexpr size_t kIdBytesMax = 255;

ChatEvent::Type TypeOf(const std::string& type) {
  if (type == "MESSAGE") return ChatEvent::Type::kMessage;
  if (type == "CARD_CLICKED") return ChatEvent::Type::kCardClicked;
  if (type == "ADDED_TO_SPACE") return ChatEvent::Type::kAdded;
  return ChatEvent::Type::kOther;
}

// Both forms that Chat has: [{"key","value"}] and {"key": "value"}.
void ReadParameters(const Json& from, std::map<std::string, std::string>* to) {
  if (from.is_array()) {
    for (const Json& pair : from) {
      if (to->size() < kParametersMax)
        (*to)[wire::StringAt(pair, "key")] = wire::StringAt(pair, "value");
    }
  } else if (from.is_object()) {
    for (const auto& [key, value] : from.items()) {
      if (value.is_string() && to->size() < kParametersMax) (*to)[key] = value.get<std::string>();
    }
  }
}

void ReadInputs(const Json& from, std::map<std::string, std::string>* to) {
  if (!from.is_object()) return;
  for (const auto& [name, input] : from.items()) {
    const Json& values = wire::At(wire::At(input, "stringInputs"), "value");
    if (values.is_array() && !values.empty() && values[0].is_string() &&
        to->size() < kParametersMax) {
      (*to)[name] = values[0].get<std::string>();
    }
  }
}

// Takes the word from the front; false, and nothing taken, when another one stands there.
bool TakeWord(std::vector<std::string>* words, std::initializer_list<absl::string_view> any) {
  for (const absl::string_view word : any) {
    if (words->empty() || !absl::EqualsIgnoreCase(words->front(), word)) continue;
    words->erase(words->begin());
    return true;
  }
  return false;
}

std::string Joined(const std::vector<std::string>& words, size_t from, size_t to) {
  std::string text;
  for (size_t i = from; i < to; ++i) absl::StrAppend(&text, text.empty() ? "" : " ", words[i]);
  return text;
}

void CheckLength(const char* what, const std::string& text, size_t most, std::string* problem) {
  const int64_t characters = gateway::CountCharacters(text);
  if (characters >= 0 && characters <= static_cast<int64_t>(most)) return;
  absl::StrAppend(problem, problem->empty() ? "" : " ", "The ", what, " may have at most ", most,
                  " characters.");
}

// What follows "about": the topic, and behind its last "for" the audience.
void ReadTopic(const std::vector<std::string>& words, ChatCommand* command) {
  size_t end = words.size();
  for (size_t i = words.size(); i > 1; --i) {
    if (!absl::EqualsIgnoreCase(words[i - 1], "for") || i == words.size()) continue;
    end = i - 1;
    command->audience = Joined(words, i, words.size());
    break;
  }
  command->topic = Joined(words, 0, end);
  if (command->topic.empty()) command->problem = "Please say what it is about.";
  CheckLength("topic", command->topic, kTopicCharactersMax, &command->problem);
  CheckLength("audience", command->audience, kAudienceCharactersMax, &command->problem);
}

}  // namespace

absl::StatusOr<ChatEvent> ReadChatEvent(const std::string& body) {
  const std::optional<Json> json = wire::ParseJson(body);
  if (!json.has_value() || !json->is_object() || wire::StringAt(*json, "type").empty()) {
    return absl::InvalidArgumentError("the body is no event of Google Chat");
  }
  const Json& message = wire::At(*json, "message");
  const Json& user = wire::At(*json, "user");
  const Json& common = wire::At(*json, "common");
  const Json& action = wire::At(*json, "action");
  ChatEvent event{.type = TypeOf(wire::StringAt(*json, "type")),
                  .time = wire::StringAt(*json, "eventTime"),
                  .space = wire::StringAt(wire::At(*json, "space"), "name"),
                  .thread = wire::StringAt(wire::At(message, "thread"), "name"),
                  .message = wire::StringAt(message, "name"),
                  .text = wire::StringAt(message, "argumentText"),
                  .email = absl::AsciiStrToLower(wire::StringAt(user, "email")),
                  .name = campaign::CleanLine(wire::StringAt(user, "displayName"), 100),
                  .function = wire::StringAt(common, "invokedFunction"),
                  .dialog = wire::BoolAt(*json, "isDialogEvent")};
  if (event.text.empty()) event.text = wire::StringAt(message, "text");
  if (event.function.empty()) event.function = wire::StringAt(action, "actionMethodName");
  ReadParameters(wire::At(action, "parameters"), &event.parameters);
  ReadParameters(wire::At(common, "parameters"), &event.parameters);
  ReadInputs(wire::At(common, "formInputs"), &event.inputs);
  return event;
}

std::string SystemIdToken(const std::string& body) {
  const std::optional<Json> json = wire::ParseJson(body);
  if (!json.has_value()) return "";
  return wire::StringAt(wire::At(*json, "authorizationEventObject"), "systemIdToken");
}

ChatCommand ReadChatCommand(const std::string& text) {
  std::vector<std::string> words =
      absl::StrSplit(text, absl::ByAnyChar(" \t\r\n"), absl::SkipEmpty());
  ChatCommand command;
  if (words.empty()) {
    command.kind = ChatCommand::Kind::kHelp;
    return command;
  }
  if (words[0][0] == '/') words[0].erase(0, 1);  // a slash command by its name
  if (words.size() == 1 && TakeWord(&words, {"help", "?", "hello", "hi"})) {
    command.kind = ChatCommand::Kind::kHelp;
  } else if (words.size() == 1 && TakeWord(&words, {"ping"})) {
    command.kind = ChatCommand::Kind::kPing;
  } else if (words.size() <= 2 && TakeWord(&words, {"status"})) {
    command.kind = ChatCommand::Kind::kStatus;
    if (!words.empty()) command.id = words[0].substr(0, kIdBytesMax);
  } else {
    TakeWord(&words, {"please"});
    if (!TakeWord(&words, {"start", "create", "draft", "launch", "make", "write"})) return command;
    TakeWord(&words, {"a", "an", "the", "new"});
    TakeWord(&words, {"new"});
    const bool post = TakeWord(&words, {"post"});
    if (!post && !TakeWord(&words, {"campaign"})) return command;
    if (!TakeWord(&words, {"about", "on"})) {
      command.problem = "Please say what it is about.";
    }
    command.kind = post ? ChatCommand::Kind::kPost : ChatCommand::Kind::kStart;
    if (command.problem.empty()) ReadTopic(words, &command);
  }
  return command;
}

}  // namespace webhooks
