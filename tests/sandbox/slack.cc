// Slack's Web API: every failure is HTTP 200 with ok:false. A channel exists as soon as it is
// named, except names with "missing" (channel_not_found), "archived" (is_archived) or "private"
// (not_in_channel) in them.

#include <algorithm>

#include "tests/sandbox/slack_people.h"
#include "tests/sandbox/text.h"
#include "tests/sandbox/vendors.h"

namespace sandbox {
namespace {

constexpr size_t kBlocksMax = 50;
constexpr size_t kTextMax = 40'000;
constexpr size_t kUpdateTextMax = 4'000;
constexpr size_t kActionsMax = 25;
constexpr int64_t kHistoryMax = 999;
constexpr int64_t kScheduleAheadSMax = 120ll * 24 * 3600;

Response Fail(const std::string& error) {
  return JsonResponse(200, {{"ok", false}, {"error", error}});
}

Response Ok(Json body) {
  body["ok"] = true;
  return JsonResponse(200, body);
}

bool IsId(const std::string& text, std::string_view kinds) {
  return text.size() >= 2 && kinds.find(text[0]) != std::string_view::npos &&
         std::all_of(text.begin() + 1, text.end(),
                     [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
}

std::string TsOf(int64_t us) {
  std::string fraction = std::to_string(us % 1'000'000);
  fraction.insert(0, 6 - fraction.size(), '0');
  return std::to_string(us / 1'000'000) + "." + fraction;
}

// "1700000000.5" -> "1700000000.500000", so that texts compare as times do.
std::string NormalTs(const std::string& ts) {
  const size_t dot = ts.find('.');
  std::string fraction = dot == std::string::npos ? "" : ts.substr(dot + 1, 6);
  fraction.append(6 - fraction.size(), '0');
  std::string seconds = ts.substr(0, dot);
  if (seconds.size() < 10) seconds.insert(0, 10 - seconds.size(), '0');
  return seconds + "." + fraction;
}

bool HasButtons(const Json& blocks) {
  for (const Json& block : blocks) {
    if (StringOr(Member(block, "accessory"), "type") == "button") return true;
    if (StringOr(block, "type") != "actions") continue;
    for (const Json& element : Member(block, "elements")) {
      if (StringOr(element, "type") == "button") return true;
    }
  }
  return false;
}

bool IsGoodBlock(const Json& block) {
  static const std::vector<std::string> kTypes = {"actions", "context",   "divider", "file",
                                                  "header",  "image",     "input",   "section",
                                                  "video",   "rich_text", "table",   "markdown"};
  const std::string type = StringOr(block, "type");
  if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end()) return false;
  if (type == "header" && StringOr(Member(block, "text"), "text").size() > 150) return false;
  if (type == "section" && StringOr(Member(block, "text"), "text").size() > 3000) return false;
  if (type == "section" && !block.contains("text") && !block.contains("fields")) return false;
  if (type != "actions") return true;
  const Json& elements = Member(block, "elements");
  if (!elements.is_array() || elements.empty() || elements.size() > kActionsMax) return false;
  return std::all_of(elements.begin(), elements.end(), [](const Json& element) {
    if (StringOr(element, "type") != "button") return element.contains("type");
    const Json& text = Member(element, "text");
    return StringOr(text, "type") == "plain_text" && !StringOr(text, "text").empty() &&
           StringOr(text, "text").size() <= 75 && StringOr(element, "action_id").size() <= 255 &&
           StringOr(element, "value").size() <= 2000;
  });
}

// A message's content as sent; `error` is empty when it is good.
struct Content {
  std::string text;
  Json blocks = Json::array();
  Json metadata;
  std::string error;
};

Content ReadContent(const Json& body, size_t text_max) {
  Content content;
  const std::string markdown = StringOr(body, "markdown_text");
  content.text = StringOr(body, "text", markdown);
  const auto structured = [&body](const char* name) {
    const Json& value = Member(body, name);
    // Form-encoded calls carry JSON in a string.
    return value.is_string() ? Json::parse(value.get_ref<const std::string&>(), nullptr, false)
                             : value;
  };
  const Json blocks = structured("blocks");
  content.metadata = structured("metadata");
  if (!blocks.is_null() && !blocks.is_array()) {
    content.error = "invalid_blocks_format";
  } else if (blocks.size() > kBlocksMax ||
             !std::all_of(blocks.begin(), blocks.end(), IsGoodBlock)) {
    content.error = "invalid_blocks";
  } else if (content.text.empty() && blocks.empty() && Member(body, "attachments").empty()) {
    content.error = "no_text";
  } else if (content.text.size() > text_max) {
    content.error = "msg_too_long";
  } else if (!content.metadata.is_null() &&
             (StringOr(content.metadata, "event_type").empty() ||
              !Member(content.metadata, "event_payload").is_object())) {
    content.error = "invalid_metadata_format";
  }
  if (blocks.is_array()) content.blocks = blocks;
  return content;
}

// What tells two posts of the same message: the key in its metadata.
std::string NaturalKey(const Json& metadata) {
  const Json& payload = Member(metadata, "event_payload");
  if (!payload.is_object() || payload.empty()) return "";
  for (const char* name : {"key", "idempotency_key"}) {
    const std::string key = StringOr(payload, name);
    if (!key.empty()) return StringOr(metadata, "event_type") + ":" + key;
  }
  return StringOr(metadata, "event_type") + ":" + Dump(payload);
}

class Slack : public Vendor {
 public:
  explicit Slack(Store& store) : Vendor("slack", "/slack/api", store) {
    for (const char* method : {"POST", "GET"}) {
      Add(method, "/auth.test", "auth.test", &Slack::AuthTest);
      Add(method, "/api.test", "api.test", &Slack::AuthTest);
      Add(method, "/chat.getPermalink", "chat.getPermalink", &Slack::GetPermalink);
      Add(method, "/conversations.history", "conversations.history", &Slack::History);
      Add(method, "/conversations.replies", "conversations.replies", &Slack::Replies);
      Add(method, "/conversations.info", "conversations.info", &Slack::ChannelInfo);
      Add(method, "/conversations.list", "conversations.list", &Slack::ListChannels);
      Add(method, "/users.info", "users.info", &Slack::UserInfo);
    }
    Add("POST", "/conversations.open", "conversations.open", &Slack::OpenChannel);
    Add("POST", "/conversations.join", "conversations.join", &Slack::ChannelInfo);
    Add("POST", "/chat.postMessage", "chat.postMessage", &Slack::PostMessage);
    Add("POST", "/chat.update", "chat.update", &Slack::Update);
    Add("POST", "/chat.delete", "chat.delete", &Slack::Delete);
    Add("POST", "/chat.postEphemeral", "chat.postEphemeral", &Slack::PostEphemeral);
    Add("POST", "/views.open", "views.open", &Slack::OpenView);
    Add("POST", "/response/{id}", "response_url", &Slack::RespondByUrl);
    Add("POST", "/chat.scheduleMessage", "chat.scheduleMessage", &Slack::Schedule);
    Add("POST", "/chat.deleteScheduledMessage", "chat.deleteScheduledMessage",
        &Slack::DeleteScheduled);
  }

  Response ErrorAnswer(const FaultAnswer& fault) override {
    if (!fault.code.empty()) return Fail(fault.code);
    if (!fault.status) return Fail("internal_error");
    return JsonResponse(
        *fault.status,
        {{"ok", false}, {"error", *fault.status >= 500 ? "service_unavailable" : "fatal_error"}});
  }

  Response RateLimitAnswer(const FaultAnswer& fault) override {
    return JsonResponse(fault.status.value_or(429), {{"ok", false}, {"error", "ratelimited"}})
        .With("Retry-After", std::to_string(fault.retry_after_s.value_or(1)));
  }

  void Advance() override {
    for (Resource* scheduled : store_.TakeDue("slack")) {
      scheduled->due_ms = 0;
      scheduled->alive = false;
      scheduled->state = "posted";
      Resource message = *scheduled;
      message.kind = "message";
      InsertMessage(std::move(message), StringOr(scheduled->doc, "channel"), scheduled->doc);
      store_.Save(*scheduled);
    }
  }

 protected:
  std::optional<Response> Refuse(const Call& call) override {
    // The address itself is the credential.
    if (call.request.path.starts_with("/slack/api/response/")) return std::nullopt;
    const std::string token = call.request.AuthToken("Bearer");
    if (token.empty()) return Fail("not_authed");
    if (IsBadToken(token)) return Fail("invalid_auth");
    return std::nullopt;
  }

  Response NoSuchCall(const Call&) override { return Fail("unknown_method"); }
  Response BadBody(const Call&, const std::string&) override { return Fail("invalid_json"); }

  // Arguments come as JSON, as a form, or in the query.
  bool ReadBody(Call& call) override {
    const std::string_view type = call.request.Header("content-type");
    call.body = Json::object();
    for (const auto& [name, value] : call.request.query) call.body[name] = value;
    if (call.request.body.empty()) return true;
    if (Contains(type, "json")) {
      const Json json = Json::parse(call.request.body, nullptr, false);
      if (!json.is_object()) return false;
      call.body.update(json);
    } else {
      for (const auto& [name, value] : ParseForm(call.request.body)) call.body[name] = value;
    }
    return true;
  }

 private:
  Response AuthTest(Call& call) {
    return Ok({{"url", "https://sandbox.slack.com/"},
               {"team", "Sandbox"},
               {"user", "campaign-bot"},
               {"team_id", "T0SANDBOX"},
               {"user_id", "U0CAMPAIGN"},
               {"bot_id", "B0CAMPAIGN"}});
  }

  // The channel's id, or "" with `error` set. Makes the channel on its first use.
  std::string ChannelOf(const Call& call, std::string* error) {
    std::string name = StringOr(call.body, "channel");
    if (name.starts_with("#")) name = name.substr(1);
    const std::string lower = Lower(name);
    if (name.empty() || Contains(lower, "missing")) *error = "channel_not_found";
    if (Contains(lower, "archived")) *error = "is_archived";
    if (Contains(lower, "private")) *error = "not_in_channel";
    if (!error->empty()) return "";
    std::string id = name;
    if (IsId(name, "UW")) {
      id = "D" + Upper(Hex(HashOf(name), 10));
    } else if (!IsId(name, "CGD")) {
      id = "C" + Upper(Hex(HashOf(name), 10));
    }
    if (store_.Find("slack", "channel", id) == nullptr) {
      Resource channel;
      channel.vendor = "slack";
      channel.kind = "channel";
      channel.id = id;
      channel.state = "active";
      channel.doc = {{"id", id},
                     {"name", lower},
                     {"is_channel", id[0] == 'C'},
                     {"is_im", id[0] == 'D'},
                     {"is_member", true},
                     {"is_archived", false},
                     {"is_private", false},
                     {"created", call.now_ms / 1000}};
      store_.Insert(std::move(channel));
    }
    return id;
  }

  Resource* FindMessage(const std::string& channel, const std::string& ts) {
    Resource* message = store_.Find("slack", "message", channel + "/" + NormalTs(ts));
    return message == nullptr || message->state == "deleted" ? nullptr : message;
  }

  static void Settle(Resource* message) {
    message->alive = HasButtons(Member(message->doc, "blocks"));
    message->state = message->alive ? "interactive" : "settled";
  }

  Resource& InsertMessage(Resource message, const std::string& channel, const Json& content) {
    const int64_t last = last_us_ != 0 ? last_us_ : 0;
    int64_t us = std::max(store_.NowUs(), last + 1);
    while (store_.Find("slack", "message", channel + "/" + TsOf(us)) != nullptr) ++us;
    last_us_ = us;
    message.id = channel + "/" + TsOf(us);
    message.due_ms = 0;
    message.doc = {{"type", "message"},      {"user", "U0CAMPAIGN"}, {"bot_id", "B0CAMPAIGN"},
                   {"app_id", "A0CAMPAIGN"}, {"team", "T0SANDBOX"},  {"ts", TsOf(us)},
                   {"channel", channel}};
    for (const char* name : {"text", "blocks", "metadata", "thread_ts"}) {
      if (!Member(content, name).is_null()) message.doc[name] = content[name];
    }
    message.natural_key = NaturalKey(Member(content, "metadata"));
    if (!message.natural_key.empty()) message.natural_key = channel + ":" + message.natural_key;
    const std::string thread = StringOr(message.doc, "thread_ts");
    if (!thread.empty()) message.lookup = channel + "/" + NormalTs(thread);
    Settle(&message);
    return store_.Insert(std::move(message));
  }

  static Json MessageJson(const Resource& message, bool with_metadata) {
    Json json = message.doc;
    json.erase("channel");
    if (!with_metadata) json.erase("metadata");
    return json;
  }

  Response PostMessage(Call& call) {
    std::string error;
    const std::string channel = ChannelOf(call, &error);
    if (!error.empty()) return Fail(error);
    Content content = ReadContent(call.body, kTextMax);
    if (!content.error.empty()) return Fail(content.error);
    Json doc = {{"text", content.text}, {"blocks", content.blocks}};
    if (!content.metadata.is_null()) doc["metadata"] = content.metadata;
    const std::string thread = StringOr(call.body, "thread_ts");
    if (!thread.empty()) doc["thread_ts"] = thread;
    const Resource& message = InsertMessage(call.Make("slack", "message", ""), channel, doc);
    return Ok(
        {{"channel", channel}, {"ts", message.doc["ts"]}, {"message", MessageJson(message, true)}});
  }

  Response Update(Call& call) {
    std::string error;
    const std::string channel = ChannelOf(call, &error);
    if (!error.empty()) return Fail(error);
    Resource* message = FindMessage(channel, StringOr(call.body, "ts"));
    if (message == nullptr) return Fail("message_not_found");
    Content content = ReadContent(call.body, kUpdateTextMax);
    if (!content.error.empty()) return Fail(content.error);
    // Blocks that are not sent again are taken away when text is sent.
    message->doc["blocks"] = content.blocks;
    message->doc["text"] = content.text;
    if (!content.metadata.is_null()) message->doc["metadata"] = content.metadata;
    message->doc["edited"] = {{"user", "U0CAMPAIGN"}, {"ts", TsOf(call.now_ms * 1000)}};
    Settle(message);
    store_.Save(*message);
    return Ok({{"channel", channel},
               {"ts", message->doc["ts"]},
               {"text", content.text},
               {"message", MessageJson(*message, true)}});
  }

  Response Delete(Call& call) {
    std::string error;
    const std::string channel = ChannelOf(call, &error);
    if (!error.empty()) return Fail(error);
    Resource* message = FindMessage(channel, StringOr(call.body, "ts"));
    if (message == nullptr) return Fail("message_not_found");
    message->state = "deleted";
    message->alive = false;
    store_.Save(*message);
    return Ok({{"channel", channel}, {"ts", message->doc["ts"]}});
  }

  Response Schedule(Call& call) {
    std::string error;
    const std::string channel = ChannelOf(call, &error);
    if (!error.empty()) return Fail(error);
    Content content = ReadContent(call.body, kTextMax);
    if (!content.error.empty()) return Fail(content.error);
    const Json& at = Member(call.body, "post_at");
    const std::string digits = at.is_string() ? at.get<std::string>() : "";
    const int64_t post_at = at.is_number() ? at.get<int64_t>()
                            : !digits.empty() && digits.size() < 12 &&
                                    digits.find_first_not_of("0123456789") == std::string::npos
                                ? std::stoll(digits)
                                : 0;
    if (post_at <= call.now_ms / 1000) return Fail("time_in_past");
    if (post_at > call.now_ms / 1000 + kScheduleAheadSMax) return Fail("time_too_far");
    Resource scheduled = call.Make(
        "slack", "scheduled_message",
        "Q" + Upper(Hex(HashOf(std::to_string(store_.NextNumber("slack/scheduled"))), 10)));
    scheduled.state = "queued";
    scheduled.alive = true;
    scheduled.due_ms = post_at * 1000;
    scheduled.doc = {{"channel", channel},
                     {"post_at", post_at},
                     {"text", content.text},
                     {"blocks", content.blocks}};
    if (!content.metadata.is_null()) scheduled.doc["metadata"] = content.metadata;
    scheduled.natural_key = NaturalKey(content.metadata);
    const Resource& stored = store_.Insert(std::move(scheduled));
    return Ok({{"channel", channel}, {"scheduled_message_id", stored.id}, {"post_at", post_at}});
  }

  Response DeleteScheduled(Call& call) {
    Resource* scheduled =
        store_.Find("slack", "scheduled_message", StringOr(call.body, "scheduled_message_id"));
    if (scheduled == nullptr || scheduled->state != "queued") {
      return Fail("invalid_scheduled_message_id");
    }
    scheduled->state = "deleted";
    scheduled->alive = false;
    scheduled->due_ms = 0;
    store_.Save(*scheduled);
    return Ok(Json::object());
  }

  Response GetPermalink(Call& call) {
    std::string error;
    const std::string channel = ChannelOf(call, &error);
    if (!error.empty()) return Fail(error);
    std::string ts = StringOr(call.body, "message_ts");
    const Resource* message = FindMessage(channel, ts);
    if (message == nullptr) return Fail("message_not_found");
    ts.erase(std::remove(ts.begin(), ts.end(), '.'), ts.end());
    return Ok({{"channel", channel},
               {"permalink", "https://sandbox.slack.com/archives/" + channel + "/p" + ts}});
  }

  // An integer argument that may come as text.
  static int64_t IntArgument(const Json& body, const char* name, int64_t fallback) {
    const std::string text = StringOr(body, name);
    if (text.empty()) return IntOr(body, name, fallback);
    if (text.size() > 9 || text.find_first_not_of("0123456789") != std::string::npos) {
      return fallback;
    }
    return std::stoll(text);
  }

  static bool BoolArgument(const Json& body, const char* name) {
    const std::string text = StringOr(body, name);
    return BoolOr(body, name, text == "true" || text == "1");
  }

  Response History(Call& call) {
    std::string error;
    const std::string channel = ChannelOf(call, &error);
    if (!error.empty()) return Fail(error);
    const int64_t limit = std::clamp<int64_t>(IntArgument(call.body, "limit", 100), 1, kHistoryMax);
    const bool inclusive = BoolArgument(call.body, "inclusive");
    const bool with_metadata = BoolArgument(call.body, "include_all_metadata");
    const std::string oldest = NormalTs(StringOr(call.body, "oldest", "0"));
    const std::string latest = StringOr(call.body, "latest");
    std::string below;
    if (!latest.empty()) below = channel + "/" + NormalTs(latest) + (inclusive ? "\x01" : "");
    const std::string cursor = StringOr(call.body, "cursor");
    if (!cursor.empty()) {
      const std::optional<std::string> position = Base64Decode(cursor);
      if (!position || !position->starts_with("next_ts:")) return Fail("invalid_cursor");
      below = channel + "/" + position->substr(8);
    }
    Json messages = Json::array();
    std::string last_ts;
    bool has_more = false;
    store_.EachBackwards("slack", "message", channel + "/", below, [&](Resource& message) {
      const std::string ts = message.id.substr(channel.size() + 1);
      if (inclusive ? ts < oldest : ts <= oldest) return false;
      const std::string thread = StringOr(message.doc, "thread_ts");
      if (message.state == "deleted" || (!thread.empty() && NormalTs(thread) != ts)) return true;
      if (static_cast<int64_t>(messages.size()) == limit) {
        has_more = true;
        return false;
      }
      messages.push_back(MessageJson(message, with_metadata));
      last_ts = ts;
      return true;
    });
    const std::string next = has_more ? Base64Encode("next_ts:" + last_ts) : "";
    return Ok({{"messages", messages},
               {"has_more", has_more},
               {"pin_count", 0},
               {"response_metadata", {{"next_cursor", next}}}});
  }

  Response Replies(Call& call) {
    std::string error;
    const std::string channel = ChannelOf(call, &error);
    if (!error.empty()) return Fail(error);
    const std::string ts = StringOr(call.body, "ts");
    const Resource* parent = FindMessage(channel, ts);
    if (parent == nullptr) return Fail("thread_not_found");
    const bool with_metadata = BoolArgument(call.body, "include_all_metadata");
    Json messages = Json::array({MessageJson(*parent, with_metadata)});
    for (const Resource* reply : store_.Lookup("slack", "message", channel + "/" + NormalTs(ts))) {
      if (reply->state != "deleted") messages.push_back(MessageJson(*reply, with_metadata));
    }
    return Ok({{"messages", messages},
               {"has_more", false},
               {"response_metadata", {{"next_cursor", ""}}}});
  }

  Response ChannelInfo(Call& call) {
    std::string error;
    const std::string channel = ChannelOf(call, &error);
    if (!error.empty()) return Fail(error);
    return Ok({{"channel", store_.Find("slack", "channel", channel)->doc}});
  }

  Response ListChannels(Call& call) {
    Json channels = Json::array();
    store_.Each("slack", "channel", "C", [&channels](Resource& channel) {
      channels.push_back(channel.doc);
      return true;
    });
    return Ok({{"channels", channels}, {"response_metadata", {{"next_cursor", ""}}}});
  }

  Response OpenChannel(Call& call) {
    call.body["channel"] = StringOr(call.body, "users", StringOr(call.body, "channel"));
    std::string error;
    const std::string channel = ChannelOf(call, &error);
    if (!error.empty()) return Fail("user_not_found");
    return Ok({{"channel", {{"id", channel}}}});
  }

  Response UserInfo(Call& call) {
    const std::string user = StringOr(call.body, "user");
    if (!IsId(user, "UW") || Contains(user, "MISSING")) return Fail("user_not_found");
    return Ok({{"user",
                {{"id", user},
                 {"name", Lower(user)},
                 {"real_name", "Reviewer " + user},
                 {"profile", {{"email", Lower(user) + "@example.com"}}},
                 {"is_bot", false},
                 {"deleted", false}}}});
  }

  void Whisper(Call& call, const std::string& channel, const std::string& user,
               const std::string& text) {
    Resource ephemeral =
        call.Make("slack", "ephemeral", std::to_string(store_.NextNumber("slack/ephemeral")));
    ephemeral.state = "shown";
    ephemeral.doc = {{"channel", channel}, {"user", user}, {"text", text}};
    store_.Insert(std::move(ephemeral));
  }

  Response PostEphemeral(Call& call) {
    std::string error;
    const std::string channel = ChannelOf(call, &error);
    if (!error.empty()) return Fail(error);
    const std::string user = StringOr(call.body, "user");
    if (!IsId(user, "UW")) return Fail("user_not_in_channel");
    const Content content = ReadContent(call.body, kTextMax);
    if (!content.error.empty()) return Fail(content.error);
    Whisper(call, channel, user, content.text);
    return Ok({{"message_ts", TsOf(store_.NowUs())}});
  }

  Response OpenView(Call& call) {
    Resource* trigger = store_.Find("slack", "trigger", StringOr(call.body, "trigger_id"));
    if (trigger == nullptr) return Fail("invalid_trigger_id");
    if (trigger->state != "fresh") return Fail("exchanged_trigger_id");
    if (call.now_ms - trigger->created_ms > kTriggerLifeMs) return Fail("expired_trigger_id");
    const Json& given = Member(call.body, "view");
    const Json view = given.is_string()
                          ? Json::parse(given.get_ref<const std::string&>(), nullptr, false)
                          : given;
    const std::string title = StringOr(Member(view, "title"), "text");
    if (StringOr(view, "type") != "modal" || title.empty() || title.size() > 24 ||
        StringOr(view, "private_metadata").size() > 3000 || !Member(view, "blocks").is_array()) {
      return Fail("invalid_arguments");
    }
    trigger->state = "exchanged";
    store_.Save(*trigger);
    std::string number = std::to_string(store_.NextNumber("slack/view"));
    number.insert(0, 8 - std::min<size_t>(8, number.size()), '0');
    Resource made = call.Make("slack", "view", "V" + number);
    made.state = "open";
    const std::string user = StringOr(trigger->doc, "user");
    made.doc = {{"view", view},
                {"user", {{"id", user}, {"username", Lower(user)}, {"team_id", "T0SANDBOX"}}}};
    Json json = view;
    json["id"] = store_.Insert(std::move(made)).id;
    return Ok({{"view", json}});
  }

  // As Slack's: good for 5 answers in 30 minutes.
  Response RespondByUrl(Call& call) {
    Resource* url = store_.Find("slack", "response_url", call.Param("id"));
    if (url == nullptr) return TextResponse(404, "text/plain", "no such address");
    const int64_t uses = IntOr(url->doc, "uses", 0) + 1;
    if (call.now_ms - url->created_ms > kResponseUrlLifeMs) {
      return TextResponse(404, "text/plain", "expired_url");
    }
    if (uses > kResponseUrlUsesMax) return TextResponse(404, "text/plain", "used_url");
    url->doc["uses"] = uses;
    store_.Save(*url);
    Resource* message = store_.Find("slack", "message", StringOr(url->doc, "message"));
    if (BoolOr(call.body, "replace_original", false) && message != nullptr) {
      const Content content = ReadContent(call.body, kUpdateTextMax);
      if (!content.error.empty()) return TextResponse(400, "text/plain", content.error);
      message->doc["text"] = content.text;
      message->doc["blocks"] = content.blocks;
      Settle(message);
      store_.Save(*message);
    } else {
      const std::string channel = message == nullptr ? "" : StringOr(message->doc, "channel");
      Whisper(call, channel, StringOr(url->doc, "user"), StringOr(call.body, "text"));
    }
    return TextResponse(200, "text/plain", "ok");
  }

  int64_t last_us_ = 0;
};

}  // namespace

std::unique_ptr<Vendor> MakeSlack(Store& store) { return std::make_unique<Slack>(store); }

}  // namespace sandbox
