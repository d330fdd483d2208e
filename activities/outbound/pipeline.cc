#include "activities/outbound/pipeline.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "activities/outbound/host_of.h"
#include "activities/outbound/trace_context.h"
#include "orchestrator/base/log.h"
#include "prometheus/counter.h"
#include "prometheus/histogram.h"

namespace outbound {
namespace {

base::Failure CanceledFailure(const CallContext& context, bool effect_unknown) {
  base::Failure failure = base::Failure::Canceled(
      context.cancel.reason().empty() ? "the call was canceled" : context.cancel.reason());
  failure.effect_unknown = effect_unknown;
  return failure;
}

std::string Describe(const Vendor& vendor, const HttpRequest& request) {
  return absl::StrCat(vendor.name, " ",
                      request.operation.empty() ? request.method : request.operation);
}

Classification FromTransport(const Transfer& transfer) {
  Classification result;
  result.failure_message = transfer.message;
  result.failure_type = "VendorUnavailable";
  switch (transfer.end) {
    case TransferEnd::kAnswered:
    case TransferEnd::kCanceled:
    case TransferEnd::kHeld:
      break;
    case TransferEnd::kNotSent:
      result.verdict = Verdict::kRetry;
      break;
    case TransferEnd::kTimedOut:
    case TransferEnd::kBroken:
      result.verdict = Verdict::kRetryUnknown;
      break;
    case TransferEnd::kTooLarge:
      return Permanent("ResponseTooLarge", transfer.message);
    case TransferEnd::kForbidden:
      return Permanent("AddressNotAllowed", transfer.message);
    case TransferEnd::kBadRequest:
      return Permanent("InvalidRequest", transfer.message);
  }
  return result;
}

std::string_view OutcomeLabel(const Classification& classification, bool canceled) {
  if (canceled) return "canceled";
  switch (classification.verdict) {
    case Verdict::kOk:
      return "ok";
    case Verdict::kRetry:
      return classification.failure_type == "RateLimited" ? "rate_limited" : "retryable";
    case Verdict::kRetryUnknown:
      return "unknown";
    case Verdict::kPermanent:
      return "permanent";
  }
  return "unknown";
}

// Answers that say that the vendor, not this request, is in trouble.
bool SaysDown(int status) {
  return status == 502 || status == 503 || status == 504 || status == 529;
}

}  // namespace

Pipeline::Pipeline(base::EventLoop& loop, Transport& transport, base::Random& random,
                   base::Metrics& metrics, Options options, Guards guards)
    : loop_(loop),
      transport_(transport),
      random_(random),
      metrics_(metrics),
      options_(std::move(options)),
      guards_(std::move(guards)) {}

base::Task<base::Outcome<HttpResponse>> Pipeline::Call(const Vendor& vendor, HttpRequest request,
                                                       CallContext context) {
  AddHeaders(&request, context);
  Gate gate{.host = vendor.per_host ? HostOf(request.url) : ""};
  bool effect_unknown = false;  // of an earlier try; only ever true for Repeat::kSafe
  for (int tries = 1;; ++tries) {
    if (context.cancel.canceled()) co_return CanceledFailure(context, effect_unknown);
    std::optional<base::Failure> refused = co_await Pass(vendor, request, context, &gate);
    if (context.cancel.canceled()) {
      if (!refused.has_value() && BreakersOf(vendor) != nullptr) {
        BreakersOf(vendor)->Ended(vendor.name, gate.host, gate.ticket);
      }
      co_return CanceledFailure(context, effect_unknown);
    }
    if (refused.has_value()) {
      co_return Postpone(vendor, context, *std::move(refused), effect_unknown);
    }
    const absl::Duration left = context.deadline - loop_.clock().Now();
    if (left <= absl::ZeroDuration()) {
      if (BreakersOf(vendor) != nullptr) {
        BreakersOf(vendor)->Ended(vendor.name, gate.host, gate.ticket);
      }
      base::Failure failure = base::Failure::Retryable(
          "DeadlineExceeded",
          absl::StrCat(Describe(vendor, request), ": no time left before try ", tries));
      failure.effect_unknown = effect_unknown;
      co_return failure;
    }
    const absl::Duration wanted =
        request.timeout > absl::ZeroDuration() ? request.timeout : vendor.timeout;
    const bool cut_by_deadline = left < wanted;
    TryResult result = co_await Try(vendor, request, std::min(left, wanted), context.cancel);
    result.cut = left < wanted / 2;
    Report(vendor, request, context, gate, &result);
    if (result.held) {
      co_return Postpone(vendor, context,
                         Held(vendor, request)
                             .value_or(base::Failure::NotAttempted(
                                 "KillSwitch", "the kill switch was on", absl::Seconds(1))),
                         effect_unknown);
    }
    Count(vendor, request, result);
    if (guards_.observer) {
      guards_.observer(vendor, request, context,
                       OutcomeLabel(result.classification, result.canceled),
                       result.response.status);
    }
    if (result.canceled) {
      co_return CanceledFailure(context, effect_unknown || result.sent);
    }
    const Classification& verdict = result.classification;
    if (verdict.verdict == Verdict::kOk) co_return std::move(result.response);

    const bool unknown = verdict.verdict == Verdict::kRetryUnknown;
    const bool permanent = verdict.verdict == Verdict::kPermanent;
    const bool limited = verdict.failure_type == "RateLimited" && !permanent;
    effect_unknown =
        effect_unknown || unknown || (permanent && verdict.failure_type == "ResponseTooLarge");
    const absl::Duration wait =
        verdict.retry_after > absl::ZeroDuration() ? verdict.retry_after : Backoff(vendor, tries);
    const bool last = permanent || (unknown && request.repeat == Repeat::kUnsafe) ||
                      tries >= vendor.tries_max || wait > options_.wait_max ||
                      loop_.clock().Now() + wait >= context.deadline || result.breaker_open;
    LogTry(vendor, request, context, result, tries, last, wait);
    if (last) {
      base::Failure failure;
      failure.type =
          result.timed_out && cut_by_deadline ? "DeadlineExceeded" : verdict.failure_type;
      failure.message = absl::StrCat(Describe(vendor, request), ": ", verdict.failure_message,
                                     " (try ", tries, ")");
      failure.retryable = !permanent;
      failure.retry_after = verdict.retry_after;
      failure.effect_unknown = effect_unknown;
      if (permanent) co_return failure;
      if (result.breaker_open) {
        failure.retry_after = BreakersOf(vendor)->ComeBackAfter(vendor.name, gate.host);
      }
      // An outage or a limit is no fault of this call. What may be (a plain 500) uses an attempt.
      const bool outage = result.breaker_open && !Doubtful(result);
      if (outage || (limited && wait > options_.wait_max)) {
        co_return Postpone(vendor, context, std::move(failure), effect_unknown);
      }
      co_return failure;
    }
    // A canceled wait is seen at the top of the loop.
    [[maybe_unused]] const bool elapsed = co_await base::Sleep(loop_, wait, context.cancel);
  }
}

base::Task<std::optional<base::Failure>> Pipeline::Pass(const Vendor& vendor,
                                                        const HttpRequest& request,
                                                        const CallContext& context, Gate* gate) {
  if (std::optional<base::Failure> held = Held(vendor, request)) co_return held;
  Breakers* const breakers = BreakersOf(vendor);
  // First a look, so that calls to a vendor that is down take no turns of its limiter.
  const bool would_go =
      breakers == nullptr || breakers->WouldGo(vendor.name, gate->host, context.idempotency_key);
  if (would_go && guards_.limiter != nullptr) {
    const absl::Duration left = context.deadline - loop_.clock().Now();
    // A Retry-After that would have opened the breaker holds nothing back that an operator forced.
    if (breakers != nullptr && breakers->ForcedClosed(vendor.name, gate->host)) {
      guards_.limiter->LetGo(vendor, request, breakers->options().long_retry_after / 2);
    }
    RateLimiter::Turn turn =
        guards_.limiter->Take(vendor, request, left / 2, context.idempotency_key);
    if (!turn.granted) {
      co_return base::Failure::NotAttempted(
          "RateLimited",
          absl::StrCat(Describe(vendor, request), ": waits for its turn: ", turn.limit), turn.wait);
    }
    if (turn.wait > absl::ZeroDuration()) {
      const bool elapsed = co_await base::Sleep(loop_, turn.wait, context.cancel);
      if (!elapsed) co_return std::nullopt;
      if (std::optional<base::Failure> held = Held(vendor, request)) co_return held;
    }
  }
  if (breakers == nullptr) co_return std::nullopt;
  const CircuitBreaker::Admission admission =
      breakers->Ask(vendor.name, gate->host, context.idempotency_key);
  gate->ticket = admission.ticket;
  if (admission.go) co_return std::nullopt;
  co_return base::Failure::NotAttempted(
      "CircuitOpen",
      absl::StrCat(Describe(vendor, request), ": the vendor's circuit breaker is not closed"),
      admission.come_back_after);
}

std::optional<base::Failure> Pipeline::Held(const Vendor& vendor, const HttpRequest& request) {
  if (guards_.kill_switch == nullptr || request.control || !guards_.kill_switch->on()) {
    return std::nullopt;
  }
  return guards_.kill_switch->Hold(Describe(vendor, request), random_.NextDouble());
}

base::Failure Pipeline::Postpone(const Vendor& vendor, const CallContext& context,
                                 base::Failure failure, bool effect_unknown) {
  failure.not_attempted = true;
  failure.effect_unknown = effect_unknown;
  metrics_
      .Counter("outbound_postponed_total", "Calls that wait in the engine, without an attempt.",
               {{"vendor", vendor.name}, {"reason", failure.type}})
      .Increment();
  base::Log(base::LogLevel::kDebug, "outbound call postponed",
            {.workflow_id = context.workflow_id,
             .run_id = context.run_id,
             .activity_name = context.activity_name,
             .trace_id = TraceId(context.traceparent),
             .correlation_id = context.correlation_id},
            {{"vendor", vendor.name},
             {"reason", failure.type},
             {"wait_ms", absl::ToInt64Milliseconds(failure.retry_after)}});
  return failure;
}

// A failure that may be this one request's fault.
bool Pipeline::Doubtful(const TryResult& result) {
  return result.answered && !SaysDown(result.response.status) &&
         !result.classification.opens_breaker;
}

// Tells the guards how the try ended.
void Pipeline::Report(const Vendor& vendor, const HttpRequest& request, const CallContext& context,
                      const Gate& gate, TryResult* result) {
  const Classification& verdict = result->classification;
  if (guards_.limiter != nullptr && result->answered) {
    guards_.limiter->Observe(vendor, request, result->response, verdict);
  }
  Breakers* const breakers = BreakersOf(vendor);
  if (breakers == nullptr) return;
  const bool says_nothing = result->canceled || result->held ||
                            (!result->answered && verdict.verdict == Verdict::kPermanent) ||
                            (result->timed_out && result->cut);
  if (says_nothing) return breakers->Ended(vendor.name, gate.host, gate.ticket);
  const bool limited =
      verdict.failure_type == "RateLimited" &&
      (vendor.limited_by_operation || verdict.retry_after < breakers->options().long_retry_after);
  if (!verdict.opens_breaker &&
      (verdict.verdict == Verdict::kOk || verdict.verdict == Verdict::kPermanent || limited ||
       verdict.about_request)) {
    return breakers->Succeeded(vendor.name, gate.host, gate.ticket);
  }
  result->breaker_open =
      breakers->Failed(vendor.name, gate.host, gate.ticket,
                       {.reason = absl::StrCat(verdict.failure_type, ": ", verdict.failure_message),
                        .retry_after = verdict.retry_after,
                        .opens = verdict.opens_breaker,
                        .doubtful = Doubtful(*result),
                        .caller = context.workflow_id});
}

base::Task<Pipeline::TryResult> Pipeline::Try(const Vendor& vendor, HttpRequest request,
                                              absl::Duration timeout, base::CancelToken cancel) {
  const HttpRequest* sent_request = &request;
  const TransferLimits limits{.timeout = timeout, .response_bytes_max = vendor.response_bytes_max};
  Transfer transfer = co_await transport_.Send(request, limits, std::move(cancel));
  TryResult result;
  result.sent = transfer.sent;
  result.canceled = transfer.end == TransferEnd::kCanceled;
  result.timed_out = transfer.end == TransferEnd::kTimedOut;
  result.held = transfer.end == TransferEnd::kHeld;
  result.answered = transfer.end == TransferEnd::kAnswered;
  if (!result.answered) {
    result.classification = FromTransport(transfer);
  } else {
    transfer.response.received_at = loop_.clock().Now();
    result.classification = vendor.classify != nullptr
                                ? vendor.classify(*sent_request, transfer.response)
                                : ClassifyByStatus(*sent_request, transfer.response);
    result.response = std::move(transfer.response);
  }
  metrics_
      .Histogram("outbound_request_duration_seconds",
                 "Time of one try of a call to a vendor, in seconds.", {{"vendor", vendor.name}},
                 base::Metrics::LatencyBuckets())
      .Observe(absl::ToDoubleSeconds(transfer.elapsed));
  co_return result;
}

void Pipeline::AddHeaders(HttpRequest* request, const CallContext& context) {
  const auto add = [request](const std::string& name, std::string value) {
    for (const auto& [key, unused] : request->headers) {
      if (absl::EqualsIgnoreCase(key, name)) return;  // the connector's own wins
    }
    if (!value.empty()) request->headers.emplace_back(name, std::move(value));
  };
  add("User-Agent", options_.user_agent);
  add("Idempotency-Key", context.idempotency_key);
  add("X-Workflow-Id", context.workflow_id);
  add("traceparent", ChildTraceparent(context.traceparent, random_));
}

// Exponential, the upper half of it random: a crowd of callers does not come back at once.
absl::Duration Pipeline::Backoff(const Vendor& vendor, int tries) {
  const double factor = std::pow(2.0, std::min(tries - 1, 30));
  const absl::Duration full = std::min(vendor.backoff_initial * factor, vendor.backoff_max);
  return full * (0.5 + 0.5 * random_.NextDouble());
}

void Pipeline::Count(const Vendor& vendor, const HttpRequest& request, const TryResult& result) {
  metrics_
      .Counter("outbound_requests_total", "Tries of calls to vendors.",
               {{"vendor", vendor.name},
                {"operation", request.operation},
                {"outcome", std::string(OutcomeLabel(result.classification, result.canceled))}})
      .Increment();
}

void Pipeline::LogTry(const Vendor& vendor, const HttpRequest& request, const CallContext& context,
                      const TryResult& result, int tries, bool last, absl::Duration wait) {
  base::Log(last ? base::LogLevel::kWarning : base::LogLevel::kDebug,
            last ? "outbound call failed" : "outbound try failed, will try again",
            {.workflow_id = context.workflow_id,
             .run_id = context.run_id,
             .activity_name = context.activity_name,
             .trace_id = TraceId(context.traceparent),
             .correlation_id = context.correlation_id},
            {{"vendor", vendor.name},
             {"operation", request.operation},
             {"status", result.response.status},
             {"failure", result.classification.failure_type},
             {"reason", result.classification.failure_message},
             {"outcome", OutcomeLabel(result.classification, result.canceled)},
             {"try", tries},
             {"wait_ms", absl::ToInt64Milliseconds(wait)}});
}

}  // namespace outbound
