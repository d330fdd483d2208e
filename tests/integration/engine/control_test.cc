// Pause, resume, retry now, and what happens when an activity's attempts are used up.
#include <atomic>
#include <set>

#include "tests/integration/engine/engine_fixture.h"

namespace engine_test {
namespace {

using sdk::Failure;
using sdk::Outcome;
using sdk::Workflow;

constexpr sdk::ActivityType<Text, Text> kWork{"work"};
constexpr sdk::ActivityType<Text, Text> kOther{"other"};
constexpr saga::CompensationType<Text, Text, Text> kUndoWork{"undo_work"};
constexpr saga::CompensationType<Text, Text, Text> kUndoOther{"undo_other"};

sdk::ActivityOptions Retries(int attempts, sdk::OnExhausted on_exhausted,
                             absl::Duration interval = absl::Milliseconds(1)) {
  sdk::ActivityOptions options;
  options.retry = sdk::RetryPolicy{.initial_interval = interval,
                                   .maximum_attempts = attempts,
                                   .jitter = 0,
                                   .on_exhausted = on_exhausted};
  return options;
}

// Waits for "go" signals, one activity each; "end" ends it.
Workflow<Text> Steps(sdk::Context ctx, Text input) {
  const auto seen = std::make_shared<std::string>();
  ctx.SetQueryHandler<Text, Text>("seen",
                                  [seen](const Text&) -> Outcome<Text> { return T(*seen); });
  ctx.SetUpdateHandler<Text, Text>(
      "note", [](const Text&) -> sdk::Done { return sdk::Unit{}; },
      [](const Text& note) -> Outcome<Text> { return note; });
  while (true) {
    const sdk::Done waited = co_await ctx.WaitUntil([&] { return ctx.HasSignal("go"); });
    if (!waited.ok()) co_return waited.failure();
    const Text signal = *ctx.TakeSignal<Text>("go");
    if (signal.message() == "end") break;
    const Outcome<Text> done = co_await ctx.Execute(kWork, signal);
    *seen += done.ok() ? done->message() : "!" + done.failure().type;
  }
  co_return T(*seen);
}

// One activity with few attempts.
template <sdk::OnExhausted kWhat>
Workflow<Text> Exhausts(sdk::Context ctx, Text input) {
  const Outcome<Text> done = co_await ctx.Execute(kWork, input, Retries(2, kWhat));
  if (!done.ok()) co_return done.failure();
  co_return *done;
}

Workflow<Text> SlowRetry(sdk::Context ctx, Text input) {
  const Outcome<Text> done =
      co_await ctx.Execute(kWork, input, Retries(0, sdk::OnExhausted::kFail, absl::Hours(1)));
  if (!done.ok()) co_return done.failure();
  co_return *done;
}

// Two steps at once; the second undoes everything when it fails, while the first still runs.
Workflow<Text> AllAtOnce(sdk::Context ctx, Text input) {
  saga::Saga saga(ctx);
  const Outcome<Text> first = co_await saga.Run(kOther, T("first"), kUndoOther);
  if (!first.ok()) co_return co_await saga.Abort(first.failure());
  saga::Saga::Group group;
  saga::StepOptions options;
  options.step = Retries(2, sdk::OnExhausted::kCompensate);
  group.Add(kOther, T("hold"), kUndoOther);
  group.Add(kWork, T("fail"), kUndoWork, options);
  Outcome<std::vector<Outcome<v1::Payload>>> outcomes = co_await saga.Parallel(std::move(group));
  const std::vector<Outcome<v1::Payload>>& both = *outcomes;
  const Outcome<Text> late = co_await saga.Run(kOther, T("late"), kUndoOther);
  const std::string after = late.ok() ? "ran" : late.failure().type;
  co_return co_await saga.Abort(Failure::Permanent(
      "Ended", both[0].failure().type + " " + both[1].failure().type + " " + after));
}

class ControlTest : public EngineTest {
 protected:
  ControlTest() {
    registry.AddWorkflow<Text, Text>("steps", &Steps);
    registry.AddWorkflow<Text, Text>("exhausts_fail", &Exhausts<sdk::OnExhausted::kFail>);
    registry.AddWorkflow<Text, Text>("exhausts_pause", &Exhausts<sdk::OnExhausted::kPause>);
    registry.AddWorkflow<Text, Text>("slow_retry", &SlowRetry);
    registry.AddWorkflow<Text, Text>("all_at_once", &AllAtOnce);
    registry.AddActivity(kWork,
                         [this](sdk::ActivityContext&, Text input) -> base::Task<Outcome<Text>> {
                           ++worked;
                           if (before_work) before_work();
                           return Work(input, failing);
                         });
    registry.AddActivity(
        kOther, [this](sdk::ActivityContext& ctx, Text input) -> base::Task<Outcome<Text>> {
          journal.push_back(input.message());
          return Hold(ctx, input);
        });
    saga::AddCompensation(registry, kUndoWork,
                          [this](sdk::ActivityContext&, saga::Undo<Text, Text> undo) {
                            journal.push_back("undo " + undo.input.message());
                            return Work(undo.input, false);
                          });
    saga::AddCompensation(registry, kUndoOther,
                          [this](sdk::ActivityContext&, saga::Undo<Text, Text> undo) {
                            journal.push_back("undo " + undo.input.message());
                            return Work(undo.input, false);
                          });
  }

