#include "gateway/cli/reconnect.h"

#include <algorithm>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

namespace cli {

namespace {

constexpr absl::Duration kAwayMax = absl::Minutes(1);
// A server that is stopping answers at once.
constexpr absl::Duration kPause = absl::Milliseconds(500);

// We cancel nothing ourselves: a call that is canceled came to a server that had just stopped.
bool IsAway(const absl::Status& status) {
  return absl::IsUnavailable(status) || absl::IsCancelled(status);
}

void Pause(absl::Duration time) {
  absl::Mutex mu;
  const bool over = false;
  absl::MutexLock lock(&mu);
  mu.AwaitWithTimeout(absl::Condition(&over), time);
}

}  // namespace

void Reconnect::Reached() {
  reached_ = true;
  if (!away_since_.has_value()) return;
  away_since_.reset();
  say_("campaignctl: the server is back");
}

bool Reconnect::Again(const absl::Status& status) {
  if (!reached_ || !IsAway(status)) return false;
  if (!away_since_.has_value()) {
    away_since_ = absl::Now();
    say_(absl::StrCat("campaignctl: the server is away (", std::string(status.message()),
                      "); waiting for it, at most ", absl::FormatDuration(kAwayMax)));
  }
  const absl::Time end = std::min(deadline_, *away_since_ + kAwayMax);
  if (absl::Now() >= end) return false;
  Pause(std::min(kPause, end - absl::Now()));
  return connection_.AwaitConnected(end);
}

void Reconnect::ToStderr(const std::string& line) { std::cerr << line << std::endl; }

}  // namespace cli
