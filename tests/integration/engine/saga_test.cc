// Sagas: what is undone, in which order, and what operators can do when an undo fails.
#include <gmock/gmock.h>

#include "tests/integration/engine/engine_fixture.h"

namespace engine_test {
namespace {

using sdk::Failure;
using sdk::Outcome;
using sdk::Workflow;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Undo = saga::Undo<Text, Text>;

constexpr sdk::ActivityType<Text, Text> kDo{"do"};
constexpr sdk::ActivityType<Text, Text> kHang{"hang"};
constexpr sdk::ActivityType<Text, Text> kRefused{"refused"};
constexpr saga::CompensationType<Text, Text, Text> kUndo{"undo"};

class SagaTest : public EngineTest {
 protected:
  SagaTest() {
    // "fail" fails with no effect, "maybe" with an unknown effect.
    registry.AddActivity(kDo, [this](sdk::ActivityContext& ctx, Text in) { return Do(this, in); },
                         {.retry = sdk::RetryPolicy{.maximum_attempts = 1}});
    registry.AddActivity(kHang, &UntilCanceled);
    registry.AddActivity(kRefused, &Refuse,
                         {.retry = sdk::RetryPolicy{.initial_interval = absl::Milliseconds(100),
                                                    .maximum_attempts = 2}});
    registry.AddWorkflow<Text, Text>("refused", &RefusedSaga);
    saga::AddCompensation(
        registry, kUndo,
        [this](sdk::ActivityContext& ctx, Undo undo) { return Compensate(this, std::move(undo)); },
        {.retry =
             sdk::RetryPolicy{.initial_interval = absl::Milliseconds(1), .maximum_attempts = 2}});
    registry.AddWorkflow<Text, Text>("saga", &RunSaga);
    registry.AddWorkflow<Text, Text>("hanging", &HangingSaga);
    registry.AddWorkflow<Text, Text>("parallel", &ParallelSaga);
    registry.AddWorkflow<Text, Text>("carried", &CarriedSaga);
  }

  static base::Task<Outcome<Text>> Do(SagaTest* test, Text in) {
    if (in.message() == "fail") co_return Failure::Permanent("Refused", "no");
    if (in.message() == "maybe") {
      Failure failure = Failure::Permanent("Lost", "no answer");
      failure.effect_unknown = true;
      co_return failure;
    }
    test->journal.push_back("do " + in.message());
    co_return T("did " + in.message());
  }

  static base::Task<Outcome<Text>> UntilCanceled(sdk::ActivityContext& ctx, Text in) {
    const bool elapsed = co_await base::Sleep(ctx.loop(), absl::Hours(1), ctx.cancel());
    if (!elapsed) co_return Failure::Canceled(ctx.cancel().reason());
    co_return in;
  }

  static base::Task<Outcome<Text>> Compensate(SagaTest* test, Undo undo) {
    if (undo.input.message() == test->refused) co_return Failure::Permanent("No", "forbidden");
    if (undo.input.message() == test->broken) co_return Failure::Retryable("Broken", "cannot undo");
    test->journal.push_back("undo " + undo.input.message() +
                            (undo.result.has_value() ? " with result" : " without result"));
    co_return T("");
  }

  // Runs the comma-separated steps, then succeeds.
  static Workflow<Text> RunSaga(sdk::Context ctx, Text input) {
    saga::Saga saga(ctx);
    std::string rest = input.message();
    while (!rest.empty()) {
      const std::string name = rest.substr(0, rest.find(','));
      rest = name.size() == rest.size() ? "" : rest.substr(name.size() + 1);
      if (name == "pivot") {
        saga.Pivot();
        continue;
      }
      Outcome<Text> done = co_await saga.Run(kDo, T(name), kUndo);
      if (!done.ok()) {
        Failure failure = co_await saga.Abort(done.failure());
        co_return failure;
      }
    }
    co_return T("done");
  }

  static Workflow<Text> HangingSaga(sdk::Context ctx, Text input) {
    saga::Saga saga(ctx);
    Outcome<Text> a = co_await saga.Run(kDo, T("a"), kUndo);
    Outcome<Text> b = co_await saga.Run(kHang, T("b"), kUndo);
    if (!b.ok()) {
      Failure failure = co_await saga.Abort(b.failure());
      co_return failure;
    }
    co_return T("done");
  }

