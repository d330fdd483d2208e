#include "tests/integration/engine/engine_fixture.h"

#include "orchestrator/base/check.h"
#include "orchestrator/store/sqlite/sqlite_store.h"
#include "tests/support/await.h"

namespace engine_test {

Text T(const std::string& text) {
  Text message;
  message.set_message(text);
  return message;
}

EngineHarness::EngineHarness() { base::SetLogLevel(base::LogLevel::kOff); }

EngineHarness::~EngineHarness() { Close(); }

void EngineHarness::Open(engine::EngineOptions options) {
  auto opened = store::sqlite::SqliteStore::Open({.path = folder.File("engine.db")});
  CHECK(opened.ok()) << opened.status();
  store = *std::move(opened);
  if (decorate != nullptr) decorated = decorate(store.get());
  io = std::make_unique<base::EpollLoop>(*engine_clock, "io");
  io->Start();
  runner = std::make_unique<worker::WorkflowWorker>(registry, build_id);
  activities = std::make_unique<worker::ActivityWorker>(
      registry, *io, worker::ActivityWorkerOptions{.slots = 1000});
  engine = std::make_unique<engine::Engine>(
      std::move(options),
      engine::Engine::Dependencies{.store = decorated != nullptr ? *decorated : *store,
                                   .runner = *runner,
                                   .clock = *engine_clock,
                                   .random = random,
                                   .metrics = metrics,
                                   .on_fatal = [this](const absl::Status& status) {
                                     if (on_fatal != nullptr) on_fatal(status);
                                   }});
  activities->Connect(*engine);
  const absl::Status status = engine->Open(*activities);
  CHECK(status.ok()) << status;
  client = client::NewInProcessClient(*engine);
}

void EngineHarness::Close() {
  if (engine == nullptr) return;
  absl::Notification drained;
  activities->Drain([&] { drained.Notify(); });
  drained.WaitForNotification();
  engine->Close();
  io->Stop();
  client.reset();
  engine.reset();
  activities.reset();
  runner.reset();
  io.reset();
  decorated.reset();
  store.reset();
}

void EngineHarness::Restart(engine::EngineOptions options) {
  Close();
  Open(std::move(options));
}

absl::StatusOr<v1::StartWorkflowResponse> EngineHarness::Start(const std::string& type,
                                                               const std::string& id,
                                                               const std::string& input,
                                                               const std::string& request_id) {
  return StartIn("", type, id, T(input), request_id);
}

absl::StatusOr<v1::StartWorkflowResponse> EngineHarness::StartIn(
    const std::string& ns, const std::string& type, const std::string& id,
    const google::protobuf::MessageLite& input, const std::string& request_id) {
  v1::StartWorkflowRequest request;
  request.set_namespace_(ns);
  request.set_workflow_id(id);
  request.set_workflow_type(type);
  request.set_request_id(request_id);
  *request.mutable_input() = history::ToPayload(input);
  return Await<v1::StartWorkflowResponse>(
      [&](auto done) { client->StartWorkflow(request, std::move(done)); });
}

v1::GetWorkflowResultResponse EngineHarness::Result(const std::string& id) {
  return ResultIn("", id);
}

v1::GetWorkflowResultResponse EngineHarness::ResultIn(const std::string& ns,
                                                      const std::string& id) {
  v1::GetWorkflowResultRequest request;
  request.set_namespace_(ns);
  request.set_workflow_id(id);
  request.mutable_wait()->set_seconds(30);
  auto result = Await<v1::GetWorkflowResultResponse>(
      [&](auto done) { client->GetResult(request, std::move(done)); });
  CHECK(result.ok()) << result.status();
  return *result;
}

std::string EngineHarness::ResultText(const std::string& id) {
  const v1::GetWorkflowResultResponse result = Result(id);
  if (result.status() != v1::RunStatus::COMPLETED) {
    return v1::RunStatus::Value_Name(result.status()) + " " + result.failure().type() + " " +
           result.failure().message();
  }
  return history::FromPayload<Text>(result.result())->message();
}

absl::StatusOr<v1::UpdateWorkflowResponse> EngineHarness::Update(const std::string& id,
                                                                 const std::string& name,
                                                                 const std::string& input) {
  v1::UpdateWorkflowRequest request;
  request.set_workflow_id(id);
  request.set_update_name(name);
  *request.mutable_input() = history::ToPayload(T(input));
  return Await<v1::UpdateWorkflowResponse>(
      [&](auto done) { client->Update(request, std::move(done)); });
}

absl::Status EngineHarness::Signal(const std::string& id, const std::string& name,
                                   const std::string& input) {
  v1::SignalWorkflowRequest request;
  request.set_workflow_id(id);
  request.set_signal_name(name);
  *request.mutable_input() = history::ToPayload(T(input));
  return Await<v1::SignalWorkflowResponse>(
             [&](auto done) { client->Signal(request, std::move(done)); })
      .status();
}

absl::StatusOr<std::string> EngineHarness::Query(const std::string& id, const std::string& name) {
  v1::QueryWorkflowRequest request;
  request.set_workflow_id(id);
  request.set_query_name(name);
  *request.mutable_input() = history::ToPayload(T(""));
  auto response =
      Await<v1::QueryWorkflowResponse>([&](auto done) { client->Query(request, std::move(done)); });
  if (!response.ok()) return response.status();
  return history::FromPayload<Text>(response->result())->message();
}

v1::WorkflowInfo EngineHarness::Info(const std::string& id) {
  auto info = InfoIn("", id);
  CHECK(info.ok()) << info.status();
  return *info;
}

absl::StatusOr<v1::WorkflowInfo> EngineHarness::InfoIn(const std::string& ns,
                                                       const std::string& id) {
  v1::GetWorkflowRequest request;
  request.set_namespace_(ns);
  request.set_workflow_id(id);
  return Await<v1::WorkflowInfo>([&](auto done) { client->GetWorkflow(request, std::move(done)); });
}

v1::SagaInfo EngineHarness::Saga(const std::string& id) {
  v1::GetSagaRequest request;
  request.set_workflow_id(id);
  auto info = Await<v1::SagaInfo>([&](auto done) { client->GetSaga(request, std::move(done)); });
  CHECK(info.ok()) << info.status();
  return *info;
}

std::vector<v1::HistoryEvent> EngineHarness::History(const std::string& id) {
  v1::GetWorkflowHistoryRequest request;
  request.set_workflow_id(id);
  auto response = Await<v1::GetWorkflowHistoryResponse>(
      [&](auto done) { client->GetHistory(request, std::move(done)); });
  CHECK(response.ok()) << response.status();
  return {response->events().begin(), response->events().end()};
}

v1::WorkflowInfo EngineHarness::WaitFor(const std::string& id,
                                        const std::function<bool(const v1::WorkflowInfo&)>& holds) {
  v1::WorkflowInfo info;
  test::Await(
      [&] {
        info = Info(id);
        if (holds(info)) return true;
        v1::GetWorkflowHistoryRequest request;
        request.set_workflow_id(id);
        request.set_after_event_id(info.history_length());
        request.mutable_wait()->set_nanos(20'000'000);
        (void)Await<v1::GetWorkflowHistoryResponse>(
            [&](auto done) { client->GetHistory(request, std::move(done)); });
        return false;
      },
      "the run " + id);
  return info;
}

}  // namespace engine_test
