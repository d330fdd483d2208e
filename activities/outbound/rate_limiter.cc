#include "activities/outbound/rate_limiter.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace outbound {
namespace {

// Resets below this are seconds left, above it seconds since 1970.
constexpr double kEpochMin = 1e9;
constexpr int kRefusalsCounted = 8;
// Limits over a longer time than this are not paced.
constexpr absl::Duration kPacedMax = absl::Minutes(1);

std::string Credential(const HttpRequest& request) {
  for (const auto& [name, value] : request.headers) {
    if (absl::EqualsIgnoreCase(name, "authorization") ||
        absl::EqualsIgnoreCase(name, "x-figma-token")) {
      return absl::StrCat(absl::Hex(std::hash<std::string>()(value)));
    }
  }
  return "";
}

bool IsWrite(const HttpRequest& request) {
  return request.method != "GET" && request.method != "HEAD";
}

// What of `limit` the call falls under; "" when it does not.
std::string PartOf(const RateLimit& limit, const HttpRequest& request) {
  switch (limit.kind) {
    case RateLimit::Kind::kAll:
      return "all";
    case RateLimit::Kind::kWrites:
      return IsWrite(request) ? "writes" : "";
    case RateLimit::Kind::kOperation:
      return absl::StrCat("operation ", request.operation);
    case RateLimit::Kind::kScope:
      return request.limit_scope.empty()
                 ? ""
                 : absl::StrCat("scope ", request.operation, " ", request.limit_scope);
  }
  return "";
}

// A burst of a tenth, and so much less in between that no window of `per` sees more than `calls`.
struct Pace {
  absl::Duration gap;
  int burst;
};
Pace PaceOf(const RateLimit& limit) {
  if (limit.per > kPacedMax) return {.gap = limit.per / limit.calls, .burst = limit.calls};
  const int burst = std::max(1, limit.calls / 10);
  return {.gap = limit.per / (limit.calls - burst + 1), .burst = burst};
}

std::string Text(std::string_view view) { return std::string(view); }

absl::Duration FromReset(const HttpResponse& response, const std::string& remaining,
                         const std::string& reset) {
  if (response.Header(remaining) != "0") return absl::ZeroDuration();
  const std::string at = Text(response.Header(reset));
  double seconds = 0;
  absl::Duration left;
  if (absl::SimpleAtod(at, &seconds)) {
    left = seconds >= kEpochMin
               ? absl::FromUnixSeconds(static_cast<int64_t>(seconds)) - response.received_at
               : absl::Seconds(seconds);
  } else if (!absl::ParseDuration(at, &left)) {
    return absl::ZeroDuration();
  }
  return std::max(left, absl::ZeroDuration());
}

// RateLimit of draft-ietf-httpapi-ratelimit-headers: a list of "name";r=REMAINING;t=SECONDS.
absl::Duration FromRateLimit(const HttpResponse& response) {
  absl::Duration longest = absl::ZeroDuration();
  for (absl::string_view member : absl::StrSplit(Text(response.Header("ratelimit")), ',')) {
    double remaining = 1;
    double seconds = 0;
    for (absl::string_view part : absl::StrSplit(member, ';')) {
      part = absl::StripAsciiWhitespace(part);
      if (absl::StartsWith(part, "r=") && !absl::SimpleAtod(part.substr(2), &remaining)) continue;
      if (absl::StartsWith(part, "t=") && !absl::SimpleAtod(part.substr(2), &seconds)) continue;
    }
    if (remaining <= 0 && seconds > 0) longest = std::max(longest, absl::Seconds(seconds));
  }
  return longest;
}

}  // namespace

