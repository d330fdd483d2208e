// Codecs: the payload codecs that the settings ask for, and the decorators that apply them between
// the engine and the workflow code, the activities and the gateway.
//
// Thread-safety: Make and the wiring from the main thread; Reload from any thread.
//
// Example:
//   ASSIGN_OR_RETURN(std::unique_ptr<Codecs> codecs, Codecs::Make(settings.codec, clock));
//   engine::Engine engine(options, {.runner = codecs->Around(workflows), ...});
//   activities.Connect(codecs->Between(activities, engine));
#pragma once

#include <memory>
#include <optional>

#include "absl/status/statusor.h"
#include "gateway/server/settings.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/client/client.h"
#include "orchestrator/codec/codec_runner.h"
#include "orchestrator/codec/codec_worker.h"
#include "orchestrator/codec/key_ring.h"
#include "orchestrator/codec/walk.h"

namespace server {

class Codecs {
 public:
  // FAILED_PRECONDITION or INVALID_ARGUMENT when the keys cannot be read; says nothing of them.
  static absl::StatusOr<std::unique_ptr<Codecs>> Make(const CodecSettings& settings,
                                                      base::Clock& clock);

  // Each gives back what it is given when no codec is set.
  engine::WorkflowRunner& Around(engine::WorkflowRunner& runner);
  // The executor for the engine; `activities` must then be connected to port().
  engine::ActivityExecutor& Around(engine::ActivityExecutor& executor, engine::WorkerPort& engine);
  engine::WorkerPort& port(engine::WorkerPort& engine);
  std::unique_ptr<client::WorkflowClient> NewClient(client::WorkflowClient& inner);
  bool active() const { return messages_.has_value(); }

  // Reads the keys again; what is wrong is logged, and the old keys stay.
  void Reload();

 private:
  std::shared_ptr<codec::KeySource> keys_;
  codec::CodecChain chain_;
  std::optional<codec::MessageCodec> messages_;  // none: no codec is set
  std::optional<codec::CodecRunner> runner_;
  std::optional<codec::CodecWorker> worker_;
};

}  // namespace server
