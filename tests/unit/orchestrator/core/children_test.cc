// What goes out to other runs, in which order, and what the answers become.
#include <gtest/gtest.h>

#include "tests/unit/orchestrator/core/model_run.h"

namespace core {
namespace {

v1::Command ChildCommand(const std::string& id,
                         v1::ParentClosePolicy::Value policy = v1::ParentClosePolicy::TERMINATE) {
  v1::Command command;
  auto* child = command.mutable_event()->mutable_start_child_workflow_execution_initiated();
  child->set_workflow_id(id);
  child->set_workflow_type("child");
  child->set_parent_close_policy(policy);
  return command;
}

v1::Command SignalCommand(const std::string& id) {
  v1::Command command;
  auto* signal = command.mutable_event()->mutable_signal_external_workflow_execution_initiated();
  signal->set_workflow_id(id);
  signal->set_signal_name("go");
  return command;
}

v1::Command CompleteCommand() {
  v1::Command command;
  command.mutable_event()->mutable_workflow_execution_completed();
  return command;
}

// The event that ordered the only child, or the child with this id.
EventId Initiated(const ModelRun& run, const std::string& id) {
  for (const auto& [event_id, child] : run.state.children) {
    if (child.initiated->workflow_id() == id) return event_id;
  }
  return 0;
}

ChildEnd EndOf(EventId initiated, v1::RunStatus::Value status) {
  ChildEnd end{.workflow_id = "c", .run_id = "run-of-c", .status = status};
  end.parent.set_initiated_event_id(initiated);
  return end;
}

TEST(Children, RunIdFollowsFromTheOrderAndNeverChanges) {
  const base::RunId id = ChildRunId("0190a0b0-0000-7000-8000-000000000001", 5);
  EXPECT_EQ(id.value(), "5045c3aa-8774-8caa-998c-fcba3a5ec0cb");
  EXPECT_NE(id, ChildRunId("0190a0b0-0000-7000-8000-000000000001", 6));
  EXPECT_NE(id, ChildRunId("0190a0b0-0000-7000-8000-000000000002", 5));
  EXPECT_EQ(id.value().size(), 36u);
}

TEST(Children, ARunIsDueUntilItsChildHasStarted) {
  ModelRun run;
  run.Start();
  run.Task({ChildCommand("c")});
  EXPECT_TRUE(HasMessages(run.state));
  EXPECT_EQ(StoredWakeAt(run.state), absl::InfinitePast());
  // Found by simulation (seed 18688): a held run was loaded again and again.
  run.state.paused = true;
  EXPECT_EQ(StoredWakeAt(run.state), absl::InfiniteFuture()) << "while paused nothing is sent";
  run.state.paused = false;
  const EventId id = Initiated(run, "c");
  run.Do([&](TransitionBuilder& t) { OnChildStarted(t, id, "run-of-c"); });
  EXPECT_TRUE(run.state.task_pending);
  run.Task({});
  EXPECT_FALSE(HasMessages(run.state));
  EXPECT_EQ(StoredWakeAt(run.state), absl::InfiniteFuture());
}

TEST(Children, AnswersThatAreRepeatedChangeNothing) {
  ModelRun run;
  run.Start();
  run.Task({ChildCommand("c"), SignalCommand("other")});
  const EventId id = Initiated(run, "c");
  const EventId signal = run.state.externals.begin()->first;
  run.Do([&](TransitionBuilder& t) {
    OnChildStarted(t, id, "run-of-c");
    OnExternalAnswer(t, signal, std::nullopt);
    OnChildEnd(t, EndOf(id, v1::RunStatus::COMPLETED));
  });
  const EventId before = run.state.next_event_id;
  TransitionBuilder again(run.state, run.now);
  OnChildStarted(again, id, "run-of-c");
  OnChildNotStarted(again, id, {});
  OnExternalAnswer(again, signal, v1::Failure());
  OnChildEnd(again, EndOf(id, v1::RunStatus::FAILED));
  EXPECT_TRUE(again.empty());
  EXPECT_EQ(run.state.next_event_id, before);
}

TEST(Children, AnEndTellsOfTheStartToo) {
  ModelRun run;
  run.Start();
  run.Task({ChildCommand("c")});
  run.Do([&](TransitionBuilder& t) {
    OnChildEnd(t, EndOf(Initiated(run, "c"), v1::RunStatus::TIMED_OUT));
  });
  const auto& ended = run.Last().child_workflow_execution_timed_out();
  EXPECT_GT(ended.started_event_id(), ended.initiated_event_id());
  EXPECT_EQ(ended.failure().type(), "ChildWorkflowTimedOut");
  EXPECT_TRUE(run.state.children.empty());
}

TEST(Children, AMessageToAChildWaitsForItsStart) {
  ModelRun run;
  run.Start();
  run.Task({SignalCommand("c"), ChildCommand("c"), SignalCommand("c"), SignalCommand("other")});
  std::vector<bool> may;
  for (const auto& [id, external] : run.state.externals) {
    may.push_back(MayBeSent(run.state, external, {}));
  }
  // The first was ordered before there was a child.
  EXPECT_EQ(may, (std::vector<bool>{true, false, true}));
  const auto& to_child = std::next(run.state.externals.begin())->second;
  EXPECT_TRUE(MayBeSent(run.state, to_child, {Initiated(run, "c")}));
  run.Do([&](TransitionBuilder& t) { OnChildStarted(t, Initiated(run, "c"), "run-of-c"); });
  EXPECT_TRUE(MayBeSent(run.state, to_child, {}));
}

TEST(Children, ACloseLeavesDebts) {
  ModelRun nothing;
  nothing.Start();
  nothing.Task({CompleteCommand()});
  EXPECT_FALSE(OwesAfterClose(nothing.state));

  ModelRun child_left;
  child_left.Start();
  child_left.Task({ChildCommand("c")});
  child_left.Do(
      [&](TransitionBuilder& t) { OnChildStarted(t, Initiated(child_left, "c"), "run-of-c"); });
  EXPECT_FALSE(OwesAfterClose(child_left.state)) << "it is open";
  child_left.Task({CompleteCommand()});
  EXPECT_TRUE(OwesAfterClose(child_left.state));

  ModelRun abandoned;
  abandoned.Start();
  abandoned.Task({ChildCommand("c", v1::ParentClosePolicy::ABANDON)});
  abandoned.Do(
      [&](TransitionBuilder& t) { OnChildStarted(t, Initiated(abandoned, "c"), "run-of-c"); });
  abandoned.Task({CompleteCommand()});
  EXPECT_FALSE(OwesAfterClose(abandoned.state));

  ModelRun unsent;
  unsent.Start();
  unsent.Task({SignalCommand("other"), CompleteCommand()});
  EXPECT_TRUE(OwesAfterClose(unsent.state));
}

}  // namespace
}  // namespace core
