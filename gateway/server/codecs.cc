#include "gateway/server/codecs.h"

#include <limits>
#include <string>
#include <utility>

#include "orchestrator/base/log.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/codec/aes_gcm_codec.h"
#include "orchestrator/codec/codec_client.h"
#include "orchestrator/codec/zlib_codec.h"

namespace server {

absl::StatusOr<std::unique_ptr<Codecs>> Codecs::Make(const CodecSettings& settings,
                                                     base::Clock& clock) {
  auto codecs = std::make_unique<Codecs>();
  const bool compresses = settings.compression == "zlib";
  const bool decompresses = compresses || settings.compression == "read";
  if (decompresses) {
    const size_t from =
        compresses ? settings.compression_min_bytes : std::numeric_limits<size_t>::max();
    codecs->chain_.Add(std::make_unique<codec::ZlibCodec>(from));
  }
  if (!settings.keys_file.empty()) {
    ASSIGN_OR_RETURN(codecs->keys_, codec::KeySource::FromFile(settings.keys_file, clock));
  } else if (!settings.keys.empty()) {
    ASSIGN_OR_RETURN(codecs->keys_, codec::KeySource::FromText(settings.keys.value(), clock));
  }
  if (codecs->keys_ != nullptr) {
    codecs->chain_.Add(std::make_unique<codec::AesGcmCodec>(codecs->keys_, settings.encrypt));
  }
  if (decompresses || codecs->keys_ != nullptr) {
    codecs->messages_.emplace(codecs->chain_,
                              codec::MessageCodecOptions{.failures = settings.encode_failures});
  }
  return codecs;
}

engine::WorkflowRunner& Codecs::Around(engine::WorkflowRunner& runner) {
  if (!active()) return runner;
  return runner_.emplace(runner, *messages_);
}

engine::ActivityExecutor& Codecs::Around(engine::ActivityExecutor& executor,
                                         engine::WorkerPort& engine) {
  if (!active()) return executor;
  worker_.emplace(executor, *messages_);
  worker_->Connect(engine);
  return *worker_;
}

engine::WorkerPort& Codecs::port(engine::WorkerPort& engine) {
  if (worker_.has_value()) return *worker_;
  return engine;
}

std::unique_ptr<client::WorkflowClient> Codecs::NewClient(client::WorkflowClient& inner) {
  return codec::NewCodecClient(inner, *messages_);
}

void Codecs::Reload() {
  if (keys_ == nullptr) return;
  const absl::Status read = keys_->Reload();
  if (read.ok()) return;
  base::Log(base::LogLevel::kError, "encryption keys cannot be read; the old ones stay", {},
            {{"status", std::string(read.message())}});
}

}  // namespace server