  static base::Task<Outcome<Text>> Work(Text input, bool fails) {
    if (fails || input.message() == "fail") {
      co_return Failure::Retryable("Down", "no answer");
    }
    co_return input;
  }
  static base::Task<Outcome<Text>> Hold(sdk::ActivityContext& ctx, Text input) {
    if (input.message() != "hold") co_return input;
    const bool elapsed = co_await base::Sleep(ctx.loop(), absl::Hours(1), ctx.cancel());
    if (!elapsed) co_return Failure::Canceled(ctx.cancel().reason());
    co_return input;
  }

  absl::StatusOr<v1::PauseWorkflowResponse> Pause(const std::string& id,
                                                  const std::string& request_id = "") {
    v1::PauseWorkflowRequest request;
    request.set_workflow_id(id);
    request.set_reason("incident");
    request.set_identity("ann");
    request.set_request_id(request_id);
    return Await<v1::PauseWorkflowResponse>(
        [&](auto done) { client->Pause(request, std::move(done)); });
  }
  absl::StatusOr<v1::ResumeWorkflowResponse> Resume(const std::string& id) {
    v1::ResumeWorkflowRequest request;
    request.set_workflow_id(id);
    request.set_identity("bob");
    return Await<v1::ResumeWorkflowResponse>(
        [&](auto done) { client->Resume(request, std::move(done)); });
  }
  absl::StatusOr<v1::RetryWorkflowNowResponse> RetryNow(const std::string& id,
                                                        std::vector<std::string> activities = {}) {
    v1::RetryWorkflowNowRequest request;
    request.set_workflow_id(id);
    for (const std::string& activity : activities) request.add_activity_ids(activity);
    return Await<v1::RetryWorkflowNowResponse>(
        [&](auto done) { client->RetryNow(request, std::move(done)); });
  }
  void Cancel(const std::string& id) {
    v1::CancelWorkflowRequest request;
    request.set_workflow_id(id);
    ASSERT_TRUE(Await<v1::CancelWorkflowResponse>([&](auto done) {
                  client->Cancel(request, std::move(done));
                }).ok());
  }
  static bool IsPaused(const v1::WorkflowInfo& info) {
    return info.status() == v1::RunStatus::PAUSED;
  }
  int TasksOf(const std::string& id) {
    int tasks = 0;
    for (const v1::HistoryEvent& event : History(id)) tasks += event.has_workflow_task_completed();
    return tasks;
  }

