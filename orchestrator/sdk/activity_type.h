// ActivityType<In, Out>: the name of an activity together with its protobuf input and output, so
// that workflow code and the worker's registration agree at compile time. Constant; thread-safe.
//
// Example:
//   inline constexpr sdk::ActivityType<ChargeInput, ChargeOutput> kCharge{"charge_card"};
//   sdk::Outcome<ChargeOutput> charged = co_await ctx.Execute(kCharge, input);
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/task.h"
#include "orchestrator/v1/common.pb.h"

namespace sdk {

namespace v1 = ::orchestrator::v1;

using base::Done;
using base::Failure;
using base::Outcome;
using base::Unit;

// The coroutine type of workflow code, and of its helper coroutines. A workflow ends with
// `co_return value` or `co_return failure`; a FailureException that escapes is its failure too.
// Only futures of the Context and other Workflow<T> may be awaited in it.
template <typename T>
using Workflow = base::Task<Outcome<T>>;

template <typename In, typename Out>
struct ActivityType {
  using Input = In;
  using Output = Out;
  const char* name;
};

// What happens when an activity's attempts are used up.
enum class OnExhausted {
  kFail,  // it fails
  // It is parked and the run is PAUSED, until an operator tries it again (retry-now) or the
  // activity is canceled. Its schedule_to_close time-out still ends it.
  kPause,
  // It fails, and the saga whose step it is undoes everything at once: steps that are still running
  // are canceled, and Abort has only to wait. Outside of a saga the same as kFail.
  kCompensate,
};

struct RetryPolicy {
  absl::Duration initial_interval = absl::Seconds(1);
  double backoff_coefficient = 2.0;
  absl::Duration maximum_interval = absl::ZeroDuration();  // zero: 100 x initial_interval
  int maximum_attempts = 0;                                // zero: no limit
  std::vector<std::string> non_retryable_error_types;
  double jitter = 0.2;
  OnExhausted on_exhausted = OnExhausted::kFail;
};
v1::RetryPolicy ToProto(const RetryPolicy& policy);

// Zero durations mean: take the activity's registered default; no limit when that is zero too.
// start_to_close has a default of 10 minutes.
struct ActivityOptions {
  absl::Duration schedule_to_start_timeout = absl::ZeroDuration();
  absl::Duration start_to_close_timeout = absl::ZeroDuration();
  absl::Duration schedule_to_close_timeout = absl::ZeroDuration();
  absl::Duration heartbeat_timeout = absl::ZeroDuration();
  std::optional<RetryPolicy> retry;
  std::string task_queue;  // default: the workflow's
};

}  // namespace sdk
