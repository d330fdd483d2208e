// Answers to people who pressed a button or typed a command, and replies in threads.
#include <utility>

#include "activities/connectors/slack/slack_answer.h"
#include "activities/connectors/slack/slack_classify.h"
#include "activities/connectors/slack/slack_client.h"
#include "activities/connectors/wire/text.h"

namespace slack {
namespace {

using wire::Json;

constexpr char kSlackHooks[] = "https://hooks.slack.com/";
constexpr size_t kTextBytesMax = 3'000;
constexpr int kRepliesMax = 200;
constexpr int kReplyPagesMax = 10;

// Somebody waits: less patience than for what nobody looks at.
const outbound::Vendor& SlackNow() {
  static const outbound::Vendor* const kVendor = new outbound::Vendor{.name = "slack",
                                                                      .timeout = absl::Seconds(3),
                                                                      .tries_max = 3,
                                                                      .limited_by_operation = true,
                                                                      .classify = Classify};
  return *kVendor;
}

// Answers to response_url are plain text.
const outbound::Vendor& SlackHooks() {
  static const outbound::Vendor* const kVendor = new outbound::Vendor{
      .name = "slack", .timeout = absl::Seconds(5), .tries_max = 3, .limited_by_operation = true};
  return *kVendor;
}

}  // namespace

base::Task<base::Outcome<User>> SlackClient::GetUser(std::string user_id,
                                                     outbound::CallContext context) {
  outbound::HttpRequest request;
  request.url = wire::Cat(MethodUrl("users.info"), "?user=", wire::PercentEncode(user_id));
  request.operation = "users.info";
  Authorize(request);
  base::Outcome<Json> answer = co_await Ask(outbound_, SlackNow(), request, std::move(context));
  if (!answer.ok()) co_return answer.failure();
  const Json& user = wire::At(*answer, "user");
  co_return User{.id = wire::StringAt(user, "id"),
                 .name = wire::StringAt(user, "name"),
                 .email = wire::StringAt(wire::At(user, "profile"), "email")};
}

base::Task<base::Outcome<base::Unit>> SlackClient::OpenView(std::string trigger_id,
                                                            std::string view_json,
                                                            outbound::CallContext context) {
  std::optional<Json> view = wire::ParseJson(view_json);
  if (!view.has_value() || !view->is_object()) {
    co_return base::Failure::Permanent("InvalidRequest", "slack: view_json is no JSON object");
  }
  const Json body = {{"trigger_id", trigger_id}, {"view", std::move(*view)}};
  outbound::HttpRequest request =
      wire::JsonRequest("POST", MethodUrl("views.open"), body, "views.open");
  Authorize(request);
  base::Outcome<Json> answer = co_await Ask(outbound_, SlackNow(), request, std::move(context));
  if (!answer.ok()) co_return answer.failure();
  co_return base::Unit{};
}

base::Task<base::Outcome<base::Unit>> SlackClient::PostEphemeral(std::string channel,
                                                                 std::string user, std::string text,
                                                                 outbound::CallContext context) {
  const Json body = {{"channel", channel},
                     {"user", std::move(user)},
                     {"text", wire::Truncate(text, kTextBytesMax)}};
  outbound::HttpRequest request =
      wire::JsonRequest("POST", MethodUrl("chat.postEphemeral"), body, "chat.postEphemeral");
  request.limit_scope = channel;
  Authorize(request);
  base::Outcome<Json> answer = co_await Ask(outbound_, SlackNow(), request, std::move(context));
  if (!answer.ok()) co_return answer.failure();
  co_return base::Unit{};
}

base::Task<base::Outcome<base::Unit>> SlackClient::Respond(std::string response_url,
                                                           std::string text,
                                                           outbound::CallContext context) {
  const std::string own(wire::OriginOf(options_.base_url));
  const bool known = response_url.starts_with(kSlackHooks) || response_url.starts_with(own + "/");
  if (!known) {
    co_return base::Failure::Permanent("InvalidRequest",
                                       "slack: the response_url is not an address of Slack");
  }
  const Json body = {{"response_type", "ephemeral"},
                     {"replace_original", false},
                     {"text", wire::Truncate(text, kTextBytesMax)}};
  outbound::HttpRequest request =
      wire::JsonRequest("POST", std::move(response_url), body, "response_url");
  base::Outcome<outbound::HttpResponse> response =
      co_await outbound_.Call(SlackHooks(), request, std::move(context));
  if (!response.ok()) co_return response.failure();
  co_return wire::Expect2xx("slack", request, *response);
}

base::Task<base::Outcome<std::optional<Posted>>> SlackClient::FindReply(
    Message message, outbound::CallContext context) {
  const std::string query = wire::Cat("?channel=", wire::PercentEncode(message.channel),
                                      "&ts=", wire::PercentEncode(message.thread_ts),
                                      "&include_all_metadata=true&limit=", kRepliesMax);
  co_return co_await FindMarked(
      SlackNow(), "conversations.replies", query, message.channel, message.marker, kReplyPagesMax,
      wire::Cat("too many replies in a thread of ", message.channel), std::move(context));
}

}  // namespace slack
