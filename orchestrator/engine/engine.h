// Engine: the durable engine in one process. It owns the partitions, routes each call to the
// partition of its workflow id, and reads lists and histories from the store.
//
// Thread-safety: thread-safe after Open. Callbacks run on engine threads and must not block.
//
// Example:
//   engine::Engine engine(options, {store, runner, executor, clock, random, metrics, on_fatal});
//   RETURN_IF_ERROR(engine.Open());
//   engine.Start(request, [](absl::StatusOr<v1::StartWorkflowResponse> response) { ... });
//   engine.Close();   // commits what was taken, gives attempts back, joins its threads
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "orchestrator/engine/options.h"
#include "orchestrator/engine/partition.h"
#include "orchestrator/engine/worker_port.h"

namespace engine {

class Engine : public WorkerPort {
 public:
  struct Dependencies {
    store::Store& store;
    WorkflowRunner& runner;
    base::Clock& clock;
    base::Random& random;  // thread-safe
    base::Metrics& metrics;
    // The engine cannot go on (another process took its lease): end the process.
    std::function<void(absl::Status)> on_fatal;
  };
  Engine(EngineOptions options, Dependencies dependencies);
  ~Engine() override;

  // Leases the partitions and begins with what is due. `executor` must outlive Close.
  absl::Status Open(ActivityExecutor& executor);
  // Graceful stop; idempotent.
  void Close();

  void Start(v1::StartWorkflowRequest request, Callback<v1::StartWorkflowResponse> done);
  void Describe(v1::GetWorkflowRequest request, Callback<v1::WorkflowInfo> done);
  void List(v1::ListWorkflowsRequest request, Callback<v1::ListWorkflowsResponse> done);
  void GetHistory(v1::GetWorkflowHistoryRequest request,
                  Callback<v1::GetWorkflowHistoryResponse> done);
  void GetResult(v1::GetWorkflowResultRequest request,
                 Callback<v1::GetWorkflowResultResponse> done);
  void GetSaga(v1::GetSagaRequest request, Callback<v1::SagaInfo> done);
  void Signal(v1::SignalWorkflowRequest request, Callback<v1::SignalWorkflowResponse> done);
  void Query(v1::QueryWorkflowRequest request, Callback<v1::QueryWorkflowResponse> done);
  void Update(v1::UpdateWorkflowRequest request, UpdateCallback done);
  void Cancel(v1::CancelWorkflowRequest request, Callback<v1::CancelWorkflowResponse> done);
  void Terminate(v1::TerminateWorkflowRequest request,
                 Callback<v1::TerminateWorkflowResponse> done);

  void CompleteActivity(ActivityToken token, core::ActivityOutcome outcome,
                        absl::AnyInvocable<void(absl::Status)> done) override;
  void RecordHeartbeat(ActivityToken token, v1::Payload details,
                       absl::AnyInvocable<void(absl::Status)> done) override;

  // Sets the gauges of open runs by type and status; for the scrape of /metrics. Blocking read.
  void RefreshGauges();

 private:
  Partition* Route(const std::string& ns, const std::string& workflow_id);
  void ReadHistory(const v1::WorkflowInfo& info, const v1::GetWorkflowHistoryRequest& request,
                   Callback<v1::GetWorkflowHistoryResponse> done);

  const EngineOptions options_;
  Dependencies deps_;
  std::unique_ptr<base::EpollLoop> commit_thread_;
  std::unique_ptr<base::EpollLoop> read_thread_;
  std::unique_ptr<Committer> committer_;
  std::vector<std::unique_ptr<base::EpollLoop>> loops_;
  std::vector<std::unique_ptr<Partition>> partitions_;
  bool open_ = false;
};

}  // namespace engine
