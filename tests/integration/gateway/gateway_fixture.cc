#include "tests/integration/gateway/gateway_fixture.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "campaign/v1/activities.pb.h"
#include "orchestrator/base/log.h"
#include "orchestrator/history/payload.h"
#include "orchestrator/history/time.h"

namespace gateway {

void MemoryClient::AddCampaign(const std::string& workflow_id) {
  absl::MutexLock lock(&mu_);
  Run& run = runs_[workflow_id];
  run.info.set_workflow_id(workflow_id);
  run.info.set_run_id("run-1");
  run.info.set_workflow_type("campaign");
  run.info.set_status(v1::RunStatus::RUNNING);
  run.info.set_history_length(10);
  *run.info.mutable_start_time() = history::ToProto(absl::Now() - absl::Minutes(1));
  run.progress.set_progress_percentage(60);
  run.progress.set_current_phase("review");
  run.progress.set_waiting_for_approval(true);
}

void MemoryClient::Change(const std::string& workflow_id, const std::function<void(Run&)>& change) {
  std::vector<Waiter> waiters;
  v1::GetWorkflowHistoryResponse response;
  {
    absl::MutexLock lock(&mu_);
    Run& run = runs_[workflow_id];
    run.info.set_history_length(run.info.history_length() + 1);
    change(run);
    waiters = std::exchange(waiters_[workflow_id], {});
    response.add_events()->set_event_id(run.info.history_length());
    response.set_status(run.info.status());
    response.set_run_id(run.info.run_id());
  }
  for (Waiter& waiter : waiters) waiter.done(response);
}

template <typename Request>
absl::StatusOr<MemoryClient::Run> MemoryClient::Find(const char* method, const Request& request) {
  absl::MutexLock lock(&mu_);
  last_[method] = request.ShortDebugString();
  ++calls_[method];
  const auto found = runs_.find(request.workflow_id());
  if (found == runs_.end()) {
    return absl::NotFoundError(absl::StrCat("no workflow ", request.workflow_id()));
  }
  return found->second;
}

void MemoryClient::StartWorkflow(v1::StartWorkflowRequest request,
                                 Callback<v1::StartWorkflowResponse> done) {
  const auto before = Find("StartWorkflow", request);
  v1::StartWorkflowResponse response;
  response.set_workflow_id(request.workflow_id());
  response.set_run_id("run-1");
  response.set_status(v1::RunStatus::RUNNING);
  if (before.ok()) {
    if (before->input != request.input().data()) {
      return done(absl::AlreadyExistsError("the request_id started another campaign"));
    }
    response.set_already_started(true);
    return done(std::move(response));
  }
  AddCampaign(request.workflow_id());
  Change(request.workflow_id(), [&](Run& run) { run.input = request.input().data(); });
  done(std::move(response));
}

void MemoryClient::ListWorkflows(v1::ListWorkflowsRequest request,
                                 Callback<v1::ListWorkflowsResponse> done) {
  v1::ListWorkflowsResponse response;
  {
    absl::MutexLock lock(&mu_);
    last_["ListWorkflows"] = request.ShortDebugString();
    for (const auto& [id, run] : runs_) *response.add_workflows() = run.info;
  }
  done(std::move(response));
}

void MemoryClient::GetWorkflow(v1::GetWorkflowRequest request, Callback<v1::WorkflowInfo> done) {
  auto run = Find("GetWorkflow", request);
  if (!run.ok()) return done(run.status());
  done(run->info);
}

void MemoryClient::GetHistory(v1::GetWorkflowHistoryRequest request,
                              Callback<v1::GetWorkflowHistoryResponse> done) {
  auto run = Find("GetHistory", request);
  if (!run.ok()) return done(run.status());
  {
    absl::MutexLock lock(&mu_);
    const v1::WorkflowInfo& info = runs_[request.workflow_id()].info;
    const bool nothing_new = info.history_length() <= request.after_event_id();
    if (nothing_new && info.status() == v1::RunStatus::RUNNING && request.has_wait()) {
      waiters_[request.workflow_id()].push_back({request.after_event_id(), std::move(done)});
      return;
    }
  }
  v1::GetWorkflowHistoryResponse response;
  response.set_run_id(run->info.run_id());
  response.set_status(run->info.status());
  if (request.after_event_id() == 0) {
    auto* event = response.add_events();
    event->set_event_id(1);
    *event->mutable_event_time() = run->info.start_time();
    auto* started = event->mutable_workflow_execution_started();
    started->set_workflow_type("campaign");
    campaign::v1::CampaignSpec spec;
    spec.set_campaign_name("Spring");
    *started->mutable_input() = history::ToPayload(spec);
  } else {
    for (int64_t id = request.after_event_id() + 1; id <= run->info.history_length(); ++id) {
      response.add_events()->set_event_id(id);
    }
  }
  done(std::move(response));
}

void MemoryClient::GetResult(v1::GetWorkflowResultRequest request,
                             Callback<v1::GetWorkflowResultResponse> done) {
  auto run = Find("GetResult", request);
  if (!run.ok()) return done(run.status());
  v1::GetWorkflowResultResponse response;
  response.set_workflow_id(request.workflow_id());
  response.set_status(run->info.status());
  done(std::move(response));
}

void MemoryClient::GetSaga(v1::GetSagaRequest request, Callback<v1::SagaInfo> done) {
  auto run = Find("GetSaga", request);
  if (!run.ok()) return done(run.status());
  v1::SagaInfo saga;
  saga.set_workflow_id(request.workflow_id());
  auto* step = saga.add_steps();
  step->set_step("content_creation_activity");
  step->set_outcome(v1::StepOutcome::SUCCEEDED);
  done(std::move(saga));
}

void MemoryClient::Signal(v1::SignalWorkflowRequest request,
                          Callback<v1::SignalWorkflowResponse> done) {
  auto run = Find("Signal", request);
  if (!run.ok()) return done(run.status());
  done(v1::SignalWorkflowResponse());
}

void MemoryClient::Query(v1::QueryWorkflowRequest request,
                         Callback<v1::QueryWorkflowResponse> done) {
  auto run = Find("Query", request);
  if (!run.ok()) return done(run.status());
  if (!run->has_progress) return done(absl::NotFoundError("no such query"));
  if (run->info.status() == v1::RunStatus::STUCK) return done(absl::InternalError("stuck"));
  v1::QueryWorkflowResponse response;
  *response.mutable_result() = history::ToPayload(run->progress);
  response.set_status(run->info.status());
  done(std::move(response));
}

void MemoryClient::Update(v1::UpdateWorkflowRequest request,
                          Callback<v1::UpdateWorkflowResponse> done) {
  auto run = Find("Update", request);
  if (!run.ok()) return done(run.status());
  if (run->info.status() != v1::RunStatus::RUNNING) {
    return done(absl::FailedPreconditionError("the run is closed"));
  }
  v1::UpdateWorkflowResponse response;
  if (run->progress.has_decision()) {
    response.mutable_rejected()->set_type("AlreadyDecided");
    response.mutable_rejected()->set_message("already approved by ann at noon");
    return done(std::move(response));
  }
  if (request.update_name() == "update_content") {
    campaign::v1::UpdateContentOutput output;
    output.set_content_revision(1);
    *response.mutable_result() = history::ToPayload(output);
    return done(std::move(response));
  }
  auto input = history::FromPayload<campaign::v1::DecisionInput>(request.input());
  campaign::v1::ApprovalDecision decision;
  decision.set_decision(request.update_name() == "approve" ? "approved" : "rejected");
  decision.set_decided_by(input->decided_by());
  decision.set_via(input->via());
  *decision.mutable_decided_at() = history::ToProto(absl::Now());
  Change(request.workflow_id(), [&](Run& r) { *r.progress.mutable_decision() = decision; });
  *response.mutable_result() = history::ToPayload(decision);
  done(std::move(response));
}

void MemoryClient::Cancel(v1::CancelWorkflowRequest request,
                          Callback<v1::CancelWorkflowResponse> done) {
  auto run = Find("Cancel", request);
  if (!run.ok()) return done(run.status());
  done(v1::CancelWorkflowResponse());
}

void MemoryClient::Terminate(v1::TerminateWorkflowRequest request,
                             Callback<v1::TerminateWorkflowResponse> done) {
  auto run = Find("Terminate", request);
  if (!run.ok()) return done(run.status());
  done(v1::TerminateWorkflowResponse());
}

void MemoryClient::SignalWithStart(v1::SignalWithStartWorkflowRequest request,
                                   Callback<v1::SignalWithStartWorkflowResponse> done) {
  v1::SignalWithStartWorkflowResponse response;
  response.set_workflow_id(request.start().workflow_id());
  response.set_run_id("run");
  response.set_started(!Find("SignalWithStart", request.start()).ok());
  done(std::move(response));
}

void MemoryClient::UpdateWithStart(v1::UpdateWithStartWorkflowRequest request,
                                   Callback<v1::UpdateWithStartWorkflowResponse> done) {
  v1::UpdateWithStartWorkflowResponse response;
  response.set_started(!Find("UpdateWithStart", request.start()).ok());
  *response.mutable_update()->mutable_result() = request.update_input();
  done(std::move(response));
}

void MemoryClient::Pause(v1::PauseWorkflowRequest request,
                         Callback<v1::PauseWorkflowResponse> done) {
  auto run = Find("Pause", request);
  if (!run.ok()) return done(run.status());
  v1::PauseWorkflowResponse response;
  response.set_already_paused(run->info.status() == v1::RunStatus::PAUSED);
  Change(request.workflow_id(), [](Run& paused) { paused.info.set_status(v1::RunStatus::PAUSED); });
  done(std::move(response));
}

void MemoryClient::Resume(v1::ResumeWorkflowRequest request,
                          Callback<v1::ResumeWorkflowResponse> done) {
  auto run = Find("Resume", request);
  if (!run.ok()) return done(run.status());
  v1::ResumeWorkflowResponse response;
  response.set_was_running(run->info.status() != v1::RunStatus::PAUSED);
  Change(request.workflow_id(),
         [](Run& resumed) { resumed.info.set_status(v1::RunStatus::RUNNING); });
  done(std::move(response));
}

void MemoryClient::RetryNow(v1::RetryWorkflowNowRequest request,
                            Callback<v1::RetryWorkflowNowResponse> done) {
  auto run = Find("RetryNow", request);
  if (!run.ok()) return done(run.status());
  v1::RetryWorkflowNowResponse response;
  *response.mutable_activity_ids() = request.activity_ids();
  response.set_status(run->info.status());
  done(std::move(response));
}

void MemoryClient::ResetWorkflow(v1::ResetWorkflowRequest request,
                                 Callback<v1::ResetWorkflowResponse> done) {
  auto run = Find("ResetWorkflow", request);
  if (!run.ok()) return done(run.status());
  v1::ResetWorkflowResponse response;
  response.set_workflow_id(request.workflow_id());
  response.set_reset_event_id(request.event_id());
  done(std::move(response));
}

void MemoryClient::DeleteWorkflow(v1::DeleteWorkflowRequest request,
                                  Callback<v1::DeleteWorkflowResponse> done) {
  auto run = Find("DeleteWorkflow", request);
  if (!run.ok()) return done(run.status());
  v1::DeleteWorkflowResponse response;
  response.set_run_id(run->info.run_id());
  done(std::move(response));
}

void MemoryClient::CountWorkflows(v1::CountWorkflowsRequest request,
                                  Callback<v1::CountWorkflowsResponse> done) {
  if (request.filter().rfind("wrong", 0) == 0) {
    return done(absl::InvalidArgumentError("filter: it is wrong (at character 1)"));
  }
  v1::CountWorkflowsResponse response;
  {
    absl::MutexLock lock(&mu_);
    last_["CountWorkflows"] = request.ShortDebugString();
    response.set_count(static_cast<int64_t>(runs_.size()));
    auto* group = response.add_groups();
    group->set_workflow_type("campaign");
    group->set_status(v1::RunStatus::RUNNING);
    group->set_count(response.count());
  }
  done(std::move(response));
}

void MemoryClient::ListVersions(v1::ListVersionsRequest request,
                                Callback<v1::ListVersionsResponse> done) {
  v1::ListVersionsResponse response;
  auto* build = response.add_builds();
  build->set_workflow_type("campaign");
  build->set_id("build-7");
  build->set_open_runs(3);
  build->set_oldest_open_workflow_id("c1");
  response.add_patches()->set_id("fast-path");
  done(std::move(response));
}

void MemoryClient::Compensation(client::CompensationVerb verb, v1::CompensationVerbRequest request,
                                Callback<v1::CompensationVerbResponse> done) {
  auto run = Find("Compensation", request);
  if (!run.ok()) return done(run.status());
  v1::CompensationVerbResponse response;
  response.set_step(request.step());
  response.set_compensation(v1::CompensationState::SKIPPED);
  done(std::move(response));
}

int MemoryClient::calls(const std::string& method) {
  absl::MutexLock lock(&mu_);
  return calls_[method];
}

std::string MemoryClient::last(const std::string& method) {
  absl::MutexLock lock(&mu_);
  return last_[method];
}

PreviewSettings CompleteSettings() {
  PreviewSettings settings;
  settings.campaign.email.recipients = {"customers@example.com"};
  settings.campaign.social.channels = {"c1 linkedin"};
  return settings;
}

GatewayTest::GatewayTest() {
  base::SetLogLevel(base::LogLevel::kOff);
  wizards_ = *WizardStore::Open(folder_.File("wizards.db"), clock_, random_);
  workflow_service_ = std::make_unique<WorkflowServiceImpl>(client_);
  campaign_service_ = std::make_unique<CampaignServiceImpl>(
      CampaignServiceImpl::Dependencies{client_, *wizards_, clock_, random_, CompleteSettings()});
  breakers_.Register("github");
  orders_ = *OperationsStore::Open(folder_.File("operations.db"), clock_, kill_switch_, breakers_);
  operations_service_ = std::make_unique<OperationsServiceImpl>(
      OperationsServiceImpl::Dependencies{*orders_, kill_switch_, breakers_});
  RegisterOperationsService(operations_service_.get(), &router_);
  RegisterWorkflowService(workflow_service_.get(), &router_);
  RegisterCampaignService(campaign_service_.get(), &router_);
  handler_ = std::make_unique<RestHandler>(router_, door_, clock_, random_, &metrics_);
}

void GatewayTest::SetUp() {
  RestServerOptions options;
  options.port = 0;
  Configure(&options);
  options.metrics = &metrics_;
  RestHandlerOptions handler_options;
  ConfigureHandler(&handler_options);
  handler_->Configure(handler_options);
  rest_ = std::make_unique<RestServer>(options, *handler_, clock_);
  ASSERT_TRUE(rest_->Start().ok());
  GrpcServerOptions grpc_options{.address = "127.0.0.1:0"};
  ConfigureGrpc(&grpc_options);
  grpc_ =
      std::make_unique<GrpcServer>(grpc_options, door_, random_, workflow_service_.get(),
                                   campaign_service_.get(), &metrics_, operations_service_.get());
  ASSERT_TRUE(grpc_->Start().ok());
}

GatewayTest::~GatewayTest() {
  if (rest_ != nullptr) rest_->Stop(absl::ZeroDuration());
  if (grpc_ != nullptr) grpc_->Stop(absl::ZeroDuration());
  wizards_->Close();
  orders_->Close();
}

std::string GatewayTest::grpc_address() const { return absl::StrCat("127.0.0.1:", grpc_->port()); }

}  // namespace gateway
