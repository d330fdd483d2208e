// CallLimits: how many calls a caller may make, by groups of methods (requirement P7). A token
// bucket each: "100/1s" lets 100 calls through at once and refills by one every 10 ms.
//
// Pure: time is given. Thread-safe. Its memory is bounded: beyond Options::callers_max the bucket
// that was not used for longest is forgotten, and its caller begins again with a full one.
//
// Example:
//   CallLimits limits({.reads = {.calls = 100, .per = absl::Seconds(1)}});
//   CallLimits::Verdict verdict = limits.Take(CallGroup::kReads, "ann@example.com", monotonic);
//   if (!verdict.allowed) return LimitExceeded(..., verdict.retry_after);
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace auth {

enum class CallGroup { kReads, kWrites, kStarts, kStreams, kAdmin, kSignIns };
absl::string_view CallGroupName(CallGroup group);  // "reads"
// Of a group of the permissions' table ("read", "start", ...).
CallGroup CallGroupOf(absl::string_view rule_group);

// Zero calls: no limit.
struct CallRate {
  int calls = 0;
  absl::Duration per = absl::Seconds(1);
};
// "100/1s", or "off". INVALID_ARGUMENT says what is wrong.
absl::StatusOr<CallRate> ParseCallRate(absl::string_view text);

class CallLimits {
 public:
  struct Options {
    CallRate reads, writes, starts, streams, admin;
    CallRate sign_ins;  // that failed, an address
    size_t callers_max = 100'000;
  };
  struct Verdict {
    bool allowed = true;
    bool limited = false;  // the group has a limit: the rest holds
    CallRate rate;
    int64_t remaining = 0;
    absl::Duration full_after = absl::ZeroDuration();   // until all calls are there again
    absl::Duration retry_after = absl::ZeroDuration();  // until one is; zero when allowed
  };

  explicit CallLimits(Options options);

  // Takes one call. `now` is monotonic.
  Verdict Take(CallGroup group, const std::string& caller, absl::Duration now);

 private:
  struct Bucket {
    std::string key;
    double tokens = 0;
    absl::Duration at;
  };
  struct Shard {
    mutable absl::Mutex mu;
    std::list<Bucket> buckets ABSL_GUARDED_BY(mu);  // the one used last in front
    absl::flat_hash_map<std::string, std::list<Bucket>::iterator> by_key ABSL_GUARDED_BY(mu);
  };
  static constexpr int kShards = 16;

  const CallRate& RateOf(CallGroup group) const;

  const Options options_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

// The fields of draft-ietf-httpapi-ratelimit-headers that go with an answer; empty when there is
// no limit. With Retry-After when the call was refused.
std::vector<std::pair<std::string, std::string>> RateLimitHeaders(
    const CallLimits::Verdict& verdict);

// What is counted together before somebody has signed in: an IPv4 address, a /64 of IPv6 (whoever
// has one address of it has all). With or without a port, and as gRPC writes it:
// "127.0.0.1:40112" -> "127.0.0.1", "[2001:db8:1:2:3::4]:80" -> "2001:db8:1:2".
std::string AddressGroup(absl::string_view address);

}  // namespace auth
