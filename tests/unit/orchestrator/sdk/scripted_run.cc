#include "tests/unit/orchestrator/sdk/scripted_run.h"

#include <gtest/gtest.h>

#include <utility>

#include "orchestrator/base/check.h"
#include "orchestrator/history/codec.h"

namespace sdk {

Text T(const std::string& text) {
  Text message;
  message.set_message(text);
  return message;
}

ScriptedRun::ScriptedRun(const Registry& registry, const std::string& type)
    : registry_(registry), type_(type), instance_(registry, *registry.FindWorkflow(type)) {}

void ScriptedRun::Start(const Text& input, v1::WorkflowExecutionStarted started) {
  started.set_workflow_id("workflow-1");
  started.set_run_id("run-1");
  started.set_workflow_type(type_);
  started.set_task_queue("default");
  started.set_random_seed(42);
  *started.mutable_input() = history::ToPayload(input);
  Do([&](core::TransitionBuilder& transition) { core::Start(transition, started); });
}

void ScriptedRun::CompleteActivity(const std::string& id, const Text& result) {
  Do([&](core::TransitionBuilder& transition) {
    const base::EventId event = state.activity_ids.at(id);
    state.activities.at(event).in_flight = true;
    core::OnActivityOutcome(transition, event, {.result = history::ToPayload(result)}, random);
  });
}

void ScriptedRun::FailActivity(const std::string& id, const Failure& failure) {
  Do([&](core::TransitionBuilder& transition) {
    const base::EventId event = state.activity_ids.at(id);
    state.activities.at(event).in_flight = true;
    core::OnActivityOutcome(transition, event, {.failure = history::ToProto(failure)}, random);
    core::CloseCanceledActivities(transition);
  });
}

void ScriptedRun::FireTimer(const std::string& id) {
  now = state.timers.at(id).fire_at;
  Do([&](core::TransitionBuilder& transition) { core::OnTime(transition, random); });
}

void ScriptedRun::Signal(const std::string& name, const Text& input) {
  Do([&](core::TransitionBuilder& transition) {
    v1::WorkflowExecutionSignaled signal;
    signal.set_signal_name(name);
    *signal.mutable_input() = history::ToPayload(input);
    core::Signal(transition, signal);
  });
}

void ScriptedRun::Cancel(const std::string& reason) {
  Do([&](core::TransitionBuilder& transition) { core::RequestCancel(transition, reason, "ann"); });
}

UpdateVerdict ScriptedRun::Update(const std::string& id, const std::string& name,
                                  const Text& input) {
  return Do([](core::TransitionBuilder&) {}, {{id, name, history::ToPayload(input), "ann"}}).at(0);
}

Outcome<Text> ScriptedRun::Query(const std::string& name, const Text& input) {
  return internal::Decode<Text>(instance_.Query(name, history::ToPayload(input)));
}

std::vector<UpdateVerdict> ScriptedRun::Do(const std::function<void(core::TransitionBuilder&)>& fn,
                                           std::vector<UpdateRequest> updates) {
  now += absl::Milliseconds(1);
  std::vector<UpdateVerdict> verdicts;
  core::TransitionBuilder transition(state, now);
  fn(transition);
  int delivered = 0;
  while (!state.closed() && (state.task_pending || !updates.empty())) {
    std::vector<const v1::HistoryEvent*> events;
    for (; delivered < transition.events().size(); ++delivered) {
      events.push_back(&transition.events().Get(delivered));
    }
    TaskResult result = instance_.RunTask(now, events, updates);
    for (UpdateVerdict& verdict : result.verdicts) verdicts.push_back(std::move(verdict));
    updates.clear();
    if (!state.task_pending && result.commands.empty()) break;
    transition.AddWorkflowTask();
    const base::EventId first = state.next_event_id;
    delivered += 1 + static_cast<int>(result.commands.size());
    core::AddCommands(transition, std::move(result.commands), "run-2");
    instance_.Recorded(first);
  }
  if (transition.has_events()) rows_.push_back(transition.Serialize());
  CheckReplay();
  return verdicts;
}

std::vector<v1::HistoryEvent> ScriptedRun::History() const {
  std::vector<v1::HistoryEvent> events;
  for (const std::string& row : rows_) {
    const absl::Status expanded = history::Expand(row, &events);
    CHECK(expanded.ok()) << expanded;
  }
  return events;
}

std::vector<std::string> ScriptedRun::Commands() const {
  std::vector<std::string> commands;
  for (const v1::HistoryEvent& event : History()) {
    if (IsCommandEvent(event)) commands.push_back(DescribeEvent(event));
  }
  return commands;
}

std::string ScriptedRun::ResultText() const {
  if (state.failure.has_value()) return state.failure->type() + ": " + state.failure->message();
  return history::FromPayload<Text>(state.result)->message();
}

void ScriptedRun::CheckReplay() const {
  Instance fresh(registry_, *registry_.FindWorkflow(type_));
  const absl::Status replayed = fresh.Replay(History());
  EXPECT_TRUE(replayed.ok()) << replayed;
}

}  // namespace sdk
