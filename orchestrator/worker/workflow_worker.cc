#include "orchestrator/worker/workflow_worker.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/history/payload.h"
#include "orchestrator/sdk/instance.h"

namespace worker {
namespace {

namespace v1 = engine::v1;

class Live : public engine::LiveWorkflow {
 public:
  Live(const sdk::Registry& registry, const sdk::Registry::RawWorkflow& workflow)
      : instance_(registry, workflow) {}

  absl::Status Replay(const std::vector<v1::HistoryEvent>& events) {
    return instance_.Replay(events);
  }

  engine::WorkflowTaskResult RunTask(absl::Time now,
                                     const std::vector<const v1::HistoryEvent*>& events,
                                     const std::vector<engine::WorkflowUpdate>& updates) override {
    std::vector<sdk::UpdateRequest> requests;
    for (const engine::WorkflowUpdate& update : updates) {
      requests.push_back({update.update_id, update.name, update.input, update.identity});
    }
    sdk::TaskResult done = instance_.RunTask(now, events, requests, std::exchange(local_ends_, {}));
    engine::WorkflowTaskResult result;
    result.commands = std::move(done.commands);
    for (sdk::UpdateVerdict& verdict : done.verdicts) {
      engine::UpdateVerdict& copy = result.verdicts.emplace_back();
      copy.update_id = std::move(verdict.update_id);
      if (verdict.rejected.has_value()) copy.rejected = history::ToProto(*verdict.rejected);
    }
    result.local_activities = ToPort(std::move(done.locals));
    result.local_canceled = std::move(done.locals_canceled);
    result.local_pending = done.locals_pending;
    return result;
  }

  void Recorded(engine::EventId first_event_id) override { instance_.Recorded(first_event_id); }

  base::Outcome<v1::Payload> Query(const std::string& name, const v1::Payload& input) override {
    return instance_.Query(name, input);
  }

  void LocalEnded(engine::LocalResult result) override {
    sdk::LocalEnd end{.sequence = result.sequence, .outcome = v1::Payload()};
    if (result.failure.has_value()) {
      end.outcome = history::FromProto(*result.failure);
    } else if (result.result.has_value()) {
      end.outcome = *std::move(result.result);
    }
    local_ends_.push_back(std::move(end));
  }

  std::vector<engine::LocalActivity> PendingLocal() const override {
    return ToPort(instance_.PendingLocals());
  }

 private:
  static std::vector<engine::LocalActivity> ToPort(std::vector<sdk::LocalStart> starts) {
    std::vector<engine::LocalActivity> locals;
    for (sdk::LocalStart& start : starts) {
      locals.push_back({.sequence = start.sequence,
                        .scheduled = std::make_shared<const v1::ActivityTaskScheduled>(
                            std::move(start.scheduled))});
    }
    return locals;
  }

  sdk::Instance instance_;
  std::vector<sdk::LocalEnd> local_ends_;  // for the next task
};

}  // namespace

absl::StatusOr<std::unique_ptr<engine::LiveWorkflow>> WorkflowWorker::Load(
    const std::string& workflow_type, const std::vector<v1::HistoryEvent>& events) {
  const sdk::Registry::RawWorkflow* workflow = registry_.FindWorkflow(workflow_type);
  if (workflow == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("workflow type \"", workflow_type,
                     "\" is not registered at this worker; deploy the code that has it"));
  }
  auto live = std::make_unique<Live>(registry_, *workflow);
  RETURN_IF_ERROR(live->Replay(events));
  return live;
}

}  // namespace worker
