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
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "orchestrator/engine/blob_store.h"
#include "orchestrator/engine/options.h"
#include "orchestrator/engine/partition.h"
#include "orchestrator/engine/watchdog.h"
#include "orchestrator/engine/worker_port.h"

namespace engine {

class Retention;

class Engine : public WorkerPort, private PeerPort {
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
  // Before Close, while callers can still be answered: those who wait (for a result, for more
  // history, for an update), and those who come to wait, get UNAVAILABLE. All else goes on.
  void EndWaits();
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

  void SignalWithStart(v1::SignalWithStartWorkflowRequest request,
                       Callback<v1::SignalWithStartWorkflowResponse> done);
  void UpdateWithStart(v1::UpdateWithStartWorkflowRequest request,
                       Callback<v1::UpdateWithStartWorkflowResponse> done);
  void Pause(v1::PauseWorkflowRequest request, Callback<v1::PauseWorkflowResponse> done);
  void Resume(v1::ResumeWorkflowRequest request, Callback<v1::ResumeWorkflowResponse> done);
  void RetryNow(v1::RetryWorkflowNowRequest request, Callback<v1::RetryWorkflowNowResponse> done);
  void Reset(v1::ResetWorkflowRequest request, Callback<v1::ResetWorkflowResponse> done);
  void Delete(v1::DeleteWorkflowRequest request, Callback<v1::DeleteWorkflowResponse> done);
  void Count(v1::CountWorkflowsRequest request, Callback<v1::CountWorkflowsResponse> done);
  void ListVersions(v1::ListVersionsRequest request, Callback<v1::ListVersionsResponse> done);

  void CompleteActivity(ActivityToken token, core::ActivityOutcome outcome,
                        absl::AnyInvocable<void(absl::Status)> done) override;
  void RecordHeartbeat(ActivityToken token, v1::Payload details,
                       absl::AnyInvocable<void(absl::Status)> done) override;

  // Sets the gauges of open runs by type and status; for the scrape of /metrics. Blocking read.
  void RefreshGauges();

 private:
  // PeerPort, for its partitions.
  void StartChild(v1::StartWorkflowRequest request, v1::ParentWorkflow parent, RunId run_id,
                  Done done) override;
  void EndChild(core::ChildEnd end, Done done) override;
  void StopChild(ChildStop stop, Done done) override;
  void SignalExternal(ExternalSignal signal, Done done) override;
  void CancelExternal(ExternalCancel cancel, Done done) override;

  void StartRetention();
  Partition* Route(const std::string& ns, const std::string& workflow_id);
  // GetWorkflow when the partition's loop cannot answer.
  void DescribeBlocked(const v1::GetWorkflowRequest& request, const LoopWatch::Blocked& blocked,
                       Callback<v1::WorkflowInfo> done);
  void ReadHistory(const v1::WorkflowInfo& info, const v1::GetWorkflowHistoryRequest& request,
                   Callback<v1::GetWorkflowHistoryResponse> done);

  absl::Mutex gauges_mu_;
  // Type and status of the gauges that are not 0, so that one whose runs are gone becomes it.
  std::set<std::pair<std::string, v1::RunStatus::Value>> gauges_ ABSL_GUARDED_BY(gauges_mu_);

  const EngineOptions options_;
  Dependencies deps_;
  BlobStore store_;  // deps_.store, with large payloads kept apart
  std::unique_ptr<Retention> retention_;
  std::unique_ptr<base::EpollLoop> retention_thread_;  // only with a retention
  std::unique_ptr<base::EpollLoop> commit_thread_;
  std::unique_ptr<base::EpollLoop> read_thread_;
  std::unique_ptr<Committer> committer_;
  std::vector<std::unique_ptr<base::EpollLoop>> loops_;
  std::vector<std::unique_ptr<Partition>> partitions_;
  std::unique_ptr<Watchdog> watchdog_;
  bool open_ = false;
};

}  // namespace engine
