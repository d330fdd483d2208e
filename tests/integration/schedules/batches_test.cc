// Batches on the real engine.
#include "absl/strings/str_cat.h"
#include "tests/integration/schedules/system_fixture.h"
#include "tests/support/await.h"

namespace engine_test {
namespace {

using Verb = v1::BatchVerb;

class BatchesTest : public SystemTest {
 protected:
  void StartReports(int count) {
    for (int i = 0; i < count; ++i) {
      ASSERT_TRUE(Start("report", absl::StrCat("r", i), "wait").ok());
    }
    for (int i = 0; i < count; ++i) {
      WaitFor(absl::StrCat("r", i), [](const v1::WorkflowInfo& info) {
        return info.pending_activities_size() == 0 && info.history_length() > 5;
      });
    }
  }
  static v1::BatchInput Batch(const std::string& id, Verb::Value verb,
                              const std::string& filter = "workflow_type = report") {
    v1::BatchInput input;
    input.set_batch_id(id);
    input.mutable_batch()->set_verb(verb);
    input.mutable_batch()->set_filter(filter);
    input.mutable_batch()->set_reason("test");
    input.mutable_batch()->set_runs_per_second(1000);
    return input;
  }
  v1::BatchInfo Run(const v1::BatchInput& input) {
    const std::string id = batches::WorkflowIdOf(input.batch_id());
    test::Await([&] { return StartSystem(batches::kBatchType, id, input).ok(); },
                id + " to be started");
    return Ended(id);
  }
  v1::BatchInfo Ended(const std::string& id) {
    const v1::GetWorkflowResultResponse result = Result(id);
    EXPECT_EQ(result.status(), v1::RunStatus::COMPLETED) << result.ShortDebugString();
    return history::FromPayload<v1::BatchInfo>(result.result()).value_or(v1::BatchInfo());
  }
};

TEST_F(BatchesTest, SignalsEveryRunOnceAndCounts) {
  OpenAll();
  StartReports(45);
  ASSERT_TRUE(Start("report", "other", "").ok());
  EXPECT_EQ(ResultText("other"), "reported");
  v1::BatchInput input = Batch("b", Verb::SIGNAL);
  input.mutable_batch()->set_signal_name("end");
  const v1::BatchInfo info = Run(input);
  EXPECT_EQ(info.progress().total(), 46);
  EXPECT_EQ(info.progress().done(), 45);
  EXPECT_EQ(info.progress().failed(), 1);  // the closed one
  ASSERT_EQ(info.progress().first_failures_size(), 1);
  EXPECT_EQ(info.progress().first_failures(0).workflow_id(), "other");
  EXPECT_EQ(info.progress().first_failures(0).code(), "FAILED_PRECONDITION");
  for (int i = 0; i < 45; ++i) EXPECT_EQ(ResultText(absl::StrCat("r", i)), "ended");
}

TEST_F(BatchesTest, CancelsTerminatesAndDeletes) {
  OpenAll();
  StartReports(25);
  v1::BatchInfo info = Run(Batch("cancel", Verb::CANCEL, "workflow_id = \"r1*\""));
  EXPECT_EQ(info.progress().total(), 11);
  EXPECT_EQ(info.progress().done(), 11);
  EXPECT_EQ(Result("r1").status(), v1::RunStatus::CANCELED);
  EXPECT_EQ(Result("r19").status(), v1::RunStatus::CANCELED);
  EXPECT_EQ(Info("r2").status(), v1::RunStatus::RUNNING);

  info = Run(Batch("terminate", Verb::TERMINATE));
  EXPECT_EQ(info.progress().total(), 25);
  EXPECT_EQ(info.progress().done(), 14);
  EXPECT_EQ(info.progress().already(), 11);
  EXPECT_EQ(info.progress().failed(), 0);
  EXPECT_EQ(Result("r2").status(), v1::RunStatus::TERMINATED);

  info = Run(Batch("delete", Verb::DELETE, "status = TERMINATED AND workflow_type = report"));
  EXPECT_EQ(info.progress().done(), 14) << info.ShortDebugString();
  v1::GetWorkflowRequest gone;
  gone.set_workflow_id("r2");
  EXPECT_TRUE(absl::IsNotFound(Await<v1::WorkflowInfo>([&](auto done) {
                                 client->GetWorkflow(gone, std::move(done));
                               }).status()));
  EXPECT_EQ(Info("r1").status(), v1::RunStatus::CANCELED);
}

TEST_F(BatchesTest, PausesResumesAndResets) {
  OpenAll();
  StartReports(5);
  EXPECT_EQ(Run(Batch("pause", Verb::PAUSE)).progress().done(), 5);
  EXPECT_EQ(Info("r3").status(), v1::RunStatus::PAUSED);
  const v1::BatchInfo again = Run(Batch("pause2", Verb::PAUSE));
  EXPECT_EQ(again.progress().already(), 5);
  EXPECT_EQ(Run(Batch("resume", Verb::RESUME, "status = PAUSED")).progress().done(), 5);
  EXPECT_EQ(Info("r3").status(), v1::RunStatus::RUNNING);
  EXPECT_EQ(Run(Batch("retry", Verb::RETRY_NOW)).progress().done(), 5);

  const std::string before = Info("r3").run_id();
  const v1::BatchInfo reset = Run(Batch("reset", Verb::RESET,
                                        "status = RUNNING AND "
                                        "workflow_type = report"));
  EXPECT_EQ(reset.progress().done(), 5) << reset.ShortDebugString();
  EXPECT_NE(Info("r3").run_id(), before);
}

TEST_F(BatchesTest, NeverTouchesTheSystemsOwnRuns) {
  OpenAll();
  StartReports(2);
  v1::ScheduleInput schedule;
  schedule.set_schedule_id("s");
  schedule.set_paused(true);
  schedule.mutable_schedule()->mutable_spec()->add_crons("@hourly");
  schedule.mutable_schedule()->mutable_action()->set_workflow_type("report");
  ASSERT_TRUE(StartSystem(schedules::kScheduleType, "schedule:s", schedule).ok());
  const v1::BatchInfo info = Run(Batch(
      "all", Verb::TERMINATE, "workflow_type = \"*\" OR workflow_type = \"system.schedule\""));
  EXPECT_EQ(info.progress().total(), 2);
  EXPECT_EQ(info.progress().done(), 2);
  EXPECT_EQ(Info("schedule:s").status(), v1::RunStatus::RUNNING);
}

TEST_F(BatchesTest, AWrongFilterFailsTheBatch) {
  OpenAll();
  ASSERT_TRUE(
      StartSystem(batches::kBatchType, "batch:b", Batch("b", Verb::CANCEL, "colour >")).ok());
  EXPECT_EQ(Result("batch:b").status(), v1::RunStatus::FAILED);
  EXPECT_EQ(Result("batch:b").failure().type(), "InvalidArgument");
}

TEST_F(BatchesTest, StoppedItKeepsWhatItDid) {
  OpenAll();
  StartReports(3);
  v1::BatchInput slow = Batch("b", Verb::PAUSE);
  slow.mutable_batch()->set_runs_per_second(1);  // one, then it waits for a second
  ASSERT_TRUE(StartSystem(batches::kBatchType, "batch:b", slow).ok());
  WaitFor("batch:b", [](const v1::WorkflowInfo& info) {
    return info.pending_activities_size() == 1 &&
           info.pending_activities(0).activity_type() == "system.batch.page";
  });
  v1::CancelWorkflowRequest cancel;
  cancel.set_workflow_id("batch:b");
  ASSERT_TRUE(Await<v1::CancelWorkflowResponse>([&](auto done) {
                client->Cancel(cancel, std::move(done));
              }).ok());
  EXPECT_EQ(Result("batch:b").status(), v1::RunStatus::CANCELED);
  v1::QueryWorkflowRequest query;
  query.set_workflow_id("batch:b");
  query.set_query_name(batches::kDescribe);
  *query.mutable_input() = history::ToPayload(v1::BatchInput());
  const auto answer =
      Await<v1::QueryWorkflowResponse>([&](auto done) { client->Query(query, std::move(done)); });
  ASSERT_TRUE(answer.ok()) << answer.status();
  const auto info = history::FromPayload<v1::BatchInfo>(answer->result());
  ASSERT_TRUE(info.ok());
  int paused = 0;
  for (int i = 0; i < 3; ++i) {
    if (Info(absl::StrCat("r", i)).status() == v1::RunStatus::PAUSED) ++paused;
  }
  EXPECT_LT(paused, 3);
  EXPECT_LE(info->progress().done(), paused);
}

// The N-th commit is lost, for every N: each run is signaled once.
class BatchesFaultTest : public BatchesTest, public ::testing::WithParamInterface<Where> {};

TEST_P(BatchesFaultTest, AnyCommitMayBeLostAndEachRunIsTouchedOnce) {
  bool reached = true;
  int faults = 0;
  for (int n = 1; reached; ++n) {
    FailCommit(0, GetParam());
    OpenAll();
    const std::string prefix = absl::StrCat("x", n, "-");
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(Start("report", absl::StrCat(prefix, i), "wait").ok());
      WaitFor(absl::StrCat(prefix, i), [](const v1::WorkflowInfo& info) {
        return info.pending_activities_size() == 0 && info.history_length() > 5;
      });
    }
    CloseAll();
    FailCommit(n, GetParam());
    OpenAll();
    v1::BatchInput input =
        Batch(prefix, Verb::SIGNAL, absl::StrCat("workflow_id = \"", prefix, "*\""));
    input.mutable_batch()->set_signal_name("note");
    const v1::BatchInfo info = Run(input);
    EXPECT_EQ(info.progress().done(), 3) << "commit " << n;
    EXPECT_EQ(info.progress().failed(), 0) << "commit " << n;
    for (int i = 0; i < 3; ++i) {
      int signals = 0;
      for (const v1::HistoryEvent& event : History(absl::StrCat(prefix, i))) {
        if (event.has_workflow_execution_signaled()) ++signals;
      }
      EXPECT_EQ(signals, 1) << "commit " << n;
    }
    reached = failing_->failed_once();
    faults += reached ? 1 : 0;
    CloseAll();
  }
  EXPECT_GE(faults, 5);
}

INSTANTIATE_TEST_SUITE_P(Where, BatchesFaultTest,
                         ::testing::Values(Where::kBeforeWriting, Where::kAfterWriting),
                         [](const auto& info) {
                           return info.param == Where::kBeforeWriting ? "BeforeWriting"
                                                                      : "AfterWriting";
                         });

}  // namespace
}  // namespace engine_test