  // Fails with no effect, but may be tried again.
  static base::Task<Outcome<Text>> Refuse(sdk::ActivityContext& ctx, Text in) {
    co_return Failure::Retryable("Busy", "try later");
  }

  static Workflow<Text> RefusedSaga(sdk::Context ctx, Text input) {
    saga::Saga saga(ctx);
    Outcome<Text> step = co_await saga.Run(kRefused, T("x"), kUndo);
    if (!step.ok()) {
      Failure failure = co_await saga.Abort(step.failure());
      co_return failure;
    }
    co_return T("done");
  }

  static Workflow<Text> ParallelSaga(sdk::Context ctx, Text input) {
    saga::Saga saga(ctx);
    Outcome<Text> a = co_await saga.Run(kDo, T("a"), kUndo);
    saga::Saga::Group group;
    group.Add(kDo, T("b"), kUndo).Add(kDo, T("c"), kUndo).Add(kDo, T("fail"), kUndo);
    auto outcomes = co_await saga.Parallel(std::move(group));
    for (const auto& outcome : *outcomes) {
      if (outcome.ok()) continue;
      Failure failure = co_await saga.Abort(outcome.failure());
      co_return failure;
    }
    co_return T("done");
  }

  // The first run does a step and continues as new; the second one fails.
  static Workflow<Text> CarriedSaga(sdk::Context ctx, Text input) {
    saga::Saga saga(ctx);
    Outcome<Text> step = co_await saga.Run(kDo, T(input.message()), kUndo);
    if (input.message() == "first") co_return ctx.ContinueAsNew(T("fail"), saga.Carry());
    Failure failure = co_await saga.Abort(step.failure());
    co_return failure;
  }

  absl::Status Verb(client::CompensationVerb verb, const std::string& step,
                    const std::string& reason) {
    v1::CompensationVerbRequest request;
    request.set_workflow_id("w1");
    request.set_step(step);
    request.set_reason(reason);
    request.set_identity("operator");
    return Await<v1::CompensationVerbResponse>(
               [&](auto done) { client->Compensation(verb, request, std::move(done)); })
        .status();
  }

