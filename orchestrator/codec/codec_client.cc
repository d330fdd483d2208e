#include "orchestrator/codec/codec_client.h"

#include <utility>

namespace codec {
namespace {

using client::Callback;
using client::CompensationVerb;
using client::WorkflowClient;

enum class Reading { kStrict, kLenient };

class CodecClient : public WorkflowClient {
 public:
  CodecClient(WorkflowClient& inner, const MessageCodec& codec) : inner_(inner), codec_(codec) {}

  void StartWorkflow(v1::StartWorkflowRequest request,
                     Callback<v1::StartWorkflowResponse> done) override {
    Call(&WorkflowClient::StartWorkflow, std::move(request), std::move(done), Use::kCompared);
  }
  void ListWorkflows(v1::ListWorkflowsRequest request,
                     Callback<v1::ListWorkflowsResponse> done) override {
    Show(&WorkflowClient::ListWorkflows, std::move(request), std::move(done));
  }
  void GetWorkflow(v1::GetWorkflowRequest request, Callback<v1::WorkflowInfo> done) override {
    Show(&WorkflowClient::GetWorkflow, std::move(request), std::move(done));
  }
  void GetHistory(v1::GetWorkflowHistoryRequest request,
                  Callback<v1::GetWorkflowHistoryResponse> done) override {
    Show(&WorkflowClient::GetHistory, std::move(request), std::move(done));
  }
  void GetResult(v1::GetWorkflowResultRequest request,
                 Callback<v1::GetWorkflowResultResponse> done) override {
    Call(&WorkflowClient::GetResult, std::move(request), std::move(done));
  }
  void GetSaga(v1::GetSagaRequest request, Callback<v1::SagaInfo> done) override {
    Show(&WorkflowClient::GetSaga, std::move(request), std::move(done));
  }
  void Signal(v1::SignalWorkflowRequest request,
              Callback<v1::SignalWorkflowResponse> done) override {
    Call(&WorkflowClient::Signal, std::move(request), std::move(done));
  }
  void Query(v1::QueryWorkflowRequest request, Callback<v1::QueryWorkflowResponse> done) override {
    Call(&WorkflowClient::Query, std::move(request), std::move(done));
  }
  void Update(v1::UpdateWorkflowRequest request,
              Callback<v1::UpdateWorkflowResponse> done) override {
    Call(&WorkflowClient::Update, std::move(request), std::move(done));
  }
  void Cancel(v1::CancelWorkflowRequest request,
              Callback<v1::CancelWorkflowResponse> done) override {
    inner_.Cancel(std::move(request), std::move(done));
  }
  void Terminate(v1::TerminateWorkflowRequest request,
                 Callback<v1::TerminateWorkflowResponse> done) override {
    inner_.Terminate(std::move(request), std::move(done));
  }
  void SignalWithStart(v1::SignalWithStartWorkflowRequest request,
                       Callback<v1::SignalWithStartWorkflowResponse> done) override {
    Call(&WorkflowClient::SignalWithStart, std::move(request), std::move(done), Use::kCompared);
  }
  void UpdateWithStart(v1::UpdateWithStartWorkflowRequest request,
                       Callback<v1::UpdateWithStartWorkflowResponse> done) override {
    Call(&WorkflowClient::UpdateWithStart, std::move(request), std::move(done), Use::kCompared);
  }
  void Pause(v1::PauseWorkflowRequest request, Callback<v1::PauseWorkflowResponse> done) override {
    inner_.Pause(std::move(request), std::move(done));
  }
  void Resume(v1::ResumeWorkflowRequest request,
              Callback<v1::ResumeWorkflowResponse> done) override {
    inner_.Resume(std::move(request), std::move(done));
  }
  void RetryNow(v1::RetryWorkflowNowRequest request,
                Callback<v1::RetryWorkflowNowResponse> done) override {
    inner_.RetryNow(std::move(request), std::move(done));
  }
  void ResetWorkflow(v1::ResetWorkflowRequest request,
                     Callback<v1::ResetWorkflowResponse> done) override {
    inner_.ResetWorkflow(std::move(request), std::move(done));
  }
  void DeleteWorkflow(v1::DeleteWorkflowRequest request,
                      Callback<v1::DeleteWorkflowResponse> done) override {
    inner_.DeleteWorkflow(std::move(request), std::move(done));
  }
  void CountWorkflows(v1::CountWorkflowsRequest request,
                      Callback<v1::CountWorkflowsResponse> done) override {
    inner_.CountWorkflows(std::move(request), std::move(done));
  }
  void ListVersions(v1::ListVersionsRequest request,
                    Callback<v1::ListVersionsResponse> done) override {
    inner_.ListVersions(std::move(request), std::move(done));
  }
  void Compensation(CompensationVerb verb, v1::CompensationVerbRequest request,
                    Callback<v1::CompensationVerbResponse> done) override {
    inner_.Compensation(verb, std::move(request), std::move(done));
  }

 private:
  template <typename Req, typename Resp>
  using Verb = void (WorkflowClient::*)(Req, Callback<Resp>);

  template <typename Req, typename Resp>
  void Call(Verb<Req, Resp> verb, Req request, Callback<Resp> done, Use use = Use::kStored) {
    if (absl::Status encoded = codec_.Encode(request, use); !encoded.ok()) {
      return done(std::move(encoded));
    }
    Ask(verb, std::move(request), std::move(done), Reading::kStrict);
  }
  template <typename Req, typename Resp>
  void Show(Verb<Req, Resp> verb, Req request, Callback<Resp> done) {
    Ask(verb, std::move(request), std::move(done), Reading::kLenient);
  }
  template <typename Req, typename Resp>
  void Ask(Verb<Req, Resp> verb, Req request, Callback<Resp> done, Reading reading) {
    (inner_.*verb)(std::move(request),
                   [this, reading, done = std::move(done)](absl::StatusOr<Resp> response) mutable {
                     if (!response.ok()) return done(std::move(response));
                     if (reading == Reading::kLenient) {
                       codec_.DecodeWhatCan(*response);
                     } else if (absl::Status decoded = codec_.Decode(*response); !decoded.ok()) {
                       return done(std::move(decoded));
                     }
                     done(std::move(response));
                   });
  }

  WorkflowClient& inner_;
  const MessageCodec& codec_;
};

}  // namespace

std::unique_ptr<WorkflowClient> NewCodecClient(WorkflowClient& inner, const MessageCodec& codec) {
  return std::make_unique<CodecClient>(inner, codec);
}

}  // namespace codec
