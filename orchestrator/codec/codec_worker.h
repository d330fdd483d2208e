// CodecWorker: activities that read and give plain payloads, for an engine that sees encoded ones.
// It stands between the two in both directions. An attempt whose input cannot be decoded is put off
// and does not count; it is made when the key is back.
//
// Thread-safety: thread-safe after Connect. What it is given outlives it.
//
// Example:
//   codec::CodecWorker worker(activity_worker, messages);
//   activity_worker.Connect(worker);
//   worker.Connect(engine);
//   RETURN_IF_ERROR(engine.Open(worker));
#pragma once

#include <string>

#include "orchestrator/codec/walk.h"
#include "orchestrator/engine/worker_port.h"

namespace codec {

class CodecWorker : public engine::ActivityExecutor, public engine::WorkerPort {
 public:
  CodecWorker(engine::ActivityExecutor& executor, const MessageCodec& codec)
      : executor_(executor), codec_(codec) {}
  // The engine. Before the first Start.
  void Connect(engine::WorkerPort& port) { port_ = &port; }

  void Start(engine::ActivityTask task) override;
  void Stop(const engine::ActivityToken& token, const std::string& reason) override {
    executor_.Stop(token, reason);
  }
  int slots() const override { return executor_.slots(); }

  void CompleteActivity(engine::ActivityToken token, core::ActivityOutcome outcome,
                        absl::AnyInvocable<void(absl::Status)> done) override;
  void RecordHeartbeat(engine::ActivityToken token, v1::Payload details,
                       absl::AnyInvocable<void(absl::Status)> done) override;

 private:
  engine::ActivityExecutor& executor_;
  const MessageCodec& codec_;
  engine::WorkerPort* port_ = nullptr;
};

}  // namespace codec
