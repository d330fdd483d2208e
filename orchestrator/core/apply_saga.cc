#include "absl/strings/str_cat.h"
#include "orchestrator/core/apply.h"

namespace core {
namespace {

// Null when the history speaks of a step that it did not register.
SagaStep* Step(RunState& state, const std::string& name) {
  SagaStep* step = state.FindStep(name);
  if (step == nullptr) {
    state.Corrupt(absl::StrCat("the saga's step \"", name, "\" was not registered"));
  }
  return step;
}

}  // namespace

void ApplyStepRegistered(RunState& state, const v1::SagaStepRegistered& event) {
  SagaStep step;
  step.registration = event;
  const auto id = state.activity_ids.find(event.activity_id());
  if (id != state.activity_ids.end()) {
    step.activity_type = state.activities.at(id->second).scheduled->activity_type();
  }
  state.saga.push_back(std::move(step));
}

void ApplyCompensationStarted(RunState& state, const v1::SagaCompensationStarted& event) {
  SagaStep* step = Step(state, event.step());
  if (step == nullptr) return;
  step->compensation = v1::CompensationState::RUNNING;
  step->compensation_attempts_before += step->compensation_attempts_closed;
  step->compensation_attempts_closed = 0;
  step->compensation_activity_id = event.activity_id();
  step->compensation_reason = event.reason();
  // Kept: whoever looks at a blocked compensation asks how often it may be tried.
  const auto id = state.activity_ids.find(event.activity_id());
  if (id != state.activity_ids.end()) {
    *step->registration.mutable_compensation_retry_policy() =
        state.activities.at(id->second).scheduled->retry_policy();
  }
}

void ApplyCompensationCompleted(RunState& state, const v1::SagaCompensationCompleted& event) {
  SagaStep* step = Step(state, event.step());
  if (step == nullptr) return;
  step->compensation = v1::CompensationState::COMPLETED;
  step->compensation_failure.reset();
}

void ApplyCompensationFailed(RunState& state, const v1::SagaCompensationFailed& event) {
  SagaStep* step = Step(state, event.step());
  if (step == nullptr) return;
  step->compensation = v1::CompensationState::BLOCKED;
  step->compensation_failure = event.failure();
}

void ApplyCompensationSkipped(RunState& state, const v1::SagaCompensationSkipped& event) {
  SagaStep* step = Step(state, event.step());
  if (step == nullptr) return;
  step->compensation = v1::CompensationState::SKIPPED;
  step->compensation_reason = event.reason();
  step->decided_by = event.identity();
}

void ApplyCompensationResolved(RunState& state, const v1::SagaCompensationResolved& event) {
  SagaStep* step = Step(state, event.step());
  if (step == nullptr) return;
  step->compensation = v1::CompensationState::RESOLVED;
  step->compensation_reason = event.reason();
  step->decided_by = event.identity();
}

void ApplyCarriedSaga(RunState& state, const v1::CarriedSaga& carried) {
  state.pivot_passed = carried.pivot_passed();
  for (const v1::CarriedStep& step : carried.steps()) {
    SagaStep added;
    added.registration = step.registration();
    // The id belongs to the run before; it must not match an activity of this one.
    added.registration.clear_activity_id();
    added.outcome = step.input().step_outcome();
    state.saga.push_back(std::move(added));
  }
}

}  // namespace core
