// CodecRunner: workflow code that reads and gives plain payloads, for an engine that sees encoded
// ones. A history that cannot be decoded makes its run STUCK with the reason; when the key is back
// the run goes on by itself.
//
// Thread-safety: as the runner behind it, which outlives this object, as does `codec`.
//
// Example:
//   codec::CodecRunner runner(workflow_worker, messages);
//   engine::Engine engine(options, {.runner = runner, ...});
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "orchestrator/codec/walk.h"
#include "orchestrator/engine/worker_port.h"

namespace codec {

class CodecRunner : public engine::WorkflowRunner {
 public:
  CodecRunner(engine::WorkflowRunner& runner, const MessageCodec& codec)
      : runner_(runner), codec_(codec) {}
  absl::StatusOr<std::unique_ptr<engine::LiveWorkflow>> Load(
      const std::string& workflow_type, const std::vector<v1::HistoryEvent>& events) override;
  std::string build_id() const override { return runner_.build_id(); }

 private:
  engine::WorkflowRunner& runner_;
  const MessageCodec& codec_;
};

}  // namespace codec
