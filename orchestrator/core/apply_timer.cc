#include "orchestrator/core/apply.h"
#include "orchestrator/history/time.h"

namespace core {

void ApplyTimerStarted(RunState& state, EventId id, const v1::TimerStarted& event,
                       absl::Time time) {
  state.timers[event.timer_id()] = {
      .started_event_id = id, .fire_at = time + history::FromProto(event.start_to_fire_timeout())};
}

void ApplyTimerFired(RunState& state, const v1::TimerFired& event) {
  state.timers.erase(event.timer_id());
  state.task_pending = true;
}

}  // namespace core
