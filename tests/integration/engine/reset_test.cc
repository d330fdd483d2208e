// Reset: a new run with the history up to an event.
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

constexpr sdk::ActivityType<Text, Text> kWork{"work"};
constexpr saga::CompensationType<Text, Text, Text> kUndo{"undo_work"};

// An activity for every signal; "end" ends it.
Workflow<Text> Steps(sdk::Context ctx, Text input) {
  std::string all;
  while (true) {
    const sdk::Done waited = co_await ctx.WaitUntil([&] { return ctx.HasSignal("go"); });
    if (!waited.ok()) co_return waited.failure();
    const Text signal = *ctx.TakeSignal<Text>("go");
    if (signal.message() == "end") break;
    const Outcome<Text> done = co_await ctx.Execute(kWork, signal);
    if (!done.ok()) co_return done.failure();
    all += done->message();
  }
  co_return T(all);
}

// The same as steps of a saga; "fail" undoes them.
Workflow<Text> SagaSteps(sdk::Context ctx, Text input) {
  saga::Saga saga(ctx);
  std::string all;
  while (true) {
    const sdk::Done waited = co_await ctx.WaitUntil([&] { return ctx.HasSignal("go"); });
    if (!waited.ok()) co_return waited.failure();
    const Text signal = *ctx.TakeSignal<Text>("go");
    if (signal.message() == "end") break;
    if (signal.message() == "fail") {
      co_return co_await saga.Abort(Failure::Permanent("Failed", "as asked"));
    }
    const Outcome<Text> done = co_await saga.Run(kWork, signal, kUndo);
    if (!done.ok()) co_return done.failure();
    all += done->message();
  }
  co_return T(all);
}

// A random number for every signal.
Workflow<Text> Dice(sdk::Context ctx, Text input) {
  const auto seen = std::make_shared<std::string>();
  ctx.SetQueryHandler<Text, Text>("seen",
                                  [seen](const Text&) -> Outcome<Text> { return T(*seen); });
  while (true) {
    const sdk::Done waited = co_await ctx.WaitUntil([&] { return ctx.HasSignal("go"); });
    if (!waited.ok()) co_return waited.failure();
    (void)ctx.TakeSignal<Text>("go");
    *seen += std::to_string(ctx.Random()) + " ";
  }
}

Workflow<Text> Timer(sdk::Context ctx, Text input) {
  const sdk::Done slept = co_await ctx.Sleep(absl::Hours(1));
  if (!slept.ok()) co_return slept.failure();
  co_return input;
}

constexpr sdk::WorkflowType<Text, Text> kWaiter{"waiter"};

Workflow<Text> Waiter(sdk::Context ctx, Text input) {
  const sdk::Done waited = co_await ctx.WaitUntil([&] { return ctx.HasSignal("go"); });
  if (!waited.ok()) co_return waited.failure();
  co_return T(input.message() + " done");
}

// A child at once, another one at the signal; ends with the first one's result.
Workflow<Text> Parent(sdk::Context ctx, Text input) {
  const auto first = ctx.ExecuteChild(kWaiter, T("first"), {.workflow_id = "first"});
  const Outcome<Text> begun = co_await ctx.Execute(kWork, T("begun"));
  if (!begun.ok()) co_return begun.failure();
  const sdk::Done waited = co_await ctx.WaitUntil([&] { return ctx.HasSignal("go"); });
  if (!waited.ok()) co_return waited.failure();
  const auto second = ctx.ExecuteChild(kWaiter, T("second"), {.workflow_id = "second"});
  const Outcome<Text> result = co_await first;
  if (!result.ok()) co_return result.failure();
  co_return *result;
}

