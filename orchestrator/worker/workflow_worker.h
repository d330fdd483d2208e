// WorkflowWorker: runs workflow code of a registry for the engine, by direct calls in process.
// Thread-safe; each live run belongs to the thread that asked for it.
//
// Example:
//   worker::WorkflowWorker runner(registry);
//   engine::Engine engine(options, {.runner = runner, ...});
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "orchestrator/engine/worker_port.h"
#include "orchestrator/sdk/registry.h"

namespace worker {

class WorkflowWorker : public engine::WorkflowRunner {
 public:
  // `registry` is complete and outlives the worker.
  explicit WorkflowWorker(const sdk::Registry& registry) : registry_(registry) {}
  absl::StatusOr<std::unique_ptr<engine::LiveWorkflow>> Load(
      const std::string& workflow_type,
      const std::vector<engine::v1::HistoryEvent>& events) override;

 private:
  const sdk::Registry& registry_;
};

}  // namespace worker
