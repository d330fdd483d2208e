// RateLimits: what a vendor allows, as an operator writes it: a list of "[kind:]CALLS/TIME".
//
//   100/15m              all calls with one credential
//   writes:80/1m         those that change something (not GET, not HEAD)
//   operation:50/1m      each operation ("chat.update") by itself
//   scope:1/1s           each scope (Slack's channel) by itself; calls without one are free
//
// Value types.
//
// Example:
//   absl::StatusOr<RateLimits> limits = ParseRateLimits("900/1m, writes:80/1m");
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace outbound {

struct RateLimit {
  enum class Kind { kAll, kWrites, kOperation, kScope };
  Kind kind = Kind::kAll;
  int calls = 1;
  absl::Duration per = absl::Seconds(1);
};
using RateLimits = std::vector<RateLimit>;

// INVALID_ARGUMENT says what is wrong with which element. "" is no limit.
absl::StatusOr<RateLimits> ParseRateLimits(absl::string_view text);

}  // namespace outbound
