// Saga: a sequence of steps, each with its undo. When the workflow fails, is rejected or is
// canceled, the undo of every step that happened (or may have) runs, newest first.
//
// - The compensation is registered in the same transition that schedules the step.
// - Steps that succeeded, and steps whose outcome is unknown (timed out, canceled in flight,
//   worker lost), are compensated; a step that failed with no effect is not.
// - After Pivot() nothing is undone any more.
// - A step whose retry policy says on_exhausted = kCompensate undoes all at once when it fails for
//   good (attempts used up, not retryable, timed out): steps that are still running are canceled,
//   the compensations begin in the same workflow task, and later steps fail with "SagaAborted". The
//   workflow's code gets the failure as always and calls Abort, which has only to wait.
// - Compensations are durable activities with their own retries; canceling the workflow does not
//   cancel them. One that uses its retries up is parked: the run is STUCK until an operator
//   retries, skips (with a reason) or resolves it; the others run meanwhile.
//
// It stands on the public workflow API alone. Thread-safety: belongs to its workflow's thread; it
// must outlive the workflow's body (make it a local of the workflow).
//
// Source: H. Garcia-Molina and K. Salem, "Sagas", SIGMOD 1987 (backward recovery).
//
// Example:
//   saga::Saga saga(ctx);
//   sdk::Outcome<Flight> flight = co_await saga.Run(kBookFlight, input, kCancelFlight);
//   if (!flight.ok()) co_return co_await saga.Abort(flight.failure());
//   sdk::Outcome<Hotel> hotel = co_await saga.Run(kBookHotel, input, kCancelHotel);
//   if (!hotel.ok()) co_return co_await saga.Abort(hotel.failure());
//   saga.Pivot();
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "orchestrator/sdk/context.h"
#include "orchestrator/sdk/registry.h"

namespace saga {

namespace v1 = ::orchestrator::v1;

// What a compensation receives, decoded: the step's input, its idempotency key, its outcome, its
// result when it succeeded, and what it last recorded by RecordHeartbeat.
template <typename In, typename Out>
struct Undo {
  In input;
  std::string idempotency_key;
  v1::StepOutcome::Value outcome = v1::StepOutcome::UNKNOWN;
  std::optional<Out> result;
  std::optional<v1::Payload> checkpoint;
  std::string reason;

  template <typename T>
  std::optional<T> Checkpoint() const {
    if (!checkpoint.has_value()) return std::nullopt;
    absl::StatusOr<T> value = history::FromPayload<T>(*checkpoint);
    if (!value.ok()) return std::nullopt;
    return *std::move(value);
  }
};

// The name of a compensation, typed by the step that it undoes and by its own result.
template <typename In, typename Out, typename Result>
struct CompensationType {
  const char* name;
};

// What became of a step and of its undo.
struct StepReport {
  std::string step;  // its name: the activity's type, with "#2", "#3" on repetition
  v1::StepOutcome::Value outcome = v1::StepOutcome::PENDING;
  v1::CompensationState::Value compensation = v1::CompensationState::NONE;
  std::string last_error;  // of the compensation's last failure, also when it succeeded later
  std::string reason;      // of an operator's skip or resolve
  std::string decided_by;  // the operator
};

struct StepOptions {
  sdk::ActivityOptions step;          // unset fields: the activity's registered defaults
  sdk::ActivityOptions compensation;  // unset fields: the compensation's registered defaults
};

class Saga {
 public:
  explicit Saga(sdk::Context ctx);
  Saga(const Saga&) = delete;
  Saga& operator=(const Saga&) = delete;

  // Schedules the step and registers its compensation in one transition.
  template <typename In, typename Out, typename Result>
  sdk::Workflow<Out> Run(sdk::ActivityType<In, Out> type, In input,
                         CompensationType<In, Out, Result> undo, StepOptions options = {},
                         std::source_location where = std::source_location::current()) {
    return Decode<Out>(
        RunRaw(type.name, history::ToPayload(input), undo.name, std::move(options), "", where));
  }
  // A step that has nothing to undo.
  template <typename In, typename Out>
  sdk::Workflow<Out> Run(sdk::ActivityType<In, Out> type, In input, StepOptions options = {},
                         std::source_location where = std::source_location::current()) {
    return Decode<Out>(
        RunRaw(type.name, history::ToPayload(input), "", std::move(options), "", where));
  }

  // Steps that run at once and are undone at once.
  class Group;
  // All steps of the group; they end with their outcomes in the order in which they were added.
  sdk::Workflow<std::vector<sdk::Outcome<v1::Payload>>> Parallel(Group group);

  // The point of no return: from here the saga only goes forward.
  void Pivot();
  bool pivot_passed() const { return pivot_passed_; }

