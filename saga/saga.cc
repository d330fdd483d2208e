#include "saga/saga.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "orchestrator/base/coverage.h"
#include "orchestrator/history/payload.h"
#include "orchestrator/history/time.h"

namespace saga {
namespace {

using CompensationState = v1::CompensationState;

constexpr size_t kStepsMax = 10'000;
constexpr char kGroupPrefix[] = "group-";

bool IsSettled(CompensationState::Value state) {
  return state == CompensationState::NONE || state == CompensationState::COMPLETED ||
         state == CompensationState::SKIPPED || state == CompensationState::RESOLVED;
}

// "; not undone: book_hotel (skipped by ann: the hotel is closed)"; empty: everything was.
std::string NotUndone(const std::vector<StepReport>& steps) {
  std::string text;
  for (const StepReport& step : steps) {
    if (step.compensation != CompensationState::SKIPPED) continue;
    absl::StrAppend(&text, text.empty() ? "; not undone: " : ", ", step.step, " (skipped by ",
                    step.decided_by.empty() ? "?" : step.decided_by, ": ", step.reason, ")");
  }
  return text;
}

}  // namespace

Saga::Saga(sdk::Context ctx) : ctx_(ctx), steps_scope_(ctx.NewScope()) {
  const v1::CarriedSaga& carried = ctx_.info().carried_saga;
  pivot_passed_ = carried.pivot_passed();
  for (const v1::CarriedStep& step : carried.steps()) {
    auto& added = steps_.emplace_back(std::make_unique<Step>());
    added->registration = step.registration();
    added->input = step.input();
    const std::string& name = added->registration.step();
    ++type_counts_[name.substr(0, name.find('#'))];
    // Groups of this run go on counting: two of one name would be undone as one.
    int group = 0;
    absl::string_view group_name = step.registration().group();
    if (absl::ConsumePrefix(&group_name, kGroupPrefix) && absl::SimpleAtoi(group_name, &group)) {
      group_counter_ = std::max(group_counter_, group);
    }
  }
  RegisterVerb("saga.retry", Step::Verb::kRetry, false);
  RegisterVerb("saga.skip", Step::Verb::kSkip, true);
  RegisterVerb("saga.resolve", Step::Verb::kResolve, true);
}

sdk::Workflow<v1::Payload> Saga::RunRaw(std::string type, v1::Payload input, std::string undo,
                                        StepOptions options, std::string group,
                                        std::source_location where) {
  if (aborting_) {
    co_return sdk::Failure::Permanent(
        "SagaAborted", absl::StrCat("step ", type, " was run after the saga was aborted"));
  }
  if (steps_.size() >= kStepsMax) {
    co_return sdk::Failure::Permanent("TooManySteps",
                                      absl::StrCat("a saga has at most ", kStepsMax, " steps"));
  }
  sdk::Future<v1::Payload> future = steps_scope_.ExecuteRaw(type, input, options.step, where);
  // Canceled before it was scheduled: the step never happens and there is nothing to undo.
  if (future.is_ready()) {
    sdk::Outcome<v1::Payload> canceled = co_await future;
    co_return canceled;
  }
  Step* step = steps_.emplace_back(std::make_unique<Step>()).get();
  step->registration.set_step(StepName(type));
  step->registration.set_activity_id(future.id());
  step->registration.set_compensation_type(undo);
  step->registration.set_group(group);
  step->compensation_options = options.compensation;
  *step->input.mutable_step_input() = std::move(input);
  step->input.set_step_idempotency_key(
      absl::StrCat(ctx_.info().workflow_id, "/", ctx_.info().run_id, "/", future.id()));
  v1::HistoryEvent registered;
  *registered.mutable_saga_step_registered() = step->registration;
  ctx_.Record(std::move(registered), where);

  sdk::Outcome<v1::Payload> outcome = co_await future;
  if (outcome.ok()) {
    step->input.set_step_outcome(v1::StepOutcome::SUCCEEDED);
    *step->input.mutable_step_result() = *outcome;
  } else {
    step->input.set_step_outcome(outcome.failure().effect_unknown ? v1::StepOutcome::UNKNOWN
                                                                  : v1::StepOutcome::FAILED);
  }
  if (future.checkpoint().has_value()) {
    *step->input.mutable_step_checkpoint() = *future.checkpoint();
  }
  const bool at_once = future.state()->on_exhausted == sdk::OnExhausted::kCompensate;
  if (at_once && !outcome.ok() && !outcome.failure().is_canceled()) {
    AbortAtOnce(step->registration.step(), outcome.failure());
  }
  co_return outcome;
}

sdk::Workflow<std::vector<sdk::Outcome<v1::Payload>>> Saga::Parallel(Group group) {
  const std::string name = absl::StrCat(kGroupPrefix, ++group_counter_);
  std::vector<sdk::Future<v1::Payload>> running;
  for (Group::Member& member : group.members_) {
    running.push_back(ctx_.Spawn<v1::Payload>(RunRaw(member.type, std::move(member.input),
                                                     member.undo, std::move(member.options), name,
                                                     std::source_location::current())));
  }
  std::vector<sdk::Outcome<v1::Payload>> outcomes;
  for (sdk::Future<v1::Payload>& future : running) {
    sdk::Outcome<v1::Payload> outcome = co_await future;
    outcomes.push_back(std::move(outcome));
  }
  co_return outcomes;
}

void Saga::Pivot() {
  if (pivot_passed_) return;
  pivot_passed_ = true;
  v1::HistoryEvent event;
  event.mutable_saga_pivot_passed();
  ctx_.Record(std::move(event));
}

base::Task<sdk::Failure> Saga::Abort(sdk::Failure cause, std::string reason) {
  if (pivot_passed_) co_return cause;
  aborting_ = true;
  if (reason.empty()) {
    reason = !cause.is_canceled() ? "failed" : ctx_.timed_out() ? "timed_out" : "canceled";
  }
  if (!undoing_.has_value()) undoing_ = ctx_.Spawn<sdk::Unit>(CompensateAll(reason, cause.message));
  const sdk::Outcome<sdk::Unit> undone = co_await *undoing_;
  if (!undone.ok()) co_return undone.failure();
  cause.detail_json = Report();
  absl::StrAppend(&cause.message, NotUndone(Steps()));
  co_return cause;
}

void Saga::AbortAtOnce(const std::string& step, const sdk::Failure& failure) {
  if (aborting_ || pivot_passed_) return;
  aborting_ = true;
  steps_scope_.Cancel(absl::StrCat("step ", step, " failed: the saga is undone"));
  undoing_ = ctx_.Spawn<sdk::Unit>(CompensateAll("failed", failure.message));
}

sdk::Workflow<sdk::Unit> Saga::CompensateAll(std::string reason, std::string why) {
  sdk::Context shielded = ctx_.Shielded();
  size_t end = steps_.size();
  while (end > 0) {
    // The steps [begin, end) are one group, or a single step.
    size_t begin = end - 1;
    const std::string& group = steps_[begin]->registration.group();
    while (!group.empty() && begin > 0 && steps_[begin - 1]->registration.group() == group) {
      --begin;
    }
    for (size_t i = begin; i < end; ++i) {
      Step* step = steps_[i].get();
      const sdk::Done ended = co_await shielded.WaitUntil(
          [step] { return step->input.step_outcome() != v1::StepOutcome::PENDING; });
      if (!ended.ok()) co_return ended.failure();
    }
    for (size_t i = begin; i < end; ++i) {
      Step* step = steps_[i].get();
      const bool happened = step->input.step_outcome() == v1::StepOutcome::SUCCEEDED ||
                            step->input.step_outcome() == v1::StepOutcome::UNKNOWN;
      if (!happened || step->registration.compensation_type().empty()) continue;
      step->compensation = CompensationState::RUNNING;
      (void)shielded.Spawn<sdk::Unit>(Compensate(step, reason, why));
    }
    // A blocked compensation does not hold up the older ones.
    for (size_t i = begin; i < end; ++i) {
      Step* step = steps_[i].get();
      const sdk::Done tried = co_await shielded.WaitUntil(
          [step] { return step->compensation != CompensationState::RUNNING; });
      if (!tried.ok()) co_return tried.failure();
    }
    end = begin;
  }
  const sdk::Done settled = co_await shielded.WaitUntil([this] {
    return std::all_of(steps_.begin(), steps_.end(),
                       [](const auto& step) { return IsSettled(step->compensation); });
  });
  co_return settled;
}

sdk::Workflow<sdk::Unit> Saga::Compensate(Step* step, std::string reason, std::string why) {
  sdk::Context shielded = ctx_.Shielded();
  const std::string& name = step->registration.step();
  v1::CompensationInput input = step->input;
  input.set_reason(why);
  while (true) {
    step->compensation = CompensationState::RUNNING;
    step->verb = Step::Verb::kNone;
    sdk::Future<v1::Payload> future =
        shielded.ExecuteRaw(step->registration.compensation_type(), history::ToPayload(input),
                            step->compensation_options);
    v1::HistoryEvent started;
    started.mutable_saga_compensation_started()->set_step(name);
    started.mutable_saga_compensation_started()->set_activity_id(future.id());
    started.mutable_saga_compensation_started()->set_reason(reason);
    shielded.Record(std::move(started));

    const sdk::Outcome<v1::Payload> outcome = co_await future;
    v1::HistoryEvent ended;
    if (outcome.ok()) {
      ended.mutable_saga_compensation_completed()->set_step(name);
      shielded.Record(std::move(ended));
      step->compensation = CompensationState::COMPLETED;
      co_return sdk::Unit{};
    }
    ended.mutable_saga_compensation_failed()->set_step(name);
    *ended.mutable_saga_compensation_failed()->mutable_failure() =
        history::ToProto(outcome.failure());
    shielded.Record(std::move(ended));
    step->last_error = outcome.failure().ToString();
    REACHED("compensation blocked");
    step->compensation = CompensationState::BLOCKED;

    const sdk::Done decided =
        co_await shielded.WaitUntil([step] { return step->verb != Step::Verb::kNone; });
    if (!decided.ok()) co_return decided.failure();
    if (step->verb == Step::Verb::kRetry) continue;
    v1::HistoryEvent decision;
    if (step->verb == Step::Verb::kSkip) {
      auto* skipped = decision.mutable_saga_compensation_skipped();
      skipped->set_step(name);
      skipped->set_reason(step->verb_reason);
      skipped->set_identity(step->verb_by);
      step->compensation = CompensationState::SKIPPED;
    } else {
      auto* resolved = decision.mutable_saga_compensation_resolved();
      resolved->set_step(name);
      resolved->set_reason(step->verb_reason);
      resolved->set_identity(step->verb_by);
      step->compensation = CompensationState::RESOLVED;
    }
    shielded.Record(std::move(decision));
    co_return sdk::Unit{};
  }
}

sdk::Done Saga::ValidateVerb(const v1::CompensationVerbInput& input, bool reason_needed) const {
  const Step* step = FindStep(input.step());
  if (step == nullptr) {
    return sdk::Failure::Permanent("UnknownStep",
                                   absl::StrCat("the saga has no step \"", input.step(), "\""));
  }
  if (step->compensation != CompensationState::BLOCKED || step->verb != Step::Verb::kNone) {
    return sdk::Failure::Permanent(
        "NotBlocked",
        absl::StrCat("the compensation of step \"", input.step(), "\" is ",
                     CompensationState::Value_Name(step->compensation), ", not BLOCKED"));
  }
  if (reason_needed && input.reason().empty()) {
    return sdk::Failure::Permanent("ReasonRequired", "say why: the reason goes into the history");
  }
  return sdk::Unit{};
}

void Saga::RegisterVerb(const std::string& update, Step::Verb verb, bool reason_needed) {
  ctx_.SetUpdateHandler<v1::CompensationVerbInput, v1::CompensationVerbInput>(
      update,
      [this, reason_needed](const v1::CompensationVerbInput& input) {
        return ValidateVerb(input, reason_needed);
      },
      [this,
       verb](const v1::CompensationVerbInput& input) -> sdk::Outcome<v1::CompensationVerbInput> {
        Step* step = FindStep(input.step());
        step->verb = verb;
        step->verb_reason = input.reason();
        step->verb_by = input.identity();
        return input;
      });
}

Saga::Step* Saga::FindStep(const std::string& name) const {
  for (const auto& step : steps_) {
    if (step->registration.step() == name) return step.get();
  }
  return nullptr;
}

std::string Saga::StepName(const std::string& type) {
  const int count = ++type_counts_[type];
  return count == 1 ? type : absl::StrCat(type, "#", count);
}

std::vector<StepReport> Saga::Steps() const {
  std::vector<StepReport> reports;
  reports.reserve(steps_.size());
  for (const auto& step : steps_) {
    reports.push_back({.step = step->registration.step(),
                       .outcome = step->input.step_outcome(),
                       .compensation = step->compensation,
                       .last_error = step->last_error,
                       .reason = step->verb_reason,
                       .decided_by = step->verb_by});
  }
  return reports;
}

std::string Saga::Report() const {
  nlohmann::ordered_json report = nlohmann::ordered_json::array();
  for (const StepReport& step : Steps()) {
    nlohmann::ordered_json line;
    line["step"] = step.step;
    line["outcome"] = v1::StepOutcome::Value_Name(step.outcome);
    line["compensation"] = CompensationState::Value_Name(step.compensation);
    if (!step.last_error.empty()) line["last_error"] = step.last_error;
    if (!step.reason.empty()) line["reason"] = step.reason;
    if (!step.decided_by.empty()) line["decided_by"] = step.decided_by;
    report.push_back(std::move(line));
  }
  return report.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

v1::CarriedSaga Saga::Carry() const {
  v1::CarriedSaga carried;
  carried.set_pivot_passed(pivot_passed_);
  for (const auto& step : steps_) {
    v1::CarriedStep* copy = carried.add_steps();
    *copy->mutable_registration() = step->registration;
    *copy->mutable_input() = step->input;
  }
  return carried;
}

}  // namespace saga
