// The memory gateway: an HTTP service of our own that keeps brand voices, drafts and learnings.
// POST of a known namespace and key replaces its content and keeps its id.

#include <algorithm>
#include <set>

#include "tests/sandbox/text.h"
#include "tests/sandbox/vendors.h"

namespace sandbox {
namespace {

constexpr size_t kNameMax = 200;
constexpr size_t kContentMax = 1'000'000;
constexpr int64_t kResultsMax = 100;

struct SeedMemory {
  const char *space, *key, *kind, *content;
};

constexpr SeedMemory kSeeds[] = {
    {"brand", "voice-default", "brand_voice",
     "Clear, warm and direct. Short sentences, active verbs, no jargon. Speak to one reader as "
     "'you'. Never promise what the product cannot do."},
    {"brand", "voice-professional", "brand_voice",
     "Confident and precise. Lead with the outcome, then the evidence. Numbers over adjectives. "
     "One idea a paragraph, no exclamation marks."},
    {"brand", "voice-casual", "brand_voice",
     "Friendly and playful, like a colleague over coffee. Contractions welcome, one light joke at "
     "most, emoji only on social media."},
    {"brand", "voice-technical", "brand_voice",
     "Exact and calm. Name the mechanism, show the command, give the limit. Examples before "
     "claims; link to the documentation."},
    {"brand", "guidelines", "guideline",
     "Company name is written in full on first use. Product names are capitalised. Prices always "
     "name currency and period. Every mail carries an unsubscribe link."},
    {"campaigns", "learning-email-timing", "learning",
     "Launch mails sent on Tuesday between 09:00 and 11:00 local time had a 31 percent higher open "
     "rate than mails sent on Friday afternoon."},
    {"campaigns", "learning-subject-length", "learning",
     "Email subjects under 45 characters that name one benefit beat longer ones: 24 percent "
     "against 17 percent opens over eleven campaigns."},
    {"campaigns", "learning-social-proof", "learning",
     "Social posts with a customer quote and one number got twice the clicks of feature lists. "
     "Audience of developers reacts best to a code or terminal picture."},
    {"campaigns", "learning-blog-structure", "learning",
     "Blog posts that open with the problem and answer it within 200 words kept 60 percent of "
     "readers to the end; product-first introductions kept 35 percent."},
    {"campaigns", "past-spring-launch", "campaign",
     "Spring launch 2026: email, social and blog for small businesses. 48,000 mails, 27 percent "
     "opens, 4.1 percent clicks, 212 sign-ups, cost per acquisition 38 USD."},
};

Response Fail(int status, const std::string& code, const std::string& message,
              const Json& violations = Json::array()) {
  return JsonResponse(
      status,
      {{"error", {{"code", code}, {"message", message}, {"field_violations", violations}}}});
}

class Memory : public Vendor {
 public:
  explicit Memory(Store& store) : Vendor("memory", "/memory", store) {
    Add("POST", "/v1/memories", "memories.put", &Memory::Put);
    Add("GET", "/v1/memories/{namespace}/{key...}", "memories.get", &Memory::Get);
    Add("DELETE", "/v1/memories/{namespace}/{key...}", "memories.delete", &Memory::Delete);
    Add("POST", "/v1/search", "memories.search", &Memory::Search);
    Add("GET", "/v1/health", "health.get", &Memory::Health);
  }

  void Seed() override {
    for (const SeedMemory& seed : kSeeds) {
      const std::string id = std::string(seed.space) + "/" + seed.key;
      if (store_.Find("memory", "memory", id) != nullptr) continue;
      Resource made;
      made.vendor = "memory";
      made.kind = "memory";
      made.id = id;
      made.state = "stored";
      made.seeded = true;
      made.doc = {{"id", UuidOf("memory " + id)},
                  {"namespace", seed.space},
                  {"key", seed.key},
                  {"kind", seed.kind},
                  {"content", seed.content},
                  {"metadata", {{"source", "seed"}}}};
      store_.Insert(std::move(made));
    }
  }

  Response ErrorAnswer(const FaultAnswer& fault) override {
    const int status = fault.status.value_or(500);
    return Fail(status, status == 503 ? "unavailable" : "internal", "the service failed");
  }

  Response RateLimitAnswer(const FaultAnswer& fault) override {
    return Fail(fault.status.value_or(429), "rate_limited", "too many requests")
        .With("Retry-After", std::to_string(fault.retry_after_s.value_or(1)));
  }

 protected:
  std::optional<Response> Refuse(const Call& call) override {
    if (!IsBadToken(call.request.AuthToken("Bearer"))) return std::nullopt;
    return Fail(401, "unauthenticated", "a valid bearer token is needed")
        .With("WWW-Authenticate", "Bearer");
  }

  Response NoSuchCall(const Call& call) override {
    return Fail(404, "not_found", "no such path: " + call.request.path);
  }

  Response BadBody(const Call&, const std::string& why) override {
    return Fail(400, "invalid_argument", why);
  }

 private:
  Resource* Find(const std::string& id) {
    Resource* found = store_.Find("memory", "memory", id);
    return found != nullptr && found->state == "stored" ? found : nullptr;
  }

  static Json ToJson(const Resource& memory) {
    Json json = memory.doc;
    json["created_at"] = IsoMillis(memory.created_ms);
    return json;
  }

