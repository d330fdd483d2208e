#include "gateway/cli/saga_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace v1 = orchestrator::v1;
using v1::CompensationState;
using v1::RunStatus;
using v1::SagaState;

v1::SagaStepInfo* AddStep(v1::SagaInfo* saga, const std::string& name,
                          CompensationState::Value compensation) {
  v1::SagaStepInfo* step = saga->add_steps();
  step->set_step(name);
  step->set_outcome(v1::StepOutcome::SUCCEEDED);
  step->set_compensation_type("undo_" + name);
  step->set_compensation(compensation);
  return step;
}

TEST(SagaText, SaysWhatWasSkipped) {
  v1::SagaInfo saga;
  saga.set_state(SagaState::COMPENSATED);
  AddStep(&saga, "book", CompensationState::COMPLETED);
  v1::SagaStepInfo* skipped = AddStep(&saga, "write", CompensationState::SKIPPED);
  skipped->set_compensation_reason("they may stay");
  skipped->set_decided_by("bob");
  skipped->set_compensation_attempts(1);
  skipped->set_compensation_maximum_attempts(10);
  skipped->mutable_compensation_failure()->set_type("Forbidden");
  skipped->mutable_compensation_failure()->set_message("no");
  EXPECT_EQ(SagaText(saga, RunStatus::FAILED),
            "saga COMPENSATED\n"
            "STEP   OUTCOME    COMPENSATION  STATE      TRIES    NEXT TRY  DETAIL\n"
            "book   SUCCEEDED  undo_book     COMPLETED\n"
            "write  SUCCEEDED  undo_write    SKIPPED    1 of 10            they may stay (bob); "
            "Forbidden: no\n"
            "not undone: write (skipped by bob: they may stay)\n");
}

TEST(SagaText, OfATerminatedRunSaysWhatIsLeft) {
  v1::SagaInfo saga;
  saga.set_workflow_id("c1");
  saga.set_state(SagaState::COMPENSATION_BLOCKED);
  AddStep(&saga, "write", CompensationState::BLOCKED);
  AddStep(&saga, "book", CompensationState::NONE);
  AddStep(&saga, "pay", CompensationState::NONE)->set_outcome(v1::StepOutcome::FAILED);
  AddStep(&saga, "post", CompensationState::COMPLETED);
  AddStep(&saga, "look", CompensationState::NONE)->clear_compensation_type();
  const std::string open = SagaText(saga, RunStatus::STUCK);
  EXPECT_THAT(open, HasSubstr("saga COMPENSATION_BLOCKED\n"));
  EXPECT_THAT(open, HasSubstr("next: campaignctl saga retry|skip|resolve c1 STEP\n"));
  EXPECT_THAT(open, Not(HasSubstr("not undone")));
  const std::string ended = SagaText(saga, RunStatus::TERMINATED);
  EXPECT_THAT(ended, HasSubstr("saga was COMPENSATION_BLOCKED when its run ended: TERMINATED\n"));
  EXPECT_THAT(ended, HasSubstr("not undone: write, book\n"));
  EXPECT_THAT(ended, Not(HasSubstr("next: ")));
}

TEST(SagaText, StatesOfClosedRuns) {
  EXPECT_EQ(SagaStateText(SagaState::FORWARD, RunStatus::RUNNING), "FORWARD");
  EXPECT_EQ(SagaStateText(SagaState::FORWARD, RunStatus::TERMINATED), "");
  EXPECT_EQ(SagaStateText(SagaState::COMPENSATING, RunStatus::RUNNING), "COMPENSATING");
  EXPECT_EQ(SagaStateText(SagaState::COMPENSATING, RunStatus::TERMINATED), "was COMPENSATING");
  EXPECT_EQ(SagaStateText(SagaState::COMPENSATED, RunStatus::CANCELED), "COMPENSATED");
  EXPECT_EQ(SagaStateText(SagaState::PIVOT_PASSED, RunStatus::COMPLETED), "PIVOT_PASSED");
}

TEST(UndoText, ShowsWhatBecameOfEachUndo) {
  EXPECT_EQ(
      UndoText(
          R"([{"step":"look","outcome":"SUCCEEDED","compensation":"NONE"},)"
          R"({"step":"write","outcome":"SUCCEEDED","compensation":"SKIPPED",)"
          R"("last_error":"Forbidden: no","reason":"may stay","decided_by":"bob"},)"
          R"({"step":"book","outcome":"UNKNOWN","compensation":"COMPLETED","last_error":"Busy"}])"),
      "STEP   OUTCOME    UNDO       DETAIL\n"
      "write  SUCCEEDED  SKIPPED    may stay (bob); Forbidden: no\n"
      "book   UNKNOWN    COMPLETED\n");
  EXPECT_EQ(UndoText(R"([{"step":"look","compensation":"NONE"}])"), "");
  for (const char* other : {"", "{}", "[1]", "no json", R"({"decided_by":"ann"})"}) {
    EXPECT_EQ(UndoText(other), "") << other;
  }
}

TEST(ErrorCell, CutsWhatIsLongAndSaysWhereTheRestIs) {
  EXPECT_EQ(ErrorCell("Forbidden: no"), "Forbidden: no");
  const std::string cut = ErrorCell(std::string(1000, 'x'));
  EXPECT_EQ(cut, std::string(157, 'x') + "... (all of it: --output json)");
}

}  // namespace
}  // namespace cli
