// The state of a saga, and what a run leaves behind.
#include <gtest/gtest.h>

#include "tests/unit/orchestrator/core/model_run.h"

namespace core {
namespace {

using ::orchestrator::v1::SagaState;

v1::Command Register(const std::string& step, const std::string& activity,
                     const std::string& undo) {
  v1::Command command;
  auto* event = command.mutable_event()->mutable_saga_step_registered();
  event->set_step(step);
  event->set_activity_id(activity);
  event->set_compensation_type(undo);
  return command;
}

template <typename Fn>
v1::Command Make(Fn fn) {
  v1::Command command;
  fn(command.mutable_event());
  return command;
}

v1::Command UndoStarted(const std::string& step, const std::string& activity) {
  return Make([&](v1::HistoryEvent* event) {
    event->mutable_saga_compensation_started()->set_step(step);
    event->mutable_saga_compensation_started()->set_activity_id(activity);
    event->mutable_saga_compensation_started()->set_reason("failed");
  });
}
v1::Command UndoCompleted(const std::string& step) {
  return Make([&](v1::HistoryEvent* event) {
    event->mutable_saga_compensation_completed()->set_step(step);
  });
}
v1::Command UndoFailed(const std::string& step) {
  return Make([&](v1::HistoryEvent* event) {
    event->mutable_saga_compensation_failed()->set_step(step);
    event->mutable_saga_compensation_failed()->mutable_failure()->set_message("no way");
  });
}
v1::Command Skipped(const std::string& step) {
  return Make([&](v1::HistoryEvent* event) {
    event->mutable_saga_compensation_skipped()->set_step(step);
    event->mutable_saga_compensation_skipped()->set_reason("by hand");
    event->mutable_saga_compensation_skipped()->set_identity("ann");
  });
}

class SagaRun : public ::testing::Test {
 protected:
  SagaRun() {
    run.Start();
    Step("a", "1", "undo_a");
    Step("b", "2", "undo_b");
  }
  void Step(const std::string& step, const std::string& activity, const std::string& undo) {
    run.Task(
        {ScheduleCommand({.id = activity, .attempts_max = 1}), Register(step, activity, undo)});
    ids[step] = run.state.activity_ids.at(activity);
  }
  void Succeed(const std::string& step) {
    run.Dispatch(ids[step]);
    run.Complete(ids[step]);
    run.Task({});
  }
  void Fail(const std::string& step, bool effect_unknown) {
    run.Dispatch(ids[step]);
    v1::Failure failure = RetryableFailure("Broken");
    failure.set_effect_unknown(effect_unknown);
    run.Fail(ids[step], failure);
    run.Task({});
  }
  SagaState::Value State() { return run.state.saga_state(); }

