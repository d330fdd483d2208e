#include "gateway/rest/rest_handler.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "gateway/grpc/ids.h"
#include "gateway/json/json_writer.h"
#include "gateway/json/rpc_status.h"
#include "gateway/rest/sse.h"
#include "orchestrator/base/check.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/metrics.h"

namespace gateway {

namespace {

constexpr size_t kHeaderValueMax = 128;
constexpr char kUnmatched[] = "(unmatched)";

// The header's value when it is printable and not too long.
std::string CleanHeader(const HttpRequest& request, const std::string& name) {
  std::string value = request.Header(name);
  const bool printable = std::all_of(value.begin(), value.end(),
                                     [](unsigned char c) { return absl::ascii_isprint(c); });
  return printable && value.size() <= kHeaderValueMax ? value : "";
}

bool IsJsonType(absl::string_view type) {
  type = absl::StripAsciiWhitespace(type.substr(0, type.find(';')));
  return type.empty() || absl::EqualsIgnoreCase(type, kJsonType) ||
         absl::EndsWithIgnoreCase(type, "+json");
}

// "WatchProgress" -> "progress".
std::string EventName(absl::string_view method) {
  absl::ConsumePrefix(&method, "Watch");
  return absl::AsciiStrToLower(method);
}

}  // namespace

// What the log line and the metrics of one request need; copied into its callbacks.
class RestHandler::Access {
 public:
  Access(const RestHandler& handler, const HttpRequest& request)
      : method(request.method),
        path(request.path),
        correlation_id(CleanHeader(request, "x-correlation-id")),
        handler_(handler),
        start_(handler.clock_.Monotonic()) {
    if (correlation_id.empty()) correlation_id = RandomHex(handler.random_);
  }

  HttpResponse Head() const {
    HttpResponse head;
    head.headers.emplace_back("X-Correlation-ID", correlation_id);
    return head;
  }

  void Done(int http_status, absl::string_view error) const {
    const double seconds = absl::ToDoubleSeconds(handler_.clock_.Monotonic() - start_);
    base::Log(base::LogLevel::kInfo, "http request", {.correlation_id = correlation_id},
              {{"method", method},
               {"path", path},
               {"route", route},
               {"status", http_status},
               {"error", std::string(error)},
               {"duration_ms", seconds * 1000}});
    if (handler_.metrics_ == nullptr) return;
    handler_.metrics_
        ->Counter(
            "http_requests_total", "HTTP requests answered.",
            {{"method", KnownMethod()}, {"route", route}, {"code", absl::StrCat(http_status)}})
        .Increment();
    handler_.metrics_
        ->Histogram("http_request_duration_seconds", "Time to answer an HTTP request.",
                    {{"route", route}}, base::Metrics::LatencyBuckets())
        .Observe(seconds);
  }

  HttpResponse Error(const absl::Status& status, int http_status = 0) const {
    HttpResponse response = Head();
    response.status = http_status != 0 ? http_status : HttpStatusOf(status.code());
    response.body = StatusJson(status);
    Done(response.status, status.message());
    return response;
  }

  std::string method;
  std::string path;
  std::string correlation_id;
  std::string route = kUnmatched;

