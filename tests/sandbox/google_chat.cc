// Google Chat: tokens for service accounts, messages of an app in spaces, the keys that Google
// signs its events with, and events that are signed and sent to the app.
// A space with "missing" in its name is not found, one with "forbidden" has no app in it.

#include "tests/sandbox/google_keys.h"
#include "tests/sandbox/hooks.h"
#include "tests/sandbox/text.h"
#include "tests/sandbox/vendors.h"

namespace sandbox {
namespace {

constexpr size_t kMessageBytesMax = 32'000;
constexpr int64_t kTokenLifeS = 3599;
constexpr int64_t kEventTimeoutMs = 30'000;
constexpr char kGrant[] = "urn:ietf:params:oauth:grant-type:jwt-bearer";
constexpr char kTokenAudience[] = "https://oauth2.googleapis.com/token";
constexpr char kScope[] = "https://www.googleapis.com/auth/chat.bot";
constexpr char kAccount[] = "campaigns@sandbox.iam.gserviceaccount.com";
constexpr char kChatIssuer[] = "chat@system.gserviceaccount.com";
constexpr char kOidcIssuer[] = "https://accounts.google.com";

const char* StatusName(int status) {
  switch (status) {
    case 400:
      return "INVALID_ARGUMENT";
    case 401:
      return "UNAUTHENTICATED";
    case 403:
      return "PERMISSION_DENIED";
    case 404:
      return "NOT_FOUND";
    case 409:
      return "ALREADY_EXISTS";
    case 429:
      return "RESOURCE_EXHAUSTED";
    case 503:
      return "UNAVAILABLE";
    default:
      return "INTERNAL";
  }
}

Response Fail(int status, const std::string& message) {
  return JsonResponse(
      status,
      {{"error", {{"code", status}, {"message", message}, {"status", StatusName(status)}}}});
}

// As the token endpoint says no (RFC 6749 section 5.2).
Response BadGrant(const std::string& message) {
  return JsonResponse(400, {{"error", "invalid_grant"}, {"error_description", message}});
}

// "" or what is wrong with a message's content.
std::string ContentProblem(const Json& body) {
  const Json& cards = Member(body, "cardsV2");
  if (StringOr(body, "text").empty() && cards.empty()) return "Message cannot be empty.";
  if (!cards.is_null() && !cards.is_array()) return "Invalid value at 'message.cards_v2'";
  for (const Json& entry : cards) {
    const Json& card = Member(entry, "card");
    if (!card.is_object() || (!card.contains("sections") && !card.contains("header"))) {
      return "Invalid JSON payload: a card needs a header or sections";
    }
    for (const Json& section : Member(card, "sections")) {
      const Json& widgets = Member(section, "widgets");
      if (!widgets.is_array() || widgets.empty()) return "A section needs widgets";
      for (const Json& widget : widgets) {
        for (const Json& button : Member(Member(widget, "buttonList"), "buttons")) {
          if (StringOr(button, "text").empty() || !Member(button, "onClick").is_object()) {
            return "A button needs text and onClick";
          }
        }
      }
    }
  }
  return "";
}

class GoogleChat : public Vendor {
 public:
  explicit GoogleChat(Store& store) : Vendor("google_chat", "/google-chat", store), keys_(store) {
    Add("POST", "/token", "token", &GoogleChat::Token);
    Add("GET", "/oauth2/v3/certs", "certs", &GoogleChat::Certs);
    Add("GET", "/service_accounts/v1/jwk/{email}", "jwk", &GoogleChat::Certs);
    Add("GET", "/service_accounts/v1/metadata/x509/{email}", "x509", &GoogleChat::X509);
    Add("POST", "/v1/spaces/{space}/messages", "messages.create", &GoogleChat::Create);
    Add("GET", "/v1/spaces/{space}/messages", "messages.list", &GoogleChat::List);
    Add("GET", "/v1/spaces/{space}/messages/{message}", "messages.get", &GoogleChat::Get);
    Add("PATCH", "/v1/spaces/{space}/messages/{message}", "messages.patch", &GoogleChat::Patch);
    Add("DELETE", "/v1/spaces/{space}/messages/{message}", "messages.delete", &GoogleChat::Delete);
    // What only the sandbox has.
    Add("POST", "/sandbox/service-account", "sandbox.serviceAccount", &GoogleChat::Account);
    Add("POST", "/sandbox/sign", "sandbox.sign", &GoogleChat::Sign);
    Add("POST", "/sandbox/rotate", "sandbox.rotate", &GoogleChat::Rotate);
    Add("POST", "/sandbox/events", "sandbox.events", &GoogleChat::SendEvent);
    Add("GET", "/sandbox/spaces/{space}/messages", "sandbox.messages", &GoogleChat::List);
    Add("POST", "/sandbox/spaces/{space}/messages", "sandbox.create", &GoogleChat::Create);
  }

