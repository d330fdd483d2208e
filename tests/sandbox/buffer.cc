// Buffer's GraphQL API. Most failures are HTTP 200 with a typed error in `data`. A post becomes
// `sent` when its dueAt passes. Any channel exists, except ids with "missing" in them.

#include <algorithm>
#include <functional>
#include <map>

#include "tests/sandbox/graphql.h"
#include "tests/sandbox/text.h"
#include "tests/sandbox/vendors.h"

namespace sandbox {
namespace {

constexpr int64_t kPageMax = 100;
constexpr size_t kTextMax = 5000;
// A queued post goes out at the next full hour.
constexpr int64_t kQueueSlotMs = 3'600'000;

struct SeedChannel {
  const char *id, *service, *name;
};

constexpr SeedChannel kChannels[] = {
    {"channel-linkedin", "linkedin", "Example on LinkedIn"},
    {"channel-twitter", "twitter", "@example"},
    {"channel-instagram", "instagram", "example.co"},
    {"channel-facebook", "facebook", "Example page"},
};

Response Errors(int status, const std::string& code, const std::string& message,
                Json extensions = Json::object()) {
  extensions["code"] = code;
  return JsonResponse(
      status, {{"data", nullptr},
               {"errors", Json::array({Json{{"message", message}, {"extensions", extensions}}})}});
}

// A typed failure inside `data`.
Json Failure(const std::string& type, const std::string& message) {
  return {{"__typename", type}, {"message", message}};
}

// Characters, not bytes, of a UTF-8 text.
size_t LengthOf(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string ServiceOf(const std::string& channel_id) {
  for (const SeedChannel& channel : kChannels) {
    if (channel_id == channel.id) return channel.service;
  }
  for (const char* service : {"linkedin", "twitter", "instagram", "facebook", "threads"}) {
    if (Contains(Lower(channel_id), service)) return service;
  }
  return "linkedin";
}

Json ChannelJson(const std::string& id, const std::string& name) {
  return {{"id", id},
          {"name", name},
          {"displayName", name},
          {"service", ServiceOf(id)},
          {"type", "page"},
          {"isDisconnected", false},
          {"isLocked", false},
          {"isQueuePaused", false},
          {"timezone", "UTC"}};
}

class Buffer : public Vendor {
 public:
  explicit Buffer(Store& store) : Vendor("buffer", "/buffer", store) {
    Add("POST", "/", "graphql", &Buffer::GraphQl);
    Add("POST", "/graphql", "graphql", &Buffer::GraphQl);
    AddField("createPost", [this](const Query& q) { return CreatePost(q.call, q.input); });
    AddField("editPost", [this](const Query& q) { return EditPost(q.call, q.input); });
    AddField("deletePost", [this](const Query& q) { return DeletePost(q.input); });
    AddField("post", [this](const Query& q) { return GetPost(q.input); });
    AddField("posts", [this](const Query& q) { return ListPosts(q.arguments, q.input); });
    AddField("channels", [this](const Query&) { return ListChannels(); });
    AddField("channel", [](const Query& q) {
      const std::string id = StringOr(q.input, "id");
      return IsMissing(id) ? Json() : ChannelJson(id, id);
    });
    AddField("account", [this](const Query&) { return Account(); });
    AddField("__typename", [](const Query&) { return Json("Query"); });
  }

  // A call is known by its first field: createPost, posts, ...
  std::string OperationOf(const Call& call, const Route* route) const override {
    if (route == nullptr) return "unknown";
    const Json body = Json::parse(call.request.body, nullptr, false);
    const auto fields = ParseGraphQl(StringOr(body, "query"), Json());
    return fields ? fields->front().name : route->operation;
  }

  Response ErrorAnswer(const FaultAnswer& fault) override {
    return Errors(fault.status.value_or(200), fault.code.empty() ? "UNEXPECTED" : fault.code,
                  "Something went wrong on our side.");
  }

  Response RateLimitAnswer(const FaultAnswer& fault) override {
    const std::string wait = std::to_string(fault.retry_after_s.value_or(1));
    return Errors(fault.status.value_or(429), "RATE_LIMIT_EXCEEDED",
                  "Too many requests from this client. Please try again later.",
                  {{"window", "15m"}})
        .With("Retry-After", wait)
        .With("RateLimit", "\"100-in-15min\";r=0;t=" + wait);
  }

  void Advance() override {
    for (Resource* post : store_.TakeDue("buffer")) {
      post->due_ms = 0;
      if (post->state == "scheduled") MarkSent(post);
      store_.Save(*post);
    }
  }

 protected:
  std::optional<Response> Refuse(const Call& call) override {
    if (!IsBadToken(call.request.AuthToken("Bearer"))) return std::nullopt;
    return Errors(401, "UNAUTHENTICATED", "Access token is missing or not valid.");
  }

  Response NoSuchCall(const Call&) override { return Errors(404, "NOT_FOUND", "Not found"); }

  Response BadBody(const Call&, const std::string& why) override {
    return Errors(400, "BAD_REQUEST", why);
  }

  void Finish(const Call& call, Response* response) override {
    // Counts down, but never to 0: only a fault says that nothing is left, and it means it.
    const int64_t left = 99 - ++calls_ % 99;
    response->With("RateLimit", "\"100-in-15min\";r=" + std::to_string(left) + ";t=897")
        .With("RateLimit-Policy", "\"100-in-15min\";q=100;w=900");
  }

 private:
  // One field that is asked for.
  struct Query {
    const Call& call;
    const Json& arguments;
    const Json& input;
  };

  void AddField(const std::string& name, std::function<Json(const Query&)> resolve) {
    AddOperation(name);
    fields_[name] = std::move(resolve);
  }

  Response GraphQl(Call& call) {
    const std::string query = StringOr(call.body, "query");
    const auto fields = ParseGraphQl(query, Member(call.body, "variables"));
    if (!fields) return Errors(400, "GRAPHQL_PARSE_FAILED", "Syntax Error: cannot read the query");
    Json data = Json::object();
    for (const GraphQlField& field : *fields) {
      std::optional<Json> value = Resolve(call, field);
      if (!value) {
        return Errors(400, "GRAPHQL_VALIDATION_FAILED",
                      "Cannot query field \"" + field.name + "\"");
      }
      data[field.alias] = std::move(*value);
    }
    return JsonResponse(200, {{"data", data}});
  }

  // Nullopt: there is no such field.
  std::optional<Json> Resolve(const Call& call, const GraphQlField& field) {
    const auto found = fields_.find(field.name);
    if (found == fields_.end()) return std::nullopt;
    Json input = Member(field.arguments, "input");
    // Lenient: an input that was not named is the first argument or variable that is an object.
    for (const Json& candidates : {field.arguments, Member(call.body, "variables")}) {
      for (const Json& value : candidates) {
        if (!input.is_object() && value.is_object()) input = value;
      }
    }
    return found->second({.call = call, .arguments = field.arguments, .input = input});
  }

  static bool IsMissing(const std::string& id) {
    return id.empty() || Contains(Lower(id), "missing");
  }

  Resource* FindPost(const std::string& id) {
    Resource* post = store_.Find("buffer", "post", id);
    return post == nullptr || post->state == "deleted" ? nullptr : post;
  }

  static void MarkSent(Resource* post) {
    post->state = "sent";
    post->alive = true;
    post->doc["status"] = "sent";
    post->doc["sentAt"] = post->doc["dueAt"];
    post->doc["externalLink"] = "https://social.example.com/" + post->id;
  }

  // Sets the post's time from the input; the text of what is wrong, or "".
  static std::string Schedule(const Call& call, const Json& input, Resource* post) {
    const std::string mode = StringOr(input, "mode");
    int64_t due = call.now_ms;
    if (mode == "customScheduled") {
      const std::optional<int64_t> at = ParseIso(StringOr(input, "dueAt"));
      if (!at) return "dueAt must be an ISO 8601 date-time for mode customScheduled.";
      if (*at < call.now_ms - 60'000) return "dueAt must be in the future.";
      due = *at;
    } else if (mode == "addToQueue" || mode == "shareNext") {
      due = (call.now_ms / kQueueSlotMs + 1) * kQueueSlotMs;
    } else if (mode != "shareNow") {
      return "mode must be addToQueue, customScheduled, shareNext or shareNow.";
    }
    post->doc["dueAt"] = IsoMillis(due);
    post->due_ms = 0;
    if (BoolOr(input, "saveToDraft", false) || BoolOr(input, "needsApproval", false)) {
      post->state = BoolOr(input, "saveToDraft", false) ? "draft" : "needs_approval";
      post->alive = false;
    } else if (due <= call.now_ms) {
      MarkSent(post);
    } else {
      post->state = "scheduled";
      post->alive = true;
      post->due_ms = due;
    }
    post->doc["status"] = post->state;
    return "";
  }

  Json CreatePost(const Call& call, const Json& input) {
    const std::string channel = StringOr(input, "channelId");
    const std::string text = StringOr(input, "text");
    const std::string type = StringOr(input, "schedulingType");
    if (IsMissing(channel)) return Failure("NotFoundError", "Channel not found.");
    if (type != "automatic" && type != "notification") {
      return Failure("InvalidInputError", "schedulingType must be automatic or notification.");
    }
    if (text.empty() && Member(input, "assets").empty()) {
      return Failure("InvalidInputError", "A post needs text or an asset.");
    }
    const std::string service = ServiceOf(channel);
    const size_t text_max = service == "twitter" ? 280 : service == "linkedin" ? 3000 : kTextMax;
    if (LengthOf(text) > text_max) {
      return Failure("InvalidInputError",
                     "Text is longer than " + std::to_string(text_max) + " characters.");
    }
    Resource post = call.Make(
        "buffer", "post",
        Sha1Hex("post " + std::to_string(store_.NextNumber("buffer/post"))).substr(0, 24));
    post.lookup = channel;
    post.natural_key = channel;
    post.doc = {{"id", post.id},
                {"text", text},
                {"channelId", channel},
                {"channelService", service},
                {"schedulingType", type},
                {"shareMode", Member(input, "mode")},
                {"assets", Member(input, "assets")},
                {"metadata", Member(input, "metadata")},
                {"tags", Member(input, "tagIds")},
                {"createdAt", IsoMillis(call.now_ms)},
                {"updatedAt", IsoMillis(call.now_ms)},
                {"sentAt", nullptr},
                {"externalLink", nullptr},
                {"error", nullptr}};
    const std::string wrong = Schedule(call, input, &post);
    if (!wrong.empty()) return Failure("InvalidInputError", wrong);
    return {{"__typename", "PostActionSuccess"}, {"post", store_.Insert(std::move(post)).doc}};
  }

  Json EditPost(const Call& call, const Json& input) {
    Resource* post = FindPost(StringOr(input, "id"));
    if (post == nullptr) return Failure("NotFoundError", "Post not found.");
    if (post->state == "sent") {
      return Failure("InvalidInputError", "A post that was sent cannot be edited.");
    }
    Json wanted = input;
    if (!wanted.contains("mode")) {
      wanted["mode"] = "customScheduled";
      if (!wanted.contains("dueAt")) wanted["dueAt"] = post->doc["dueAt"];
    }
    const std::string wrong = Schedule(call, wanted, post);
    if (!wrong.empty()) return Failure("InvalidInputError", wrong);
    for (const char* name : {"text", "assets", "metadata"}) {
      if (input.contains(name)) post->doc[name] = input[name];
    }
    post->doc["updatedAt"] = IsoMillis(call.now_ms);
    store_.Save(*post);
    return {{"__typename", "PostActionSuccess"}, {"post", post->doc}};
  }

  Json DeletePost(const Json& input) {
    Resource* post = FindPost(StringOr(input, "id"));
    if (post == nullptr) return Failure("NotFoundError", "Post not found.");
    // Taken from Buffer's list only: what was sent stays on the network.
    const bool was_sent = post->state == "sent";
    post->doc["deletedAfterSent"] = was_sent;
    post->state = "deleted";
    post->alive = was_sent;
    post->due_ms = 0;
    store_.Save(*post);
    return {{"__typename", "DeletePostSuccess"}, {"id", post->id}};
  }

  Json GetPost(const Json& input) {
    const Resource* post = FindPost(StringOr(input, "id"));
    return post == nullptr ? Json() : post->doc;
  }

  // Does the time (ISO text) lie in {start, end}? An absent bound bounds nothing.
  static bool IsWithin(const Json& time, const Json& range) {
    const std::optional<int64_t> at = ParseIso(time.is_string() ? time.get<std::string>() : "");
    const std::optional<int64_t> start = ParseIso(StringOr(range, "start"));
    const std::optional<int64_t> end = ParseIso(StringOr(range, "end"));
    return (!start || (at && *at >= *start)) && (!end || (at && *at <= *end));
  }

  static bool Holds(const Json& list, const Json& value) {
    return !list.is_array() || std::find(list.begin(), list.end(), value) != list.end();
  }

  Json ListPosts(const Json& arguments, const Json& input) {
    const Json& filter = Member(input, "filter");
    std::vector<const Resource*> found;
    const auto consider = [&](const Resource& post) {
      if (post.state != "deleted" && Holds(Member(filter, "status"), post.doc["status"]) &&
          IsWithin(post.doc["createdAt"], Member(filter, "createdAt")) &&
          IsWithin(post.doc["dueAt"], Member(filter, "dueAt"))) {
        found.push_back(&post);
      }
    };
    const Json& channels = Member(filter, "channelIds");
    if (channels.is_array() && !channels.empty()) {
      for (const Json& channel : channels) {
        if (!channel.is_string()) continue;
        for (const Resource* post :
             store_.Lookup("buffer", "post", channel.get_ref<const std::string&>())) {
          consider(*post);
        }
      }
    } else {
      store_.Each("buffer", "post", "", [&](Resource& post) {
        consider(post);
        return true;
      });
    }
    std::sort(found.begin(), found.end(),
              [](const Resource* a, const Resource* b) { return a->seq > b->seq; });
    const int64_t first = std::clamp<int64_t>(IntOr(arguments, "first", 20), 1, kPageMax);
    // The cursor is the last post's place in the order of creation, so new posts move no page.
    uint64_t below = UINT64_MAX;
    const std::string after = Base64Decode(StringOr(arguments, "after")).value_or("");
    if (!after.empty() && after.size() < 19 &&
        after.find_first_not_of("0123456789") == std::string::npos) {
      below = std::stoull(after);
    }
    Json edges = Json::array();
    bool has_next = false;
    for (const Resource* post : found) {
      if (post->seq >= below) continue;
      if (static_cast<int64_t>(edges.size()) == first) {
        has_next = true;
        break;
      }
      edges.push_back({{"node", post->doc}, {"cursor", Base64Encode(std::to_string(post->seq))}});
    }
    const Json end = edges.empty() ? Json() : edges.back()["cursor"];
    const Json start = edges.empty() ? Json() : edges.front()["cursor"];
    return {{"edges", edges},
            {"pageInfo",
             {{"endCursor", end},
              {"startCursor", start},
              {"hasNextPage", has_next},
              {"hasPreviousPage", below != UINT64_MAX}}}};
  }

  Json ListChannels() {
    Json out = Json::array();
    for (const SeedChannel& channel : kChannels) {
      out.push_back(ChannelJson(channel.id, channel.name));
    }
    return out;
  }

  Json Account() {
    return {{"id", "account-1"},
            {"email", "team@example.com"},
            {"name", "Example team"},
            {"timezone", "UTC"},
            {"organizations", Json::array({Json{{"id", "organization-1"}, {"name", "Example"}}})}};
  }

  std::map<std::string, std::function<Json(const Query&)>> fields_;
  int64_t calls_ = 0;
};

}  // namespace

std::unique_ptr<Vendor> MakeBuffer(Store& store) { return std::make_unique<Buffer>(store); }

}  // namespace sandbox
