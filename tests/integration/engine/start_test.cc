// How runs begin: policies of the workflow id, delays, time-outs of run and chain, cron, and starts
// together with a first message. Limits of messages and names.
#include <gmock/gmock.h>

#include "orchestrator/history/time.h"
#include "tests/integration/engine/engine_fixture.h"
#include "tests/support/await.h"
#include "tests/support/before_the_minute.h"
#include "tests/support/manual_clock.h"

namespace engine_test {
namespace {

using sdk::Failure;
using sdk::Outcome;
using sdk::Workflow;
using ::testing::HasSubstr;

Workflow<Text> HangUntilEnd(sdk::Context ctx, Text note) {
  const sdk::Done waited = co_await ctx.WaitUntil([] { return false; });
  if (!waited.ok()) co_return waited.failure();
  co_return note;
}

// Collects "add" signals and "note" updates until "end"; "again" continues as new.
Workflow<Text> Collect(sdk::Context ctx, Text input) {
  const auto seen = std::make_shared<std::string>(input.message());
  ctx.SetQueryHandler<Text, Text>("seen",
                                  [seen](const Text&) -> Outcome<Text> { return T(*seen); });
  ctx.SetUpdateHandler<Text, Text>(
      "note",
      [](const Text& note) -> sdk::Done {
        if (note.message() == "bad") return Failure::Permanent("Invalid", "no");
        return sdk::Unit{};
      },
      [seen](const Text& note) -> Outcome<Text> {
        *seen += note.message();
        return T(*seen);
      });
  ctx.SetAsyncUpdateHandler<Text, Text>(
      "hang", [](const Text&) -> sdk::Done { return sdk::Unit{}; },
      [ctx](Text note) mutable -> Workflow<Text> { return HangUntilEnd(ctx, note); });
  while (true) {
    const sdk::Done waited = co_await ctx.WaitUntil([&] { return ctx.HasSignal("add"); });
    if (!waited.ok()) co_return waited.failure();
    const Text signal = *ctx.TakeSignal<Text>("add");
    if (signal.message() == "again") co_return ctx.ContinueAsNew(T(*seen));
    if (signal.message() == "fail") co_return Failure::Permanent("Broken", "as told");
    if (signal.message() == "end") break;
    *seen += signal.message();
  }
  co_return T(*seen);
}

constexpr sdk::ActivityType<Text, Text> kLook{"look_up"};

base::Task<Outcome<Text>> LookUp(sdk::ActivityContext&, Text) { co_return T("looked"); }

// Begins with a local activity, which gives no command.
Workflow<Text> Look(sdk::Context ctx, Text input) {
  ctx.SetUpdateHandler<Text, Text>(
      "note", [](const Text&) -> sdk::Done { return Failure::Permanent("Invalid", "no"); },
      [](const Text& note) -> Outcome<Text> { return note; });
  Outcome<Text> looked = co_await ctx.ExecuteLocal(kLook, input, {});
  co_return looked;
}

// Tells what a cron run knows, or fails.
Workflow<Text> Tick(sdk::Context ctx, Text input) {
  const sdk::RunInfo& info = ctx.info();
  std::string text = info.cron_schedule;
  if (info.last_completion_result.has_value()) {
    text = "after " + history::FromPayload<Text>(*info.last_completion_result)->message();
  }
  if (info.continued_failure.has_value()) text += " and " + info.continued_failure->type;
  if (input.message() == "fail") co_return Failure::Permanent("Broken", "as told");
  co_return T(text);
}

// Does one step, waits for ever, undoes it when its time is over.
Workflow<Text> Deadline(sdk::Context ctx, Text input) {
  const sdk::Done waited = co_await ctx.WaitUntil([ctx] { return ctx.HasSignal("add"); });
  if (waited.ok()) co_return ctx.ContinueAsNew(input);
  co_return waited.failure();
}

// How long its history is, and whether it should continue as new, task by task.
Workflow<Text> Grow(sdk::Context ctx, Text input) {
  int64_t suggested_at = 0;
  while (suggested_at == 0) {
    const sdk::Done waited = co_await ctx.WaitUntil([&] { return ctx.HasSignal("add"); });
    if (!waited.ok()) co_return waited.failure();
    const Text signal = *ctx.TakeSignal<Text>("add");
    if (ctx.info().continue_as_new_suggested) suggested_at = ctx.info().history_length;
  }
  co_return T(std::to_string(suggested_at));
}

class StartTest : public EngineTest {
 protected:
  ~StartTest() override { Close(); }  // before the clocks go
  std::unique_ptr<test::BeforeTheMinute> minute;
  test::ManualClock by_hand;

