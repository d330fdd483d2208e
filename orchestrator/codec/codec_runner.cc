#include "orchestrator/codec/codec_runner.h"

#include <deque>
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/status_macros.h"

namespace codec {
namespace {

absl::Status Said(const absl::Status& status) {
  return absl::Status(status.code(), absl::StrCat("payload codec: ", status.message()));
}

base::Failure FailureOf(const absl::Status& status) {
  return base::Failure::Permanent("PayloadCodec", std::string(status.message()));
}

class CodecLive : public engine::LiveWorkflow {
 public:
  CodecLive(std::unique_ptr<engine::LiveWorkflow> inner, const MessageCodec& codec)
      : inner_(std::move(inner)), codec_(codec) {}

  engine::WorkflowTaskResult RunTask(absl::Time now,
                                     const std::vector<const v1::HistoryEvent*>& events,
                                     const std::vector<engine::WorkflowUpdate>& updates) override {
    engine::WorkflowTaskResult result;
    std::deque<v1::HistoryEvent> plain;
    std::vector<const v1::HistoryEvent*> plain_events;
    std::vector<engine::WorkflowUpdate> plain_updates = updates;
    // Everything is decoded before the code runs: so the task happens whole or not at all.
    const auto decode = [&]() -> absl::Status {
      RETURN_IF_ERROR(std::exchange(local_status_, absl::OkStatus()));
      for (const v1::HistoryEvent* event : events) {
        RETURN_IF_ERROR(codec_.Decode(plain.emplace_back(*event)));
        plain_events.push_back(&plain.back());
      }
      for (engine::WorkflowUpdate& update : plain_updates) {
        RETURN_IF_ERROR(codec_.Decode(update.input));
      }
      return absl::OkStatus();
    };
    if (absl::Status decoded = decode(); !decoded.ok()) {
      result.status = Said(decoded);
      return result;
    }
    result = inner_->RunTask(now, plain_events, plain_updates);
    const auto encode = [&]() -> absl::Status {
      for (v1::Command& command : result.commands) RETURN_IF_ERROR(codec_.Encode(command));
      return EncodeAll(result.local_activities);
    };
    if (absl::Status encoded = encode(); !encoded.ok()) result.status = Said(encoded);
    return result;
  }

  void Recorded(engine::EventId first_event_id) override { inner_->Recorded(first_event_id); }

  base::Outcome<v1::Payload> Query(const std::string& name, const v1::Payload& input) override {
    v1::Payload plain = input;
    if (absl::Status status = codec_.Decode(plain); !status.ok()) return FailureOf(status);
    base::Outcome<v1::Payload> answer = inner_->Query(name, plain);
    if (!answer.ok()) return answer;
    v1::Payload encoded = *std::move(answer);
    if (absl::Status status = codec_.Encode(encoded); !status.ok()) return FailureOf(status);
    return encoded;
  }

  void LocalEnded(engine::LocalResult result) override {
    absl::Status status;
    if (result.result.has_value()) status = codec_.Decode(*result.result);
    if (result.failure.has_value()) status = codec_.Decode(*result.failure);
    local_status_.Update(status);
    if (status.ok()) inner_->LocalEnded(std::move(result));
  }

  std::vector<engine::LocalActivity> PendingLocal() const override {
    std::vector<engine::LocalActivity> pending = inner_->PendingLocal();
    // What cannot be encoded now stays plain: it is only held in memory, for the worker.
    const absl::Status encoded = EncodeAll(pending);
    (void)encoded;
    return pending;
  }

 private:
  absl::Status EncodeAll(std::vector<engine::LocalActivity>& locals) const {
    for (engine::LocalActivity& local : locals) {
      auto scheduled = std::make_shared<v1::ActivityTaskScheduled>(*local.scheduled);
      RETURN_IF_ERROR(codec_.Encode(*scheduled));
      local.scheduled = std::move(scheduled);
    }
    return absl::OkStatus();
  }

  const std::unique_ptr<engine::LiveWorkflow> inner_;
  const MessageCodec& codec_;
  absl::Status local_status_;  // of the results for the next task
};

}  // namespace

absl::StatusOr<std::unique_ptr<engine::LiveWorkflow>> CodecRunner::Load(
    const std::string& workflow_type, const std::vector<v1::HistoryEvent>& events) {
  std::vector<v1::HistoryEvent> plain = events;
  for (v1::HistoryEvent& event : plain) {
    if (absl::Status status = codec_.Decode(event); !status.ok()) return Said(status);
  }
  ASSIGN_OR_RETURN(std::unique_ptr<engine::LiveWorkflow> inner, runner_.Load(workflow_type, plain));
  return std::make_unique<CodecLive>(std::move(inner), codec_);
}

}  // namespace codec