  ModelRun run;
  std::map<std::string, EventId> ids;
};

TEST_F(SagaRun, GoesForwardUntilSomethingIsUndone) {
  EXPECT_EQ(State(), SagaState::FORWARD);
  Succeed("a");
  EXPECT_EQ(State(), SagaState::FORWARD);
  EXPECT_EQ(run.state.FindStep("a")->outcome, v1::StepOutcome::SUCCEEDED);
  EXPECT_EQ(run.state.FindStep("a")->activity_type, "work");
}

TEST_F(SagaRun, PivotIsForward) {
  Succeed("a");
  Succeed("b");
  run.Task({Make([](v1::HistoryEvent* event) { event->mutable_saga_pivot_passed(); })});
  EXPECT_EQ(State(), SagaState::PIVOT_PASSED);
}

TEST_F(SagaRun, IsCompensatingWhileAnyUndoIsOwed) {
  Succeed("a");
  Succeed("b");
  run.Task({ScheduleCommand({.id = "3"}), UndoStarted("b", "3")});
  EXPECT_EQ(State(), SagaState::COMPENSATING);
  run.Dispatch(run.state.activity_ids.at("3"));
  run.Complete(run.state.activity_ids.at("3"));
  run.Task({UndoCompleted("b")});
  EXPECT_EQ(State(), SagaState::COMPENSATING) << "step a is still owed";
  run.Task({ScheduleCommand({.id = "4"}), UndoStarted("a", "4"), UndoCompleted("a")});
  EXPECT_EQ(State(), SagaState::COMPENSATED);
}

TEST_F(SagaRun, AStepThatFailedWithNoEffectOwesNothing) {
  Succeed("a");
  Fail("b", false);
  run.Task({ScheduleCommand({.id = "3"}), UndoStarted("a", "3"), UndoCompleted("a")});
  EXPECT_EQ(State(), SagaState::COMPENSATED);
  EXPECT_TRUE(run.state.StepsLeftBehind().empty());
}

TEST_F(SagaRun, AStepWithUnknownEffectOwesItsUndo) {
  Succeed("a");
  Fail("b", true);
  EXPECT_EQ(run.state.FindStep("b")->outcome, v1::StepOutcome::UNKNOWN);
  run.Task({ScheduleCommand({.id = "3"}), UndoStarted("a", "3"), UndoCompleted("a")});
  EXPECT_EQ(State(), SagaState::COMPENSATING);
}

TEST_F(SagaRun, BlockedWinsAndASkipEndsIt) {
  Succeed("a");
  Succeed("b");
  run.Task({ScheduleCommand({.id = "3"}), UndoStarted("a", "3"), ScheduleCommand({.id = "4"}),
            UndoStarted("b", "4")});
  run.Task({UndoFailed("b"), UndoCompleted("a")});
  EXPECT_EQ(State(), SagaState::COMPENSATION_BLOCKED);
  EXPECT_TRUE(run.state.blocked());
  run.Task({Skipped("b")});
  EXPECT_EQ(State(), SagaState::COMPENSATED);
  EXPECT_EQ(run.state.FindStep("b")->decided_by, "ann");
  EXPECT_EQ(run.state.StepsLeftBehind(), std::vector<std::string>{"b"})
      << "a skipped compensation leaves its step there";
}

TEST_F(SagaRun, AttemptsOfARepeatedUndoAddUp) {
  Succeed("a");
  for (const char* activity : {"3", "4"}) {
    run.Task({ScheduleCommand({.id = activity, .attempts_max = 2}), UndoStarted("a", activity)});
    const EventId id = run.state.activity_ids.at(activity);
    for (int attempt = 0; attempt < 2; ++attempt) {
      run.Dispatch(id);
      run.Fail(id, RetryableFailure("Broken"));
    }
    run.Task({UndoFailed("a")});
  }
  EXPECT_EQ(run.state.FindStep("a")->compensation_attempts_before, 2);
  EXPECT_EQ(run.state.FindStep("a")->compensation_attempts_closed, 2);
}

TEST_F(SagaRun, AnUndoThatTimesOutInBackoffIsCountedAlikeOnReplay) {
  Succeed("a");
  run.Task({ScheduleCommand(
                {.id = "3", .schedule_to_close = absl::Seconds(20), .initial = absl::Seconds(15)}),
            UndoStarted("a", "3")});
  const EventId id = run.state.activity_ids.at("3");
  run.Dispatch(id);
  run.Fail(id, RetryableFailure("Broken"));
  run.Advance(absl::Seconds(21));  // ModelRun compares the fold with the live state
  EXPECT_EQ(run.state.FindStep("a")->compensation_attempts_closed, 1);
}

TEST_F(SagaRun, TerminateNamesTheStepsLeftBehind) {
  Succeed("a");
  Fail("b", false);
  Step("c", "3", "undo_c");
  Step("d", "4", "");
  run.Dispatch(ids["c"]);
  run.Do([](TransitionBuilder& transition) { Terminate(transition, "enough", "ann"); });
  const auto& left = run.Last().workflow_execution_terminated().steps_left_behind();
  EXPECT_EQ((std::vector<std::string>{left.begin(), left.end()}),
            (std::vector<std::string>{"a", "c"}))
      << "b had no effect, d has nothing to undo";
}

TEST_F(SagaRun, ATerminatedRunSaysWhatIsNotUndoneAndNothingIsPendingAnyMore) {
  Succeed("a");
  run.Do([](TransitionBuilder& transition) { Terminate(transition, "enough", "ann"); });
  EXPECT_EQ(run.state.failure->message(), "enough; not undone: a, b");
  EXPECT_EQ(run.state.FindStep("a")->outcome, v1::StepOutcome::SUCCEEDED);
  EXPECT_EQ(run.state.FindStep("b")->outcome, v1::StepOutcome::UNKNOWN);
  EXPECT_EQ(State(), SagaState::FORWARD) << "it is not undone";
}

TEST(SagaWithNothingToUndo, IsCompensatedWhenItsRunEndsBadly) {
  const auto end = [](bool canceled, const std::string& undo) {
    ModelRun run;
    run.Start();
    run.Task({ScheduleCommand({.id = "1", .attempts_max = 1}), Register("a", "1", undo)});
    EXPECT_EQ(run.state.saga_state(), SagaState::FORWARD);
    if (!canceled) {
      run.Do([](TransitionBuilder& transition) { Terminate(transition, "enough", "ann"); });
    } else {
      run.Task({Make([](v1::HistoryEvent* event) {
        event->mutable_workflow_execution_failed()->mutable_failure()->set_type("Canceled");
      })});
    }
    return run.state.saga_state();
  };
  EXPECT_EQ(end(false, ""), SagaState::COMPENSATED);
  EXPECT_EQ(end(true, ""), SagaState::COMPENSATED);
  EXPECT_EQ(end(false, "undo"), SagaState::FORWARD);
}

TEST(CarriedSaga, IsTheStackOfTheNextRun) {
  ModelRun run;
  run.Do([](TransitionBuilder& transition) {
    v1::WorkflowExecutionStarted started;
    auto* step = started.mutable_carried_saga()->add_steps();
    step->mutable_registration()->set_step("a");
    step->mutable_registration()->set_activity_id("1");
    step->mutable_registration()->set_compensation_type("undo_a");
    step->mutable_input()->set_step_outcome(v1::StepOutcome::SUCCEEDED);
    core::Start(transition, started);
  });
  EXPECT_EQ(run.state.StepsLeftBehind(), std::vector<std::string>{"a"});
  // Activity 1 of this run is another one: its end must not change the carried step.
  const EventId id = run.Schedule({.id = "1", .attempts_max = 1});
  run.Dispatch(id);
  run.Fail(id, RetryableFailure("Broken"));
  EXPECT_EQ(run.state.FindStep("a")->outcome, v1::StepOutcome::SUCCEEDED);
}

}  // namespace
}  // namespace core
