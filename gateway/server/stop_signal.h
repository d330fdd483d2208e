// StopSignal: turns SIGTERM and SIGINT into something main can wait for. A second signal ends the
// process at once; so does a stop that takes longer than its limit (nothing is lost by that: what
// was acknowledged is durable).
//
// Thread-safety: one instance a process; main thread only.
//
// Example:
//   StopSignal stop;
//   ... start ...
//   stop.Wait([] { ... read the keys again ... });
//   stop.LimitStop(absl::Seconds(10));
#pragma once

#include <functional>

#include "absl/time/time.h"

namespace server {

class StopSignal {
 public:
  StopSignal();  // installs the handlers; ignores SIGPIPE
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // Blocks until the first SIGTERM or SIGINT; returns its number. Calls `on_hangup` for SIGHUP.
  int Wait(const std::function<void()>& on_hangup);
  // Ends the process with code 1 after `limit`.
  void LimitStop(absl::Duration limit);
};

}  // namespace server