  std::string broken;   // the step whose undo fails
  std::string refused;  // the step whose undo is refused for good
};

TEST_F(SagaTest, UndoesNewestFirst) {
  Open();
  ASSERT_TRUE(Start("saga", "w1", "a,b,fail").ok());
  EXPECT_EQ(ResultText("w1"), "FAILED Refused no");
  EXPECT_THAT(journal, ElementsAre("do a", "do b", "undo b with result", "undo a with result"));
  EXPECT_EQ(Saga("w1").state(), v1::SagaState::COMPENSATED);
  EXPECT_THAT(Result("w1").failure().detail_json(),
              HasSubstr(R"("step":"do#2","outcome":"SUCCEEDED","compensation":"COMPLETED")"));
}

TEST_F(SagaTest, UndoesAStepWhoseEffectIsUnknown) {
  Open();
  ASSERT_TRUE(Start("saga", "w1", "a,maybe").ok());
  EXPECT_EQ(ResultText("w1"), "FAILED Lost no answer");
  EXPECT_THAT(journal, ElementsAre("do a", "undo maybe without result", "undo a with result"));
}

TEST_F(SagaTest, UndoesNothingAfterThePivot) {
  Open();
  ASSERT_TRUE(Start("saga", "w1", "a,pivot,fail").ok());
  EXPECT_EQ(ResultText("w1"), "FAILED Refused no");
  EXPECT_THAT(journal, ElementsAre("do a"));
  EXPECT_EQ(Saga("w1").state(), v1::SagaState::PIVOT_PASSED);
}

TEST_F(SagaTest, CancelUndoesAndDoesNotCancelTheUndo) {
  Open();
  ASSERT_TRUE(Start("hanging", "w1").ok());
  WaitFor("w1", [](const v1::WorkflowInfo& info) {
    return info.pending_activities_size() == 1 &&
           info.pending_activities(0).activity_type() == "hang" &&
           info.pending_activities(0).state() == "STARTED";
  });
  v1::CancelWorkflowRequest request;
  request.set_workflow_id("w1");
  ASSERT_TRUE(Await<v1::CancelWorkflowResponse>([&](auto done) {
                client->Cancel(request, std::move(done));
              }).ok());
  EXPECT_EQ(Result("w1").status(), v1::RunStatus::CANCELED);
  EXPECT_THAT(journal, ElementsAre("do a", "undo b without result", "undo a with result"));
}

TEST_F(SagaTest, ParallelGroupIsUndoneTogetherBeforeOlderSteps) {
  Open();
  ASSERT_TRUE(Start("parallel", "w1").ok());
  EXPECT_EQ(ResultText("w1"), "FAILED Refused no");
  ASSERT_EQ(journal.size(), 6u);
  EXPECT_THAT(std::vector<std::string>(journal.begin() + 3, journal.begin() + 5),
              ::testing::UnorderedElementsAre("undo b with result", "undo c with result"));
  EXPECT_EQ(journal.back(), "undo a with result");
}

TEST_F(SagaTest, CompensationIsRegisteredInTheTransitionThatSchedulesTheStep) {
  Open();
  ASSERT_TRUE(Start("saga", "w1", "a").ok());
  ResultText("w1");
  auto rows = store->ReadTransitions(base::RunId(Info("w1").run_id()), 0, 1);
  ASSERT_TRUE(rows.ok());
  v1::Transition first;
  ASSERT_TRUE(first.ParseFromString(rows->front()));
  int scheduled = 0;
  int registered = 0;
  for (const v1::HistoryEvent& event : first.events()) {
    scheduled += event.has_activity_task_scheduled();
    registered += event.has_saga_step_registered();
  }
  EXPECT_EQ(scheduled, 1);
  EXPECT_EQ(registered, 1);
}

TEST_F(SagaTest, BlockedCompensationIsStuckAndTheOthersStillRun) {
  broken = "b";
  Open();
  ASSERT_TRUE(Start("saga", "w1", "a,b,fail").ok());
  v1::WorkflowInfo info = WaitFor("w1", [](const v1::WorkflowInfo& info) {
    return info.status() == v1::RunStatus::STUCK && info.pending_activities_size() == 0;
  });
  EXPECT_EQ(info.status_reason(),
            "compensation_blocked: undo of step do#2 used up its 2 attempts: cannot undo; retry, "
            "skip or resolve it");
  v1::SagaInfo saga = Saga("w1");
  EXPECT_EQ(saga.state(), v1::SagaState::COMPENSATION_BLOCKED);
  ASSERT_EQ(saga.steps_size(), 3);
  EXPECT_EQ(saga.steps(1).compensation(), v1::CompensationState::BLOCKED);
  EXPECT_EQ(saga.steps(1).compensation_attempts(), 2);
  EXPECT_EQ(saga.steps(1).compensation_maximum_attempts(), 2);
  EXPECT_EQ(saga.steps(1).compensation_failure().type(), "Broken");
  EXPECT_EQ(saga.steps(0).compensation(), v1::CompensationState::COMPLETED);

  EXPECT_EQ(Verb(client::CompensationVerb::kSkip, "do", "why").code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(Verb(client::CompensationVerb::kSkip, "nope", "why").code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(Verb(client::CompensationVerb::kSkip, "do#2", "").code(),
            absl::StatusCode::kInvalidArgument);

  Restart();  // the block survives
  ASSERT_TRUE(Verb(client::CompensationVerb::kSkip, "do#2", "it may stay").ok());
  EXPECT_EQ(ResultText("w1"),
            "FAILED Refused no; not undone: do#2 (skipped by operator: it may stay)");
  EXPECT_EQ(Saga("w1").steps(1).compensation(), v1::CompensationState::SKIPPED);
  EXPECT_EQ(Saga("w1").steps(1).decided_by(), "operator");
}

TEST_F(SagaTest, ARefusedUndoUsedUpNothing) {
  refused = "a";
  Open();
  ASSERT_TRUE(Start("saga", "w1", "a,fail").ok());
  const v1::WorkflowInfo info = WaitFor(
      "w1", [](const v1::WorkflowInfo& info) { return info.status() == v1::RunStatus::STUCK; });
  EXPECT_EQ(info.status_reason(),
            "compensation_blocked: undo of step do cannot be retried: forbidden; retry, skip or "
            "resolve it");
  EXPECT_EQ(Saga("w1").steps(0).compensation_attempts(), 1);
  EXPECT_EQ(Saga("w1").steps(0).compensation_maximum_attempts(), 2);
  ASSERT_TRUE(Verb(client::CompensationVerb::kSkip, "do", "gone").ok());
  ResultText("w1");
}

TEST_F(SagaTest, OperatorRetriesABlockedCompensation) {
  broken = "a";
  Open();
  ASSERT_TRUE(Start("saga", "w1", "a,fail").ok());
  WaitFor("w1", [](const v1::WorkflowInfo& info) { return info.status() == v1::RunStatus::STUCK; });
  absl::Notification mended;
  io->Post([&] {
    broken.clear();
    mended.Notify();
  });
  mended.WaitForNotification();
  ASSERT_TRUE(Verb(client::CompensationVerb::kRetry, "do", "").ok());
  EXPECT_EQ(ResultText("w1"), "FAILED Refused no");
  EXPECT_EQ(Saga("w1").steps(0).compensation(), v1::CompensationState::COMPLETED);
  EXPECT_EQ(Saga("w1").steps(0).compensation_attempts(), 3);
}

TEST_F(SagaTest, OperatorResolvesABlockedCompensation) {
  broken = "a";
  Open();
  ASSERT_TRUE(Start("saga", "w1", "a,fail").ok());
  WaitFor("w1", [](const v1::WorkflowInfo& info) { return info.status() == v1::RunStatus::STUCK; });
  ASSERT_TRUE(Verb(client::CompensationVerb::kResolve, "do", "deleted it in the console").ok());
  EXPECT_EQ(ResultText("w1"), "FAILED Refused no");
  EXPECT_EQ(Saga("w1").steps(0).compensation(), v1::CompensationState::RESOLVED);
}

// Eviction while an attempt backs off must not make its effect unknown: nothing was dispatched.
TEST_F(SagaTest, EvictionDuringBackoffDoesNotAskForAnUndo) {
  Open({.live_runs_max = 1});
  ASSERT_TRUE(Start("refused", "w1").ok());
  WaitFor("w1", [](const v1::WorkflowInfo& info) {
    return info.pending_activities_size() == 1 &&
           info.pending_activities(0).state() == "BACKING_OFF";
  });
  ASSERT_TRUE(Start("hanging", "w2").ok());  // displaces it
  EXPECT_EQ(ResultText("w1"), "FAILED Busy try later");
  EXPECT_EQ(Saga("w1").steps(0).outcome(), v1::StepOutcome::FAILED);
  EXPECT_EQ(Saga("w1").steps(0).compensation(), v1::CompensationState::NONE);
}

TEST_F(SagaTest, ContinueAsNewCarriesTheStack) {
  Open();
  ASSERT_TRUE(Start("carried", "w1", "first").ok());
  EXPECT_EQ(ResultText("w1"), "FAILED Refused no");
  EXPECT_THAT(journal, ElementsAre("do first", "undo first with result"));
}

TEST_F(SagaTest, TerminateSaysWhatItLeavesBehind) {
  Open();
  ASSERT_TRUE(Start("hanging", "w1").ok());
  WaitFor("w1", [](const v1::WorkflowInfo& info) { return info.history_length() > 8; });
  v1::TerminateWorkflowRequest request;
  request.set_workflow_id("w1");
  request.set_reason("test");
  auto response = Await<v1::TerminateWorkflowResponse>(
      [&](auto done) { client->Terminate(request, std::move(done)); });
  ASSERT_TRUE(response.ok());
  EXPECT_THAT(response->steps_left_behind(), ElementsAre("do", "hang"));
  EXPECT_EQ(ResultText("w1"), "TERMINATED Terminated test; not undone: do, hang");
  EXPECT_EQ(Info("w1").status_reason(), "Terminated: test; not undone: do, hang");
  EXPECT_EQ(Saga("w1").steps(1).outcome(), v1::StepOutcome::UNKNOWN);
  EXPECT_THAT(journal, ElementsAre("do a"));
}

}  // namespace
}  // namespace engine_test