 private:
  // Labels are bounded: a caller may invent any method.
  std::string KnownMethod() const {
    static const auto* const kKnown =
        new std::set<std::string>{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    return kKnown->contains(method) ? method : "(other)";
  }

  const RestHandler& handler_;
  absl::Duration start_;
};

RestHandler::RestHandler(const Router& router, base::Clock& clock, base::Random& random,
                         base::Metrics* metrics)
    : transcoder_(router), clock_(clock), random_(random), metrics_(metrics) {}

void RestHandler::AddRaw(const std::string& method, const std::string& path, RawHandler handler) {
  auto parsed = PathTemplate::Parse(path);
  CHECK(parsed.ok()) << parsed.status().ToString();
  raw_routes_.push_back({method, *std::move(parsed), std::move(handler)});
}

HttpResponse RestHandler::Refuse(const HttpRequest& partial, int http_status,
                                 const absl::Status& status) const {
  return Access(*this, partial).Error(status, http_status);
}

CallInfo RestHandler::MakeCall(const HttpRequest& request, const Access& access,
                               const std::shared_ptr<Peer>& peer) const {
  CallInfo call;
  call.correlation_id = access.correlation_id;
  call.traceparent = CleanHeader(request, "traceparent");
  call.user_agent = CleanHeader(request, "user-agent");
  call.peer = peer;
  return call;
}

void RestHandler::Handle(HttpRequest request, std::shared_ptr<Exchange> exchange) const {
  Access access(*this, request);
  // HEAD is GET whose body the connection leaves out (RFC 9110 section 9.3.2).
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  std::vector<std::string> allowed;
  if (HandleRaw(method, request, exchange, access, &allowed)) return;
  const Transcoder::Match match = transcoder_.Find(method, request.path);
  if (match.route != nullptr) {
    access.route = match.route->path.text();
    return HandleMethod(match, std::move(request), std::move(exchange), access);
  }
  std::set<std::string> methods(allowed.begin(), allowed.end());
  methods.insert(match.allowed.begin(), match.allowed.end());
  const bool any_path = request.method == "OPTIONS" && request.path == "*";
  if (methods.empty() && !any_path) {
    return exchange->Send(access.Error(
        absl::NotFoundError(absl::StrCat("there is nothing at ", request.path.substr(0, 200)))));
  }
  if (methods.contains("GET")) methods.insert("HEAD");
  methods.insert("OPTIONS");
  const std::string allow = absl::StrJoin(methods, ", ");
  if (request.method == "OPTIONS") {
    HttpResponse response = access.Head();
    response.status = 204;
    response.headers.emplace_back("Allow", allow);
    access.Done(response.status, "");
    return exchange->Send(std::move(response));
  }
  HttpResponse response =
      access.Error(absl::UnimplementedError(absl::StrCat(request.path, " allows ", allow, ", not ",
                                                         request.method.substr(0, 20))),
                   405);
  response.headers.emplace_back("Allow", allow);
  exchange->Send(std::move(response));
}

bool RestHandler::HandleRaw(const std::string& method, HttpRequest& request,
                            const std::shared_ptr<Exchange>& exchange, const Access& access,
                            std::vector<std::string>* allowed) const {
  for (const RawRoute& route : raw_routes_) {
    std::map<std::string, std::string> fields;
    if (!route.path.Match(request.path, &fields)) continue;
    allowed->push_back(route.method);
    if (route.method != method) continue;
    Access raw_access = access;
    raw_access.route = route.path.text();
    CallInfo call = MakeCall(request, raw_access, exchange->peer());
    route.handler({std::move(call), std::move(request), std::move(fields)},
                  [exchange, raw_access](HttpResponse response) {
                    for (auto& header : raw_access.Head().headers) {
                      response.headers.push_back(std::move(header));
                    }
                    raw_access.Done(response.status, "");
                    exchange->Send(std::move(response));
                  });
    return true;
  }
  return false;
}

void RestHandler::HandleMethod(const Transcoder::Match& match, HttpRequest request,
                               std::shared_ptr<Exchange> exchange, const Access& access) const {
  if (!request.body.empty() && match.route->has_body &&
      !IsJsonType(request.Header("content-type"))) {
    return exchange->Send(access.Error(
        absl::InvalidArgumentError(absl::StrCat("the body is ",
                                                request.Header("content-type").substr(0, 100),
                                                "; send it with Content-Type: application/json")),
        415));
  }
  absl::StatusOr<MessagePtr> message = transcoder_.Read(match, request);
  if (!message.ok()) return exchange->Send(access.Error(message.status()));
  const Router::Method& method = *match.route->method;
  CallInfo call = MakeCall(request, access, exchange->peer());
  if (method.streaming && request.method == "HEAD") {  // a stream has no end to measure
    HttpResponse head = access.Head();
    head.content_type = kEventStreamType;
    access.Done(head.status, "");
    return exchange->Send(std::move(head));
  }
  if (method.streaming) {
    auto answered = [access](int http_status, const absl::Status& status) {
      access.Done(http_status, status.message());
    };
    return method.streaming(
        std::move(call), *std::move(message),
        MakeEventStream(exchange, EventName(method.descriptor->name()), access.Head(), answered));
  }
  method.unary(std::move(call), *std::move(message),
               [exchange, access](absl::StatusOr<MessagePtr> response) {
                 // Off the engine's thread before anything is formatted.
                 Exchange* runner = exchange.get();
                 runner->Run([exchange, access, response = std::move(response)]() mutable {
                   if (!response.ok()) return exchange->Send(access.Error(response.status()));
                   HttpResponse http = access.Head();
                   http.body = ToJson(**response);
                   access.Done(http.status, "");
                   exchange->Send(std::move(http));
                 });
               });
}

}  // namespace gateway
