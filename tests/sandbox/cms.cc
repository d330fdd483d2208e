// A content management system that takes webhooks: it checks the signature of Standard Webhooks,
// keeps idempotency keys for a day, and publishes and retracts articles.
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstdlib>

#include "tests/sandbox/text.h"
#include "tests/sandbox/vendors.h"

namespace sandbox {
namespace {

constexpr int64_t kKeyKeptMs = 24LL * 3600 * 1000;
constexpr int64_t kToleranceS = 5 * 60;
constexpr char kSecretPrefix[] = "whsec_";

// SANDBOX_CMS_SECRET, else the secret that README.md names.
std::string SigningKey() {
  const char* given = std::getenv("SANDBOX_CMS_SECRET");
  const std::string secret = given == nullptr ? "whsec_c2FuZGJveC1jbXMtc2VjcmV0" : given;
  if (!secret.starts_with(kSecretPrefix)) return secret;
  return Base64Decode(secret.substr(sizeof(kSecretPrefix) - 1)).value_or(secret);
}

std::string HmacBase64(const std::string& key, const std::string& text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
  return Base64Encode({reinterpret_cast<const char*>(digest), size});
}

Response Fail(int status, const std::string& code, const std::string& message) {
  return JsonResponse(status, {{"error", {{"code", code}, {"message", message}}}});
}

class Cms : public Vendor {
 public:
  explicit Cms(Store& store) : Vendor("cms", "/cms", store), key_(SigningKey()) {
    Add("POST", "/hooks/content", "hooks.content", &Cms::TakeEvent);
    AddOperation("content.published");
    AddOperation("content.retracted");
    Add("GET", "/articles/{name}", "articles.view", &Cms::ViewArticle);
  }

  // Known by the event's type.
  std::string OperationOf(const Call& call, const Route* route) const override {
    if (route == nullptr) return "unknown";
    const std::string type = StringOr(Json::parse(call.request.body, nullptr, false), "type");
    return type.empty() ? route->operation : type;
  }

  Response ErrorAnswer(const FaultAnswer& fault) override {
    return Fail(fault.status.value_or(500), "internal", "the CMS failed");
  }

  Response RateLimitAnswer(const FaultAnswer& fault) override {
    return Fail(fault.status.value_or(429), "rate_limited", "too many events")
        .With("Retry-After", std::to_string(fault.retry_after_s.value_or(1)));
  }

 protected:
  std::optional<Response> Refuse(const Call& call) override {
    if (call.request.method == "GET") return std::nullopt;
    const Request& request = call.request;
    const std::string id(request.Header("webhook-id"));
    const std::string timestamp(request.Header("webhook-timestamp"));
    if (id.empty() || timestamp.empty() ||
        timestamp.find_first_not_of("0123456789") != std::string::npos || timestamp.size() > 15) {
      return Fail(401, "unsigned", "webhook-id, -timestamp and -signature are needed");
    }
    const int64_t age_s = call.now_ms / 1000 - std::stoll(timestamp);
    if (age_s > kToleranceS || age_s < -kToleranceS) {
      return Fail(401, "stale", "the webhook-timestamp is too far from now");
    }
    const std::string wanted = "v1," + HmacBase64(key_, id + "." + timestamp + "." + request.body);
    for (const std::string& given : Split(std::string(request.Header("webhook-signature")), ' ')) {
      if (given == wanted) return std::nullopt;
    }
    return Fail(401, "bad_signature", "the webhook-signature is wrong");
  }

  Response NoSuchCall(const Call& call) override {
    return Fail(404, "not_found", "no such path: " + call.request.path);
  }

  Response BadBody(const Call&, const std::string& why) override {
    return Fail(400, "invalid_argument", why);
  }

 private:
  Response TakeEvent(Call& call) {
    const std::string id = StringOr(call.body, "id");
    if (call.idempotency_key.empty()) {
      return Fail(400, "no_key", "the header Idempotency-Key is needed");
    }
    if (id.empty() || id != call.request.Header("webhook-id") ||
        !ParseIso(StringOr(call.body, "created")) || !Member(call.body, "data").is_object()) {
      return Fail(400, "invalid_argument", "an event has id, type, created and data");
    }
    const std::string digest = Sha1Hex(call.request.body);
    Resource* kept = store_.Find("cms", "key", call.idempotency_key);
    if (kept != nullptr && call.now_ms < kept->created_ms + kKeyKeptMs) {
      if (StringOr(kept->doc, "digest") != digest) {
        return Fail(422, "key_reused", "this Idempotency-Key came with another body");
      }
      return JsonResponse(static_cast<int>(IntOr(kept->doc, "status", 200)),
                          Member(kept->doc, "answer"));
    }
    const std::string type = StringOr(call.body, "type");
    int status = 200;
    Json answer;
    if (type == "content.published") {
      answer = Publish(call, &status);
    } else if (type == "content.retracted") {
      answer = Retract(call);
    } else {
      return Fail(400, "unknown_type", "the type is none of ours: " + type);
    }
    Resource key = call.Make("cms", "key", call.idempotency_key);
    key.state = "kept";
    key.created_ms = call.now_ms;
    key.doc = {{"digest", digest}, {"status", status}, {"answer", answer}};
    store_.Insert(std::move(key));
    return JsonResponse(status, answer);
  }

  Json Publish(Call& call, int* status) {
    const Json& data = Member(call.body, "data");
    const std::string name = StringOr(data, "name");
    const Json doc = {{"name", name},
                      {"title", StringOr(data, "title")},
                      {"html", StringOr(data, "html")},
                      {"link", StringOr(data, "link")}};
    Resource* old = store_.Find("cms", "article", name);
    if (old != nullptr) {
      old->doc = doc;
      old->state = "published";
      old->alive = true;
      store_.Save(*old);
    } else {
      Resource made = call.Make("cms", "article", name);
      made.state = "published";
      made.alive = true;
      made.natural_key = name;
      made.doc = doc;
      store_.Insert(std::move(made));
      *status = 201;
    }
    return {{"id", name}, {"url", call.request.Origin() + "/cms/articles/" + PercentEncode(name)}};
  }

  Json Retract(Call& call) {
    Resource* found = store_.Find("cms", "article", StringOr(Member(call.body, "data"), "name"));
    if (found == nullptr || found->state != "published") return {{"retracted", false}};
    found->state = "retracted";
    found->alive = false;
    store_.Save(*found);
    return {{"retracted", true}};
  }

  // What a visitor sees.
  Response ViewArticle(Call& call) {
    const Resource* found = store_.Find("cms", "article", call.Param("name"));
    if (found == nullptr || found->state != "published") {
      return Fail(404, "not_found", "there is no such article");
    }
    return TextResponse(200, "text/html; charset=utf-8", StringOr(found->doc, "html"));
  }

  const std::string key_;
};

}  // namespace

std::unique_ptr<Vendor> MakeCms(Store& store) { return std::make_unique<Cms>(store); }

}  // namespace sandbox