absl::Duration HoldFromHeaders(const HttpResponse& response) {
  return std::max(
      {FromReset(response, "x-ratelimit-remaining", "x-ratelimit-reset"),
       FromReset(response, "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
       FromReset(response, "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
       FromRateLimit(response)});
}

absl::Duration RateLimiter::Bucket::WaitFor(absl::Time now) {
  if (calls == 0) return pacer.WaitFor(now);
  while (!taken.empty() && taken.front() <= now - per) taken.pop_front();
  const size_t most = static_cast<size_t>(calls);
  if (taken.size() < most) return absl::ZeroDuration();
  return std::max(absl::ZeroDuration(), taken[taken.size() - most] + per - now);
}

void RateLimiter::Bucket::Take(absl::Time now) {
  if (calls == 0) return pacer.Take(now);
  taken.push_back(now + WaitFor(now));
}

RateLimiter::RateLimiter(base::Clock& clock, base::Random& random, Options options)
    : clock_(clock), random_(random), options_(std::move(options)) {}

RateLimiter::Bucket& RateLimiter::Find(const std::string& key, absl::Duration gap, int burst) {
  const auto it = buckets_.find(key);
  if (it != buckets_.end()) {
    ages_.splice(ages_.end(), ages_, it->second.age);
    return it->second;
  }
  if (buckets_.size() >= options_.buckets_max) {
    buckets_.erase(ages_.front());
    ages_.pop_front();
  }
  Bucket& bucket = buckets_.emplace(key, Bucket(Pacer(gap, burst))).first->second;
  bucket.age = ages_.insert(ages_.end(), key);
  return bucket;
}

RateLimiter::Bucket& RateLimiter::HoldBucket(const Vendor& vendor, const HttpRequest& request) {
  std::string key = absl::StrCat(vendor.name, "|", Credential(request), "|hold");
  if (vendor.limited_by_operation) {
    absl::StrAppend(&key, "|", request.operation, "|", request.limit_scope);
  }
  // Its gap paces the callers that come back; it lets all through that no answer has held back.
  return Find(key, absl::Seconds(1) / std::max(options_.drain_per_second, 0.001), 1);
}

RateLimiter::Turn RateLimiter::Take(const Vendor& vendor, const HttpRequest& request,
                                    absl::Duration wait_max) {
  const absl::Time now = Now();
  struct Gate {
    Bucket* bucket;
    std::string name;
    bool counted;  // a limit takes a turn; a hold is only waited for
  };
  std::vector<Gate> gates = {{&HoldBucket(vendor, request), "the vendor's own word", false}};
  const auto limits = options_.limits.find(vendor.name);
  if (limits != options_.limits.end()) {
    const std::string credential = Credential(request);
    for (size_t i = 0; i < limits->second.size(); ++i) {
      const RateLimit& limit = limits->second[i];
      const std::string part = PartOf(limit, request);
      if (part.empty()) continue;
      const Pace pace = PaceOf(limit);
      Bucket& bucket =
          Find(absl::StrCat(vendor.name, "|", credential, "|", i, "|", part), pace.gap, pace.burst);
      if (limit.per > kPacedMax) {
        bucket.calls = limit.calls;
        bucket.per = limit.per;
      }
      gates.push_back({&bucket,
                       absl::StrCat(limit.calls, " calls in ", absl::FormatDuration(limit.per),
                                    " (", part, ")"),
                       true});
    }
  }
  absl::Duration wait = absl::ZeroDuration();
  const Gate* longest = &gates.front();
  for (const Gate& gate : gates) {
    const absl::Duration its_wait = gate.bucket->WaitFor(now);
    if (its_wait <= wait) continue;
    wait = its_wait;
    longest = &gate;
  }
  if (wait > std::min(wait_max, options_.wait_max)) {
    return {.granted = false,
            .wait = longest->bucket->pacer.ComeBackAfter(now, now + wait, random_.NextDouble()),
            .limit = longest->name};
  }
  for (const Gate& gate : gates) {
    if (gate.counted) gate.bucket->Take(now);
  }
  return {.wait = wait};
}

void RateLimiter::Observe(const Vendor& vendor, const HttpRequest& request,
                          const HttpResponse& response, const Classification& classification) {
  absl::Duration hold = HoldFromHeaders(response);
  Bucket& bucket = HoldBucket(vendor, request);
  if (classification.failure_type == "RateLimited") {
    // A vendor that refuses again after the wait it named wants more than that.
    // Calls that were on their way together are refused together.
    const bool again = bucket.pacer.WaitFor(Now()) <= absl::ZeroDuration();
    if (again && bucket.refused_in_a_row < kRefusalsCounted) ++bucket.refused_in_a_row;
    const double factor = 1 << std::max(bucket.refused_in_a_row - 1, 0);
    hold = std::max({hold, classification.retry_after * factor, absl::Seconds(1) * factor});
  } else {
    bucket.refused_in_a_row = 0;
  }
  if (hold > absl::ZeroDuration()) {
    bucket.pacer.HoldUntil(Now() + std::min(hold, options_.hold_max));
  }
}

}  // namespace outbound
