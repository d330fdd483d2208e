// The one door to the outside: every HTTP call to a vendor goes through an Outbound, and the
// pipeline of DESIGN.md (kill switch, rate limiter, breaker, time-out, request, classify) has its
// place in it.
//
// Thread-safety: loop thread only (the I/O loop that the Outbound was made on).
//
// Example:
//   outbound::HttpRequest request{.method = "GET", .url = base + "/v1/users/me"};
//   request.headers.emplace_back("Authorization", "Bearer " + token);
//   base::Outcome<outbound::HttpResponse> response =
//       co_await outbound.Call(kNotion, std::move(request), context);
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "orchestrator/base/cancel.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/task.h"

namespace outbound {

// On whose behalf a call is made. Cheap to copy.
struct CallContext {
  std::string workflow_id;
  std::string run_id;
  std::string activity_name;
  std::string idempotency_key;  // the same for every attempt; sent as the Idempotency-Key header
  std::string traceparent;      // sent on, with a fresh span id
  std::string correlation_id;
  absl::Time deadline = absl::InfiniteFuture();  // no try starts or lasts beyond it
  base::CancelToken cancel;
};

// May the call be repeated when its outcome is unknown?
enum class Repeat {
  kSafe,    // reads, and writes that land on the same result (PUT, DELETE, compare-and-set)
  kUnsafe,  // creates: after an unknown outcome the caller looks before it tries again
};

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  Repeat repeat = Repeat::kSafe;
  // What a vendor's limit is counted by besides the credential: Slack's channel.
  std::string limit_scope;
  // Tidies up something of our own (ends a browser): passes the kill switch.
  bool control = false;
  // The address comes from a user: only public ones are connected to, whatever its name resolves
  // to at that moment. Another fails as "AddressNotAllowed" (permanent).
  bool public_only = false;
  absl::Duration timeout = absl::ZeroDuration();  // of one try; zero: the vendor's default
  std::string operation;                          // for logs and metrics: "pulls.create"
};

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  std::string body;
  absl::Time received_at = absl::UnixEpoch();  // for dates in headers (Retry-After, resets)
  // The value of a header (lower-case name), or "".
  std::string_view Header(std::string_view name) const;
};

// What an answer means. kRetry* are tried again inside Call, with backoff, as long as the tries,
// the deadline and `Repeat` allow.
enum class Verdict {
  kOk,            // hand the response to the caller (also 404, 409, 422 that callers expect)
  kRetry,         // had no effect (429, 503 before work, connection refused): always repeatable
  kRetryUnknown,  // may have had its effect (time-out, reset, 500): repeatable when Repeat::kSafe
  kPermanent,     // 4xx that no repetition mends
};

struct Classification {
  Verdict verdict = Verdict::kOk;
  absl::Duration retry_after = absl::ZeroDuration();  // wins over the backoff
  std::string failure_type;     // "RateLimited", "Unauthorized", "InvalidRequest", ...
  std::string failure_message;  // the vendor's own words, without secrets
  // The vendor will serve nobody for `retry_after` (quota used up): the breaker opens at once.
  bool opens_breaker = false;
  // A refusal of this one request in the clothes of an outage (Figma's 500 for a large render).
  bool about_request = false;
};

// What the pipeline must know of a vendor; one constant per connector.
struct Vendor {
  std::string name;  // "github"; label of metrics and logs, key of breaker and limiter
  absl::Duration timeout = absl::Seconds(30);  // of one try
  int tries_max = 6;                           // inside one Call
  absl::Duration backoff_initial = absl::Milliseconds(200);
  absl::Duration backoff_max = absl::Seconds(10);
  size_t response_bytes_max = 16 * 1024 * 1024;
  bool per_host = false;  // many hosts: a breaker for each
  // Whether it has a circuit breaker. Hosts that users name have none: a call to one that is down
  // for good must fail, not wait.
  bool has_breaker = true;
  bool limited_by_operation = false;  // its limits count each operation by itself
  // Reads the vendor's way of saying no (errors inside 200, 403 that means slow down, ...).
  // Null: ClassifyByStatus.
  std::function<Classification(const HttpRequest&, const HttpResponse&)> classify;
};

// The rules of RFC 9110 for vendors without ways of their own: 2xx, 404, 409, 410, 412 and 422
// are kOk; 408, 425, 429, 503 and 529 are kRetry (Retry-After honoured); other 5xx are
// kRetryUnknown; other 4xx are kPermanent.
Classification ClassifyByStatus(const HttpRequest& request, const HttpResponse& response);

// The vendor's own words in an error body (message, error.message, errors[0].message, err, ...),
// without registered secrets and shortened; "" when there are none.
std::string VendorMessage(std::string_view body);

// What classify functions return for the two commonest refusals.
Classification RateLimited(absl::Duration retry_after, std::string message);
Classification Permanent(std::string type, std::string message);

// Retry-After: seconds or an HTTP date (RFC 9110 section 10.2.3); zero when absent or wrong.
absl::Duration ParseRetryAfter(std::string_view value, absl::Time now);

class Outbound {
 public:
  virtual ~Outbound() = default;
  // Tries the call until it has an answer that means kOk or kPermanent, or until tries, deadline
  // or cancellation end it. Failures: type "Canceled", "DeadlineExceeded", "VendorUnavailable"
  // (retryable), "RateLimited" (with retry_after) or the classification's own; effect_unknown is
  // set when an Unsafe call may have had its effect and the caller must look before repeating.
  // An open breaker, a full limiter and the kill switch end a call with not_attempted set and
  // `retry_after`: the caller hands that failure on, and the attempt does not count.
  // `vendor` must outlive the call (vendors are constants).
  virtual base::Task<base::Outcome<HttpResponse>> Call(const Vendor& vendor, HttpRequest request,
                                                       CallContext context) = 0;
  virtual base::EventLoop& loop() = 0;
};

}  // namespace outbound
