#include "activities/connectors/slack/slack_client.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "activities/connectors/slack/slack_answer.h"
#include "activities/connectors/slack/slack_classify.h"
#include "activities/connectors/wire/json.h"
#include "activities/connectors/wire/text.h"
#include "orchestrator/base/log.h"

namespace slack {
namespace {

using wire::Json;

constexpr char kEventType[] = "campaign_message";
constexpr char kMarkerField[] = "marker";
constexpr int kEnsureRoundsMax = 4;
constexpr int kHistoryPageSize = 200;
constexpr int kHistoryPagesMax = 50;
// Slack stamps messages by its clock, `since` is by ours, which may be hours ahead: what is not
// found is posted a second time.
constexpr absl::Duration kClockSkew = absl::Hours(24);
constexpr size_t kPostTextBytesMax = 40'000;
constexpr size_t kUpdateTextBytesMax = 4'000;

const outbound::Vendor& Slack() {
  static const outbound::Vendor* const kVendor = new outbound::Vendor{.name = "slack",
                                                                      .timeout = absl::Seconds(15),
                                                                      .limited_by_operation = true,
                                                                      .classify = Classify};
  return *kVendor;
}

// Blocks as JSON; a failure when the caller's text is no JSON array.
base::Outcome<Json> BlocksOf(const std::string& blocks_json) {
  if (blocks_json.empty()) return Json::array();
  std::optional<Json> blocks = wire::ParseJson(blocks_json);
  if (!blocks.has_value() || !blocks->is_array()) {
    return base::Failure::Permanent("InvalidRequest", "slack: blocks_json is no JSON array");
  }
  return std::move(*blocks);
}

// "1767225600.000000": the form of Slack's timestamps.
std::string SlackTime(absl::Time time) {
  return absl::StrFormat("%d.000000", std::max<int64_t>(0, absl::ToUnixSeconds(time)));
}

}  // namespace

bool HasMarker(const Json& message, const std::string& marker) {
  const Json& metadata = wire::At(message, "metadata");
  return wire::StringAt(metadata, "event_type") == kEventType &&
         wire::StringAt(wire::At(metadata, "event_payload"), kMarkerField) == marker;
}

base::Outcome<Json> OkBody(const outbound::HttpRequest& request,
                           const outbound::HttpResponse& response) {
  base::Outcome<Json> body = wire::BodyOf("slack", request, response);
  if (body.ok() && !wire::BoolAt(*body, "ok")) {
    return base::Failure::Permanent(
        "SlackRefused",
        wire::Cat("slack ", request.operation, ": \"", wire::StringAt(*body, "error"), "\""));
  }
  return body;
}

base::Task<base::Outcome<Json>> Ask(outbound::Outbound& outbound, const outbound::Vendor& vendor,
                                    outbound::HttpRequest request, outbound::CallContext context) {
  base::Outcome<outbound::HttpResponse> response =
      co_await outbound.Call(vendor, request, std::move(context));
  if (!response.ok()) co_return response.failure();
  co_return OkBody(request, *response);
}

SlackClient::SlackClient(outbound::Outbound& outbound, Options options)
    : outbound_(outbound), options_(std::move(options)) {}

void SlackClient::Authorize(outbound::HttpRequest& request) const {
  request.headers.emplace_back("Authorization", wire::Cat("Bearer ", options_.token.value()));
}

std::string SlackClient::MethodUrl(std::string_view method) const {
  return wire::JoinUrl(options_.base_url, wire::Cat("/", method));
}

base::Task<base::Outcome<Posted>> SlackClient::EnsureMessage(Message message, bool first_try,
                                                             outbound::CallContext context) {
  bool look = !first_try;
  base::Failure unknown;
  for (int round = 0; round < kEnsureRoundsMax; ++round) {
    if (look) {
      base::Outcome<std::optional<Posted>> found = std::optional<Posted>();
      if (message.thread_ts.empty()) {
        found = co_await FindMessage(message.channel, message.marker, message.since, context);
      } else {
        found = co_await FindReply(message, context);
      }
      if (!found.ok()) {
        // The message may be there from an earlier post: that must not be forgotten.
        base::Failure failure = found.failure();
        failure.effect_unknown = true;
        co_return failure;
      }
      if (found->has_value()) co_return **found;
    }
    base::Outcome<Posted> posted = co_await Post(message, context);
    if (posted.ok() || !posted.failure().effect_unknown || posted.failure().is_canceled()) {
      co_return posted;
    }
    unknown = posted.failure();
    look = true;
  }
  co_return unknown;
}

base::Task<base::Outcome<Posted>> SlackClient::Post(Message message,
                                                    outbound::CallContext context) {
  base::Outcome<Json> blocks = BlocksOf(message.blocks_json);
  if (!blocks.ok()) co_return blocks.failure();
  Json body = {{"channel", message.channel},
               {"text", wire::Truncate(message.text, kPostTextBytesMax)},
               {"unfurl_links", false},
               {"metadata",
                {{"event_type", kEventType}, {"event_payload", {{kMarkerField, message.marker}}}}}};
  if (!blocks->empty()) body["blocks"] = *blocks;
  if (!message.thread_ts.empty()) body["thread_ts"] = message.thread_ts;
  outbound::HttpRequest request =
      wire::JsonRequest("POST", MethodUrl("chat.postMessage"), body, "chat.postMessage");
  request.repeat = outbound::Repeat::kUnsafe;
  request.limit_scope = message.channel;
  Authorize(request);
  base::Outcome<Json> answer = co_await Ask(outbound_, Slack(), request, std::move(context));
  if (!answer.ok()) co_return answer.failure();
  Posted posted{.channel = wire::StringAt(*answer, "channel"),
                .ts = wire::StringAt(*answer, "ts"),
                .created = true};
  if (posted.ts.empty()) co_return wire::Malformed("slack", request.operation, true);
  if (posted.channel.empty()) posted.channel = message.channel;
  co_return posted;
}

base::Task<base::Outcome<std::optional<Posted>>> SlackClient::FindMessage(
    std::string channel, std::string marker, absl::Time since, outbound::CallContext context) {
  const std::string query = wire::Cat("?channel=", wire::PercentEncode(channel),
                                      "&oldest=", SlackTime(since - kClockSkew),
                                      "&include_all_metadata=true&limit=", kHistoryPageSize);
  co_return co_await FindMarked(
      Slack(), "conversations.history", query, channel, marker, kHistoryPagesMax,
      wire::Cat("more than ", kHistoryPagesMax * kHistoryPageSize, " messages in ", channel,
                " since the message may have been posted; use a quieter channel"),
      std::move(context));
}

base::Task<base::Outcome<std::optional<Posted>>> SlackClient::FindMarked(
    const outbound::Vendor& vendor, std::string method, std::string query, std::string channel,
    std::string marker, int pages_max, std::string too_many, outbound::CallContext context) {
  std::string cursor;
  for (int page = 0; page < pages_max; ++page) {
    outbound::HttpRequest request;
    request.url = wire::Cat(MethodUrl(method), query,
                            cursor.empty() ? "" : "&cursor=", wire::PercentEncode(cursor));
    request.operation = method;
    Authorize(request);
    base::Outcome<Json> answer = co_await Ask(outbound_, vendor, request, context);
    if (!answer.ok()) co_return answer.failure();
    const Json& messages = wire::At(*answer, "messages");
    if (!messages.is_array()) co_return wire::Malformed("slack", request.operation, false);
    for (const Json& message : messages) {
      if (!HasMarker(message, marker)) continue;
      co_return std::optional<Posted>(
          Posted{.channel = channel, .ts = wire::StringAt(message, "ts")});
    }
    cursor = wire::StringAt(wire::At(*answer, "response_metadata"), "next_cursor");
    if (cursor.empty()) co_return std::optional<Posted>();
  }
  co_return base::Failure::Permanent("LookupIncomplete", wire::Cat("slack: ", too_many));
}

base::Task<base::Outcome<bool>> SlackClient::ChangeMessage(outbound::HttpRequest request,
                                                           outbound::CallContext context) {
  base::Outcome<outbound::HttpResponse> response =
      co_await outbound_.Call(Slack(), request, std::move(context));
  if (!response.ok()) co_return response.failure();
  if (IsMessageNotFound(*response)) co_return false;
  base::Outcome<Json> answer = OkBody(request, *response);
  if (!answer.ok()) co_return answer.failure();
  co_return true;
}

base::Task<base::Outcome<bool>> SlackClient::UpdateMessage(std::string channel, std::string ts,
                                                           std::string text,
                                                           std::string blocks_json,
                                                           outbound::CallContext context) {
  base::Outcome<Json> blocks = BlocksOf(blocks_json);
  if (!blocks.ok()) co_return blocks.failure();
  // An empty list takes the old blocks away.
  const Json body = {{"channel", channel},
                     {"ts", ts},
                     {"text", wire::Truncate(text, kUpdateTextBytesMax)},
                     {"blocks", *blocks}};
  outbound::HttpRequest request =
      wire::JsonRequest("POST", MethodUrl("chat.update"), body, "chat.update");
  Authorize(request);
  co_return co_await ChangeMessage(std::move(request), std::move(context));
}

base::Task<base::Outcome<bool>> SlackClient::DeleteMessage(std::string channel, std::string ts,
                                                           outbound::CallContext context) {
  const Json body = {{"channel", channel}, {"ts", ts}};
  outbound::HttpRequest request =
      wire::JsonRequest("POST", MethodUrl("chat.delete"), body, "chat.delete");
  Authorize(request);
  co_return co_await ChangeMessage(std::move(request), std::move(context));
}

}  // namespace slack
