#include "orchestrator/engine/engine.h"

#include <prometheus/gauge.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "orchestrator/base/check.h"
#include "orchestrator/base/status_macros.h"
#include "orchestrator/history/codec.h"
#include "orchestrator/history/time.h"

namespace engine {
namespace {

constexpr int kListPageDefault = 50;
constexpr int kListPageMax = 1000;
constexpr int kHistoryPageDefault = 1000;
constexpr int kHistoryPageMax = 10'000;
constexpr int kTransitionsPerRead = 2000;

int PageSize(int wanted, int otherwise, int maximum) {
  return wanted <= 0 ? otherwise : std::min(wanted, maximum);
}

}  // namespace

Engine::Engine(EngineOptions options, Dependencies dependencies)
    : options_(std::move(options)), deps_(std::move(dependencies)) {
  CHECK(options_.partitions >= 1 && options_.partitions <= store::kSlots);
}

Engine::~Engine() { Close(); }

absl::Status Engine::Open(ActivityExecutor& executor) {
  CHECK(!open_);
  commit_thread_ = std::make_unique<base::EpollLoop>(deps_.clock, "commit");
  read_thread_ = std::make_unique<base::EpollLoop>(deps_.clock, "reads");
  committer_ = std::make_unique<Committer>(deps_.store, *commit_thread_, deps_.metrics);
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
                                    Partition::Dependencies{.store = deps_.store,
                                                            .committer = *committer_,
                                                            .runner = deps_.runner,
                                                            .executor = executor,
                                                            .loop = *loops_.back(),
                                                            .random = deps_.random,
                                                            .metrics = deps_.metrics,
                                                            .on_lease_lost = deps_.on_fatal}));
    deps_.metrics
        .Gauge("partition_epoch", "Epoch of the lease that this node holds on a partition.",
               {{"partition", absl::StrCat(i)}})
        .Set(static_cast<double>(epoch));
  }
  deps_.metrics.Gauge("partitions_owned", "Partitions leased to this node.")
      .Set(static_cast<double>(count));
  for (auto& loop : loops_) loop->Start();
  for (auto& partition : partitions_) partition->Open();
  return absl::OkStatus();
}

void Engine::Close() {
  if (!open_) return;
  open_ = false;
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
  const int slot =
      store::SlotOf(base::Namespace(ns.empty() ? "default" : ns), base::WorkflowId(workflow_id));
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
  Partition* partition = Route("", request.workflow_id());
  partition->Describe(std::move(request), std::move(done));
}

void Engine::GetResult(v1::GetWorkflowResultRequest request,
                       Callback<v1::GetWorkflowResultResponse> done) {
  Partition* partition = Route("", request.workflow_id());
  partition->GetResult(std::move(request), std::move(done));
}

void Engine::GetSaga(v1::GetSagaRequest request, Callback<v1::SagaInfo> done) {
  Partition* partition = Route("", request.workflow_id());
  partition->GetSaga(std::move(request), std::move(done));
}

void Engine::Signal(v1::SignalWorkflowRequest request, Callback<v1::SignalWorkflowResponse> done) {
  Partition* partition = Route("", request.workflow_id());
  partition->Signal(std::move(request), std::move(done));
}

void Engine::Query(v1::QueryWorkflowRequest request, Callback<v1::QueryWorkflowResponse> done) {
  Partition* partition = Route("", request.workflow_id());
  partition->Query(std::move(request), std::move(done));
}

void Engine::Update(v1::UpdateWorkflowRequest request, UpdateCallback done) {
  Partition* partition = Route("", request.workflow_id());
  partition->Update(std::move(request), std::move(done));
}

void Engine::Cancel(v1::CancelWorkflowRequest request, Callback<v1::CancelWorkflowResponse> done) {
  Partition* partition = Route("", request.workflow_id());
  partition->Cancel(std::move(request), std::move(done));
}

void Engine::Terminate(v1::TerminateWorkflowRequest request,
                       Callback<v1::TerminateWorkflowResponse> done) {
  Partition* partition = Route("", request.workflow_id());
  partition->Terminate(std::move(request), std::move(done));
}

void Engine::List(v1::ListWorkflowsRequest request, Callback<v1::ListWorkflowsResponse> done) {
  read_thread_->Post([this, request = std::move(request), done = std::move(done)]() mutable {
    absl::StatusOr<store::RunPage> page = deps_.store.List(
        {.ns = base::Namespace(request.namespace_()),
         .status = request.status(),
         .workflow_type = request.workflow_type()},
        PageSize(request.page_size(), kListPageDefault, kListPageMax), request.page_token());
    if (!page.ok()) return done(page.status());
    v1::ListWorkflowsResponse response;
    for (const store::RunRow& row : page->rows) *response.add_workflows() = DescribeRow(row);
    response.set_next_page_token(page->next_page_token);
    done(std::move(response));
  });
}

void Engine::GetHistory(v1::GetWorkflowHistoryRequest request,
                        Callback<v1::GetWorkflowHistoryResponse> done) {
  Partition* partition = Route("", request.workflow_id());
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
        deps_.store.ReadTransitions(base::RunId(info.run_id()), after, kTransitionsPerRead);
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
  for (const store::StatusCount& count : *counts) {
    deps_.metrics
        .Gauge("workflow_runs", "Stored workflow runs, by type and status.",
               {{"workflow", count.workflow_type},
                {"status", v1::RunStatus::Value_Name(count.status)}})
        .Set(static_cast<double>(count.count));
  }
}

}  // namespace engine