  StartTest() {
    registry.AddWorkflow<Text, Text>("collect", &Collect);
    registry.AddWorkflow<Text, Text>("tick", &Tick);
    registry.AddWorkflow<Text, Text>("deadline", &Deadline);
    registry.AddWorkflow<Text, Text>("grow", &Grow);
    registry.AddWorkflow<Text, Text>("look", &Look);
    registry.AddActivity(kLook, &LookUp);
  }
  static v1::StartWorkflowRequest Request(const std::string& id,
                                          const std::string& type = "collect",
                                          const std::string& request_id = "") {
    v1::StartWorkflowRequest request;
    request.set_workflow_id(id);
    request.set_workflow_type(type);
    request.set_request_id(request_id);
    *request.mutable_input() = history::ToPayload(T(""));
    return request;
  }
  absl::StatusOr<v1::StartWorkflowResponse> StartWith(const v1::StartWorkflowRequest& request) {
    return Await<v1::StartWorkflowResponse>(
        [&](auto done) { client->StartWorkflow(request, std::move(done)); });
  }
  absl::StatusOr<v1::SignalWithStartWorkflowResponse> SignalWithStart(
      const v1::StartWorkflowRequest& start, const std::string& text,
      const std::string& signal_request_id = "") {
    v1::SignalWithStartWorkflowRequest request;
    *request.mutable_start() = start;
    request.set_signal_name("add");
    *request.mutable_signal_input() = history::ToPayload(T(text));
    request.set_signal_request_id(signal_request_id);
    return Await<v1::SignalWithStartWorkflowResponse>(
        [&](auto done) { client->SignalWithStart(request, std::move(done)); });
  }
  absl::StatusOr<v1::UpdateWithStartWorkflowResponse> UpdateWithStart(
      const v1::StartWorkflowRequest& start, const std::string& text,
      const std::string& update_id = "") {
    v1::UpdateWithStartWorkflowRequest request;
    *request.mutable_start() = start;
    request.set_update_name("note");
    *request.mutable_update_input() = history::ToPayload(T(text));
    request.set_update_id(update_id);
    return Await<v1::UpdateWithStartWorkflowResponse>(
        [&](auto done) { client->UpdateWithStart(request, std::move(done)); });
  }
  static std::string TextOf(const v1::Payload& payload) {
    return history::FromPayload<Text>(payload)->message();
  }
  int TasksOf(const std::string& id) {
    int tasks = 0;
    for (const v1::HistoryEvent& event : History(id)) tasks += event.has_workflow_task_completed();
    return tasks;
  }
  v1::GetWorkflowResultResponse ResultOfRun(const std::string& id, const std::string& run_id) {
    v1::GetWorkflowResultRequest request;
    request.set_workflow_id(id);
    request.set_run_id(run_id);
    request.mutable_wait()->set_seconds(30);
    return *Await<v1::GetWorkflowResultResponse>(
        [&](auto done) { client->GetResult(request, std::move(done)); });
  }
};

TEST_F(StartTest, ReusePoliciesOfAClosedRun) {
  Open();
  v1::StartWorkflowRequest request = Request("w1");
  request.set_workflow_id_reuse_policy(v1::WorkflowIdReusePolicy::REJECT_DUPLICATE);
  ASSERT_TRUE(StartWith(request).ok()) << "the id is new";
  ASSERT_TRUE(Signal("w1", "add", "fail").ok());
  ASSERT_EQ(Result("w1").status(), v1::RunStatus::FAILED);
  EXPECT_EQ(StartWith(request).status().code(), absl::StatusCode::kAlreadyExists);
  request.set_workflow_id_reuse_policy(v1::WorkflowIdReusePolicy::ALLOW_DUPLICATE_FAILED_ONLY);
  ASSERT_TRUE(StartWith(request).ok()) << "that run failed";
  ASSERT_TRUE(Signal("w1", "add", "end").ok());
  ASSERT_EQ(Result("w1").status(), v1::RunStatus::COMPLETED);
  const absl::Status refused = StartWith(request).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("ALLOW_DUPLICATE_FAILED_ONLY"));
  EXPECT_TRUE(Start("collect", "w1").ok()) << "the default allows it";
}

TEST_F(StartTest, ConflictPoliciesOfAnOpenRun) {
  Open();
  const std::string first = StartWith(Request("w1"))->run_id();
  v1::StartWorkflowRequest request = Request("w1");
  EXPECT_EQ(StartWith(request).status().code(), absl::StatusCode::kAlreadyExists);
  request.set_workflow_id_conflict_policy(v1::WorkflowIdConflictPolicy::USE_EXISTING);
  auto existing = StartWith(request);
  ASSERT_TRUE(existing.ok());
  EXPECT_EQ(existing->run_id(), first);
  EXPECT_TRUE(existing->already_started());
  request.set_workflow_id_conflict_policy(v1::WorkflowIdConflictPolicy::TERMINATE_EXISTING);
  request.set_request_id("r2");
  auto next = StartWith(request);
  ASSERT_TRUE(next.ok()) << next.status();
  EXPECT_NE(next->run_id(), first);
  EXPECT_FALSE(next->already_started());
  EXPECT_EQ(ResultOfRun("w1", first).status(), v1::RunStatus::TERMINATED);
  EXPECT_EQ(StartWith(request)->run_id(), next->run_id()) << "a repeat terminates nothing";
  EXPECT_EQ(Info("w1").status(), v1::RunStatus::RUNNING);
}

TEST_F(StartTest, ADelayedRunBeginsAtItsTime) {
  Open();
  v1::StartWorkflowRequest request = Request("w1", "tick");
  request.mutable_start_delay()->set_nanos(50'000'000);
  const absl::Time begin = clock.Now();
  ASSERT_TRUE(StartWith(request).ok());
  EXPECT_EQ(Info("w1").status(), v1::RunStatus::RUNNING);
  Restart();
  EXPECT_EQ(ResultText("w1"), "");
  EXPECT_GE(clock.Now() - begin, absl::Milliseconds(50));
}

TEST_F(StartTest, AMessageBeginsADelayedRunEarlier) {
  Open();
  for (const std::string id : {"signal", "update", "cancel"}) {
    v1::StartWorkflowRequest request = Request(id);
    request.mutable_start_delay()->set_seconds(3600);
    ASSERT_TRUE(StartWith(request).ok());
    const v1::WorkflowInfo info = Info(id);
    EXPECT_EQ(info.next_start_time().seconds() - info.start_time().seconds(), 3600);
    EXPECT_EQ(TasksOf(id), 0) << "its code has not begun";
    EXPECT_EQ(Query(id, "seen").status().code(), absl::StatusCode::kFailedPrecondition);
  }
  ASSERT_TRUE(Signal("signal", "add", "end").ok());
  EXPECT_EQ(Result("signal").status(), v1::RunStatus::COMPLETED);
  auto updated = Update("update", "note", "x");
  ASSERT_TRUE(updated.ok()) << updated.status();
  EXPECT_EQ(TextOf(updated->result()), "x");
  EXPECT_FALSE(Info("update").has_next_start_time());
  v1::CancelWorkflowRequest cancel;
  cancel.set_workflow_id("cancel");
  ASSERT_TRUE(Await<v1::CancelWorkflowResponse>([&](auto done) {
                client->Cancel(cancel, std::move(done));
              }).ok());
  EXPECT_EQ(Result("cancel").status(), v1::RunStatus::CANCELED);
}

// Found by simulation (seed 3683): for the validator the code ran ahead of its time, and what it
// had begun then was never done.
TEST_F(StartTest, ARefusedUpdateDoesNotBeginADelayedRun) {
  engine_clock = &by_hand;
  Open();
  v1::StartWorkflowRequest request = Request("w1", "look");
  request.mutable_start_delay()->set_seconds(10);
  ASSERT_TRUE(StartWith(request).ok());
  auto refused = Update("w1", "note", "bad");
  ASSERT_TRUE(refused.ok()) << refused.status();
  EXPECT_EQ(refused->rejected().type(), "Invalid");
  EXPECT_EQ(TasksOf("w1"), 0) << "it left no trace";
  EXPECT_TRUE(Info("w1").has_next_start_time());
  by_hand.Advance(absl::Seconds(10));
  // Long polls have their times by the same clock: they would not end.
  test::Await([&] { return Info("w1").status() != v1::RunStatus::RUNNING; }, "w1 to end");
  EXPECT_EQ(ResultText("w1"), "looked");
}

TEST_F(StartTest, ADelayedRunCanBePausedAndTerminated) {
  Open();
  v1::StartWorkflowRequest request = Request("w1", "tick");
  request.mutable_start_delay()->set_nanos(1'000'000);
  v1::PauseWorkflowRequest pause;
  pause.set_workflow_id("w1");
  v1::ResumeWorkflowRequest resume;
  resume.set_workflow_id("w1");
  ASSERT_TRUE(StartWith(request).ok());
  auto paused =
      Await<v1::PauseWorkflowResponse>([&](auto done) { client->Pause(pause, std::move(done)); });
  if (paused.ok()) {  // else it was over before
    ASSERT_TRUE(Await<v1::ResumeWorkflowResponse>([&](auto done) {
                  client->Resume(resume, std::move(done));
                }).ok());
  }
  EXPECT_EQ(ResultText("w1"), "");
}

TEST_F(StartTest, WrongStartsAreRefused) {
  Open();
  v1::StartWorkflowRequest request = Request("w1");
  request.set_cron_schedule("every day");
  EXPECT_EQ(StartWith(request).status().code(), absl::StatusCode::kInvalidArgument);
  request.set_cron_schedule("0 6 * * *");
  request.mutable_start_delay()->set_seconds(1);
  EXPECT_EQ(StartWith(request).status().code(), absl::StatusCode::kInvalidArgument);
  request = Request("w1");
  request.mutable_compensation_reserve()->set_seconds(10);
  EXPECT_EQ(StartWith(request).status().code(), absl::StatusCode::kInvalidArgument);
  request.mutable_run_timeout()->set_seconds(10);
  EXPECT_EQ(StartWith(request).status().code(), absl::StatusCode::kInvalidArgument);
  request = Request("w1");
  request.mutable_start_delay()->set_seconds(10);
  EXPECT_EQ(SignalWithStart(request, "a").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(UpdateWithStart(request, "a").status().code(), absl::StatusCode::kInvalidArgument);
  v1::GetWorkflowRequest get;
  get.set_workflow_id("w1");
  EXPECT_EQ(Await<v1::WorkflowInfo>([&](auto done) { client->GetWorkflow(get, std::move(done)); })
                .status()
                .code(),
            absl::StatusCode::kNotFound)
      << "none of them began";
}

TEST_F(StartTest, TheRunsTimeOutEndsOneRun) {
  Open();
  v1::StartWorkflowRequest request = Request("w1");
  request.mutable_run_timeout()->set_nanos(20'000'000);
  ASSERT_TRUE(StartWith(request).ok());
  const v1::GetWorkflowResultResponse result = Result("w1");
  EXPECT_EQ(result.status(), v1::RunStatus::TIMED_OUT);
  EXPECT_THAT(result.failure().message(), HasSubstr("run time-out of 20ms exceeded"));
}

TEST_F(StartTest, TheExecutionTimeOutIsOfTheWholeChain) {
  Open();
  v1::StartWorkflowRequest request = Request("w1", "deadline");
  request.mutable_execution_timeout()->set_nanos(300'000'000);
  const absl::Time begin = clock.Now();
  const std::string first = StartWith(request)->run_id();
  // As long as it lives it continues as new; no run of the chain gets a time of its own.
  while (Signal("w1", "add", "").ok() && clock.Now() - begin < absl::Seconds(20)) {
  }
  const v1::GetWorkflowResultResponse result = Result("w1");
  EXPECT_EQ(result.status(), v1::RunStatus::TIMED_OUT);
  EXPECT_NE(result.run_id(), first);
  EXPECT_LT(clock.Now() - begin, absl::Seconds(20));
  EXPECT_EQ(Info("w1").first_run_id(), first);
}

TEST_F(StartTest, TheReserveForCompensationsComesBeforeTheDeadline) {
  Open();
  v1::StartWorkflowRequest request = Request("w1");
  request.mutable_execution_timeout()->set_seconds(3600);
  request.mutable_compensation_reserve()->set_seconds(3599);
  request.mutable_compensation_reserve()->set_nanos(990'000'000);
  ASSERT_TRUE(StartWith(request).ok());
  const v1::GetWorkflowResultResponse result = Result("w1");
  EXPECT_EQ(result.status(), v1::RunStatus::TIMED_OUT);
  EXPECT_THAT(result.failure().message(), HasSubstr("are kept for compensations"));
}

TEST_F(StartTest, ACronRunIsFollowedByTheNext) {
  minute = std::make_unique<test::BeforeTheMinute>(clock);
  engine_clock = minute.get();
  Open();
  const absl::Time started_at = minute->Now();
  v1::StartWorkflowRequest request = Request("good", "tick");
  request.set_cron_schedule("* * * * *");
  const std::string good = StartWith(request)->run_id();
  request.set_workflow_id("bad");
  request.mutable_input()->CopyFrom(history::ToPayload(T("fail")));
  const std::string bad = StartWith(request)->run_id();
  v1::WorkflowInfo info = Info("good");
  const int64_t time = info.next_start_time().seconds();
  EXPECT_EQ(time % 60, 0) << "it waits for its time";
  EXPECT_EQ(absl::ToUnixSeconds(started_at) / 60 * 60 + 60, time);
  EXPECT_EQ(info.cron_schedule(), "* * * * *");
  EXPECT_EQ(ResultOfRun("good", good).status(), v1::RunStatus::COMPLETED);
  EXPECT_EQ(TextOf(ResultOfRun("good", good).result()), "* * * * *");
  EXPECT_GE(absl::ToUnixSeconds(minute->Now()), time) << "not early";
  EXPECT_EQ(ResultOfRun("bad", bad).status(), v1::RunStatus::FAILED);

  for (const auto& [id, first] : {std::pair{"good", good}, std::pair{"bad", bad}}) {
    info = Info(id);
    EXPECT_NE(info.run_id(), first);
    EXPECT_EQ(info.status(), v1::RunStatus::RUNNING);
    EXPECT_EQ(info.first_run_id(), first);
    EXPECT_GT(info.next_start_time().seconds(), time);
    EXPECT_EQ(TasksOf(id), 0) << "its code has not begun";
    const v1::WorkflowExecutionStarted started = History(id)[0].workflow_execution_started();
    EXPECT_EQ(started.initiator(), v1::ContinueInitiator::CRON);
    EXPECT_EQ(started.continued_from_run_id(), first);
    EXPECT_EQ(started.last_completion_result().data().empty(), first == bad);
    EXPECT_EQ(started.continued_failure().type(), first == bad ? "Broken" : "");
  }
}

TEST_F(StartTest, ACronRunThatWaitsKeepsSignalsAndEndsWhenCanceled) {
  Open();
  v1::StartWorkflowRequest request = Request("w1", "tick");
  request.set_cron_schedule("0 0 1 1 *");
  const std::string first = StartWith(request)->run_id();
  ASSERT_TRUE(Signal("w1", "fail", "").ok()) << "kept until it begins";
  EXPECT_EQ(Update("w1", "note", "x").status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(TasksOf("w1"), 0);
  Restart();
  EXPECT_EQ(Info("w1").run_id(), first);
  EXPECT_EQ(TasksOf("w1"), 0);
  v1::CancelWorkflowRequest cancel;
  cancel.set_workflow_id("w1");
  ASSERT_TRUE(Await<v1::CancelWorkflowResponse>([&](auto done) {
                client->Cancel(cancel, std::move(done));
              }).ok());
  EXPECT_EQ(Result("w1").status(), v1::RunStatus::CANCELED);
  EXPECT_EQ(Info("w1").run_id(), first) << "none follows";
  EXPECT_EQ(TasksOf("w1"), 0) << "there was nothing to ask its code";
}

TEST_F(StartTest, SignalWithStartIsOneTransition) {
  Open();
  auto started = SignalWithStart(Request("w1"), "a");
  ASSERT_TRUE(started.ok()) << started.status();
  EXPECT_TRUE(started->started());
  const std::vector<v1::HistoryEvent> events = History("w1");
  EXPECT_TRUE(events[0].has_workflow_execution_started());
  EXPECT_TRUE(events[1].has_workflow_execution_signaled()) << "before the first workflow task";
  auto again = SignalWithStart(Request("w1"), "b");
  ASSERT_TRUE(again.ok());
  EXPECT_FALSE(again->started());
  EXPECT_EQ(again->run_id(), started->run_id());
  EXPECT_EQ(*Query("w1", "seen"), "ab");
}

TEST_F(StartTest, ARepeatedSignalWithStartSignalsOnce) {
  Open();
  const v1::StartWorkflowRequest start = Request("w1", "collect", "r1");
  const std::string run_id = SignalWithStart(start, "a")->run_id();
  auto repeated = SignalWithStart(start, "a");
  ASSERT_TRUE(repeated.ok());
  EXPECT_TRUE(repeated->started()) << "as it was answered the first time";
  EXPECT_EQ(repeated->run_id(), run_id);
  ASSERT_TRUE(SignalWithStart(Request("w1"), "b", "s1").ok());
  ASSERT_TRUE(SignalWithStart(Request("w1"), "b", "s1").ok());
  EXPECT_EQ(*Query("w1", "seen"), "ab");
  ASSERT_TRUE(Signal("w1", "add", "end").ok());
  EXPECT_EQ(ResultText("w1"), "ab");
  Restart();
  ASSERT_TRUE(SignalWithStart(start, "a").ok());
  EXPECT_EQ(Info("w1").run_id(), run_id) << "also when it is closed: nothing begins";
  auto next = SignalWithStart(Request("w1", "collect", "r2"), "c");
  ASSERT_TRUE(next.ok());
  EXPECT_TRUE(next->started());
  EXPECT_NE(next->run_id(), run_id);
}

TEST_F(StartTest, UpdateWithStartAnswersFromTheFirstTask) {
  Open();
  const v1::StartWorkflowRequest start = Request("w1", "collect", "r1");
  auto started = UpdateWithStart(start, "a");
  ASSERT_TRUE(started.ok()) << started.status();
  EXPECT_TRUE(started->started());
  EXPECT_EQ(TextOf(started->update().result()), "a");
  EXPECT_EQ(TasksOf("w1"), 1) << "start and update are one transition";
  auto repeated = UpdateWithStart(start, "a");
  ASSERT_TRUE(repeated.ok()) << repeated.status();
  EXPECT_TRUE(repeated->started());
  EXPECT_EQ(TextOf(repeated->update().result()), "a") << "the first answer, and no second update";
  auto other = UpdateWithStart(Request("w1"), "b", "u2");
  ASSERT_TRUE(other.ok());
  EXPECT_FALSE(other->started());
  EXPECT_EQ(TextOf(other->update().result()), "ab");
  auto refused = UpdateWithStart(Request("w2"), "bad");
  ASSERT_TRUE(refused.ok());
  EXPECT_EQ(refused->update().rejected().type(), "Invalid");
  EXPECT_EQ(Info("w2").status(), v1::RunStatus::RUNNING) << "the run has begun all the same";
}

TEST_F(StartTest, LimitsNameThemselvesAndTheValue) {
  Open({.signals_pending_max = 2,
        .signals_max = 3,
        .updates_in_flight_max = 1,
        .updates_max = 2,
        .identity_bytes_max = 10,
        .reason_bytes_max = 10,
        .name_bytes_max = 10});
  const auto refused = [](const absl::Status& status, absl::StatusCode code,
                          const std::string& limit) {
    EXPECT_EQ(status.code(), code) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(limit));
  };
  ASSERT_TRUE(Start("collect", "w1").ok());
  v1::PauseWorkflowRequest pause;
  pause.set_workflow_id("w1");
  ASSERT_TRUE(Await<v1::PauseWorkflowResponse>([&](auto done) {
                client->Pause(pause, std::move(done));
              }).ok());
  ASSERT_TRUE(Signal("w1", "add", "a").ok());
  ASSERT_TRUE(Signal("w1", "add", "b").ok());
  refused(Signal("w1", "add", "c"), absl::StatusCode::kResourceExhausted,
          "2 signals wait for the run's code (limit signals_pending_max = 2)");
  v1::ResumeWorkflowRequest resume;
  resume.set_workflow_id("w1");
  ASSERT_TRUE(Await<v1::ResumeWorkflowResponse>([&](auto done) {
                client->Resume(resume, std::move(done));
              }).ok());
  EXPECT_EQ(*Query("w1", "seen"), "ab");
  ASSERT_TRUE(Signal("w1", "add", "c").ok());
  refused(Signal("w1", "add", "d"), absl::StatusCode::kResourceExhausted, "signals_max = 3");

  v1::UpdateWorkflowRequest hang;
  hang.set_workflow_id("w1");
  hang.set_update_name("hang");
  *hang.mutable_input() = history::ToPayload(T(""));
  absl::Notification ended;
  client->Update(hang, [&](absl::StatusOr<v1::UpdateWorkflowResponse>) { ended.Notify(); });
  refused(Update("w1", "note", "x").status(), absl::StatusCode::kResourceExhausted,
          "1 updates of the run are not answered (limit updates_in_flight_max = 1)");
  ASSERT_TRUE(Start("collect", "w2").ok());
  ASSERT_TRUE(Update("w2", "note", "x").ok());
  ASSERT_TRUE(Update("w2", "note", "y").ok());
  refused(Update("w2", "note", "z").status(), absl::StatusCode::kResourceExhausted,
          "updates_max = 2");

  refused(Signal("w1", "a_long_name", ""), absl::StatusCode::kInvalidArgument,
          "signal_name has 11 bytes (limit name_bytes_max = 10)");
  pause.set_reason("a long reason");
  refused(Await<v1::PauseWorkflowResponse>([&](auto done) {
            client->Pause(pause, std::move(done));
          }).status(),
          absl::StatusCode::kInvalidArgument, "reason has 13 bytes (limit reason_bytes_max = 10)");
  v1::CancelWorkflowRequest cancel;
  cancel.set_workflow_id("w1");
  cancel.set_identity("somebody else");
  refused(Await<v1::CancelWorkflowResponse>([&](auto done) {
            client->Cancel(cancel, std::move(done));
          }).status(),
          absl::StatusCode::kInvalidArgument,
          "identity has 13 bytes (limit identity_bytes_max = 10)");
  v1::TerminateWorkflowRequest terminate;
  terminate.set_workflow_id("w1");
  client->Terminate(terminate, [](absl::StatusOr<v1::TerminateWorkflowResponse>) {});
  ended.WaitForNotification();
}

TEST_F(StartTest, ALongHistoryAsksToContinueAsNew) {
  Open({.continue_as_new_events = 20});
  ASSERT_TRUE(Start("grow", "w1").ok());
  int sent = 0;
  while (!Info("w1").continue_as_new_suggested()) {
    ASSERT_TRUE(Signal("w1", "add", std::to_string(++sent)).ok());
    ASSERT_LT(sent, 20);
  }
  EXPECT_GT(Info("w1").history_bytes(), 100);
  Restart({.continue_as_new_events = 1000});  // what the code was told stays as it was
  (void)Signal("w1", "add", "last");
  Restart({.continue_as_new_bytes = 1});
  if (Info("w1").status() == v1::RunStatus::RUNNING) ASSERT_TRUE(Signal("w1", "add", "x").ok());
  EXPECT_EQ(Result("w1").status(), v1::RunStatus::COMPLETED) << Info("w1").status_reason();
  EXPECT_GT(std::stoi(ResultText("w1")), 20);
}

}  // namespace
}  // namespace engine_test
