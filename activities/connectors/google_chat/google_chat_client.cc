#include "activities/connectors/google_chat/google_chat_client.h"

#include <optional>
#include <utility>

#include "activities/connectors/google_chat/service_account.h"
#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"

namespace google_chat {
namespace {

using wire::Json;

constexpr char kScope[] = "https://www.googleapis.com/auth/chat.bot";
// What an assertion is for, wherever the token is asked for.
constexpr char kTokenAudience[] = "https://oauth2.googleapis.com/token";
// A token is not used until its very end.
constexpr absl::Duration kTokenMargin = absl::Minutes(1);
constexpr size_t kTextBytesMax = 4'000;

const outbound::Vendor& GoogleChat() {
  static const outbound::Vendor* const kVendor = new outbound::Vendor{
      .name = "google_chat", .timeout = absl::Seconds(15), .classify = wire::ClassifyJson};
  return *kVendor;
}

base::Outcome<Json> BodyOf(const std::string& text, const std::string& cards_json) {
  Json body = {{"text", wire::Truncate(text, kTextBytesMax)}, {"cardsV2", Json::array()}};
  if (!cards_json.empty()) {
    std::optional<Json> cards = wire::ParseJson(cards_json);
    if (!cards.has_value() || !cards->is_array()) {
      return base::Failure::Permanent("InvalidRequest", "google_chat: cards are no JSON array");
    }
    body["cardsV2"] = std::move(*cards);
  }
  return body;
}

}  // namespace

GoogleChatClient::GoogleChatClient(outbound::Outbound& outbound, base::Clock& clock,
                                   Options options)
    : outbound_(outbound), clock_(clock), options_(std::move(options)) {}

base::Task<base::Outcome<std::string>> GoogleChatClient::AccessToken(
    outbound::CallContext context) {
  const std::string key_file = options_.service_account.value();
  const absl::Time now = clock_.Now();
  if (!token_.empty() && token_of_ == key_file && now < token_until_) co_return token_.value();
  const base::Outcome<ServiceAccount> account = ParseServiceAccount(key_file);
  if (!account.ok()) co_return account.failure();
  base::Outcome<std::string> assertion = SignAssertion(*account, kScope, kTokenAudience, now);
  if (!assertion.ok()) co_return assertion.failure();
  outbound::HttpRequest request;
  request.method = "POST";
  request.url = options_.token_url;
  request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded");
  request.body =
      wire::Cat("grant_type=", wire::PercentEncode("urn:ietf:params:oauth:grant-type:jwt-bearer"),
                "&assertion=", *assertion);
  request.operation = "token";
  base::Outcome<outbound::HttpResponse> response =
      co_await outbound_.Call(GoogleChat(), request, std::move(context));
  if (!response.ok()) co_return response.failure();
  base::Outcome<Json> answer = wire::BodyOf("google_chat", request, *response);
  if (!answer.ok()) co_return answer.failure();
  const std::string token = wire::StringAt(*answer, "access_token");
  if (token.empty()) co_return wire::Malformed("google_chat", request.operation, false);
  token_.Replace(token);
  token_of_ = key_file;
  token_until_ = now + absl::Seconds(wire::IntAt(*answer, "expires_in")) - kTokenMargin;
  co_return token;
}

base::Task<base::Outcome<outbound::HttpResponse>> GoogleChatClient::Send(
    outbound::HttpRequest request, std::string space, outbound::CallContext context) {
  base::Outcome<std::string> token = co_await AccessToken(context);
  if (!token.ok()) co_return token.failure();
  request.headers.emplace_back("Authorization", wire::Cat("Bearer ", *token));
  request.limit_scope = std::move(space);
  base::Outcome<outbound::HttpResponse> response =
      co_await outbound_.Call(GoogleChat(), std::move(request), std::move(context));
  // Taken back before its time: the next call asks for another one.
  if (!response.ok() && response.failure().type == "Unauthorized") token_.Replace("");
  co_return response;
}

base::Task<base::Outcome<Posted>> GoogleChatClient::CreateMessage(Message message,
                                                                  outbound::CallContext context) {
  base::Outcome<Json> body = BodyOf(message.text, message.cards_json);
  if (!body.ok()) co_return body.failure();
  std::string url =
      wire::JoinUrl(options_.base_url, wire::Cat("/v1/", message.space, "/messages?requestId=",
                                                 wire::PercentEncode(message.request_id)));
  if (!message.thread.empty()) {
    (*body)["thread"] = {{"name", message.thread}};
    url += "&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD";
  }
  // Repeatable: the same requestId gives the message that it made.
  outbound::HttpRequest request =
      wire::JsonRequest("POST", std::move(url), *body, "messages.create");
  if (request.body.size() > kMessageBytesMax) {
    co_return base::Failure::Permanent(
        "MessageTooLong", wire::Cat("google_chat: the message has ", request.body.size(),
                                    " bytes (limit ", kMessageBytesMax, ")"));
  }
  base::Outcome<outbound::HttpResponse> response =
      co_await Send(request, message.space, std::move(context));
  if (!response.ok()) co_return response.failure();
  base::Outcome<Json> answer = wire::BodyOf("google_chat", request, *response);
  if (!answer.ok()) co_return answer.failure();
  Posted posted{.name = wire::StringAt(*answer, "name"),
                .thread = wire::StringAt(wire::At(*answer, "thread"), "name")};
  if (posted.name.empty()) co_return wire::Malformed("google_chat", request.operation, false);
  co_return posted;
}

base::Task<base::Outcome<bool>> GoogleChatClient::UpdateMessage(std::string name, std::string text,
                                                                std::string cards_json,
                                                                outbound::CallContext context) {
  base::Outcome<Json> body = BodyOf(text, cards_json);
  if (!body.ok()) co_return body.failure();
  outbound::HttpRequest request = wire::JsonRequest(
      "PATCH",
      wire::JoinUrl(options_.base_url, wire::Cat("/v1/", name, "?updateMask=text,cardsV2")), *body,
      "messages.patch");
  base::Outcome<outbound::HttpResponse> response =
      co_await Send(request, name.substr(0, name.find("/messages/")), std::move(context));
  if (!response.ok()) co_return response.failure();
  if (response->status == 404) co_return false;
  const base::Done done = wire::Expect2xx("google_chat", request, *response);
  if (!done.ok()) co_return done.failure();
  co_return true;
}

base::Task<base::Outcome<bool>> GoogleChatClient::DeleteMessage(std::string name,
                                                                outbound::CallContext context) {
  outbound::HttpRequest request;
  request.method = "DELETE";
  request.url = wire::JoinUrl(options_.base_url, wire::Cat("/v1/", name));
  request.operation = "messages.delete";
  base::Outcome<outbound::HttpResponse> response =
      co_await Send(request, name.substr(0, name.find("/messages/")), std::move(context));
  if (!response.ok()) co_return response.failure();
  if (response->status == 404) co_return false;
  const base::Done done = wire::Expect2xx("google_chat", request, *response);
  if (!done.ok()) co_return done.failure();
  co_return true;
}

}  // namespace google_chat