class ResetTest : public EngineTest {
 protected:
  ResetTest() {
    registry.AddWorkflow<Text, Text>("steps", &Steps);
    registry.AddWorkflow<Text, Text>("saga", &SagaSteps);
    registry.AddWorkflow<Text, Text>("timer", &Timer);
    registry.AddWorkflow<Text, Text>("dice", &Dice);
    registry.AddWorkflow<Text, Text>("waiter", &Waiter);
    registry.AddWorkflow<Text, Text>("parent", &Parent);
    registry.AddActivity(kWork, [this](sdk::ActivityContext& ctx, Text input) {
      return Work(this, ctx, std::move(input));
    });
    saga::AddCompensation(registry, kUndo,
                          [this](sdk::ActivityContext&, saga::Undo<Text, Text> undo) {
                            return UndoWork(this, undo.input);
                          });
  }
  ~ResetTest() override { Close(); }  // activities use what is below
  static base::Task<Outcome<Text>> Work(ResetTest* test, sdk::ActivityContext& ctx, Text input) {
    test->journal.push_back(input.message());
    test->keys.push_back(ctx.info().idempotency_key);
    if (test->hold) {
      ++test->held;
      const bool elapsed = co_await base::Sleep(ctx.loop(), absl::Hours(1), ctx.cancel());
      if (!elapsed) co_return Failure::Canceled(ctx.cancel().reason());
    }
    co_return input;
  }
  static base::Task<Outcome<Text>> UndoWork(ResetTest* test, Text input) {
    test->journal.push_back("undo " + input.message());
    co_return input;
  }

  v1::ResetWorkflowRequest Request(const std::string& id, int64_t event_id) {
    v1::ResetWorkflowRequest request;
    request.set_workflow_id(id);
    request.set_event_id(event_id);
    request.set_reason("wrong price");
    request.set_identity("ann");
    return request;
  }
  absl::StatusOr<v1::ResetWorkflowResponse> Reset(const v1::ResetWorkflowRequest& request) {
    return Await<v1::ResetWorkflowResponse>(
        [&](auto done) { client->ResetWorkflow(request, std::move(done)); });
  }
  // Sends signals one by one and waits for what each of them does.
  void Go(const std::string& id, const std::vector<std::string>& signals) {
    for (const std::string& signal : signals) {
      ASSERT_TRUE(Signal(id, "go", signal).ok());
      WaitFor(id, [](const v1::WorkflowInfo& info) { return info.pending_activities_size() == 0; });
    }
  }
  v1::WorkflowInfo RunInfo(const std::string& id, const std::string& run_id) {
    v1::GetWorkflowRequest request;
    request.set_workflow_id(id);
    request.set_run_id(run_id);
    return *Await<v1::WorkflowInfo>(
        [&](auto done) { client->GetWorkflow(request, std::move(done)); });
  }
  // The end of the n-th workflow task, with what it ordered.
  int64_t EndOfTask(const std::string& id, int n) {
    const std::vector<v1::HistoryEvent> history = History(id);
    for (const v1::HistoryEvent& event : history) {
      if (event.has_workflow_task_completed() && --n == 0) return event.event_id();
    }
    return 0;
  }

  // A parent with both children under way; the point is before the second one.
  int64_t BeginFamily(const std::string& id) {
    EXPECT_TRUE(Start("parent", id).ok());
    WaitFor(id, [](const v1::WorkflowInfo& info) {
      return info.pending_activities_size() == 0 && info.pending_children_size() == 1 &&
             !info.pending_children(0).run_id().empty();
    });
    const int64_t point = Info(id).history_length();
    EXPECT_TRUE(Signal(id, "go", "").ok());
    WaitFor(id, [](const v1::WorkflowInfo& info) {
      return info.pending_children_size() == 2 && !info.pending_children(1).run_id().empty();
    });
    return point;
  }

  std::vector<std::string> keys;
  std::atomic<bool> hold = false;
  std::atomic<int> held = 0;
};

TEST_F(ResetTest, GoesBackAndSendsLaterSignalsAgain) {
  Open();
  ASSERT_TRUE(Start("steps", "w").ok());
  Go("w", {"a", "b", "c"});
  const std::string old_run = Info("w").run_id();
  // Task 1: wait; 2: order a; 3: wait.
  const int64_t point = EndOfTask("w", 3);
  const auto reset = Reset(Request("w", point));
  ASSERT_TRUE(reset.ok()) << reset.status();
  EXPECT_EQ(reset->reset_event_id(), point);
  EXPECT_EQ(reset->signals_reapplied(), 2);
  EXPECT_THAT(reset->steps_left_behind(), IsEmpty());
  ASSERT_TRUE(Signal("w", "go", "end").ok());
  EXPECT_EQ(ResultText("w"), "abc");
  EXPECT_THAT(journal, ElementsAre("a", "b", "c", "b", "c"));
  EXPECT_NE(keys[1], keys[3]) << "what is done after the point is another effect";
  EXPECT_EQ(Info("w").run_id(), reset->run_id());

  const v1::WorkflowInfo old = RunInfo("w", old_run);
  EXPECT_EQ(old.status(), v1::RunStatus::TERMINATED);
  EXPECT_THAT(old.status_reason(), HasSubstr("reset to event"));
  const std::vector<v1::HistoryEvent> history = History("w");
  EXPECT_EQ(history[0].workflow_execution_started().run_id(), reset->run_id());
  const v1::WorkflowExecutionReset& event = history[point].workflow_execution_reset();
  EXPECT_EQ(event.base_run_id(), old_run);
  EXPECT_EQ(event.base_event_id(), point);
  EXPECT_EQ(event.reason(), "wrong price");
  EXPECT_EQ(event.identity(), "ann");
}

