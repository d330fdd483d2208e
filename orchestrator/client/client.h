// WorkflowClient: the engine as its users see it, in process. The gateway's services and tests
// talk to runs through it and through nothing else.
//
// Thread-safety: thread-safe. Callbacks run on an engine thread: they must not block, and may
// call the client again. Each callback is called exactly once, also when the engine stops
// (UNAVAILABLE). A start, signal or update that is answered OK is durable.
//
// Status codes: INVALID_ARGUMENT (the request is wrong), NOT_FOUND (no such workflow or run),
// ALREADY_EXISTS (the workflow id has an open run; or a request_id is used again with another
// input), FAILED_PRECONDITION (the run is closed, or its state forbids the call),
// RESOURCE_EXHAUSTED (a limit; the message names limit and value), UNAVAILABLE (try again),
// INTERNAL (the run is stuck; the message says why).
//
// Example:
//   v1::StartWorkflowRequest request;
//   request.set_workflow_id("order-17");
//   request.set_workflow_type("order");
//   *request.mutable_input() = history::ToPayload(order);
//   client.StartWorkflow(request, [](absl::StatusOr<v1::StartWorkflowResponse> r) { ... });
#pragma once

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "orchestrator/v1/service.pb.h"

namespace client {

namespace v1 = ::orchestrator::v1;

template <typename T>
using Callback = absl::AnyInvocable<void(absl::StatusOr<T>)>;

enum class CompensationVerb { kRetry, kSkip, kResolve };

class WorkflowClient {
 public:
  virtual ~WorkflowClient() = default;

  virtual void StartWorkflow(v1::StartWorkflowRequest request,
                             Callback<v1::StartWorkflowResponse> done) = 0;
  virtual void ListWorkflows(v1::ListWorkflowsRequest request,
                             Callback<v1::ListWorkflowsResponse> done) = 0;
  virtual void GetWorkflow(v1::GetWorkflowRequest request, Callback<v1::WorkflowInfo> done) = 0;
  // With `wait` set and no event after `after_event_id`, answers when there is one, when the run
  // is closed, or when `wait` is over (then with no events).
  virtual void GetHistory(v1::GetWorkflowHistoryRequest request,
                          Callback<v1::GetWorkflowHistoryResponse> done) = 0;
  virtual void GetResult(v1::GetWorkflowResultRequest request,
                         Callback<v1::GetWorkflowResultResponse> done) = 0;
  virtual void GetSaga(v1::GetSagaRequest request, Callback<v1::SagaInfo> done) = 0;
  virtual void Signal(v1::SignalWorkflowRequest request,
                      Callback<v1::SignalWorkflowResponse> done) = 0;
  // Works on open and closed runs. NOT_FOUND when the workflow has no such query.
  virtual void Query(v1::QueryWorkflowRequest request,
                     Callback<v1::QueryWorkflowResponse> done) = 0;
  // A validator's refusal is an OK answer with `rejected` set. FAILED_PRECONDITION on a closed run.
  virtual void Update(v1::UpdateWorkflowRequest request,
                      Callback<v1::UpdateWorkflowResponse> done) = 0;
  virtual void Cancel(v1::CancelWorkflowRequest request,
                      Callback<v1::CancelWorkflowResponse> done) = 0;
  virtual void Terminate(v1::TerminateWorkflowRequest request,
                         Callback<v1::TerminateWorkflowResponse> done) = 0;
  // One transition: a start and its first signal, or a signal to the open run.
  virtual void SignalWithStart(v1::SignalWithStartWorkflowRequest request,
                               Callback<v1::SignalWithStartWorkflowResponse> done) = 0;
  virtual void UpdateWithStart(v1::UpdateWithStartWorkflowRequest request,
                               Callback<v1::UpdateWithStartWorkflowResponse> done) = 0;
  virtual void Pause(v1::PauseWorkflowRequest request,
                     Callback<v1::PauseWorkflowResponse> done) = 0;
  virtual void Resume(v1::ResumeWorkflowRequest request,
                      Callback<v1::ResumeWorkflowResponse> done) = 0;
  virtual void RetryNow(v1::RetryWorkflowNowRequest request,
                        Callback<v1::RetryWorkflowNowResponse> done) = 0;
  // Forks the run at an event; an open run is terminated. FAILED_PRECONDITION, unless forced, when
  // saga steps after the event would be left behind, or steps before it were undone since.
  virtual void ResetWorkflow(v1::ResetWorkflowRequest request,
                             Callback<v1::ResetWorkflowResponse> done) = 0;
  virtual void DeleteWorkflow(v1::DeleteWorkflowRequest request,
                              Callback<v1::DeleteWorkflowResponse> done) = 0;
  virtual void CountWorkflows(v1::CountWorkflowsRequest request,
                              Callback<v1::CountWorkflowsResponse> done) = 0;
  virtual void ListVersions(v1::ListVersionsRequest request,
                            Callback<v1::ListVersionsResponse> done) = 0;
  virtual void Compensation(CompensationVerb verb, v1::CompensationVerbRequest request,
                            Callback<v1::CompensationVerbResponse> done) = 0;
};

}  // namespace client
