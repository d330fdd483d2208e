#include "gateway/rest/rest_handler.h"

#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "gateway/auth/limit_status.h"
#include "gateway/grpc/ids.h"
#include "gateway/json/field_violations.h"
#include "gateway/json/json_writer.h"
#include "gateway/json/rpc_status.h"
#include "gateway/rest/header_fields.h"
#include "gateway/rest/history_stream.h"
#include "gateway/rest/json_lines.h"
#include "gateway/rest/sse.h"
#include "orchestrator/base/check.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/metrics.h"

namespace gateway {

namespace {

constexpr size_t kHeaderValueMax = 128;
constexpr char kUnmatched[] = "(unmatched)";
constexpr char kTimeoutHeader[] = "x-request-timeout";
constexpr absl::Duration kTimeoutMax = absl::Hours(24);       // timers take no endless times
constexpr char kUnsupportedType[] = "rest/unsupported-type";  // a mark on a status, never sent

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

// How a raw route ended, for the front door.
absl::Status OutcomeOf(int http_status) {
  if (http_status < 400) return absl::OkStatus();
  if (http_status == 401) return absl::UnauthenticatedError("what was shown proves nothing");
  return absl::UnknownError("refused");
}

}  // namespace

// What the log line and the metrics of one request need; copied into its callbacks.
class RestHandler::Access {
 public:
  Access(const RestHandler& handler, const HttpRequest& request)
      : method(request.method),
        path(request.path),
        correlation_id(CleanHeader(request, "x-correlation-id")),
        conditional(!request.Header("if-match").empty()),
        handler_(handler),
        start_(handler.clock_.Monotonic()) {
    if (correlation_id.empty()) correlation_id = RandomHex(handler.random_);
  }

  HttpResponse Head() const {
    HttpResponse head;
    head.headers = headers;
    head.headers.emplace_back("X-Correlation-ID", correlation_id);
    return head;
  }