TEST_F(ResetTest, DropsSignalsWhenAsked) {
  Open();
  ASSERT_TRUE(Start("steps", "w").ok());
  Go("w", {"a", "b"});
  v1::ResetWorkflowRequest request = Request("w", EndOfTask("w", 1));
  request.set_drop_signals(true);
  ASSERT_TRUE(Reset(request).ok());
  Go("w", {"x", "end"});
  EXPECT_EQ(ResultText("w"), "x");
}

TEST_F(ResetTest, MovesBackToTheEndOfATaskWithItsOrders) {
  Open();
  ASSERT_TRUE(Start("steps", "w").ok());
  Go("w", {"a", "b"});
  const int64_t task = EndOfTask("w", 2);  // orders the activity of a, as the event after it
  for (const int64_t event_id : {task, task + 1, task + 2, task + 3}) {
    v1::ResetWorkflowRequest request = Request("w", event_id);
    request.set_run_id(History("w")[0].workflow_execution_started().run_id());
    const auto reset = Reset(request);
    ASSERT_TRUE(reset.ok()) << reset.status();
    EXPECT_EQ(reset->reset_event_id(), task + 1);
    WaitFor("w", [](const v1::WorkflowInfo& info) { return info.pending_activities_size() == 0; });
  }
  EXPECT_EQ(Reset(Request("w", 10'000)).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(ResetTest, PendingActivitiesRunAgainUnderTheSameKey) {
  hold = true;
  Open();
  ASSERT_TRUE(Start("steps", "w").ok());
  ASSERT_TRUE(Signal("w", "go", "a").ok());
  WaitFor("w", [this](const v1::WorkflowInfo&) { return held == 1; });
  hold = false;
  ASSERT_TRUE(Reset(Request("w", Info("w").history_length())).ok());
  Go("w", {"end"});
  EXPECT_EQ(ResultText("w"), "a");
  EXPECT_THAT(journal, ElementsAre("a", "a"));
  EXPECT_EQ(keys[0], keys[1]);
}

TEST_F(ResetTest, ReopensAClosedRunAndSurvivesARestart) {
  Open();
  ASSERT_TRUE(Start("steps", "w").ok());
  Go("w", {"a", "end"});
  EXPECT_EQ(ResultText("w"), "a");
  v1::ResetWorkflowRequest request = Request("w", Info("w").history_length());
  request.set_drop_signals(true);
  const auto reset = Reset(request);
  ASSERT_TRUE(reset.ok()) << reset.status();
  Restart();
  Go("w", {"b", "end"});
  EXPECT_EQ(ResultText("w"), "ab");
}

TEST_F(ResetTest, HappensOncePerRequestId) {
  Open();
  ASSERT_TRUE(Start("steps", "w").ok());
  Go("w", {"a", "b"});
  v1::ResetWorkflowRequest request = Request("w", EndOfTask("w", 3));
  request.set_request_id("r1");
  const auto first = Reset(request);
  ASSERT_TRUE(first.ok()) << first.status();
  const auto again = Reset(request);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->DebugString(), first->DebugString());
  Restart();
  const auto later = Reset(request);
  ASSERT_TRUE(later.ok()) << later.status();
  EXPECT_EQ(later->run_id(), first->run_id());
}

TEST_F(ResetTest, RefusesToLeaveStepsBehindUnlessForced) {
  Open();
  ASSERT_TRUE(Start("saga", "w").ok());
  Go("w", {"a", "b"});
  v1::ResetWorkflowRequest request = Request("w", EndOfTask("w", 3));
  const auto refused = Reset(request);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("would be left behind: work#2"));
  EXPECT_EQ(Info("w").status(), v1::RunStatus::RUNNING);

  request.set_force(true);
  request.set_drop_signals(true);
  const auto forced = Reset(request);
  ASSERT_TRUE(forced.ok()) << forced.status();
  EXPECT_THAT(forced->steps_left_behind(), ElementsAre("work#2"));
  // The new run's saga is that of its history: it undoes the first step.
  Go("w", {"fail"});
  EXPECT_EQ(Result("w").status(), v1::RunStatus::FAILED);
  EXPECT_THAT(journal, ElementsAre("a", "b", "undo a"));
}

TEST_F(ResetTest, RefusesToGoOnWithStepsThatWereUndone) {
  Open();
  ASSERT_TRUE(Start("saga", "w").ok());
  Go("w", {"a", "fail"});
  EXPECT_EQ(Result("w").status(), v1::RunStatus::FAILED);
  const auto refused = Reset(Request("w", EndOfTask("w", 3)));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("have been undone since: work"));
  const auto earlier = Reset(Request("w", EndOfTask("w", 1)));
  EXPECT_TRUE(earlier.ok()) << earlier.status();
}

