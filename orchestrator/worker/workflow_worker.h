// WorkflowWorker: runs workflow code of a registry for the engine, by direct calls in process.
// Thread-safe; each live run belongs to the thread that asked for it.
//
// Example:
//   worker::WorkflowWorker runner(registry);
//   engine::Engine engine(options, {.runner = runner, ...});
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "orchestrator/engine/worker_port.h"
#include "orchestrator/sdk/registry.h"

namespace worker {

class WorkflowWorker : public engine::WorkflowRunner {
 public:
  // `registry` is complete and outlives the worker.
  // `build_id` names the build of their code; empty: not known.
  explicit WorkflowWorker(const sdk::Registry& registry, std::string build_id = "")
      : registry_(registry), build_id_(std::move(build_id)) {}
  absl::StatusOr<std::unique_ptr<engine::LiveWorkflow>> Load(
      const std::string& workflow_type,
      const std::vector<engine::v1::HistoryEvent>& events) override;
  std::string build_id() const override { return build_id_; }

 private:
  const sdk::Registry& registry_;
  const std::string build_id_;
};

}  // namespace worker
