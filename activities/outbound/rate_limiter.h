// RateLimiter: keeps the calls to every vendor within its limits, per credential (and per
// operation or scope where the vendor counts so). A turn that is near is waited for inside the
// call; for one that is far the caller is told when to come back. Answers correct it: "remaining
// 0" holds a vendor back until its reset, a refusal as long as it says, longer each time.
//
// Thread-safety: loop thread only.
//
// Example:
//   outbound::RateLimiter limiter(clock, random, {.limits = {{"github", limits}}});
//   RateLimiter::Turn turn = limiter.Take(kGithub, request);
//   if (!turn.granted) return NotAttempted(turn.wait);
//   co_await Sleep(loop, turn.wait);
//   ...
//   limiter.Observe(kGithub, request, response, classification);
#pragma once

#include <deque>
#include <list>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/time/time.h"
#include "activities/outbound/call.h"
#include "activities/outbound/pacer.h"
#include "activities/outbound/rate_limits.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/random.h"

namespace outbound {

// When a vendor's headers say that nothing is left: how long not to call. Knows
// x-ratelimit-{remaining,reset} (epoch or seconds left; GitHub, SendGrid, Reddit),
// x-ratelimit-{remaining,reset}-{requests,tokens} (OpenAI: "6m0s") and RateLimit (Buffer:
// "100-in-15min";r=0;t=897). Zero: something is left, or nothing is said.
absl::Duration HoldFromHeaders(const HttpResponse& response);

class RateLimiter {
 public:
  struct Options {
    std::map<std::string, RateLimits> limits;    // by vendor
    absl::Duration wait_max = absl::Seconds(5);  // a longer wait is not made inside the call
    absl::Duration hold_max = absl::Hours(24);   // whatever a vendor says
    // Callers that were sent away come back at this pace where no limit sets one.
    double drain_per_second = 10;
    size_t buckets_max = 10000;  // scopes that were not used for long are forgotten
  };
  struct Turn {
    bool granted = true;
    absl::Duration wait = absl::ZeroDuration();  // granted: before the call; else: to come back
    std::string limit;                           // not granted: which, for people
  };

  // The arguments outlive the limiter.
  RateLimiter(base::Clock& clock, base::Random& random, Options options);

  // Takes the call's turn, when it comes within wait_max and `wait_max`.
  Turn Take(const Vendor& vendor, const HttpRequest& request, absl::Duration wait_max);
  void Observe(const Vendor& vendor, const HttpRequest& request, const HttpResponse& response,
               const Classification& classification);

 private:
  // Short limits are paced; a long one gives its calls to whoever comes first and remembers them.
  struct Bucket {
    explicit Bucket(const Pacer& p) : pacer(p) {}
    absl::Duration WaitFor(absl::Time now);
    void Take(absl::Time now);
    Pacer pacer;
    int calls = 0;  // in `per`; 0: paced
    absl::Duration per;
    std::deque<absl::Time> taken;
    int refused_in_a_row = 0;
    std::list<std::string>::iterator age;
  };
  Bucket& Find(const std::string& key, absl::Duration gap, int burst);
  // The one that answers of this call hold back.
  Bucket& HoldBucket(const Vendor& vendor, const HttpRequest& request);
  absl::Time Now() { return absl::UnixEpoch() + clock_.Monotonic(); }

  base::Clock& clock_;
  base::Random& random_;
  const Options options_;
  std::unordered_map<std::string, Bucket> buckets_;
  std::list<std::string> ages_;  // least lately used first
};

}  // namespace outbound
