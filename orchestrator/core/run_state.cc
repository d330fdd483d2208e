#include "orchestrator/core/run_state.h"

#include "orchestrator/history/time.h"

namespace core {

absl::Duration RunState::execution_timeout() const {
  return history::FromProto(started.execution_timeout());
}

absl::Time RunState::execution_deadline() const {
  const absl::Duration timeout = execution_timeout();
  return timeout > absl::ZeroDuration() ? start_time + timeout : absl::InfiniteFuture();
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
  return pivot_passed ? v1::SagaState::PIVOT_PASSED : v1::SagaState::FORWARD;
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
