#include "activities/outbound/rate_limiter.h"

#include <algorithm>
#include <functional>
#include <optional>
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
// Two refusals hold a vendor back for all, unless calls in between were accepted.
constexpr int kStrikesOfARefusal = 2;
constexpr int kStrikesToHold = 4;
// Nobody is told to come back sooner.
constexpr absl::Duration kComeBackMin = absl::Milliseconds(100);
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

absl::Duration RateLimiter::Bucket::WaitFor(absl::Time now, int ahead) {
  if (calls == 0) return pacer.WaitFor(now, ahead);
  while (!taken.empty() && taken.front() <= now - per) taken.pop_front();
  // Of the calls that were and will be made the one that must be over before ours.
  const int64_t before = static_cast<int64_t>(taken.size()) + ahead - calls;
  if (before < 0) return absl::ZeroDuration();
  if (before >= static_cast<int64_t>(taken.size())) return per;  // after one that is yet to come
  return std::max(absl::ZeroDuration(), taken[before] + per - now);
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

std::vector<RateLimiter::Gate> RateLimiter::GatesOf(const Vendor& vendor,
                                                    const HttpRequest& request, absl::Time now,
                                                    const std::string& caller) {
  std::vector<Gate> gates = {{&HoldBucket(vendor, request), "the vendor's own word", false}};
  const auto limits = options_.limits.find(vendor.name);
  if (limits == options_.limits.end()) return gates;
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
    const bool is_in = bucket.line.IsIn(now, caller);
    gates.push_back(
        {&bucket,
         absl::StrCat(limit.calls, " calls in ", absl::FormatDuration(limit.per), " (", part, ")"),
         true, is_in});
    gates.front().is_in |= is_in;
  }
  return gates;
}

bool RateLimiter::HasRoom(Bucket& bucket, absl::Time now, absl::Duration wait) {
  // A turn of a paced limit that nobody takes is lost.
  if (bucket.calls == 0 && wait <= absl::ZeroDuration()) return true;
  const int reserved = bucket.calls == 0 ? bucket.line.Amidst(now) : bucket.line.CallsToCome(now);
  return bucket.WaitFor(now, reserved) <= options_.wait_max;
}

absl::Duration RateLimiter::SendAway(const Gate& gate, absl::Time now, absl::Duration wait,
                                     const std::string& caller) {
  const double random = random_.NextDouble();
  Pacer& pacer = gate.bucket->pacer;
  std::optional<absl::Duration> place;
  if (gate.counted) place = gate.bucket->line.ComeBackAfter(now, caller, pacer.gap(), random);
  if (!place.has_value()) return pacer.ComeBackAfter(now, now + wait, random);
  if (wait + *place > kComeBackMax) return kComeBackMax * (0.5 + 0.5 * random);
  return std::max(wait + *place, kComeBackMin);
}

RateLimiter::Turn RateLimiter::Take(const Vendor& vendor, const HttpRequest& request,
                                    absl::Duration wait_max, const std::string& caller) {
  const absl::Time now = Now();
  const std::vector<Gate> gates = GatesOf(vendor, request, now, caller);
  absl::Duration wait = absl::ZeroDuration();
  const Gate* refusing = nullptr;  // of those that refuse the one with the longest wait
  absl::Duration refusing_wait;
  for (const Gate& gate : gates) {
    const absl::Duration its_wait = gate.bucket->WaitFor(now);
    wait = std::max(wait, its_wait);
    const absl::Duration patience = gate.is_in ? options_.wait_amidst_max : options_.wait_max;
    const bool granted = its_wait <= std::min(wait_max, patience) &&
                         (gate.is_in || !gate.counted || HasRoom(*gate.bucket, now, its_wait));
    if (granted || (refusing != nullptr && its_wait <= refusing_wait)) continue;
    refusing = &gate;
    refusing_wait = its_wait;
  }
  if (refusing != nullptr) {
    return {.granted = false,
            .wait = SendAway(*refusing, now, refusing_wait, caller),
            .limit = refusing->name};
  }
  for (const Gate& gate : gates) {
    if (!gate.counted) continue;
    gate.bucket->line.Take(now, now + wait, caller);
    gate.bucket->Take(now);
  }
  return {.wait = wait};
}

void RateLimiter::Observe(const Vendor& vendor, const HttpRequest& request,
                          const HttpResponse& response, const Classification& classification) {
  absl::Duration hold = HoldFromHeaders(response);
  Bucket& bucket = HoldBucket(vendor, request);
  if (classification.failure_type != "RateLimited") {
    bucket.refused_in_a_row = 0;
    bucket.strikes = std::max(0, bucket.strikes - 1);
  } else if (RefusesAll(bucket, hold, classification.retry_after)) {
    // A vendor that refuses again after the wait it named wants more than that.
    // Calls that were on their way together are refused together.
    const bool again = bucket.pacer.WaitFor(Now()) <= absl::ZeroDuration();
    if (again && bucket.refused_in_a_row < kRefusalsCounted) ++bucket.refused_in_a_row;
    const double factor = 1 << std::max(bucket.refused_in_a_row - 1, 0);
    hold = std::max({hold, classification.retry_after * factor, absl::Seconds(1) * factor});
  }
  if (hold > absl::ZeroDuration()) {
    bucket.pacer.HoldUntil(Now() + std::min(hold, options_.hold_max));
  }
}

void RateLimiter::LetGo(const Vendor& vendor, const HttpRequest& request,
                        absl::Duration longer_than) {
  Bucket& bucket = HoldBucket(vendor, request);
  if (bucket.pacer.WaitFor(Now()) < longer_than) return;
  bucket.pacer = Pacer(bucket.pacer.gap(), 1);
  bucket.refused_in_a_row = 0;
  bucket.strikes = 0;
}

bool RateLimiter::RefusesAll(Bucket& bucket, absl::Duration hold, absl::Duration retry_after) {
  bucket.strikes = std::min(bucket.strikes + kStrikesOfARefusal, kStrikesToHold);
  return hold > absl::ZeroDuration() || retry_after > options_.wait_max ||
         bucket.strikes >= kStrikesToHold;
}

}  // namespace outbound