  Response ErrorAnswer(const FaultAnswer& fault) override {
    return Fail(fault.status.value_or(500), "Internal error encountered.");
  }
  Response RateLimitAnswer(const FaultAnswer& fault) override {
    Response limited = Fail(fault.status.value_or(429), "Resource has been exhausted");
    if (fault.retry_after_s) limited.With("Retry-After", std::to_string(*fault.retry_after_s));
    return limited;
  }

 protected:
  std::optional<Response> Refuse(const Call& call) override {
    if (call.request.segments.size() < 2 || call.request.segments[1] != "v1") return std::nullopt;
    const Resource* token = store_.Find("google_chat", "token", call.request.AuthToken("Bearer"));
    if (token == nullptr || IntOr(token->doc, "until_ms", 0) <= call.now_ms) {
      return Fail(401, "Request had invalid authentication credentials.");
    }
    return std::nullopt;
  }
  Response NoSuchCall(const Call&) override { return Fail(404, "Requested entity was not found."); }
  Response BadBody(const Call&, const std::string& why) override { return Fail(400, why); }
  bool ReadBody(Call& call) override {
    if (!Contains(call.request.Header("content-type"), "form-urlencoded")) {
      return Vendor::ReadBody(call);
    }
    call.body = Json::object();
    for (const auto& [name, value] : ParseForm(call.request.body)) call.body[name] = value;
    return true;
  }

 private:
  Response Token(Call& call) {
    if (StringOr(call.body, "grant_type") != kGrant) {
      return JsonResponse(400, {{"error", "unsupported_grant_type"}});
    }
    const std::string assertion = StringOr(call.body, "assertion");
    const Json claims = keys_.Verified("account", assertion);
    if (!claims.is_object()) return BadGrant("Invalid JWT Signature.");
    const int64_t now_s = SystemNowMs() / 1000;
    const int64_t issued = IntOr(claims, "iat", 0);
    const int64_t until = IntOr(claims, "exp", 0);
    if (StringOr(claims, "iss") != kAccount) return BadGrant("account not found");
    if (StringOr(claims, "aud") != kTokenAudience || StringOr(claims, "scope") != kScope) {
      return BadGrant("Invalid audience or scope.");
    }
    if (until > issued + 3600 || until <= now_s || issued > now_s + 600) {
      return BadGrant(
          "Invalid JWT: Token must be a short-lived token and in a reasonable "
          "timeframe.");
    }
    Resource token;
    token.vendor = "google_chat";
    token.kind = "token";
    token.id =
        "ya29.sandbox-" + Hex(HashOf(assertion + std::to_string(store_.NextNumber("ya29"))), 16);
    token.seeded = true;
    token.doc = {{"until_ms", call.now_ms + kTokenLifeS * 1000}};
    const std::string id = token.id;
    store_.Insert(std::move(token));
    return JsonResponse(
        200, {{"access_token", id}, {"expires_in", kTokenLifeS}, {"token_type", "Bearer"}});
  }

  Response Certs(Call&) {
    return JsonResponse(200, keys_.Jwks("google")).With("Cache-Control", "public, max-age=19800");
  }
  Response X509(Call&) {
    return JsonResponse(200, keys_.Certificates("google"))
        .With("Cache-Control", "public, max-age=19800");
  }

  // Null when the space may be written to.
  static std::optional<Response> SpaceProblem(const std::string& space) {
    if (Contains(Lower(space), "missing")) return Fail(404, "Requested entity was not found.");
    if (Contains(Lower(space), "forbidden")) {
      return Fail(403, "This Chat app is not a member of this space.");
    }
    return std::nullopt;
  }
  static std::string NameOf(const Call& call) {
    return "spaces/" + call.Param("space") + "/messages/" + call.Param("message");
  }
  Resource* Find(const Call& call) {
    Resource* message = store_.Find("google_chat", "message", NameOf(call));
    return message == nullptr || message->state == "deleted" ? nullptr : message;
  }

  Response Create(Call& call) {
    const std::string space = call.Param("space");
    if (auto problem = SpaceProblem(space)) return *problem;
    if (call.request.body.size() > kMessageBytesMax) return Fail(400, "Message is too long.");
    if (const std::string problem = ContentProblem(call.body); !problem.empty()) {
      return Fail(400, problem);
    }
    const std::string request_id = call.request.QueryParam("requestId");
    const std::string made_by = "spaces/" + space + "#" + request_id;
    if (!request_id.empty()) {
      const auto before = store_.Lookup("google_chat", "message", made_by);
      if (!before.empty()) return JsonResponse(200, before.front()->doc);
    }
    const std::string id = "M" + Hex(HashOf(space + std::to_string(store_.NextNumber("chat"))), 11);
    const std::string name = "spaces/" + space + "/messages/" + id;
    std::string thread = StringOr(Member(call.body, "thread"), "name");
    if (thread.empty()) thread = "spaces/" + space + "/threads/T" + id;
    Resource message = call.Make("google_chat", "message", name);
    message.state = "sent";
    message.alive = true;
    if (!request_id.empty()) message.lookup = made_by;
    message.natural_key =
        space + ":" + StringOr(Member(call.body, "thread"), "name") + ":" +
        Hex(HashOf(StringOr(call.body, "text") + Dump(Member(call.body, "cardsV2"))), 16);
    message.doc = {{"name", name},
                   {"sender", {{"name", "users/app"}, {"type", "BOT"}}},
                   {"createTime", IsoMillis(call.now_ms)},
                   {"space", {{"name", "spaces/" + space}}},
                   {"thread", {{"name", thread}}},
                   {"text", StringOr(call.body, "text")},
                   {"cardsV2", call.body.value("cardsV2", Json::array())}};
    return JsonResponse(200, store_.Insert(std::move(message)).doc);
  }

