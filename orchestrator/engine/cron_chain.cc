#include "orchestrator/engine/cron_chain.h"

#include <algorithm>

#include "orchestrator/base/log.h"
#include "orchestrator/cron/cron.h"
#include "orchestrator/history/time.h"

namespace engine {

absl::Time NextCronTime(const core::RunState& closed) {
  const v1::RunStatus::Value ended = closed.closed_status;
  const bool follows = ended == v1::RunStatus::COMPLETED || ended == v1::RunStatus::FAILED ||
                       ended == v1::RunStatus::TIMED_OUT;
  if (!follows || closed.started.cron_schedule().empty()) return absl::InfiniteFuture();
  // Who canceled it wanted an end, whatever its code made of that.
  if (closed.cancel_requested && !closed.cancel_by_timeout) return absl::InfiniteFuture();
  const absl::StatusOr<cron::Cron> parsed = cron::Cron::Parse(closed.started.cron_schedule());
  if (!parsed.ok()) {
    base::Log(base::LogLevel::kError, "no next run: the cron schedule cannot be read",
              {.workflow_id = closed.started.workflow_id(), .run_id = closed.started.run_id()},
              {{"status", parsed.status().ToString()}});
    return absl::InfiniteFuture();
  }
  // Not the time that this run was for again, when the clock has stepped back since.
  const absl::Time began =
      closed.start_time + history::FromProto(closed.started.first_workflow_task_delay());
  const absl::Time next = parsed->Next(std::max(closed.close_time, began));
  const absl::Duration of_chain = history::FromProto(closed.started.execution_timeout());
  const bool over = of_chain > absl::ZeroDuration() && closed.started.has_chain_start_time() &&
                    next >= history::FromProto(closed.started.chain_start_time()) + of_chain;
  return over ? absl::InfiniteFuture() : next;
}

}  // namespace engine
