// Children and messages to other workflows, which exist only in the test.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/history/payload.h"
#include "orchestrator/sdk/testing/workflow_test_env.h"

namespace sdk::testing {

bool WorkflowTestEnv::RunOneMessage() {
  for (const auto& [id, child] : state_.children) {
    if (!child.run_id.empty()) continue;
    StartChild(core::PendingChild(child));
    return true;
  }
  for (const auto& [id, external] : state_.externals) {
    if (!core::MayBeSent(state_, external, {})) continue;
    SendMessage(core::PendingExternal(external));
    return true;
  }
  auto next = children_.end();
  for (auto it = children_.begin(); it != children_.end(); ++it) {
    if (it->second.due > now_) continue;
    if (next == children_.end() || it->second.due < next->second.due) next = it;
  }
  if (next == children_.end()) return false;
  const core::ChildEnd end = std::move(next->second.end);
  children_.erase(next);
  Transition([&](core::TransitionBuilder& transition) { core::OnChildEnd(transition, end); });
  return true;
}

void WorkflowTestEnv::StartChild(const core::PendingChild& child) {
  const base::EventId id = child.initiated_event_id;
  const v1::StartChildWorkflowExecutionInitiated& initiated = *child.initiated;
  const std::string run_id = core::ChildRunId(state_.started.run_id(), id).value();
  Outcome<v1::Payload> outcome = Failure::Permanent(
      "NoSuchWorkflow", absl::StrCat("the test gives no function for child workflow \"",
                                     initiated.workflow_type(), "\"; add OnChild"));
  absl::Time due = now_;
  const auto known = child_types_.find(initiated.workflow_type());
  if (known != child_types_.end()) {
    due += known->second.takes;
    try {
      outcome = known->second.fn({.activity_type = initiated.workflow_type(),
                                  .activity_id = initiated.workflow_id(),
                                  .input = initiated.input()});
    } catch (const base::FailureException& e) {
      outcome = e.failure();
    }
  }
  core::ChildEnd end{.parent = core::ParentLink(state_, child),
                     .workflow_id = initiated.workflow_id(),
                     .run_id = run_id,
                     .status = outcome.ok() ? v1::RunStatus::COMPLETED : v1::RunStatus::FAILED};
  if (outcome.ok()) {
    end.result = *outcome;
  } else {
    end.failure = history::ToProto(outcome.failure());
  }
  children_[id] = {.due = due, .end = std::move(end)};
  Transition(
      [&](core::TransitionBuilder& transition) { core::OnChildStarted(transition, id, run_id); });
}

void WorkflowTestEnv::SendMessage(const core::PendingExternal& external) {
  SentMessage message;
  if (external.signal != nullptr) {
    message = {.workflow_id = external.signal->workflow_id(),
               .signal_name = external.signal->signal_name(),
               .input = external.signal->input()};
  } else {
    message.workflow_id = external.cancel->workflow_id();
    for (auto& [id, child] : children_) {
      if (child.end.workflow_id != message.workflow_id) continue;
      child.due = std::min(child.due, now_);
      child.end.status = v1::RunStatus::CANCELED;
      child.end.failure = history::ToProto(Failure::Canceled(external.cancel->reason()));
    }
  }
  sent_messages_.push_back(std::move(message));
  Transition([&](core::TransitionBuilder& transition) {
    core::OnExternalAnswer(transition, external.initiated_event_id, std::nullopt);
  });
}

}  // namespace sdk::testing
