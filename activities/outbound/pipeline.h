// Pipeline: the Outbound of the product. Every try of every call runs through here:
// kill switch -> rate limiter -> circuit breaker -> time-out -> request -> classify -> retry with
// backoff and jitter. A try that the first three do not let through ends the call with
// not_attempted set: the engine waits, and no attempt is used. So does a failure that says that
// the vendor is down or busy (its breaker is open now, it refused for its limits), with
// effect_unknown kept.
//
// It adds Idempotency-Key, X-Workflow-Id, traceparent (a fresh span id a call) and User-Agent,
// logs a line for a failed try and counts outbound_requests_total{vendor,operation,outcome},
// outbound_request_duration_seconds{vendor} and outbound_postponed_total{vendor,reason}.
//
// Thread-safety: loop thread only.
//
// Example:
//   outbound::HttpClient http(loop, {});
//   outbound::Pipeline outbound(loop, http, random, metrics, {}, {.breakers = &breakers});
//   github::GithubClient github(outbound, {.token = token, ...});
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "activities/outbound/breakers.h"
#include "activities/outbound/call.h"
#include "activities/outbound/kill_switch.h"
#include "activities/outbound/rate_limiter.h"
#include "activities/outbound/transport.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/base/random.h"

namespace outbound {

// Told of every try that was made: `outcome` is ok, rate_limited, retryable, unknown, permanent or
// canceled, `status` the HTTP status (0: no answer). On the loop's thread; must not block.
using TryObserver =
    std::function<void(const Vendor& vendor, const HttpRequest& request, const CallContext& context,
                       std::string_view outcome, int status)>;

// What stands before a call; null: nothing does. They outlive the pipeline.
struct Guards {
  KillSwitch* kill_switch = nullptr;
  RateLimiter* limiter = nullptr;
  Breakers* breakers = nullptr;
  TryObserver observer = nullptr;  // may be empty
};

class Pipeline : public Outbound {
 public:
  struct Options {
    std::string user_agent = "campaignd/0.1";
    // A longer wait than this does not happen inside a call: the call fails with retry_after set,
    // and the engine waits instead.
    absl::Duration wait_max = absl::Seconds(30);
  };

  // The arguments must outlive the pipeline.
  Pipeline(base::EventLoop& loop, Transport& transport, base::Random& random,
           base::Metrics& metrics, Options options, Guards guards = {});

  base::Task<base::Outcome<HttpResponse>> Call(const Vendor& vendor, HttpRequest request,
                                               CallContext context) override;
  base::EventLoop& loop() override { return loop_; }

 private:
  // What one try came to.
  struct TryResult {
    Classification classification;
    HttpResponse response;
    bool canceled = false;
    bool timed_out = false;
    bool sent = false;
    bool held = false;
    bool answered = false;
    bool cut = false;           // by the caller's deadline, long before the vendor's time was up
    bool breaker_open = false;  // now, after this try
  };
  // The call as the guards see it.
  struct Gate {
    std::string host;  // of vendors with a breaker a host
    CircuitBreaker::Ticket ticket;
  };
  // Lets the next try through, after a short wait if need be, or says why not.
  base::Task<std::optional<base::Failure>> Pass(const Vendor& vendor, const HttpRequest& request,
                                                const CallContext& context, Gate* gate);
  std::optional<base::Failure> Held(const Vendor& vendor, const HttpRequest& request);
  void Report(const Vendor& vendor, const HttpRequest& request, const CallContext& context,
              const Gate& gate, TryResult* result);
  base::Failure Postpone(const Vendor& vendor, const CallContext& context, base::Failure failure,
                         bool effect_unknown);
  base::Task<TryResult> Try(const Vendor& vendor, HttpRequest request, absl::Duration timeout,
                            base::CancelToken cancel);
  Breakers* BreakersOf(const Vendor& vendor) const {
    return vendor.has_breaker ? guards_.breakers : nullptr;
  }
  static bool Doubtful(const TryResult& result);
  void AddHeaders(HttpRequest* request, const CallContext& context);
  absl::Duration Backoff(const Vendor& vendor, int tries);
  void Count(const Vendor& vendor, const HttpRequest& request, const TryResult& result);
  void LogTry(const Vendor& vendor, const HttpRequest& request, const CallContext& context,
              const TryResult& result, int tries, bool last, absl::Duration wait);

  base::EventLoop& loop_;
  Transport& transport_;
  base::Random& random_;
  base::Metrics& metrics_;
  const Options options_;
  const Guards guards_;
};

}  // namespace outbound
