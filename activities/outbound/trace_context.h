// W3C trace context: the traceparent header of an outgoing call. Stateless.
//
// Example:
//   ChildTraceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", random)
//       -> "00-4bf92f3577b34da6a3ce929d0e0e4736-<16 fresh hex digits>-01"
#pragma once

#include <string>
#include <string_view>

#include "orchestrator/base/random.h"

namespace outbound {

// The trace and flags of `parent` with a fresh span id; a fresh trace when `parent` is no valid
// traceparent (https://www.w3.org/TR/trace-context/ section 3.2).
std::string ChildTraceparent(std::string_view parent, base::Random& random);

// The trace id in a traceparent, or "".
std::string TraceId(std::string_view traceparent);

}  // namespace outbound