  // Once: the deadline may have answered before the handler does.
  void Done(int http_status, absl::string_view error) const {
    if (done_->exchange(true)) return;
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

  HttpResponse Error(const absl::Status& plain, int http_status = 0) const {
    const absl::Status status = WithDetails(plain);
    HttpResponse response = Head();
    if (absl::IsUnauthenticated(status)) {
      response.headers.emplace_back("WWW-Authenticate", Challenge(status));
    }
    response.status = http_status != 0 ? http_status : HttpStatusOf(status.code());
    // RFC 9110 section 13.1.1: what was to be changed is not what the caller has read.
    if (conditional && http_status == 0 && absl::IsAborted(status)) response.status = 412;
    if (absl::IsResourceExhausted(status)) {
      for (auto& header : auth::LimitHeadersOf(status)) {
        response.headers.push_back(std::move(header));
      }
    }
    const bool has_delay = std::any_of(
        response.headers.begin(), response.headers.end(),
        [](const auto& header) { return absl::EqualsIgnoreCase(header.first, "Retry-After"); });
    if (std::string delay = RetryAfterOf(status); !has_delay && !delay.empty()) {
      response.headers.emplace_back("Retry-After", std::move(delay));
    }
    response.body = StatusJson(status);
    Done(response.status, status.message());
    return response;
  }

  // Of what the front door did not let in: a body of another type than JSON is 415.
  HttpResponse Refusal(absl::Status status) const {
    const bool unsupported = status.ErasePayload(kUnsupportedType);
    return Error(status, unsupported ? 415 : 0);
  }

  std::string method;
  std::string path;
  std::string correlation_id;
  bool conditional;  // it has an If-Match
  std::string route = kUnmatched;
  std::vector<std::pair<std::string, std::string>> headers;  // that the front door adds

 private:
  // Labels are bounded: a caller may invent any method.
  std::string KnownMethod() const {
    static const auto* const kKnown =
        new std::set<std::string>{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    return kKnown->contains(method) ? method : "(other)";
  }

  const RestHandler& handler_;
  absl::Duration start_;
  std::shared_ptr<std::atomic<bool>> done_ = std::make_shared<std::atomic<bool>>(false);
};

RestHandler::RestHandler(const Router& router, const FrontDoor& door, base::Clock& clock,
                         base::Random& random, base::Metrics* metrics)
    : transcoder_(router), door_(door), clock_(clock), random_(random), metrics_(metrics) {}

void RestHandler::AddRaw(const std::string& method, const std::string& path, RawHandler handler) {
  auto parsed = PathTemplate::Parse(path);
  CHECK(parsed.ok()) << parsed.status().ToString();
  CHECK(auth::FindRule(absl::StrCat(method, " ", path)) != nullptr)
      << method << " " << path << " has no rule in gateway/auth/permissions.cc";
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
  call.certificate = request.peer_certificate;
  call.caller.address = request.peer_address;
  return call;
}

absl::StatusOr<absl::Duration> RestHandler::TimeoutOf(const HttpRequest& request) const {
  const std::string text = request.Header(kTimeoutHeader);
  if (text.empty()) return options_.request_timeout;
  absl::Duration timeout;
  int seconds = 0;
  if (absl::SimpleAtoi(text, &seconds)) {
    timeout = absl::Seconds(seconds);
  } else if (!absl::ParseDuration(text, &timeout)) {
    timeout = absl::ZeroDuration();
  }
  if (timeout <= absl::ZeroDuration()) {
    return FieldError("X-Request-Timeout", "is no time such as 5s, 250ms or a number of seconds");
  }
  return std::min(timeout, options_.request_timeout == absl::ZeroDuration()
                               ? kTimeoutMax
                               : options_.request_timeout);
}

// Answers what its handler does not: in time, and before the server ends. Event streams are free
// once they have begun.
void RestHandler::Limit(absl::Duration timeout, const std::shared_ptr<Exchange>& exchange,
                        const Access& access) {
  const auto give_up = [exchange, access](const absl::Status& status) {
    exchange->Send(access.Error(status));
    exchange->peer()->SetGone(status);  // whoever works for it may stop
  };
  exchange->UnlessAnsweredAtEnd([give_up] { give_up(ServerStopping()); });
  if (timeout == absl::ZeroDuration()) return;
  exchange->UnlessAnswered(timeout, [give_up, timeout] {
    give_up(absl::DeadlineExceededError(
        absl::StrCat("there was no answer within ", absl::FormatDuration(timeout),
                     "; what was asked for may be done all the same")));
  });
}

FrontDoor::Knock RestHandler::MakeKnock(const HttpRequest& request, const Access& access,
                                        const std::shared_ptr<Peer>& peer,
                                        std::string method) const {
  FrontDoor::Knock knock;
  knock.method = std::move(method);
  knock.credentials.authorization = request.Header("authorization");
  knock.credentials.certificate = request.certificate;
  knock.credentials.address = request.peer_address;
  knock.credentials.host = request.Header("host");
  knock.credentials.origin = request.Header("origin");
  knock.credentials.fetch_site = request.Header("sec-fetch-site");
  knock.ns = request.Header("x-namespace");
  knock.call = MakeCall(request, access, peer);
  return knock;
}

void RestHandler::Handle(HttpRequest request, std::shared_ptr<Exchange> exchange) const {
  Access access(*this, request);
  const absl::StatusOr<absl::Duration> timeout = TimeoutOf(request);
  if (!timeout.ok()) return exchange->Send(access.Error(timeout.status()));
  Limit(*timeout, exchange, access);
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
    FrontDoor::Knock knock = MakeKnock(request, raw_access, exchange->peer(),
                                       absl::StrCat(route.method, " ", route.path.text()));
    door_.Enter(std::move(knock),
                [handler = &route.handler, exchange, raw_access, request = std::move(request),
                 fields = std::move(fields)](absl::StatusOr<Admission> admission) mutable {
                  if (!admission.ok()) return exchange->Send(raw_access.Error(admission.status()));
                  raw_access.headers = std::move(admission->headers);
                  CallInfo call = std::move(admission->call);
                  (*handler)({std::move(call), std::move(request), std::move(fields)},
                             [exchange, raw_access,
                              admission = *std::move(admission)](HttpResponse response) mutable {
                               for (auto& header : raw_access.Head().headers) {
                                 response.headers.push_back(std::move(header));
                               }
                               admission.Leave(OutcomeOf(response.status));
                               raw_access.Done(response.status, "");
                               exchange->Send(std::move(response));
                             });
                });
    return true;
  }
  return false;
}

namespace {

// A request on its way through the front door: what is read once the caller is let in.
struct Entering {
  Transcoder::Match match;
  HttpRequest http;
  MessagePtr message;
};

absl::Status CheckBodyType(const Entering& entering) {
  const std::string type = entering.http.Header("content-type");
  if (entering.http.body.empty() || !entering.match.route->has_body || IsJsonType(type)) {
    return absl::OkStatus();
  }
  absl::Status status = absl::InvalidArgumentError(absl::StrCat(
      "the body is ", type.substr(0, 100), "; send it with Content-Type: application/json"));
  status.SetPayload(kUnsupportedType, absl::Cord());
  return status;
}

}  // namespace

void RestHandler::HandleMethod(const Transcoder::Match& match, HttpRequest request,
                               std::shared_ptr<Exchange> exchange, const Access& access) const {
  FrontDoor::Knock knock = MakeKnock(request, access, exchange->peer(),
                                     std::string(match.route->method->descriptor->full_name()));
  auto entering = std::make_unique<Entering>();
  entering->match = match;
  entering->http = std::move(request);
  knock.read = [this, entering = entering.get()]() -> absl::StatusOr<google::protobuf::Message*> {
    if (absl::Status status = CheckBodyType(*entering); !status.ok()) return status;
    absl::StatusOr<MessagePtr> message = transcoder_.Read(entering->match, entering->http);
    if (!message.ok()) return message.status();
    entering->message = *std::move(message);
    return entering->message.get();
  };
  door_.Enter(std::move(knock),
              [this, exchange = std::move(exchange), access = Access(access),
               entering = std::move(entering)](absl::StatusOr<Admission> admission) mutable {
                if (!admission.ok()) {
                  return exchange->Send(access.Refusal(admission.status()));
                }
                access.headers = std::move(admission->headers);
                const Router::Method& method = *entering->match.route->method;
                if (method.descriptor->full_name() == kHistoryMethod &&
                    entering->http.method == "GET" && WantsEvents(entering->http)) {
                  return FollowHistory(method, *std::move(admission), std::move(entering->message),
                                       entering->http.Header("last-event-id"), exchange, access);
                }
                Call(method, *std::move(admission), std::move(entering->message),
                     entering->http.method == "HEAD", std::move(exchange), std::move(access));
              });
}

void RestHandler::FollowHistory(const Router::Method& method, Admission admission,
                                MessagePtr message, const std::string& last_event_id,
                                std::shared_ptr<Exchange> exchange, const Access& access) const {
  StreamSlots::Slot slot;
  if (options_.streams != nullptr) {
    absl::StatusOr<StreamSlots::Slot> taken = options_.streams->Take(admission.call);
    if (!taken.ok()) {
      admission.Leave(taken.status());
      return exchange->Send(access.Error(taken.status()));
    }
    slot = *std::move(taken);
  }
  CallInfo call = std::move(admission.call);
  auto left = std::make_shared<Admission>(std::move(admission));
  Resource resource = left->resource;
  StreamHistory(method, std::move(call), std::move(message), last_event_id, std::move(slot),
                std::move(resource), std::move(exchange), access.Head(),
                [access, left](int http_status, const absl::Status& status) {
                  left->Leave(status);
                  access.Done(http_status, status.message());
                });
}

namespace {

// Gives the status at the end of a stream its details.
class DetailedStream : public Stream<MessagePtr> {
 public:
  DetailedStream(std::shared_ptr<Stream<MessagePtr>> out, Resource resource)
      : out_(std::move(out)), resource_(std::move(resource)) {}
  void Open() override { out_->Open(); }
  void Write(MessagePtr message, absl::AnyInvocable<void(bool)> done) override {
    out_->Write(std::move(message), std::move(done));
  }
  void Finish(absl::Status status) override {
    out_->Finish(WithDetails(std::move(status), resource_));
  }

