#include "orchestrator/engine/engine.h"

#include <prometheus/gauge.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "orchestrator/base/check.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/engine/retention.h"
#include "orchestrator/engine/tenant.h"
#include "orchestrator/history/codec.h"
#include "orchestrator/history/time.h"

namespace engine {
namespace {

constexpr int kHistoryPageDefault = 1000;
constexpr int kHistoryPageMax = 10'000;
constexpr int kTransitionsPerRead = 2000;

int PageSize(int wanted, int otherwise, int maximum) {
  return wanted <= 0 ? otherwise : std::min(wanted, maximum);
}

}  // namespace

Engine::Engine(EngineOptions options, Dependencies dependencies)
    : options_(std::move(options)),
      deps_(std::move(dependencies)),
      store_(&deps_.store, options_.payload_offload_bytes) {
  CHECK(options_.partitions >= 1 && options_.partitions <= store::kSlots);
}

Engine::~Engine() { Close(); }

absl::Status Engine::Open(ActivityExecutor& executor) {
  CHECK(!open_);
  commit_thread_ = std::make_unique<base::EpollLoop>(deps_.clock, "commit");
  read_thread_ = std::make_unique<base::EpollLoop>(deps_.clock, "reads");
  committer_ = std::make_unique<Committer>(store_, *commit_thread_, deps_.metrics);
  commit_thread_->Start();
  read_thread_->Start();
  open_ = true;
  const int count = options_.partitions;
  for (int i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(const int64_t epoch, deps_.store.AcquirePartition(i, options_.node));
    loops_.push_back(std::make_unique<base::EpollLoop>(deps_.clock, absl::StrCat("partition-", i)));
    const int slot_first = i * store::kSlots / count;
    const int slot_last = (i + 1) * store::kSlots / count - 1;
    partitions_.push_back(
        std::make_unique<Partition>(i, slot_first, slot_last, epoch, options_,
                                    Partition::Dependencies{.store = store_,
                                                            .committer = *committer_,
                                                            .runner = deps_.runner,
                                                            .executor = executor,
                                                            .loop = *loops_.back(),
                                                            .random = deps_.random,
                                                            .metrics = deps_.metrics,
                                                            .on_lease_lost = deps_.on_fatal,
                                                            .peers = this}));
    deps_.metrics
        .Gauge("partition_epoch", "Epoch of the lease that this node holds on a partition.",
               {{"partition", absl::StrCat(i)}})
        .Set(static_cast<double>(epoch));
  }
  deps_.metrics.Gauge("partitions_owned", "Partitions leased to this node.")
      .Set(static_cast<double>(count));
  for (auto& loop : loops_) loop->Start();
  for (auto& partition : partitions_) partition->Open();
  if (options_.task_blocked_after > absl::ZeroDuration()) {
    std::vector<LoopWatch*> watches;
    for (auto& partition : partitions_) watches.push_back(&partition->watch());
    watchdog_ = std::make_unique<Watchdog>(deps_.clock, deps_.metrics, options_.task_blocked_after,
                                           std::move(watches));
  }
  if (Retention::Wanted(options_)) StartRetention();
  return absl::OkStatus();
}

void Engine::StartRetention() {
  retention_thread_ = std::make_unique<base::EpollLoop>(deps_.clock, "retention");
  retention_ = std::make_unique<Retention>(
      options_,
      Retention::Dependencies{
          .store = store_,
          .loop = *retention_thread_,
          .metrics = deps_.metrics,
          .delete_run = [this](const store::RunRow& row, auto done) {
            Route(row.ns.value(), row.workflow_id.value())->DeleteClosed(row, std::move(done));
          }});
  retention_thread_->Start();
  retention_->Start();
}

void Engine::EndWaits() {
  if (!open_) return;
  for (auto& partition : partitions_) partition->EndWaits();
}

void Engine::Close() {
  if (!open_) return;
  open_ = false;
  if (retention_thread_ != nullptr) retention_thread_->Stop();
  watchdog_.reset();
  for (auto& partition : partitions_) {
    absl::Notification closed;
    partition->Close([&closed] { closed.Notify(); });
    closed.WaitForNotification();
  }
  commit_thread_->Stop();
  for (auto& loop : loops_) loop->Stop();
  read_thread_->Stop();
}

Partition* Engine::Route(const std::string& ns, const std::string& workflow_id) {
  const int slot = store::SlotOf(base::Namespace(NamespaceOr(ns)), base::WorkflowId(workflow_id));
  const int count = static_cast<int>(partitions_.size());
  // The inverse of the ranges in Open.
  int index = slot * count / store::kSlots;
  if (slot >= (index + 1) * store::kSlots / count) ++index;
  return partitions_[index].get();
}

void Engine::Start(v1::StartWorkflowRequest request, Callback<v1::StartWorkflowResponse> done) {
  Partition* partition = Route(request.namespace_(), request.workflow_id());
  partition->Start(std::move(request), std::move(done));
}

void Engine::Describe(v1::GetWorkflowRequest request, Callback<v1::WorkflowInfo> done) {
  Partition* partition = Route(request.namespace_(), request.workflow_id());
  if (watchdog_ == nullptr) return partition->Describe(std::move(request), std::move(done));
  auto shared = std::make_shared<Callback<v1::WorkflowInfo>>(std::move(done));
  const auto is_open =
      partition->watch().Guard([this, request, shared](const LoopWatch::Blocked& blocked) {
        read_thread_->Post([this, request, shared, blocked] {
          DescribeBlocked(request, blocked, std::move(*shared));
        });
      });
  partition->Describe(std::move(request), [shared, is_open](absl::StatusOr<v1::WorkflowInfo> info) {
    if (is_open()) (*shared)(std::move(info));
  });
}

void Engine::DescribeBlocked(const v1::GetWorkflowRequest& request,
                             const LoopWatch::Blocked& blocked, Callback<v1::WorkflowInfo> done) {
  const std::string& ns = NamespaceOr(request.namespace_());
  const base::WorkflowId workflow_id(request.workflow_id());
  absl::StatusOr<std::optional<store::RunRow>> row =
      request.run_id().empty() ? store_.FindRun(base::Namespace(ns), workflow_id)
                               : store_.FindRunById(base::RunId(request.run_id()));
  if (!row.ok()) return done(row.status());
  v1::WorkflowInfo info;
  if (row->has_value() && (*row)->workflow_id == workflow_id && (*row)->ns.value() == ns) {
    info = DescribeRow(**row);
  }
  // A run may block before it is stored.
  const bool is_blocked = blocked.ns == ns && blocked.workflow_id == request.workflow_id() &&
                          (request.run_id().empty() || request.run_id() == blocked.run_id);
  if (is_blocked && info.run_id() != blocked.run_id) {
    info.Clear();
    info.set_namespace_(ns);
    info.set_workflow_id(blocked.workflow_id);
    info.set_run_id(blocked.run_id);
    info.set_workflow_type(blocked.workflow_type);
    info.set_status(v1::RunStatus::RUNNING);
  }
  if (info.run_id().empty()) {
    return done(
        absl::NotFoundError(absl::StrCat("no workflow with id \"", request.workflow_id(), "\"")));
  }
  const std::string reason = blocked.Reason(deps_.clock.Monotonic());
  if (is_blocked) {
    info.set_status_reason(reason);
  } else if (info.status() == v1::RunStatus::RUNNING && info.status_reason().empty()) {
    const std::string who =  // another tenant's run stays unnamed
        blocked.ns == ns ? absl::StrCat("workflow \"", blocked.workflow_id, "\"") : "another run";
    info.set_status_reason(absl::StrCat("waits for its partition: ", who, " is ", reason));
  }
  done(std::move(info));
}

void Engine::Reset(v1::ResetWorkflowRequest request, Callback<v1::ResetWorkflowResponse> done) {
  Partition* partition = Route(request.namespace_(), request.workflow_id());
  partition->Reset(std::move(request), std::move(done));
}

void Engine::GetResult(v1::GetWorkflowResultRequest request,
                       Callback<v1::GetWorkflowResultResponse> done) {
  Partition* partition = Route(request.namespace_(), request.workflow_id());
  partition->GetResult(std::move(request), std::move(done));
}

void Engine::GetSaga(v1::GetSagaRequest request, Callback<v1::SagaInfo> done) {
  Partition* partition = Route(request.namespace_(), request.workflow_id());
  partition->GetSaga(std::move(request), std::move(done));
}

void Engine::Signal(v1::SignalWorkflowRequest request, Callback<v1::SignalWorkflowResponse> done) {
  Partition* partition = Route(request.namespace_(), request.workflow_id());
  partition->Signal(std::move(request), std::move(done));
}

void Engine::Query(v1::QueryWorkflowRequest request, Callback<v1::QueryWorkflowResponse> done) {
  Partition* partition = Route(request.namespace_(), request.workflow_id());
  partition->Query(std::move(request), std::move(done));
}

void Engine::Update(v1::UpdateWorkflowRequest request, UpdateCallback done) {
  Partition* partition = Route(request.namespace_(), request.workflow_id());
  partition->Update(std::move(request), std::move(done));
}

void Engine::Cancel(v1::CancelWorkflowRequest request, Callback<v1::CancelWorkflowResponse> done) {
  Partition* partition = Route(request.namespace_(), request.workflow_id());
  partition->Cancel(std::move(request), std::move(done));
}

void Engine::Terminate(v1::TerminateWorkflowRequest request,
                       Callback<v1::TerminateWorkflowResponse> done) {
  Partition* partition = Route(request.namespace_(), request.workflow_id());
  partition->Terminate(std::move(request), std::move(done));
}

void Engine::SignalWithStart(v1::SignalWithStartWorkflowRequest request,
                             Callback<v1::SignalWithStartWorkflowResponse> done) {
  Partition* partition = Route(request.start().namespace_(), request.start().workflow_id());
  partition->SignalWithStart(std::move(request), std::move(done));
}

void Engine::UpdateWithStart(v1::UpdateWithStartWorkflowRequest request,
                             Callback<v1::UpdateWithStartWorkflowResponse> done) {
  Partition* partition = Route(request.start().namespace_(), request.start().workflow_id());
  partition->UpdateWithStart(std::move(request), std::move(done));
}

void Engine::Pause(v1::PauseWorkflowRequest request, Callback<v1::PauseWorkflowResponse> done) {
  Partition* partition = Route(request.namespace_(), request.workflow_id());
  partition->Pause(std::move(request), std::move(done));
}

void Engine::Resume(v1::ResumeWorkflowRequest request, Callback<v1::ResumeWorkflowResponse> done) {
  Partition* partition = Route(request.namespace_(), request.workflow_id());
  partition->Resume(std::move(request), std::move(done));
}

void Engine::RetryNow(v1::RetryWorkflowNowRequest request,
                      Callback<v1::RetryWorkflowNowResponse> done) {
  Partition* partition = Route(request.namespace_(), request.workflow_id());
  partition->RetryNow(std::move(request), std::move(done));
}

void Engine::GetHistory(v1::GetWorkflowHistoryRequest request,
                        Callback<v1::GetWorkflowHistoryResponse> done) {
  Partition* partition = Route(request.namespace_(), request.workflow_id());
  v1::GetWorkflowHistoryRequest copy = request;
  partition->AwaitHistory(
      std::move(request), [this, copy = std::move(copy),
                           done = std::move(done)](absl::StatusOr<v1::WorkflowInfo> info) mutable {
        if (!info.ok()) return done(info.status());
        read_thread_->Post(
            [this, info = *std::move(info), copy = std::move(copy),
             done = std::move(done)]() mutable { ReadHistory(info, copy, std::move(done)); });
      });
}

void Engine::ReadHistory(const v1::WorkflowInfo& info, const v1::GetWorkflowHistoryRequest& request,
                         Callback<v1::GetWorkflowHistoryResponse> done) {
  const int page_size = PageSize(request.page_size(), kHistoryPageDefault, kHistoryPageMax);
  v1::GetWorkflowHistoryResponse response;
  response.set_run_id(info.run_id());
  response.set_status(info.status());
  base::EventId after = request.after_event_id();
  while (response.events_size() < page_size) {
    absl::StatusOr<std::vector<std::string>> rows =
        store_.ReadTransitions(base::RunId(info.run_id()), after, kTransitionsPerRead);
    if (!rows.ok()) return done(rows.status());
    std::vector<v1::HistoryEvent> events;
    for (const std::string& row : *rows) {
      absl::Status expanded = history::Expand(row, &events);
      if (!expanded.ok()) {
        return done(
            absl::DataLossError(absl::StrCat("run=", info.run_id(), ": ", expanded.message())));
      }
    }
    for (v1::HistoryEvent& event : events) {
      if (event.event_id() <= after || response.events_size() == page_size) continue;
      after = event.event_id();
      *response.add_events() = std::move(event);
    }
    if (rows->size() < kTransitionsPerRead) break;
  }
  if (response.events_size() == page_size && after < info.history_length()) {
    response.set_next_after_event_id(after);
  }
  done(std::move(response));
}

void Engine::StartChild(v1::StartWorkflowRequest request, v1::ParentWorkflow parent, RunId run_id,
                        Done done) {
  Partition* partition = Route(request.namespace_(), request.workflow_id());
  partition->StartChild(std::move(request), std::move(parent), std::move(run_id), std::move(done));
}

void Engine::EndChild(core::ChildEnd end, Done done) {
  Partition* partition = Route(end.parent.namespace_(), end.parent.workflow_id());
  partition->EndChild(std::move(end), std::move(done));
}

void Engine::StopChild(ChildStop stop, Done done) {
  Partition* partition = Route(stop.parent.namespace_(), stop.workflow_id);
  partition->StopChild(std::move(stop), std::move(done));
}

void Engine::SignalExternal(ExternalSignal signal, Done done) {
  Partition* partition = Route(signal.ns, signal.request.workflow_id());
  partition->SignalExternal(std::move(signal), std::move(done));
}

void Engine::CancelExternal(ExternalCancel cancel, Done done) {
  Partition* partition = Route(cancel.ns, cancel.workflow_id);
  partition->CancelExternal(std::move(cancel), std::move(done));
}

void Engine::CompleteActivity(ActivityToken token, core::ActivityOutcome outcome,
                              absl::AnyInvocable<void(absl::Status)> done) {
  Partition* partition = partitions_[token.partition].get();
  partition->CompleteActivity(std::move(token), std::move(outcome), std::move(done));
}

void Engine::RecordHeartbeat(ActivityToken token, v1::Payload details,
                             absl::AnyInvocable<void(absl::Status)> done) {
  Partition* partition = partitions_[token.partition].get();
  partition->RecordHeartbeat(std::move(token), std::move(details), std::move(done));
}

void Engine::RefreshGauges() {
  absl::StatusOr<std::vector<store::StatusCount>> counts = deps_.store.CountRuns();
  if (!counts.ok()) return;
  const auto set = [this](const std::string& type, v1::RunStatus::Value status, int64_t count) {
    deps_.metrics
        .Gauge("workflow_runs", "Stored workflow runs, by type and status.",
               {{"workflow", type}, {"status", v1::RunStatus::Value_Name(status)}})
        .Set(static_cast<double>(count));
  };
  absl::MutexLock lock(&gauges_mu_);
  auto gone = std::exchange(gauges_, {});
  for (const store::StatusCount& count : *counts) {
    set(count.workflow_type, count.status, count.count);
    gone.erase({count.workflow_type, count.status});
    gauges_.insert({count.workflow_type, count.status});
  }
  for (const auto& [type, status] : gone) set(type, status, 0);
}

}  // namespace engine
