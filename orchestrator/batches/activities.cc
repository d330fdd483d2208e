// The activities of batches: they count, and do one page.
#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "orchestrator/batches/batch_workflow.h"
#include "orchestrator/batches/verbs.h"

namespace batches {
namespace {

using base::Task;
using sdk::Outcome;
using Slot = client::ClientSlot;

constexpr int kAtOnceMax = 20;  // runs between two checkpoints
constexpr int kPageMin = 20;
constexpr int kPageMax = 500;

sdk::Failure ToFailure(const absl::Status& status) {
  const std::string message(status.message());
  switch (status.code()) {
    case absl::StatusCode::kCancelled:
      return sdk::Failure::Canceled(message);
    case absl::StatusCode::kInvalidArgument:
      return sdk::Failure::Permanent("InvalidArgument", message);
    default:
      return sdk::Failure::Retryable(absl::StatusCodeToString(status.code()), message);
  }
}

int RunsPerSecond(const v1::Batch& batch) {
  return batch.runs_per_second() > 0 ? std::min(batch.runs_per_second(), kRunsPerSecondMax)
                                     : kRunsPerSecondDefault;
}

Task<Outcome<v1::BatchProgress>> Count(Slot slot, sdk::ActivityContext& ctx, v1::BatchInput input) {
  v1::CountWorkflowsRequest request;
  request.set_namespace_(ctx.info().ns);
  request.set_filter(FilterOf(input.batch()));
  const absl::StatusOr<v1::CountWorkflowsResponse> count =
      co_await client::Call<v1::CountWorkflowsResponse>(
          ctx.loop(), ctx.cancel(), slot, [&request](client::WorkflowClient& client, auto done) {
            client.CountWorkflows(std::move(request), std::move(done));
          });
  if (!count.ok()) co_return ToFailure(count.status());
  v1::BatchProgress progress;
  progress.set_total(count->count());
  co_return progress;
}

Task<absl::StatusOr<v1::ListWorkflowsResponse>> ListPage(Slot slot, sdk::ActivityContext& ctx,
                                                         const v1::BatchPage& page) {
  v1::ListWorkflowsRequest request;
  request.set_namespace_(ctx.info().ns);
  request.set_filter(FilterOf(page.batch().batch()));
  request.set_page_token(page.page_token());
  // About two seconds' work: that is how old the progress may be.
  request.set_page_size(std::clamp(2 * RunsPerSecond(page.batch().batch()), kPageMin, kPageMax));
  absl::StatusOr<v1::ListWorkflowsResponse> runs = co_await client::Call<v1::ListWorkflowsResponse>(
      ctx.loop(), ctx.cancel(), slot, [&request](client::WorkflowClient& client, auto done) {
        client.ListWorkflows(std::move(request), std::move(done));
      });
  co_return runs;
}

void Record(const v1::WorkflowInfo& run, const Applied& applied, v1::BatchPage* page) {
  page->add_dealt_with(run.run_id());
  v1::BatchProgress* progress = page->mutable_progress();
  if (applied.already) {
    progress->set_already(progress->already() + 1);
  } else if (applied.status.ok()) {
    progress->set_done(progress->done() + 1);
  } else {
    progress->set_failed(progress->failed() + 1);
    if (progress->first_failures_size() >= kFailuresMax) return;
    v1::BatchFailure* failure = progress->add_first_failures();
    failure->set_workflow_id(run.workflow_id());
    failure->set_run_id(run.run_id());
    failure->set_code(absl::StatusCodeToString(applied.status.code()));
    failure->set_message(std::string(applied.status.message()));
  }
}

// Try the page again later, with what was done so far: these say nothing of the run.
bool SaysNothing(const absl::Status& status) {
  return absl::IsCancelled(status) || absl::IsUnavailable(status) ||
         absl::IsResourceExhausted(status);
}

// Applies the verb to some runs at once. The status is one that says nothing of its run.
Task<absl::Status> ApplyAll(Slot slot, sdk::ActivityContext& ctx,
                            std::vector<v1::WorkflowInfo> runs, v1::BatchPage* page) {
  std::vector<Task<Applied>> tasks;
  for (const v1::WorkflowInfo& run : runs) {
    tasks.push_back(Apply(slot, &ctx, page->batch(), run));
  }
  const std::vector<Applied> applied = co_await base::WhenAll(std::move(tasks));
  absl::Status status;
  for (size_t i = 0; i < runs.size(); ++i) {
    if (SaysNothing(applied[i].status)) {
      status.Update(applied[i].status);
    } else {
      Record(runs[i], applied[i], page);
    }
  }
  co_return status;
}

v1::BatchPage CheckpointOf(const v1::BatchPage& page) {
  v1::BatchPage checkpoint = page;
  checkpoint.clear_batch();
  return checkpoint;
}

Task<Outcome<v1::BatchPage>> DoPage(Slot slot, sdk::ActivityContext& ctx, v1::BatchPage page) {
  const std::optional<v1::BatchPage> before = ctx.last_heartbeat<v1::BatchPage>();
  if (before.has_value() && before->page_token() == page.page_token()) {
    *page.mutable_progress() = before->progress();
    *page.mutable_dealt_with() = before->dealt_with();
  }
  absl::StatusOr<v1::ListWorkflowsResponse> list = co_await ListPage(slot, ctx, page);
  if (!list.ok()) co_return ToFailure(list.status());
  const std::set<std::string> dealt_with(page.dealt_with().begin(), page.dealt_with().end());
  std::vector<v1::WorkflowInfo> open;
  for (const v1::WorkflowInfo& run : list->workflows()) {
    if (!dealt_with.contains(run.run_id())) open.push_back(run);
  }
  const int per_second = RunsPerSecond(page.batch().batch());
  const size_t group_size = static_cast<size_t>(std::min(kAtOnceMax, per_second));
  for (size_t first = 0; first < open.size(); first += group_size) {
    const size_t last = std::min(open.size(), first + group_size);
    const absl::Duration begun = ctx.loop().clock().Monotonic();
    const absl::Status applied = co_await ApplyAll(
        slot, ctx, std::vector<v1::WorkflowInfo>(open.begin() + first, open.begin() + last), &page);
    const sdk::Done saved = co_await ctx.RecordHeartbeat(CheckpointOf(page));
    if (!saved.ok()) co_return saved.failure();
    if (!applied.ok()) co_return ToFailure(applied);
    const absl::Duration pace = absl::Seconds(1) * static_cast<int64_t>(last - first) / per_second;
    const absl::Duration rest = pace - (ctx.loop().clock().Monotonic() - begun);
    if (rest <= absl::ZeroDuration()) continue;
    const bool slept = co_await base::Sleep(ctx.loop(), rest, ctx.cancel());
    if (!slept) co_return sdk::Failure::Canceled("the batch was stopped");
  }
  page.set_next_page_token(list->next_page_token());
  page.clear_batch();
  page.clear_dealt_with();
  co_return page;
}

}  // namespace

void Register(sdk::Registry& registry, client::ClientSlot slot) {
  registry.AddWorkflow<v1::BatchInput, v1::BatchInfo>(kBatchType, &RunBatch);
  const sdk::RetryPolicy retry = {.initial_interval = absl::Milliseconds(200),
                                  .maximum_interval = absl::Seconds(10)};
  registry.AddActivity(kCount,
                       [slot](sdk::ActivityContext& ctx, v1::BatchInput input) {
                         return Count(slot, ctx, std::move(input));
                       },
                       {.start_to_close_timeout = absl::Minutes(5), .retry = retry});
  registry.AddActivity(kPage,
                       [slot](sdk::ActivityContext& ctx, v1::BatchPage page) {
                         return DoPage(slot, ctx, std::move(page));
                       },
                       {.start_to_close_timeout = absl::Hours(1),
                        .heartbeat_timeout = absl::Minutes(2),
                        .retry = retry});
}

}  // namespace batches