 private:
  const std::shared_ptr<Stream<MessagePtr>> out_;
  const Resource resource_;
};

}  // namespace

void RestHandler::Call(const Router::Method& method, Admission admission, MessagePtr message,
                       bool head_only, std::shared_ptr<Exchange> exchange, Access access) {
  CallInfo call = std::move(admission.call);
  if (method.streaming && head_only) {  // a stream has no end to measure
    HttpResponse head = access.Head();
    head.content_type =
        absl::StartsWith(method.descriptor->name(), "Export") ? kJsonLinesType : kEventStreamType;
    admission.Leave(absl::OkStatus());
    access.Done(head.status, "");
    return exchange->Send(std::move(head));
  }
  if (method.streaming) {
    const Resource resource = admission.resource;
    auto left = std::make_shared<Admission>(std::move(admission));
    auto answered = [access, left](int http_status, const absl::Status& status) {
      left->Leave(status);
      access.Done(http_status, status.message());
    };
    if (absl::StartsWith(method.descriptor->name(), "Export")) {
      return method.streaming(std::move(call), std::move(message),
                              std::make_shared<DetailedStream>(
                                  MakeJsonLines(exchange, access.Head(), answered), resource));
    }
    return method.streaming(std::move(call), std::move(message),
                            std::make_shared<DetailedStream>(
                                MakeEventStream(exchange, EventName(method.descriptor->name()),
                                                access.Head(), answered),
                                resource));
  }
  method.unary(
      std::move(call), std::move(message),
      [exchange, access,
       admission = std::move(admission)](absl::StatusOr<MessagePtr> response) mutable {
        // Off the engine's thread before anything is formatted.
        Exchange* runner = exchange.get();
        runner->Run([exchange, access, admission = std::move(admission),
                     response = std::move(response)]() mutable {
          admission.Leave(response.status(), response.ok() ? response->get() : nullptr);
          if (!response.ok()) {
            return exchange->Send(access.Error(WithDetails(response.status(), admission.resource)));
          }
          HttpResponse http = access.Head();
          if (std::string etag = EtagOf(**response); !etag.empty()) {
            http.headers.emplace_back("ETag", std::move(etag));
          }
          http.body = ToJson(**response);
          access.Done(http.status, "");
          exchange->Send(std::move(http));
        });
      });
}

}  // namespace gateway