  // Undoes everything, newest first, waits for operators on what cannot be undone, and returns
  // the failure to end the workflow with: `cause` with every compensation's outcome in its
  // detail, and what an operator gave up in its message ("...; not undone: book_hotel (skipped by
  // ann: the hotel is closed)"). After Pivot it undoes nothing. `reason` is a short word for events
  // and metrics; empty: "canceled", "timed_out" or "failed".
  base::Task<sdk::Failure> Abort(sdk::Failure cause, std::string reason = "");

  // Every step, in the order of registration. After Abort: with the outcome of its undo.
  std::vector<StepReport> Steps() const;

  // The stack for continue-as-new; a new Saga picks it up from the context by itself.
  v1::CarriedSaga Carry() const;

 private:
  struct Step {
    v1::SagaStepRegistered registration;
    v1::CompensationInput input;
    v1::CompensationState::Value compensation = v1::CompensationState::NONE;
    sdk::ActivityOptions compensation_options;
    std::string last_error;  // of the compensation
    // What an operator decided on a blocked compensation.
    enum class Verb { kNone, kRetry, kSkip, kResolve } verb = Verb::kNone;
    std::string verb_reason;
    std::string verb_by;
  };

  template <typename Out>
  static sdk::Workflow<Out> Decode(sdk::Workflow<v1::Payload> raw) {
    sdk::Outcome<v1::Payload> outcome = co_await std::move(raw);
    co_return sdk::internal::Decode<Out>(outcome);
  }
  sdk::Workflow<v1::Payload> RunRaw(std::string type, v1::Payload input, std::string undo,
                                    StepOptions options, std::string group,
                                    std::source_location where);
  sdk::Workflow<sdk::Unit> Compensate(Step* step, std::string reason, std::string why);
  // A step that was to be compensated at once has failed: the undoing begins.
  void AbortAtOnce(const std::string& step, const sdk::Failure& failure);
  sdk::Workflow<sdk::Unit> CompensateAll(std::string reason, std::string why);
  sdk::Done ValidateVerb(const v1::CompensationVerbInput& input, bool reason_needed) const;
  void RegisterVerb(const std::string& update, Step::Verb verb, bool reason_needed);
  Step* FindStep(const std::string& name) const;
  std::string StepName(const std::string& type);
  std::string Report() const;

  sdk::Context ctx_;
  sdk::Scope steps_scope_;  // the steps; canceled when one fails that undoes all at once
  std::optional<sdk::Future<sdk::Unit>> undoing_;  // begun by such a step
  std::vector<std::unique_ptr<Step>> steps_;       // in the order of registration
  std::map<std::string, int> type_counts_;
  int group_counter_ = 0;
  bool pivot_passed_ = false;
  bool aborting_ = false;
};

class Saga::Group {
 public:
  template <typename In, typename Out, typename Result>
  Group& Add(sdk::ActivityType<In, Out> type, const In& input,
             CompensationType<In, Out, Result> undo, StepOptions options = {}) {
    members_.push_back({type.name, history::ToPayload(input), undo.name, std::move(options)});
    return *this;
  }
  template <typename In, typename Out>
  Group& Add(sdk::ActivityType<In, Out> type, const In& input, StepOptions options = {}) {
    members_.push_back({type.name, history::ToPayload(input), "", std::move(options)});
    return *this;
  }

 private:
  friend class Saga;
  struct Member {
    std::string type;
    v1::Payload input;
    std::string undo;
    StepOptions options;
  };
  std::vector<Member> members_;
};

// Registers `fn`, callable as base::Task<Outcome<Result>>(ActivityContext&, Undo<In, Out>).
template <typename In, typename Out, typename Result, typename Fn>
void AddCompensation(sdk::Registry& registry, CompensationType<In, Out, Result> type, Fn fn,
                     sdk::ActivityOptions defaults = {}) {
  registry.AddRawActivity(
      type.name,
      [fn](sdk::ActivityContext& ctx,
           v1::Payload payload) -> base::Task<sdk::Outcome<v1::Payload>> {
        const sdk::Outcome<v1::CompensationInput> raw =
            sdk::internal::Decode<v1::CompensationInput>(sdk::Outcome<v1::Payload>(payload));
        if (!raw.ok()) return sdk::internal::Immediate<v1::Payload>(raw.failure());
        absl::StatusOr<In> input = history::FromPayload<In>(raw->step_input());
        if (!input.ok()) {
          return sdk::internal::Immediate<v1::Payload>(
              sdk::Failure::Permanent("PayloadMismatch", std::string(input.status().message())));
        }
        Undo<In, Out> undo{.input = *std::move(input),
                           .idempotency_key = raw->step_idempotency_key(),
                           .outcome = raw->step_outcome(),
                           .reason = raw->reason()};
        if (raw->has_step_result()) {
          absl::StatusOr<Out> result = history::FromPayload<Out>(raw->step_result());
          if (result.ok()) undo.result = *std::move(result);
        }
        if (raw->has_step_checkpoint()) undo.checkpoint = raw->step_checkpoint();
        return sdk::internal::EncodeResult<Result>(fn(ctx, std::move(undo)));
      },
      std::move(defaults));
}

}  // namespace saga
