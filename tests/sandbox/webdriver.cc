// A remote end of the W3C WebDriver protocol with sessions but without a browser: every page loads
// at once, every script gives null. For faults of the protocol; pages are chromedriver's business.

#include "tests/sandbox/text.h"
#include "tests/sandbox/vendors.h"

namespace sandbox {
namespace {

Response Value(Json value) { return JsonResponse(200, {{"value", std::move(value)}}); }

Response Fail(int status, const std::string& error, const std::string& message) {
  return JsonResponse(status,
                      {{"value", {{"error", error}, {"message", message}, {"stacktrace", ""}}}});
}

class WebDriver : public Vendor {
 public:
  explicit WebDriver(Store& store) : Vendor("webdriver", "/webdriver", store) {
    Add("GET", "/status", "status", &WebDriver::Status);
    Add("POST", "/session", "session.new", &WebDriver::NewSession);
    Add("DELETE", "/session/{id}", "session.delete", &WebDriver::DeleteSession);
    Add("POST", "/session/{id}/url", "navigate", &WebDriver::Command);
    Add("POST", "/session/{id}/execute/sync", "execute", &WebDriver::Command);
  }

  Response ErrorAnswer(const FaultAnswer& fault) override {
    return Fail(fault.status.value_or(500), fault.code.empty() ? "unknown error" : fault.code,
                "the remote end failed");
  }

  Response RateLimitAnswer(const FaultAnswer& fault) override {
    return JsonResponse(fault.status.value_or(429), {{"message", "too many requests"}})
        .With("Retry-After", std::to_string(fault.retry_after_s.value_or(1)));
  }

 protected:
  std::optional<Response> Refuse(const Call&) override { return std::nullopt; }

  Response NoSuchCall(const Call& call) override {
    return Fail(404, "unknown command", "no such command: " + call.request.path);
  }

  Response BadBody(const Call&, const std::string& why) override {
    return Fail(400, "invalid argument", why);
  }

 private:
  Resource* Find(const std::string& id) {
    Resource* found = store_.Find("webdriver", "session", id);
    return found != nullptr && found->alive ? found : nullptr;
  }

  Response Status(Call&) { return Value({{"ready", true}, {"message", "ready"}}); }

  Response NewSession(Call& call) {
    const std::string id = "session-" + std::to_string(store_.NextNumber("webdriver"));
    Resource made = call.Make("webdriver", "session", id);
    made.state = "open";
    made.alive = true;
    store_.Insert(std::move(made));
    return Value({{"sessionId", id}, {"capabilities", Json::object()}});
  }

  Response DeleteSession(Call& call) {
    Resource* session = Find(call.Param("id"));
    if (session == nullptr) return Fail(404, "invalid session id", "no such session");
    session->state = "closed";
    session->alive = false;
    store_.Save(*session);
    return Value(nullptr);
  }

  Response Command(Call& call) {
    if (Find(call.Param("id")) == nullptr) {
      return Fail(404, "invalid session id", "no such session");
    }
    return Value(nullptr);
  }
};

}  // namespace

std::unique_ptr<Vendor> MakeWebDriver(Store& store) { return std::make_unique<WebDriver>(store); }

}  // namespace sandbox
