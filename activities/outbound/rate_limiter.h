// RateLimiter: keeps the calls to every vendor within its limits, per credential (and per
// operation or scope where the vendor counts so). A turn that is near is waited for inside the
// call; for one that is far the caller is told when to come back, and an activity that has got a
// call through goes first (turn_line.h). Answers correct it: "remaining 0" holds a vendor back
// until its reset, a refusal as long as it says, longer each time. One short refusal among
// accepted calls holds back only the call that was refused.
//
// Thread-safety: loop thread only.
//
// Example:
//   outbound::RateLimiter limiter(clock, random, {.limits = {{"github", limits}}});
//   RateLimiter::Turn turn = limiter.Take(kGithub, request, left / 2, context.idempotency_key);
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
#include "activities/outbound/turn_line.h"
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
    // Nor is this one by a caller that has got calls through and would have to begin again.
    absl::Duration wait_amidst_max = absl::Minutes(1);
    absl::Duration hold_max = absl::Hours(24);  // whatever a vendor says
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

  // Takes the call's turn, when it comes within wait_max and `wait_max`. `caller`: the activity
  // that makes this and perhaps further calls; "": nobody in particular.
  Turn Take(const Vendor& vendor, const HttpRequest& request, absl::Duration wait_max,
            const std::string& caller = "");
  void Observe(const Vendor& vendor, const HttpRequest& request, const HttpResponse& response,
               const Classification& classification);
  // Forgets that the vendor holds such a call back for `longer_than` or more: an operator knows
  // better.
  void LetGo(const Vendor& vendor, const HttpRequest& request, absl::Duration longer_than);

 private:
  // Short limits are paced; a long one gives its calls to whoever comes first and remembers them.
  struct Bucket {
    explicit Bucket(const Pacer& p) : pacer(p) {}
    // Until the next turn is free when `ahead` more are taken before it.
    absl::Duration WaitFor(absl::Time now, int ahead = 0);
    void Take(absl::Time now);
    Pacer pacer;
    TurnLine line;
    int calls = 0;  // in `per`; 0: paced
    absl::Duration per;
    std::deque<absl::Time> taken;
    int refused_in_a_row = 0;
    int strikes = 0;  // of refusals, less those of accepted calls
    std::list<std::string>::iterator age;
  };
  // What a call must pass: a limit, or the vendor's own word.
  struct Gate {
    Bucket* bucket;
    std::string name;
    bool counted;        // a limit takes a turn; a hold is only waited for
    bool is_in = false;  // the caller goes before newcomers
  };
  std::vector<Gate> GatesOf(const Vendor& vendor, const HttpRequest& request, absl::Time now,
                            const std::string& caller);
  // Whether a newcomer leaves enough for those that are amidst their calls.
  bool HasRoom(Bucket& bucket, absl::Time now, absl::Duration wait);
  absl::Duration SendAway(const Gate& gate, absl::Time now, absl::Duration wait,
                          const std::string& caller);
  Bucket& Find(const std::string& key, absl::Duration gap, int burst);
  // Whether a refusal speaks of all calls with the credential, not of the one that was refused.
  bool RefusesAll(Bucket& bucket, absl::Duration hold, absl::Duration retry_after);
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
