// People who use Slack: they press the buttons of messages, fill dialogs in, and type commands.
// Slack then calls the app (hooks.h).
// Thread-safety: externally synchronised (the server's one thread).
//
// Example:
//   SlackPeople people(store);
//   Response response = people.Press({{"workflow_id", "wf-1"}, {"action", "approve"},
//                                     {"user", {{"id", "U0REVIEWER1"}, {"name", "ann"}}}}, origin);
#pragma once

#include <string>

#include "tests/sandbox/http.h"
#include "tests/sandbox/json.h"
#include "tests/sandbox/store.h"

namespace sandbox {

class SlackPeople {
 public:
  explicit SlackPeople(Store& store) : store_(store) {}

  // {"workflow_id" or "channel" and "ts", "action": approve | reject | an action_id, "user"}.
  // A message whose buttons are gone can be pressed as well, as by somebody who looks at an old
  // one. 202 {"delivery_id", "trigger_id"}.
  Response Press(const Json& body, const std::string& origin);
  // {"view_id" (default: the newest), "values": {block_id: text}}.
  Response Submit(const Json& body);
  // {"command": "/campaign", "text": "status", "user"}.
  Response Command(const Json& body, const std::string& origin);

 private:
  Resource* FindMessage(const Json& body);
  std::string MakeTrigger(const std::string& user_id);
  std::string MakeResponseUrl(const std::string& origin, const std::string& user_id,
                              const std::string& message_id);

  Store& store_;
};

// Of a trigger_id and a response_url, as Slack has them.
inline constexpr int64_t kTriggerLifeMs = 3'000;
inline constexpr int64_t kResponseUrlLifeMs = 30 * 60 * 1'000;
inline constexpr int64_t kResponseUrlUsesMax = 5;

}  // namespace sandbox
