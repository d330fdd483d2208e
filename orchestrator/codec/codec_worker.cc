#include "orchestrator/codec/codec_worker.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/history/time.h"

namespace codec {
namespace {

// When an attempt is made again whose input cannot be decoded.
constexpr absl::Duration kTryAgain = absl::Seconds(10);

}  // namespace

void CodecWorker::Start(engine::ActivityTask task) {
  auto scheduled = std::make_shared<v1::ActivityTaskScheduled>(*task.scheduled);
  const auto decode = [&]() -> absl::Status {
    RETURN_IF_ERROR(codec_.Decode(*scheduled));
    if (task.last_heartbeat.has_value()) RETURN_IF_ERROR(codec_.Decode(*task.last_heartbeat));
    return absl::OkStatus();
  };
  const absl::Status decoded = decode();
  if (decoded.ok()) {
    task.scheduled = std::move(scheduled);
    return executor_.Start(std::move(task));
  }
  base::Log(base::LogLevel::kError, "an activity's input cannot be decoded; it is put off",
            {.workflow_id = task.workflow_id,
             .run_id = task.token.run_id.value(),
             .activity_name = task.scheduled->activity_type()},
            {{"status", std::string(decoded.message())}});
  core::ActivityOutcome outcome{.identity = "payload codec"};
  v1::Failure& failure = outcome.failure.emplace();
  failure.set_type("PayloadCodec");
  failure.set_message(std::string(decoded.message()));
  failure.set_not_attempted(true);
  *failure.mutable_retry_after() = history::ToProto(kTryAgain);
  port_->CompleteActivity(task.token, std::move(outcome), [](absl::Status) {});
}

void CodecWorker::CompleteActivity(engine::ActivityToken token, core::ActivityOutcome outcome,
                                   absl::AnyInvocable<void(absl::Status)> done) {
  absl::Status encoded;
  if (outcome.result.has_value()) encoded = codec_.Encode(*outcome.result);
  if (outcome.failure.has_value()) encoded.Update(codec_.Encode(*outcome.failure));
  // The worker sends it again.
  if (!encoded.ok()) return done(absl::UnavailableError(encoded.message()));
  port_->CompleteActivity(std::move(token), std::move(outcome), std::move(done));
}

void CodecWorker::RecordHeartbeat(engine::ActivityToken token, v1::Payload details,
                                  absl::AnyInvocable<void(absl::Status)> done) {
  if (absl::Status encoded = codec_.Encode(details); !encoded.ok()) {
    return done(absl::UnavailableError(encoded.message()));
  }
  port_->RecordHeartbeat(std::move(token), std::move(details), std::move(done));
}

}  // namespace codec