TEST_F(ResetTest, ChildrenFromBeforeThePointStayAndThoseAfterItByPolicy) {
  Open();
  v1::ResetWorkflowRequest request = Request("w", BeginFamily("w"));
  request.set_children(v1::ResetChildPolicy::TERMINATE);
  request.set_drop_signals(true);
  const auto reset = Reset(request);
  ASSERT_TRUE(reset.ok()) << reset.status();
  EXPECT_EQ(Result("second").status(), v1::RunStatus::TERMINATED);
  EXPECT_EQ(Info("first").status(), v1::RunStatus::RUNNING);
  // The first one tells the run that goes on.
  ASSERT_TRUE(Signal("w", "go", "").ok());
  ASSERT_TRUE(Signal("first", "go", "").ok());
  EXPECT_EQ(ResultText("w"), "first done");
  EXPECT_EQ(Info("w").run_id(), reset->run_id());
}

TEST_F(ResetTest, ChildrenAfterThePointGoOnByThemselves) {
  Open();
  v1::ResetWorkflowRequest request = Request("w", BeginFamily("w"));
  request.set_drop_signals(true);
  ASSERT_TRUE(Reset(request).ok());
  ASSERT_TRUE(Signal("second", "go", "").ok());
  EXPECT_EQ(ResultText("second"), "second done");
}

TEST_F(ResetTest, AnEndThatCameAfterThePointIsTakenOver) {
  Open();
  const int64_t point = BeginFamily("w");
  ASSERT_TRUE(Signal("first", "go", "").ok());
  EXPECT_EQ(ResultText("w"), "first done");
  ASSERT_TRUE(Reset(Request("w", point)).ok());
  EXPECT_EQ(ResultText("w"), "first done") << "the child does not tell it again";
}

TEST_F(ResetTest, WhatIsRandomAfterThePointIsNew) {
  Open();
  ASSERT_TRUE(Start("dice", "w").ok());
  ASSERT_TRUE(Signal("w", "go", "").ok());
  const int64_t point = Info("w").history_length();
  const std::string first = *Query("w", "seen");
  ASSERT_TRUE(Signal("w", "go", "").ok());
  const std::string both = *Query("w", "seen");
  ASSERT_TRUE(Reset(Request("w", point)).ok());
  const std::string again = *Query("w", "seen");
  EXPECT_EQ(again.substr(0, first.size()), first);
  EXPECT_NE(again, both);
  Restart();
  EXPECT_EQ(*Query("w", "seen"), again) << "and the same on replay";
}

TEST_F(ResetTest, TimersGoOnAsRecorded) {
  Open();
  ASSERT_TRUE(Start("timer", "w").ok());
  const std::vector<v1::HistoryEvent> before = History("w");
  ASSERT_TRUE(Reset(Request("w", Info("w").history_length())).ok());
  const std::vector<v1::HistoryEvent> after = History("w");
  ASSERT_TRUE(after[4].has_timer_started());
  EXPECT_EQ(after[4].event_time().seconds(), before[4].event_time().seconds());
  EXPECT_EQ(after[4].event_time().nanos(), before[4].event_time().nanos());
}

}  // namespace
}  // namespace engine_test
