// Slack: one message per marker, brought up to date later, deleted on undo. Slack knows no
// idempotency keys, so a message carries its marker in metadata.event_payload and is looked for in
// the channel's history before it could be posted twice.
//
// Thread-safety: loop thread only.
//
// Example:
//   slack::SlackClient slack(outbound, {.token = bot_token});
//   base::Outcome<slack::Posted> posted = co_await slack.EnsureMessage(
//       {.channel = "C012", .text = text, .blocks_json = slack::ReviewBlocks(review),
//        .marker = workflow_id, .since = started_at}, /*first_try=*/attempt == 1, context);
#pragma once

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "activities/outbound/call.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/secret.h"
#include "orchestrator/base/task.h"

namespace slack {

struct Message {
  std::string channel;      // id: "C012AB3CD"
  std::string text;         // for notifications, and where blocks cannot be shown; escaped mrkdwn
  std::string blocks_json;  // an array, or empty
  std::string marker;       // what makes it this message: the workflow id
  absl::Time since;         // not later than the first try to post it
  std::string thread_ts;    // of the message that it answers, or empty
};

// A member of the workspace.
struct User {
  std::string id;
  std::string name;   // "ann"
  std::string email;  // "" without the scope users:read.email
};

// A message's identity. `ts` is Slack's: a string, never a number.
struct Posted {
  std::string channel;
  std::string ts;
  bool created = false;  // false: it was there already
};

class SlackClient {
 public:
  struct Options {
    std::string base_url = "https://slack.com/api";
    base::Secret token;  // xoxb-...; scopes chat:write, channels:history, users:read
  };
  SlackClient(outbound::Outbound& outbound, Options options);

  // Posts the message unless its marker is in the channel's history since `since`. On the first
  // try of all (`first_try`) it posts without looking; whenever a post's outcome is unknown it
  // looks before it posts again. Failures: the vendor's ("SlackRefused", "Unauthorized", ...), or
  // "LookupIncomplete" when the history is too long to read.
  base::Task<base::Outcome<Posted>> EnsureMessage(Message message, bool first_try,
                                                  outbound::CallContext context);
  // Our message with the marker, or nothing.
  base::Task<base::Outcome<std::optional<Posted>>> FindMessage(std::string channel,
                                                               std::string marker, absl::Time since,
                                                               outbound::CallContext context);
  // Replaces text and blocks; false when the message is gone. Safe to repeat.
  base::Task<base::Outcome<bool>> UpdateMessage(std::string channel, std::string ts,
                                                std::string text, std::string blocks_json,
                                                outbound::CallContext context);
  // True when it was deleted, false when it was already gone.
  base::Task<base::Outcome<bool>> DeleteMessage(std::string channel, std::string ts,
                                                outbound::CallContext context);

  // For those who press buttons (slack_people.cc).
  // Scope users:read, and users:read.email for the address.
  base::Task<base::Outcome<User>> GetUser(std::string user_id, outbound::CallContext context);
  // Opens a dialog for the one who pressed: `view_json` is a view. A trigger is good for 3 seconds
  // and one dialog; later it is a permanent "SlackRefused".
  base::Task<base::Outcome<base::Unit>> OpenView(std::string trigger_id, std::string view_json,
                                                 outbound::CallContext context);
  // Says something that only `user` sees. May be said twice.
  base::Task<base::Outcome<base::Unit>> PostEphemeral(std::string channel, std::string user,
                                                      std::string text,
                                                      outbound::CallContext context);
  // The same by the address that came with a press: good for 30 minutes and 5 answers. Permanent
  // "InvalidRequest" for an address that is not Slack's (or that of `base_url`).
  base::Task<base::Outcome<base::Unit>> Respond(std::string response_url, std::string text,
                                                outbound::CallContext context);

 private:
  // The message with the marker among those that `method` gives, page by page; `too_many` says why
  // there may be one beyond `pages_max` of them.
  base::Task<base::Outcome<std::optional<Posted>>> FindMarked(
      const outbound::Vendor& vendor, std::string method, std::string query, std::string channel,
      std::string marker, int pages_max, std::string too_many, outbound::CallContext context);
  // False when the message is gone.
  base::Task<base::Outcome<bool>> ChangeMessage(outbound::HttpRequest request,
                                                outbound::CallContext context);
  // The reply with the marker among those of the thread.
  base::Task<base::Outcome<std::optional<Posted>>> FindReply(Message message,
                                                             outbound::CallContext context);
  base::Task<base::Outcome<Posted>> Post(Message message, outbound::CallContext context);
  void Authorize(outbound::HttpRequest& request) const;
  std::string MethodUrl(std::string_view method) const;

  outbound::Outbound& outbound_;
  const Options options_;
};

}  // namespace slack
