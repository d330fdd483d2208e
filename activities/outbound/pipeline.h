// Pipeline: the Outbound of the product. Every try of every call runs through here, so this is
// the one place where a kill switch, a vendor's rate limiter and its circuit breaker stand
// (before `Try`); today it is: time-out -> request -> classify -> retry with backoff and jitter.
//
// It adds Idempotency-Key, X-Workflow-Id, traceparent (a fresh span id a call) and User-Agent,
// logs a line for a failed try and counts outbound_requests_total{vendor,operation,outcome} and
// outbound_request_duration_seconds{vendor}.
//
// Thread-safety: loop thread only.
//
// Example:
//   outbound::HttpClient http(loop, {});
//   outbound::Pipeline outbound(loop, http, random, metrics, {});
//   github::GithubClient github(outbound, {.token = token, ...});
#pragma once

#include <string>

#include "activities/outbound/call.h"
#include "activities/outbound/transport.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/base/random.h"

namespace outbound {

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
           base::Metrics& metrics, Options options);

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
  };
  base::Task<TryResult> Try(const Vendor& vendor, HttpRequest request, absl::Duration timeout,
                            base::CancelToken cancel);
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
};

}  // namespace outbound
