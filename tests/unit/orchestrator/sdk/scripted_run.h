// ScriptedRun: workflow code without an engine. The test says what happens; the code's commands are
// folded as the engine would. After every step the history so far is replayed on a fresh instance,
// which must agree: each test checks determinism as well. Test support; one thread.
//
// Example:
//   ScriptedRun run(registry, "order");
//   run.Start(T("in"));
//   run.CompleteActivity("1", T("done"));
//   EXPECT_EQ(run.state.closed_status, v1::RunStatus::COMPLETED);
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "orchestrator/core/decide.h"
#include "orchestrator/sdk/instance.h"
#include "orchestrator/sdk/registry.h"

namespace sdk {

using Text = v1::Failure;  // the tests' one message type
Text T(const std::string& text);

class ScriptedRun {
 public:
  ScriptedRun(const Registry& registry, const std::string& type);

  void Start(const Text& input = {}, v1::WorkflowExecutionStarted started = {});
  void CompleteActivity(const std::string& id, const Text& result = {});
  void FailActivity(const std::string& id, const Failure& failure);
  void FireTimer(const std::string& id);
  void Signal(const std::string& name, const Text& input = {});
  void Cancel(const std::string& reason = "enough");
  UpdateVerdict Update(const std::string& id, const std::string& name, const Text& input = {});
  Outcome<Text> Query(const std::string& name, const Text& input = {});
  // Several things in one transition, so that one workflow task sees them together.
  std::vector<UpdateVerdict> Do(const std::function<void(core::TransitionBuilder&)>& fn,
                                std::vector<UpdateRequest> updates = {});

  std::vector<v1::HistoryEvent> History() const;
  // The history's events as text: "ActivityTaskScheduled id=1 type=a", ...; only commands.
  std::vector<std::string> Commands() const;
  std::string ResultText() const;  // or the failure's type and message

  core::RunState state;
  absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  base::SeededRandom random{7};

 private:
  void CheckReplay() const;

  const Registry& registry_;
  const std::string type_;
  Instance instance_;
  std::vector<std::string> rows_;
};

}  // namespace sdk
