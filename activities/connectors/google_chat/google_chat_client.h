// Google Chat: messages and cards of our app in spaces, as the app (service account). A message is
// made once for a request id, which Google itself keeps to; what was made is changed or deleted by
// its name.
//
// Thread-safety: loop thread only.
//
// Example:
//   google_chat::GoogleChatClient chat(outbound, clock, {.service_account = key_file});
//   base::Outcome<google_chat::Posted> posted = co_await chat.CreateMessage(
//       {.space = "spaces/AAA", .text = "Ready", .cards_json = cards, .request_id = uuid},
//       context);
#pragma once

#include <string>

#include "absl/time/time.h"
#include "activities/outbound/call.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/secret.h"
#include "orchestrator/base/task.h"

namespace google_chat {

inline constexpr size_t kMessageBytesMax = 32'000;

struct Message {
  std::string space;       // "spaces/AAAA"
  std::string thread;      // "spaces/AAAA/threads/BBBB"; empty: a new thread
  std::string text;        // may be empty when there are cards
  std::string cards_json;  // an array of cardsV2, or empty
  // A UUID (wire::UuidOf): the same one is the same message, whenever it is sent.
  std::string request_id;
};

struct Posted {
  std::string name;    // "spaces/AAAA/messages/CCCC"
  std::string thread;  // its name
};

class GoogleChatClient {
 public:
  struct Options {
    std::string base_url = "https://chat.googleapis.com";
    std::string token_url = "https://oauth2.googleapis.com/token";
    base::Secret service_account;  // the JSON key file's text
  };
  // `clock` outlives it.
  GoogleChatClient(outbound::Outbound& outbound, base::Clock& clock, Options options);

  // Safe to repeat: an answer that was lost is given again. Failures besides the vendor's:
  // "InvalidKeyFile", "MessageTooLong" (both permanent).
  base::Task<base::Outcome<Posted>> CreateMessage(Message message, outbound::CallContext context);
  // Replaces text and cards; false when the message is gone. Safe to repeat.
  base::Task<base::Outcome<bool>> UpdateMessage(std::string name, std::string text,
                                                std::string cards_json,
                                                outbound::CallContext context);
  // True when it was deleted, false when it was already gone.
  base::Task<base::Outcome<bool>> DeleteMessage(std::string name, outbound::CallContext context);

 private:
  base::Task<base::Outcome<std::string>> AccessToken(outbound::CallContext context);
  base::Task<base::Outcome<outbound::HttpResponse>> Send(outbound::HttpRequest request,
                                                         std::string space,
                                                         outbound::CallContext context);

  outbound::Outbound& outbound_;
  base::Clock& clock_;
  const Options options_;
  // The token that was got with the key file `token_of_`.
  base::Secret token_;
  std::string token_of_;
  absl::Time token_until_ = absl::InfinitePast();
};

}  // namespace google_chat
