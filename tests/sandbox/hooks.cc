#include "tests/sandbox/hooks.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "tests/sandbox/text.h"

namespace sandbox {
namespace {

constexpr char kSetting[] = "hooks";
constexpr int64_t kSlackTimeoutMs = 3'000;
constexpr int64_t kGitHubTimeoutMs = 10'000;
constexpr size_t kAnswerMax = 40'000;

std::string Form(const NameValues& fields) {
  std::string form;
  for (const auto& [name, value] : fields) {
    form += (form.empty() ? "" : "&") + PercentEncode(name) + "=" + PercentEncode(value);
  }
  return form;
}

}  // namespace

std::string HmacSha256Hex(const std::string& secret, const std::string& text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) {
    hex += kDigits[digest[i] >> 4];
    hex += kDigits[digest[i] & 15];
  }
  return hex;
}

void Hooks::Configure(const Json& config) { store_.PutSetting(kSetting, Dump(config)); }

Json Hooks::config() const {
  const auto found = store_.settings().find(kSetting);
  if (found == store_.settings().end()) return Json::object();
  return Json::parse(found->second, nullptr, false);
}

Json Hooks::List() {
  Json deliveries = Json::array();
  store_.Each("hooks", "delivery", "", [&](Resource& delivery) {
    Json entry = delivery.doc;
    entry.erase("body");
    entry.erase("headers");
    entry["id"] = delivery.id;
    entry["state"] = delivery.state;
    deliveries.push_back(std::move(entry));
    return true;
  });
  Json addresses = config();
  for (Json& vendor : addresses) vendor.erase("secret");
  return {{"addresses", addresses}, {"deliveries", deliveries}};
}

std::string Hooks::Queue(const std::string& source, const std::string& event,
                         const std::string& url, NameValues headers, std::string body,
                         int64_t timeout_ms) {
  std::string digits = std::to_string(store_.NextNumber("hooks/delivery"));
  digits.insert(0, 8 - std::min<size_t>(8, digits.size()), '0');
  const std::string id =
      source == "github" ? digits + "-" + UuidOf("hook/" + digits + "/" + body) : digits;
  Json sent = Json::array();
  for (const auto& [name, value] : headers) sent.push_back({name, value});
  if (source == "github") sent.push_back({"X-GitHub-Delivery", id});
  Resource delivery;
  delivery.vendor = "hooks";
  delivery.kind = "delivery";
  delivery.id = id;
  delivery.state = "queued";
  delivery.seeded = true;  // nobody's resource
  delivery.due_ms = store_.NowMs();
  delivery.doc = {{"source", source}, {"event", event}, {"url", url},
                  {"headers", sent},  {"body", body},   {"timeout_ms", timeout_ms},
                  {"status", 0},      {"answer", ""},   {"sent", 0}};
  store_.Insert(std::move(delivery));
  return id;
}

std::string Hooks::SendGitHub(const std::string& event, const Json& payload) {
  const Json github = Member(config(), "github");
  const std::string url = StringOr(github, "url");
  if (url.empty()) return "";
  std::string body = Dump(payload);
  const std::string signature = HmacSha256Hex(StringOr(github, "secret"), body);
  return Queue("github", event, url,
               {{"Content-Type", "application/json"},
                {"User-Agent", "GitHub-Hookshot/sandbox"},
                {"X-GitHub-Event", event},
                {"X-GitHub-Hook-ID", "1"},
                {"X-Hub-Signature-256", "sha256=" + signature}},
               std::move(body), kGitHubTimeoutMs);
}

std::string Hooks::SendSlack(const std::string& url_name, const std::string& event,
                             std::string body) {
  const Json slack = Member(config(), "slack");
  const std::string url = StringOr(slack, url_name);
  if (url.empty()) return "";
  // The receiver's clock is the wall clock, whatever the simulated world's says.
  const std::string timestamp = std::to_string(SystemNowMs() / 1000);
  const std::string signature =
      HmacSha256Hex(StringOr(slack, "secret"), "v0:" + timestamp + ":" + body);
  return Queue("slack", event, url,
               {{"Content-Type", "application/x-www-form-urlencoded"},
                {"User-Agent", "Slackbot 1.0 (sandbox)"},
                {"X-Slack-Request-Timestamp", timestamp},
                {"X-Slack-Signature", "v0=" + signature}},
               std::move(body), kSlackTimeoutMs);
}

std::string Hooks::SendSlackInteraction(const Json& payload) {
  return SendSlack("interactions_url", StringOr(payload, "type"),
                   Form({{"payload", Dump(payload)}}));
}

std::string Hooks::SendSlackCommand(const NameValues& fields) {
  return SendSlack("commands_url", "command", Form(fields));
}

std::string Hooks::SendTo(const std::string& source, const std::string& event,
                          const std::string& url, NameValues headers, std::string body,
                          int64_t timeout_ms) {
  return Queue(source, event, url, std::move(headers), std::move(body), timeout_ms);
}

bool Hooks::Redeliver(const std::string& id) {
  Resource* delivery = store_.Find("hooks", "delivery", id);
  if (delivery == nullptr) return false;
  delivery->state = "queued";
  delivery->due_ms = store_.NowMs();
  store_.Save(*delivery);
  return true;
}

std::vector<HookRequest> Hooks::Take() {
  std::vector<HookRequest> requests;
  for (Resource* delivery : store_.TakeDue("hooks")) {
    delivery->due_ms = 0;
    delivery->state = "sending";
    delivery->doc["sent"] = IntOr(delivery->doc, "sent", 0) + 1;
    store_.Save(*delivery);
    HookRequest request{.id = delivery->id,
                        .url = StringOr(delivery->doc, "url"),
                        .body = StringOr(delivery->doc, "body"),
                        .timeout_ms = IntOr(delivery->doc, "timeout_ms", kSlackTimeoutMs)};
    for (const Json& header : Member(delivery->doc, "headers")) {
      request.headers.emplace_back(header[0], header[1]);
    }
    requests.push_back(std::move(request));
  }
  return requests;
}

void Hooks::Done(const std::string& id, int status, const std::string& answer) {
  Resource* delivery = store_.Find("hooks", "delivery", id);
  if (delivery == nullptr) return;  // the sandbox was reset meanwhile
  delivery->state = status / 100 == 2 ? "delivered" : "failed";
  delivery->doc["status"] = status;
  delivery->doc["answer"] = Clip(answer, kAnswerMax);
  store_.Save(*delivery);
}

}  // namespace sandbox
