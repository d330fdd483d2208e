#include "orchestrator/core/run_state.h"

#include <algorithm>

#include "orchestrator/history/time.h"

namespace core {

absl::Time RunState::deadline() const {
  absl::Time end = absl::InfiniteFuture();
  const absl::Duration of_chain = history::FromProto(started.execution_timeout());
  if (of_chain > absl::ZeroDuration()) {
    end = (started.has_chain_start_time() ? history::FromProto(started.chain_start_time())
                                          : start_time) +
          of_chain;
  }
  const absl::Duration of_run = history::FromProto(started.run_timeout());
  if (of_run > absl::ZeroDuration()) {
    // It counts from the moment at which the code may begin.
    end = std::min(end,
                   start_time + history::FromProto(started.first_workflow_task_delay()) + of_run);
  }
  return end;
}

absl::Time RunState::execution_deadline() const {
  return deadline() - history::FromProto(started.compensation_reserve());
}

std::vector<const PendingActivity*> RunState::PausedActivities() const {
  std::vector<const PendingActivity*> found;
  for (const auto& [id, activity] : activities) {
    if (activity.paused && !activity.cancel_requested) found.push_back(&activity);
  }
  return found;
}

void RunState::BeginIfDue(absl::Time now) {
  if (paused || begins_at == absl::InfinitePast() || begins_at > now) return;
  begins_at = absl::InfinitePast();
  task_pending = true;
}

void RunState::Corrupt(const std::string& finding) {
  if (corruption.empty()) corruption = finding;
}

v1::SagaState::Value RunState::saga_state() const {
  bool any = false;
  bool running = false;
  bool owed = false;
  for (const SagaStep& step : saga) {
    switch (step.compensation) {
      case v1::CompensationState::BLOCKED:
        return v1::SagaState::COMPENSATION_BLOCKED;
      case v1::CompensationState::RUNNING:
        any = running = true;
        break;
      case v1::CompensationState::NONE:
        owed |=
            !step.registration.compensation_type().empty() &&
            (step.outcome == v1::StepOutcome::SUCCEEDED ||
             step.outcome == v1::StepOutcome::UNKNOWN || step.outcome == v1::StepOutcome::PENDING);
        break;
      default:
        any = true;
        break;
    }
  }
  if (running || (any && owed)) return v1::SagaState::COMPENSATING;
  if (any) return v1::SagaState::COMPENSATED;
  if (pivot_passed) return v1::SagaState::PIVOT_PASSED;
  // The run has ended before its saga did. Nothing of it is left: no step goes on, none is owed.
  const bool ended_badly = closed() && closed_status != v1::RunStatus::COMPLETED &&
                           closed_status != v1::RunStatus::CONTINUED_AS_NEW;
  return ended_badly && !saga.empty() && !owed ? v1::SagaState::COMPENSATED
                                               : v1::SagaState::FORWARD;
}

std::vector<std::string> RunState::StepsLeftBehind() const {
  std::vector<std::string> names;
  for (const SagaStep& step : saga) {
    const bool undone = step.compensation == v1::CompensationState::COMPLETED ||
                        step.compensation == v1::CompensationState::RESOLVED;
    const bool failed = step.outcome == v1::StepOutcome::FAILED;
    if (!undone && !failed && !step.registration.compensation_type().empty()) {
      names.push_back(step.registration.step());
    }
  }
  return names;
}

SagaStep* RunState::FindStep(const std::string& name) {
  for (SagaStep& step : saga) {
    if (step.registration.step() == name) return &step;
  }
  return nullptr;
}

}  // namespace core