  Response List(Call& call) {
    Json messages = Json::array();
    store_.Each("google_chat", "message", "spaces/" + call.Param("space") + "/messages/",
                [&](Resource& message) {
                  if (message.state != "deleted") messages.push_back(message.doc);
                  return true;
                });
    return JsonResponse(200, {{"messages", messages}});
  }

  Response Get(Call& call) {
    const Resource* message = Find(call);
    return message == nullptr ? Fail(404, "Requested entity was not found.")
                              : JsonResponse(200, message->doc);
  }

  Response Patch(Call& call) {
    Resource* message = Find(call);
    if (message == nullptr) return Fail(404, "Requested entity was not found.");
    const std::string mask = call.request.QueryParam("updateMask");
    if (mask.empty()) return Fail(400, "updateMask is required.");
    if (const std::string problem = ContentProblem(call.body); !problem.empty()) {
      return Fail(400, problem);
    }
    for (const std::string& field : Split(mask, ',')) {
      if (field == "text") message->doc["text"] = StringOr(call.body, "text");
      if (field == "cardsV2") message->doc["cardsV2"] = call.body.value("cardsV2", Json::array());
    }
    message->doc["lastUpdateTime"] = IsoMillis(call.now_ms);
    store_.Save(*message);
    return JsonResponse(200, message->doc);
  }

  Response Delete(Call& call) {
    Resource* message = Find(call);
    if (message == nullptr) return Fail(404, "Requested entity was not found.");
    message->state = "deleted";
    message->alive = false;
    store_.Save(*message);
    return JsonResponse(200, Json::object());
  }

  // A key file as the Google Cloud console gives it.
  Response Account(Call& call) {
    return JsonResponse(200, {{"type", "service_account"},
                              {"project_id", "sandbox"},
                              {"private_key_id", keys_.KeyId("account")},
                              {"private_key", keys_.PrivatePem("account")},
                              {"client_email", kAccount},
                              {"token_uri", call.request.Origin() + "/google-chat/token"}});
  }

  // {"mode": "endpoint_url" | "project_number", "audience", "claims": {changes; null: without it},
  //  "key": "google" | "other", "key_id"} -> the token of an event.
  std::string EventToken(const Json& wish) {
    const bool project = StringOr(wish, "mode") == "project_number";
    const int64_t now_s = SystemNowMs() / 1000;
    Json claims = {{"iss", project ? kChatIssuer : kOidcIssuer},
                   {"aud", StringOr(wish, "audience")},
                   {"iat", now_s},
                   {"exp", now_s + 3600}};
    if (!project) {
      claims["email"] = kChatIssuer;
      claims["email_verified"] = true;
      claims["sub"] = "100000000000000000001";
    }
    for (const auto& [name, value] : Member(wish, "claims").items()) {
      if (value.is_null()) {
        claims.erase(name);
      } else {
        claims[name] = value;
      }
    }
    const std::string key = StringOr(wish, "key", "google");
    return keys_.Sign(key, claims, StringOr(wish, "key_id", keys_.KeyId(key)));
  }

  Response Sign(Call& call) { return JsonResponse(200, {{"token", EventToken(call.body)}}); }

  Response Rotate(Call&) {
    keys_.Replace("google");
    return JsonResponse(200, {{"key_id", keys_.KeyId("google")}});
  }

  // As Sign, and sends {"event": ...} to {"url": ...}; GET /__sandbox/hooks shows the answer.
  Response SendEvent(Call& call) {
    const std::string url = StringOr(call.body, "url");
    if (url.empty()) return Fail(400, "url is required.");
    const std::string id =
        Hooks(store_).SendTo("google_chat", StringOr(Member(call.body, "event"), "type"), url,
                             {{"Content-Type", "application/json; charset=UTF-8"},
                              {"User-Agent", "Google-Dynamite"},
                              {"Authorization", "Bearer " + EventToken(call.body)}},
                             Dump(Member(call.body, "event")), kEventTimeoutMs);
    return JsonResponse(200, {{"id", id}});
  }

  GoogleKeys keys_;
};

}  // namespace

std::unique_ptr<Vendor> MakeGoogleChat(Store& store) { return std::make_unique<GoogleChat>(store); }

}  // namespace sandbox