  // Name fields are texts of 1..200 characters.
  static void CheckName(const Json& body, const char* field, Json* violations) {
    const std::string value = StringOr(body, field);
    if (value.empty() || value.size() > kNameMax) {
      violations->push_back(
          {{"field", field}, {"description", "must be a text of 1 to 200 characters"}});
    }
  }

  Response Put(Call& call) {
    Json violations = Json::array();
    CheckName(call.body, "namespace", &violations);
    CheckName(call.body, "key", &violations);
    CheckName(call.body, "kind", &violations);
    const Json& content = Member(call.body, "content");
    if (!content.is_string() || content.get_ref<const std::string&>().size() > kContentMax) {
      violations.push_back(
          {{"field", "content"}, {"description", "must be a text of at most 1000000 bytes"}});
    }
    const Json& metadata = Member(call.body, "metadata");
    if (!metadata.is_null() && !metadata.is_object()) {
      violations.push_back({{"field", "metadata"}, {"description", "must be an object"}});
    }
    if (Contains(StringOr(call.body, "namespace"), "/")) {
      violations.push_back({{"field", "namespace"}, {"description", "must not contain '/'"}});
    }
    if (!violations.empty()) {
      return Fail(400, "invalid_argument", "the memory is not valid", violations);
    }
    const std::string id = StringOr(call.body, "namespace") + "/" + StringOr(call.body, "key");
    Json doc = {{"id", UuidOf("memory " + id)},
                {"namespace", call.body["namespace"]},
                {"key", call.body["key"]},
                {"kind", call.body["kind"]},
                {"content", content},
                {"metadata", metadata.is_null() ? Json::object() : metadata},
                {"updated_at", IsoMillis(call.now_ms)}};
    if (Resource* old = Find(id)) {
      old->doc = std::move(doc);
      store_.Save(*old);
      return JsonResponse(200, ToJson(*old));
    }
    Resource made = call.Make("memory", "memory", id);
    made.state = "stored";
    made.alive = true;
    made.doc = std::move(doc);
    return JsonResponse(201, ToJson(store_.Insert(std::move(made))));
  }

  Response Get(Call& call) {
    const Resource* found = Find(call.Param("namespace") + "/" + call.Param("key"));
    return found == nullptr ? Fail(404, "not_found", "no such memory")
                            : JsonResponse(200, ToJson(*found));
  }

  Response Delete(Call& call) {
    Resource* found = Find(call.Param("namespace") + "/" + call.Param("key"));
    if (found == nullptr) return Fail(404, "not_found", "no such memory");
    found->state = "deleted";
    found->alive = false;
    store_.Save(*found);
    return EmptyResponse(204);
  }

  // The share of the query's words that the memory holds, 0..1.
  static double Score(const std::set<std::string>& wanted, const Resource& memory) {
    if (wanted.empty()) return 0;
    const std::vector<std::string> words = Words(StringOr(memory.doc, "content") + " " + memory.id +
                                                 " " + StringOr(memory.doc, "kind"));
    const std::set<std::string> held(words.begin(), words.end());
    const auto hits = std::count_if(wanted.begin(), wanted.end(),
                                    [&held](const std::string& w) { return held.contains(w); });
    return static_cast<double>(hits) / static_cast<double>(wanted.size());
  }

  Response Search(Call& call) {
    Json violations = Json::array();
    CheckName(call.body, "namespace", &violations);
    const Json& limit_field = Member(call.body, "limit");
    const int64_t limit = IntOr(call.body, "limit", 10);
    if ((!limit_field.is_null() && !limit_field.is_number_integer()) || limit < 1 ||
        limit > kResultsMax) {
      violations.push_back({{"field", "limit"}, {"description", "must be from 1 to 100"}});
    }
    if (!violations.empty()) {
      return Fail(400, "invalid_argument", "the search is not valid", violations);
    }
    const std::vector<std::string> words = Words(StringOr(call.body, "query"));
    const std::set<std::string> wanted(words.begin(), words.end());
    const std::string kind = StringOr(call.body, "kind");
    std::vector<std::pair<double, const Resource*>> found;
    store_.Each("memory", "memory", StringOr(call.body, "namespace") + "/", [&](Resource& r) {
      if (r.state != "stored" || (!kind.empty() && StringOr(r.doc, "kind") != kind)) return true;
      const double score = Score(wanted, r);
      if (score > 0 || wanted.empty()) found.emplace_back(score, &r);
      return true;
    });
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    Json results = Json::array();
    for (const auto& [score, memory] : found) {
      if (static_cast<int64_t>(results.size()) == limit) break;
      results.push_back({{"id", memory->doc["id"]},
                         {"namespace", memory->doc["namespace"]},
                         {"key", memory->doc["key"]},
                         {"kind", memory->doc["kind"]},
                         {"content", memory->doc["content"]},
                         {"metadata", memory->doc["metadata"]},
                         {"score", score}});
    }
    return JsonResponse(200, {{"results", results}});
  }

  Response Health(Call&) { return JsonResponse(200, {{"status", "ok"}}); }
};

}  // namespace

std::unique_ptr<Vendor> MakeMemory(Store& store) { return std::make_unique<Memory>(store); }

}  // namespace sandbox
