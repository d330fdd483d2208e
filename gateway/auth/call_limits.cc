#include "gateway/auth/call_limits.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cmath>

#include "absl/hash/hash.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"

namespace auth {
namespace {

constexpr int kCallsMax = 1'000'000;

std::string Seconds(absl::Duration duration) {
  return absl::StrCat(absl::ToInt64Seconds(absl::Ceil(duration, absl::Seconds(1))));
}

}  // namespace

absl::string_view CallGroupName(CallGroup group) {
  switch (group) {
    case CallGroup::kReads:
      return "reads";
    case CallGroup::kWrites:
      return "writes";
    case CallGroup::kStarts:
      return "starts";
    case CallGroup::kStreams:
      return "streams";
    case CallGroup::kAdmin:
      return "admin";
    case CallGroup::kSignIns:
      return "sign_ins";
  }
  return "";
}

CallGroup CallGroupOf(absl::string_view rule_group) {
  if (rule_group == "read") return CallGroup::kReads;
  if (rule_group == "watch") return CallGroup::kStreams;
  if (rule_group == "start") return CallGroup::kStarts;
  if (rule_group == "write" || rule_group == "decide") return CallGroup::kWrites;
  return CallGroup::kAdmin;
}

absl::StatusOr<CallRate> ParseCallRate(absl::string_view text) {
  if (text == "off") return CallRate{};
  const size_t slash = text.find('/');
  CallRate rate;
  if (slash == absl::string_view::npos || !absl::SimpleAtoi(text.substr(0, slash), &rate.calls) ||
      !absl::ParseDuration(std::string(text.substr(slash + 1)), &rate.per)) {
    return absl::InvalidArgumentError("must be CALLS/TIME, such as 100/1s, or off");
  }
  if (rate.calls < 1 || rate.calls > kCallsMax) {
    return absl::InvalidArgumentError(absl::StrCat("the calls must be between 1 and ", kCallsMax));
  }
  if (rate.per < absl::Milliseconds(1) || rate.per > absl::Hours(24)) {
    return absl::InvalidArgumentError("the time must be between 1ms and 24h");
  }
  return rate;
}

CallLimits::CallLimits(Options options) : options_(options) {
  for (int i = 0; i < kShards; ++i) shards_.push_back(std::make_unique<Shard>());
}

const CallRate& CallLimits::RateOf(CallGroup group) const {
  switch (group) {
    case CallGroup::kReads:
      return options_.reads;
    case CallGroup::kWrites:
      return options_.writes;
    case CallGroup::kStarts:
      return options_.starts;
    case CallGroup::kStreams:
      return options_.streams;
    case CallGroup::kAdmin:
      return options_.admin;
    case CallGroup::kSignIns:
      return options_.sign_ins;
  }
  return options_.reads;
}

CallLimits::Verdict CallLimits::Take(CallGroup group, const std::string& caller,
                                     absl::Duration now) {
  const CallRate& rate = RateOf(group);
  if (rate.calls == 0) return {};
  const std::string key = absl::StrCat(static_cast<int>(group), " ", caller);
  Shard& shard = *shards_[absl::Hash<std::string>()(key) % kShards];
  const double per_second = rate.calls / absl::ToDoubleSeconds(rate.per);
  double tokens = rate.calls;
  Verdict verdict{.limited = true, .rate = rate};
  {
    absl::MutexLock lock(&shard.mu);
    const auto found = shard.by_key.find(key);
    if (found == shard.by_key.end()) {
      shard.buckets.push_front({.key = key, .tokens = tokens, .at = now});
      shard.by_key[key] = shard.buckets.begin();
      const size_t most = std::max<size_t>(1, options_.callers_max / kShards);
      if (shard.buckets.size() > most) {
        shard.by_key.erase(shard.buckets.back().key);
        shard.buckets.pop_back();
      }
    } else {
      shard.buckets.splice(shard.buckets.begin(), shard.buckets, found->second);
    }
    Bucket& bucket = shard.buckets.front();
    if (now > bucket.at) {
      bucket.tokens = std::min<double>(
          rate.calls, bucket.tokens + absl::ToDoubleSeconds(now - bucket.at) * per_second);
      bucket.at = now;
    }
    // A hair less than one is one: sums of small refills are not exact.
    verdict.allowed = bucket.tokens >= 1 - 1e-9;
    if (verdict.allowed) bucket.tokens = std::max(0.0, bucket.tokens - 1);
    tokens = bucket.tokens;
  }
  verdict.remaining = static_cast<int64_t>(tokens + 1e-9);
  verdict.full_after = absl::Seconds((rate.calls - tokens) / per_second);
  if (!verdict.allowed) verdict.retry_after = absl::Seconds((1 - tokens) / per_second);
  return verdict;
}

std::vector<std::pair<std::string, std::string>> RateLimitHeaders(
    const CallLimits::Verdict& verdict) {
  if (!verdict.limited) return {};
  std::vector<std::pair<std::string, std::string>> headers = {
      {"RateLimit-Limit", absl::StrCat(verdict.rate.calls)},
      {"RateLimit-Remaining", absl::StrCat(verdict.remaining)},
      {"RateLimit-Reset", Seconds(verdict.full_after)},
      {"RateLimit-Policy", absl::StrCat(verdict.rate.calls, ";w=", Seconds(verdict.rate.per))}};
  if (!verdict.allowed) headers.emplace_back("Retry-After", Seconds(verdict.retry_after));
  return headers;
}

std::string AddressGroup(absl::string_view address) {
  // gRPC's peers: "ipv4:127.0.0.1:5", "ipv6:%5B::1%5D:5".
  if (!absl::ConsumePrefix(&address, "ipv4:")) absl::ConsumePrefix(&address, "ipv6:");
  std::string host = absl::StrReplaceAll(address, {{"%5B", "["}, {"%5D", "]"}});
  if (!host.empty() && host[0] == '[') {
    host = host.substr(1, host.find(']') - 1);
  } else if (std::count(host.begin(), host.end(), ':') == 1) {
    host.resize(host.find(':'));
  }
  in6_addr six{};
  if (inet_pton(AF_INET6, host.substr(0, host.find('%')).c_str(), &six) != 1) return host;
  const auto* bytes = six.s6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&six)) {
    return absl::StrCat(bytes[12], ".", bytes[13], ".", bytes[14], ".", bytes[15]);
  }
  return absl::StrFormat("%x:%x:%x:%x", bytes[0] << 8 | bytes[1], bytes[2] << 8 | bytes[3],
                         bytes[4] << 8 | bytes[5], bytes[6] << 8 | bytes[7]);
}

}  // namespace auth
