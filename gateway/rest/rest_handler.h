// RestHandler: answers HTTP requests: the API's methods by transcoding, and raw routes (health,
// metrics, assets). Knows no sockets.
//
// Thread-safety: AddRaw before serving; Handle is thread-safe. Raw handlers run on the server's
// thread and must not block; `done` may be called from any thread, once.
//
// Example:
//   RestHandler handler(router, door, clock, random, &metrics);
//   handler.AddRaw("GET", "/healthz", [](RawRequest, RawDone done) { done({.body = "{}"}); });
//   handler.Handle(request, exchange);
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gateway/grpc/front_door.h"
#include "gateway/grpc/router.h"
#include "gateway/grpc/stream_slots.h"
#include "gateway/rest/http.h"
#include "gateway/rest/transcoder.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/random.h"

namespace base {
class Metrics;
}

namespace gateway {

struct RawRequest {
  CallInfo call;
  HttpRequest http;
  std::map<std::string, std::string> fields;  // of the path, decoded
};
using RawDone = absl::AnyInvocable<void(HttpResponse)>;
using RawHandler = std::function<void(RawRequest, RawDone)>;

struct RestHandlerOptions {
  // Every call is answered by then (DEADLINE_EXCEEDED); X-Request-Timeout shortens it. Event
  // streams have to begin by then. 0: without limit.
  absl::Duration request_timeout = absl::Minutes(2);
  StreamSlots* streams = nullptr;  // of followed histories; null: without limit
};

class RestHandler {
 public:
  // All outlive the handler; `metrics` may be null.
  RestHandler(const Router& router, const FrontDoor& door, base::Clock& clock, base::Random& random,
              base::Metrics* metrics);

  // Before serving.
  void Configure(RestHandlerOptions options) { options_ = options; }
  // `path`: see PathTemplate ("/assets/{key...}"). GET routes answer HEAD too. CHECKs that
  // gateway/auth/permissions.h has a rule for "METHOD path".
  void AddRaw(const std::string& method, const std::string& path, RawHandler handler);

  void Handle(HttpRequest request, std::shared_ptr<Exchange> exchange) const;
  // The answer to what never became a request (413, 431, ...), logged and counted like one.
  HttpResponse Refuse(const HttpRequest& partial, int http_status,
                      const absl::Status& status) const;

 private:
  struct RawRoute {
    std::string method;
    PathTemplate path;
    RawHandler handler;
  };
  class Access;

  bool HandleRaw(const std::string& method, HttpRequest& request,
                 const std::shared_ptr<Exchange>& exchange, const Access& access,
                 std::vector<std::string>* allowed) const;
  void HandleMethod(const Transcoder::Match& match, HttpRequest request,
                    std::shared_ptr<Exchange> exchange, const Access& access) const;
  absl::StatusOr<absl::Duration> TimeoutOf(const HttpRequest& request) const;
  static void Limit(absl::Duration timeout, const std::shared_ptr<Exchange>& exchange,
                    const Access& access);
  void FollowHistory(const Router::Method& method, Admission admission, MessagePtr message,
                     const std::string& last_event_id, std::shared_ptr<Exchange> exchange,
                     const Access& access) const;
  // A call that was let in.
  static void Call(const Router::Method& method, Admission admission, MessagePtr message,
                   bool head_only, std::shared_ptr<Exchange> exchange, Access access);
  FrontDoor::Knock MakeKnock(const HttpRequest& request, const Access& access,
                             const std::shared_ptr<Peer>& peer, std::string method) const;
  CallInfo MakeCall(const HttpRequest& request, const Access& access,
                    const std::shared_ptr<Peer>& peer) const;

  const Transcoder transcoder_;
  const FrontDoor& door_;
  base::Clock& clock_;
  base::Random& random_;
  base::Metrics* const metrics_;
  RestHandlerOptions options_;
  std::vector<RawRoute> raw_routes_;
};

}  // namespace gateway
