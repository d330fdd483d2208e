// What vendors send by themselves: webhooks, to the addresses that PUT /__sandbox/hooks named. They
// are stored with the change that caused them, and the server sends them after the commit, once:
// as GitHub, the sandbox repeats none by itself.
// Thread-safety: externally synchronised (the server's one thread).
//
// Example:
//   Hooks hooks(store);
//   hooks.Configure({{"github", {{"url", "http://127.0.0.1:8080/webhooks/github"},
//                                {"secret", "s"}}}});
//   hooks.SendGitHub("ping", {{"zen", "Keep it logically awesome."}});
#pragma once

#include <string>
#include <vector>

#include "tests/sandbox/http.h"
#include "tests/sandbox/json.h"
#include "tests/sandbox/store.h"

namespace sandbox {

// One request to somebody else.
struct HookRequest {
  std::string id;
  std::string url;
  NameValues headers;
  std::string body;
  int64_t timeout_ms = 0;
};

class Hooks {
 public:
  explicit Hooks(Store& store) : store_(store) {}

  // {"slack": {"interactions_url", "commands_url", "secret"}, "github": {"url", "secret"}}; a
  // vendor that is not named sends nothing.
  void Configure(const Json& config);
  Json config() const;  // with the secrets
  Json List();          // deliveries, oldest first, and the addresses

  // Each returns the delivery's id, "" when the vendor has no address.
  std::string SendGitHub(const std::string& event, const Json& payload);
  std::string SendSlackInteraction(const Json& payload);
  std::string SendSlackCommand(const NameValues& fields);
  // To an address of the caller's choice.
  std::string SendTo(const std::string& source, const std::string& event, const std::string& url,
                     NameValues headers, std::string body, int64_t timeout_ms);
  // Sends one again, as it was: the same id, body and signature. False: there is none.
  bool Redeliver(const std::string& id);

  // Those that are to be sent now; each is taken once.
  std::vector<HookRequest> Take();
  // How one ended; status 0: no answer.
  void Done(const std::string& id, int status, const std::string& answer);

 private:
  std::string Queue(const std::string& source, const std::string& event, const std::string& url,
                    NameValues headers, std::string body, int64_t timeout_ms);
  std::string SendSlack(const std::string& url_name, const std::string& event, std::string body);

  Store& store_;
};

std::string HmacSha256Hex(const std::string& secret, const std::string& text);

}  // namespace sandbox
