#include "orchestrator/client/in_process_client.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/engine/engine.h"
#include "orchestrator/history/payload.h"

namespace client {
namespace {

const char* UpdateName(CompensationVerb verb) {
  switch (verb) {
    case CompensationVerb::kRetry:
      return "saga.retry";
    case CompensationVerb::kSkip:
      return "saga.skip";
    case CompensationVerb::kResolve:
      return "saga.resolve";
  }
  return "";
}

v1::CompensationState::Value StateAfter(CompensationVerb verb) {
  switch (verb) {
    case CompensationVerb::kRetry:
      return v1::CompensationState::RUNNING;
    case CompensationVerb::kSkip:
      return v1::CompensationState::SKIPPED;
    case CompensationVerb::kResolve:
      return v1::CompensationState::RESOLVED;
  }
  return v1::CompensationState::NONE;
}

absl::Status RefusalToStatus(const v1::Failure& failure, const std::string& workflow_id) {
  if (failure.type() == "UnknownStep") return absl::NotFoundError(failure.message());
  if (failure.type() == "NotBlocked") return absl::FailedPreconditionError(failure.message());
  if (failure.type() == "UnknownUpdate") {
    return absl::FailedPreconditionError(
        absl::StrCat("workflow \"", workflow_id, "\" has no saga"));
  }
  return absl::InvalidArgumentError(failure.message());
}

class InProcessClient : public WorkflowClient {
 public:
  explicit InProcessClient(engine::Engine& engine) : engine_(engine) {}

  void StartWorkflow(v1::StartWorkflowRequest request,
                     Callback<v1::StartWorkflowResponse> done) override {
    engine_.Start(std::move(request), std::move(done));
  }
  void ListWorkflows(v1::ListWorkflowsRequest request,
                     Callback<v1::ListWorkflowsResponse> done) override {
    engine_.List(std::move(request), std::move(done));
  }
  void GetWorkflow(v1::GetWorkflowRequest request, Callback<v1::WorkflowInfo> done) override {
    engine_.Describe(std::move(request), std::move(done));
  }
  void GetHistory(v1::GetWorkflowHistoryRequest request,
                  Callback<v1::GetWorkflowHistoryResponse> done) override {
    engine_.GetHistory(std::move(request), std::move(done));
  }
  void GetResult(v1::GetWorkflowResultRequest request,
                 Callback<v1::GetWorkflowResultResponse> done) override {
    engine_.GetResult(std::move(request), std::move(done));
  }
  void GetSaga(v1::GetSagaRequest request, Callback<v1::SagaInfo> done) override {
    engine_.GetSaga(std::move(request), std::move(done));
  }
  void Signal(v1::SignalWorkflowRequest request,
              Callback<v1::SignalWorkflowResponse> done) override {
    engine_.Signal(std::move(request), std::move(done));
  }
  void Query(v1::QueryWorkflowRequest request, Callback<v1::QueryWorkflowResponse> done) override {
    engine_.Query(std::move(request), std::move(done));
  }
  void Update(v1::UpdateWorkflowRequest request,
              Callback<v1::UpdateWorkflowResponse> done) override {
    engine_.Update(std::move(request), std::move(done));
  }
  void Cancel(v1::CancelWorkflowRequest request,
              Callback<v1::CancelWorkflowResponse> done) override {
    engine_.Cancel(std::move(request), std::move(done));
  }
  void Terminate(v1::TerminateWorkflowRequest request,
                 Callback<v1::TerminateWorkflowResponse> done) override {
    engine_.Terminate(std::move(request), std::move(done));
  }

  void SignalWithStart(v1::SignalWithStartWorkflowRequest request,
                       Callback<v1::SignalWithStartWorkflowResponse> done) override {
    engine_.SignalWithStart(std::move(request), std::move(done));
  }
  void UpdateWithStart(v1::UpdateWithStartWorkflowRequest request,
                       Callback<v1::UpdateWithStartWorkflowResponse> done) override {
    engine_.UpdateWithStart(std::move(request), std::move(done));
  }
  void Pause(v1::PauseWorkflowRequest request, Callback<v1::PauseWorkflowResponse> done) override {
    engine_.Pause(std::move(request), std::move(done));
  }
  void Resume(v1::ResumeWorkflowRequest request,
              Callback<v1::ResumeWorkflowResponse> done) override {
    engine_.Resume(std::move(request), std::move(done));
  }
  void RetryNow(v1::RetryWorkflowNowRequest request,
                Callback<v1::RetryWorkflowNowResponse> done) override {
    engine_.RetryNow(std::move(request), std::move(done));
  }

  void ResetWorkflow(v1::ResetWorkflowRequest request,
                     Callback<v1::ResetWorkflowResponse> done) override {
    engine_.Reset(std::move(request), std::move(done));
  }
  void DeleteWorkflow(v1::DeleteWorkflowRequest request,
                      Callback<v1::DeleteWorkflowResponse> done) override {
    engine_.Delete(std::move(request), std::move(done));
  }
  void CountWorkflows(v1::CountWorkflowsRequest request,
                      Callback<v1::CountWorkflowsResponse> done) override {
    engine_.Count(std::move(request), std::move(done));
  }
  void ListVersions(v1::ListVersionsRequest request,
                    Callback<v1::ListVersionsResponse> done) override {
    engine_.ListVersions(std::move(request), std::move(done));
  }
  void Compensation(CompensationVerb verb, v1::CompensationVerbRequest request,
                    Callback<v1::CompensationVerbResponse> done) override {
    v1::CompensationVerbInput input;
    input.set_step(request.step());
    input.set_reason(request.reason());
    input.set_identity(request.identity());
    v1::UpdateWorkflowRequest update;
    update.set_workflow_id(request.workflow_id());
    update.set_update_name(UpdateName(verb));
    *update.mutable_input() = history::ToPayload(input);
    update.set_identity(request.identity());
    engine_.Update(
        std::move(update),
        [verb, step = request.step(), workflow_id = request.workflow_id(),
         done = std::move(done)](absl::StatusOr<v1::UpdateWorkflowResponse> updated) mutable {
          if (!updated.ok()) return done(updated.status());
          if (updated->has_rejected()) {
            return done(RefusalToStatus(updated->rejected(), workflow_id));
          }
          v1::CompensationVerbResponse response;
          response.set_step(step);
          response.set_compensation(StateAfter(verb));
          done(std::move(response));
        });
  }

 private:
  engine::Engine& engine_;
};

}  // namespace

std::unique_ptr<WorkflowClient> NewInProcessClient(engine::Engine& engine) {
  return std::make_unique<InProcessClient>(engine);
}

}  // namespace client