  std::function<void()> before_work;
  std::atomic<bool> failing = false;
  std::atomic<int> worked = 0;
};

TEST_F(ControlTest, APausedRunDoesNothingAndGoesOnWhereItWas) {
  Open();
  ASSERT_TRUE(Start("steps", "w1").ok());
  ASSERT_TRUE(Signal("w1", "go", "a").ok());
  WaitFor("w1", [](const auto& info) { return info.pending_activities().empty(); });
  auto paused = Pause("w1");
  ASSERT_TRUE(paused.ok()) << paused.status();
  EXPECT_FALSE(paused->already_paused());
  EXPECT_EQ(Info("w1").status(), v1::RunStatus::PAUSED);
  EXPECT_EQ(Info("w1").status_reason(), "paused by ann: incident");
  const int tasks = TasksOf("w1");
  ASSERT_TRUE(Signal("w1", "go", "b").ok()) << "signals are kept";
  ASSERT_TRUE(Signal("w1", "go", "end").ok());
  EXPECT_EQ(Update("w1", "note", "x").status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(*Query("w1", "seen"), "a") << "queries are answered";
  EXPECT_EQ(TasksOf("w1"), tasks) << "its code does not run";
  EXPECT_EQ(worked, 1);

  Restart();
  EXPECT_EQ(Info("w1").status(), v1::RunStatus::PAUSED) << "also after a restart";
  EXPECT_EQ(Info("w1").status_reason(), "paused by ann: incident");
  EXPECT_TRUE(Pause("w1")->already_paused());
  EXPECT_EQ(TasksOf("w1"), tasks);

  auto resumed = Resume("w1");
  ASSERT_TRUE(resumed.ok()) << resumed.status();
  EXPECT_FALSE(resumed->was_running());
  EXPECT_EQ(ResultText("w1"), "ab");
  EXPECT_EQ(Pause("w1").status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ControlTest, APauseIsTakenOnce) {
  Open();
  ASSERT_TRUE(Start("steps", "w1").ok());
  ASSERT_TRUE(Pause("w1", "p1").ok());
  ASSERT_TRUE(Resume("w1").ok());
  EXPECT_EQ(Info("w1").status(), v1::RunStatus::RUNNING);
  ASSERT_TRUE(Pause("w1", "p1").ok()) << "the repeated request is answered";
  EXPECT_EQ(Info("w1").status(), v1::RunStatus::RUNNING) << "and does not pause it again";
  EXPECT_TRUE(Resume("w1")->was_running());
}

TEST_F(ControlTest, ResumedAtOnceWithoutAPauseBeforeItsHistoryIsWritten) {
  Open();
  ASSERT_TRUE(Start("steps", "w1").ok());
  // All in one batch: the code is made from a history that is still being written.
  absl::Notification resumed;
  v1::PauseWorkflowRequest pause;
  pause.set_workflow_id("w1");
  client->Pause(pause, [](absl::StatusOr<v1::PauseWorkflowResponse>) {});
  for (const char* text : {"a", "b", "end"}) {
    v1::SignalWorkflowRequest signal;
    signal.set_workflow_id("w1");
    signal.set_signal_name("go");
    *signal.mutable_input() = history::ToPayload(T(text));
    client->Signal(signal, [](absl::StatusOr<v1::SignalWorkflowResponse>) {});
  }
  v1::ResumeWorkflowRequest resume;
  resume.set_workflow_id("w1");
  client->Resume(resume, [&](absl::StatusOr<v1::ResumeWorkflowResponse>) { resumed.Notify(); });
  resumed.WaitForNotification();
  EXPECT_EQ(ResultText("w1"), "ab");
  for (const v1::HistoryEvent& event : History("w1")) {
    EXPECT_FALSE(event.has_workflow_execution_failed());
  }
}

TEST_F(ControlTest, APausedRunIsListedAndCanBeTerminated) {
  Open();
  ASSERT_TRUE(Start("steps", "held").ok());
  ASSERT_TRUE(Start("steps", "free").ok());
  ASSERT_TRUE(Pause("held").ok());
  v1::ListWorkflowsRequest request;
  request.set_status(v1::RunStatus::PAUSED);
  auto list = Await<v1::ListWorkflowsResponse>(
      [&](auto done) { client->ListWorkflows(request, std::move(done)); });
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->workflows_size(), 1);
  EXPECT_EQ(list->workflows(0).workflow_id(), "held");
  engine->RefreshGauges();
  const std::string text = metrics.Expose();
  EXPECT_NE(text.find("workflow_runs{status=\"PAUSED\",workflow=\"steps\"} 1"), std::string::npos)
      << text;
  v1::TerminateWorkflowRequest terminate;
  terminate.set_workflow_id("held");
  ASSERT_TRUE(Await<v1::TerminateWorkflowResponse>([&](auto done) {
                client->Terminate(terminate, std::move(done));
              }).ok());
  EXPECT_EQ(Result("held").status(), v1::RunStatus::TERMINATED);
  engine->RefreshGauges();
  EXPECT_NE(metrics.Expose().find("workflow_runs{status=\"PAUSED\",workflow=\"steps\"} 0"),
            std::string::npos)
      << "an alert on it ends";
}

TEST_F(ControlTest, CancelWaitsForTheResume) {
  Open();
  ASSERT_TRUE(Start("steps", "w1").ok());
  ASSERT_TRUE(Pause("w1").ok());
  Cancel("w1");
  EXPECT_EQ(Info("w1").status(), v1::RunStatus::PAUSED);
  ASSERT_TRUE(Resume("w1").ok());
  EXPECT_EQ(Result("w1").status(), v1::RunStatus::CANCELED);
}

TEST_F(ControlTest, AnAttemptInFlightEndsAndItsResultWaits) {
  absl::Notification began;
  absl::Notification go_on;
  before_work = [&] {
    began.Notify();
    go_on.WaitForNotification();
  };
  Open();
  ASSERT_TRUE(Start("steps", "w1").ok());
  ASSERT_TRUE(Signal("w1", "go", "a").ok());
  began.WaitForNotification();
  ASSERT_TRUE(Pause("w1").ok());
  go_on.Notify();
  WaitFor("w1", [](const auto& info) { return info.pending_activities().empty(); });
  EXPECT_EQ(Info("w1").status(), v1::RunStatus::PAUSED);
  EXPECT_EQ(*Query("w1", "seen"), "") << "recorded, and not seen by the code";
  ASSERT_TRUE(Resume("w1").ok());
  EXPECT_EQ(*Query("w1", "seen"), "a");
}

TEST_F(ControlTest, AttemptsUsedUpFailByDefault) {
  failing = true;
  Open();
  ASSERT_TRUE(Start("exhausts_fail", "w1", "x").ok());
  EXPECT_EQ(ResultText("w1"), "FAILED Down no answer");
  EXPECT_EQ(worked, 2);
}

TEST_F(ControlTest, AttemptsUsedUpPauseUntilRetriedNow) {
  failing = true;
  Open();
  ASSERT_TRUE(Start("exhausts_pause", "w1", "x").ok());
  v1::WorkflowInfo info = WaitFor("w1", IsPaused);
  EXPECT_EQ(info.status_reason(),
            "activity work (id 1) used up its 2 attempts: Down: no answer; retry it now, or "
            "cancel");
  EXPECT_EQ(info.pending_activities(0).state(), "PAUSED");
  EXPECT_EQ(worked, 2);
  Restart();
  EXPECT_EQ(Info("w1").status(), v1::RunStatus::PAUSED) << "also after a restart";
  EXPECT_EQ(worked, 2);
  ASSERT_TRUE(RetryNow("w1").ok());
  WaitFor("w1", [&](const auto& now) { return IsPaused(now) && worked == 3; });
  failing = false;
  EXPECT_EQ(RetryNow("w1", {"7"}).status().code(), absl::StatusCode::kNotFound);
  auto retried = RetryNow("w1", {"1"});
  ASSERT_TRUE(retried.ok()) << retried.status();
  EXPECT_EQ(retried->activity_ids_size(), 1);
  EXPECT_EQ(ResultText("w1"), "x");
  EXPECT_EQ(worked, 4);
}

TEST_F(ControlTest, AnActivityThatPausedCanBeCanceled) {
  failing = true;
  Open();
  ASSERT_TRUE(Start("exhausts_pause", "w1", "x").ok());
  WaitFor("w1", IsPaused);
  Cancel("w1");
  EXPECT_EQ(Result("w1").status(), v1::RunStatus::CANCELED);
}

TEST_F(ControlTest, RetryNowDoesNotWaitForTheBackoff) {
  failing = true;
  Open();
  ASSERT_TRUE(Start("slow_retry", "w1", "x").ok());
  WaitFor("w1", [](const auto& info) {
    return !info.pending_activities().empty() &&
           info.pending_activities(0).state() == "BACKING_OFF";
  });
  failing = false;
  EXPECT_EQ(RetryNow("w1")->activity_ids_size(), 1);
  EXPECT_EQ(ResultText("w1"), "x");
  EXPECT_EQ(worked, 2);
}

TEST_F(ControlTest, RetryNowTriesTheCodeOfAStuckRun) {
  Open({.stuck_retry_min = absl::Hours(1), .stuck_retry_max = absl::Hours(1)});
  ASSERT_TRUE(Start("unknown_type", "w1").ok());
  ASSERT_EQ(Info("w1").status(), v1::RunStatus::STUCK);
  registry.AddWorkflow<Text, Text>("unknown_type", &Steps);
  auto retried = RetryNow("w1");
  ASSERT_TRUE(retried.ok()) << retried.status();
  EXPECT_EQ(retried->status(), v1::RunStatus::RUNNING);
  ASSERT_TRUE(Signal("w1", "go", "end").ok());
  EXPECT_EQ(ResultText("w1"), "");
}

TEST_F(ControlTest, AStuckRunThatIsPausedIsNotTriedAgain) {
  Open({.stuck_retry_min = absl::Milliseconds(1), .stuck_retry_max = absl::Milliseconds(1)});
  ASSERT_TRUE(Start("unknown_type", "w1").ok());
  ASSERT_TRUE(Pause("w1").ok());
  EXPECT_EQ(Info("w1").status(), v1::RunStatus::PAUSED);
  ASSERT_TRUE(Resume("w1").ok());
  EXPECT_EQ(Info("w1").status(), v1::RunStatus::STUCK);
}

TEST_F(ControlTest, AStepCanUndoEverythingAtOnce) {
  Open();
  ASSERT_TRUE(Start("all_at_once", "w1").ok());
  const v1::GetWorkflowResultResponse result = Result("w1");
  EXPECT_EQ(result.status(), v1::RunStatus::FAILED);
  EXPECT_EQ(result.failure().message(), "Canceled Down SagaAborted")
      << "the step that ran was canceled, and none began after it";
  EXPECT_EQ(worked, 2);
  const std::multiset<std::string> done(journal.begin(), journal.end());
  EXPECT_EQ(done.count("late"), 0u);
  EXPECT_EQ(done.count("undo first"), 1u);
  EXPECT_EQ(done.count("undo hold"), 1u) << "its outcome was unknown";
  EXPECT_EQ(done.count("undo fail"), 0u) << "it failed without an effect";
  EXPECT_EQ(journal.back(), "undo first") << "newest first";
}

}  // namespace
}  // namespace engine_test
