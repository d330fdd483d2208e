// Both servers over a WorkflowClient that keeps a handful of runs in memory: for what is between
// a socket and the client (parsing, limits, errors). The real engine is met in tests/e2e.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/synchronization/mutex.h"
#include "gateway/grpc/campaign_service.h"
#include "gateway/grpc/operations_service.h"
#include "gateway/grpc/operations_store.h"
#include "gateway/grpc/register.h"
#include "gateway/grpc/server.h"
#include "gateway/grpc/wizard_store.h"
#include "gateway/grpc/workflow_service.h"
#include "gateway/rest/rest_handler.h"
#include "gateway/rest/server.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/base/metrics.h"
#include "orchestrator/base/random.h"
#include "orchestrator/client/client.h"
#include "tests/support/temporary_folder.h"

namespace gateway {

namespace v1 = ::orchestrator::v1;
using client::Callback;

// Of a server whose settings have all that campaigns need.
PreviewSettings CompleteSettings();

// Runs that a test puts there. Thread-safe.
class MemoryClient : public client::WorkflowClient {
 public:
  struct Run {
    v1::WorkflowInfo info;
    std::string input;
    campaign::v1::CampaignProgress progress;
    bool has_progress = true;
  };
  // A campaign that waits for its approval.
  void AddCampaign(const std::string& workflow_id);
  // Changes a run and wakes those who wait for its history.
  void Change(const std::string& workflow_id, const std::function<void(Run&)>& change);

  void StartWorkflow(v1::StartWorkflowRequest request,
                     Callback<v1::StartWorkflowResponse> done) override;
  void ListWorkflows(v1::ListWorkflowsRequest request,
                     Callback<v1::ListWorkflowsResponse> done) override;
  void GetWorkflow(v1::GetWorkflowRequest request, Callback<v1::WorkflowInfo> done) override;
  void GetHistory(v1::GetWorkflowHistoryRequest request,
                  Callback<v1::GetWorkflowHistoryResponse> done) override;
  void GetResult(v1::GetWorkflowResultRequest request,
                 Callback<v1::GetWorkflowResultResponse> done) override;
  void GetSaga(v1::GetSagaRequest request, Callback<v1::SagaInfo> done) override;
  void Signal(v1::SignalWorkflowRequest request,
              Callback<v1::SignalWorkflowResponse> done) override;
  void Query(v1::QueryWorkflowRequest request, Callback<v1::QueryWorkflowResponse> done) override;
  void Update(v1::UpdateWorkflowRequest request,
              Callback<v1::UpdateWorkflowResponse> done) override;
  void Cancel(v1::CancelWorkflowRequest request,
              Callback<v1::CancelWorkflowResponse> done) override;
  void Terminate(v1::TerminateWorkflowRequest request,
                 Callback<v1::TerminateWorkflowResponse> done) override;
  void SignalWithStart(v1::SignalWithStartWorkflowRequest request,
                       Callback<v1::SignalWithStartWorkflowResponse> done) override;
  void UpdateWithStart(v1::UpdateWithStartWorkflowRequest request,
                       Callback<v1::UpdateWithStartWorkflowResponse> done) override;
  void Pause(v1::PauseWorkflowRequest request, Callback<v1::PauseWorkflowResponse> done) override;
  void Resume(v1::ResumeWorkflowRequest request,
              Callback<v1::ResumeWorkflowResponse> done) override;
  void RetryNow(v1::RetryWorkflowNowRequest request,
                Callback<v1::RetryWorkflowNowResponse> done) override;
  void ResetWorkflow(v1::ResetWorkflowRequest request,
                     Callback<v1::ResetWorkflowResponse> done) override;
  void DeleteWorkflow(v1::DeleteWorkflowRequest request,
                      Callback<v1::DeleteWorkflowResponse> done) override;
  // Answers "filter: ..." for a filter that begins with "wrong", else the number of runs.
  void CountWorkflows(v1::CountWorkflowsRequest request,
                      Callback<v1::CountWorkflowsResponse> done) override;
  void ListVersions(v1::ListVersionsRequest request,
                    Callback<v1::ListVersionsResponse> done) override;
  void Compensation(client::CompensationVerb verb, v1::CompensationVerbRequest request,
                    Callback<v1::CompensationVerbResponse> done) override;
  // The last request that the method with this name was given, as text.
  std::string last(const std::string& method);
  int calls(const std::string& method);

 private:
  struct Waiter {
    int64_t after_event_id;
    Callback<v1::GetWorkflowHistoryResponse> done;
  };
  template <typename Request>
  absl::StatusOr<Run> Find(const char* method, const Request& request);

  absl::Mutex mu_;
  std::map<std::string, Run> runs_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, std::vector<Waiter>> waiters_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, std::string> last_ ABSL_GUARDED_BY(mu_);
  std::map<std::string, int> calls_ ABSL_GUARDED_BY(mu_);
};

// Lets everybody in, and keeps what the last caller has shown.
class RecordingAuthenticator : public auth::OpenAuthenticator {
 public:
  void Authenticate(auth::Credentials credentials, Done done) override {
    {
      absl::MutexLock lock(&mu_);
      last_ = credentials;
    }
    OpenAuthenticator::Authenticate(std::move(credentials), std::move(done));
  }
  auth::Credentials last() const {
    absl::MutexLock lock(&mu_);
    return last_;
  }

 private:
  mutable absl::Mutex mu_;
  auth::Credentials last_ ABSL_GUARDED_BY(mu_);
};

class GatewayTest : public ::testing::Test {
 protected:
  GatewayTest();
  ~GatewayTest() override;
  // Called by SetUp with the options of the REST server.
  virtual void Configure(RestServerOptions* options) {}
  virtual void ConfigureGrpc(GrpcServerOptions* options) {}
  virtual void ConfigureHandler(RestHandlerOptions* options) {}
  void SetUp() override;

  std::string grpc_address() const;

  base::SystemClock clock_;
  base::SystemRandom random_;
  base::Metrics metrics_;
  MemoryClient client_;
  test::TemporaryFolder folder_;
  std::unique_ptr<WizardStore> wizards_;
  outbound::KillSwitch kill_switch_{metrics_, absl::Seconds(10)};
  outbound::Breakers breakers_{clock_, random_, metrics_, {}};
  std::unique_ptr<OperationsStore> orders_;
  std::unique_ptr<WorkflowServiceImpl> workflow_service_;
  std::unique_ptr<CampaignServiceImpl> campaign_service_;
  std::unique_ptr<OperationsServiceImpl> operations_service_;
  Router router_;
  RecordingAuthenticator authenticator_;
  FrontDoor door_{authenticator_, {}};
  std::unique_ptr<RestHandler> handler_;
  std::unique_ptr<RestServer> rest_;
  std::unique_ptr<GrpcServer> grpc_;
};

}  // namespace gateway
