#include "orchestrator/batches/batch_workflow.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/history/payload.h"

namespace batches {
namespace {

constexpr int kPagesMax = 200;  // then a new run goes on: about nine events each

void Add(const v1::BatchProgress& page, v1::BatchProgress* all) {
  all->set_done(all->done() + page.done());
  all->set_already(all->already() + page.already());
  all->set_failed(all->failed() + page.failed());
  for (const v1::BatchFailure& failure : page.first_failures()) {
    if (all->first_failures_size() < kFailuresMax) *all->add_first_failures() = failure;
  }
}

v1::BatchInfo Describe(const v1::BatchInput& input) {
  v1::BatchInfo info;
  info.set_batch_id(input.batch_id());
  *info.mutable_batch() = input.batch();
  *info.mutable_progress() = input.progress();
  info.set_identity(input.identity());
  return info;
}

// Progress of a page that was stopped.
v1::BatchProgress OfCheckpoint(const sdk::Future<v1::BatchPage>& page) {
  if (!page.checkpoint().has_value()) return {};
  const absl::StatusOr<v1::BatchPage> details =
      history::FromPayload<v1::BatchPage>(*page.checkpoint());
  return details.ok() ? details->progress() : v1::BatchProgress();
}

}  // namespace

std::string WorkflowIdOf(const std::string& batch_id) { return absl::StrCat(kIdPrefix, batch_id); }

std::string FilterOf(const v1::Batch& batch) {
  // OR binds tighter than AND, so the filter needs no parentheses.
  return absl::StrCat(batch.filter(), " AND NOT workflow_type = \"system.*\"");
}

sdk::Workflow<v1::BatchInfo> RunBatch(sdk::Context ctx, v1::BatchInput input) {
  auto state = std::make_shared<v1::BatchInput>(std::move(input));
  ctx.SetQueryHandler<v1::BatchInput, v1::BatchInfo>(
      kDescribe,
      [state](const v1::BatchInput&) -> sdk::Outcome<v1::BatchInfo> { return Describe(*state); });
  if (!state->counted()) {
    const sdk::Outcome<v1::BatchProgress> counted = co_await ctx.Execute(kCount, *state);
    if (!counted.ok()) co_return counted.failure();
    state->mutable_progress()->set_total(counted->total());
    state->set_counted(true);
  }
  for (int pages = 0; pages < kPagesMax; ++pages) {
    v1::BatchPage page;
    *page.mutable_batch() = *state;
    page.mutable_batch()->clear_progress();
    page.set_page_token(state->page_token());
    const sdk::Future<v1::BatchPage> future = ctx.Execute(kPage, page);
    const sdk::Outcome<v1::BatchPage> done = co_await future;
    if (!done.ok()) {
      Add(OfCheckpoint(future), state->mutable_progress());
      co_return done.failure();
    }
    Add(done->progress(), state->mutable_progress());
    state->set_page_token(done->next_page_token());
    if (state->page_token().empty()) co_return Describe(*state);
    if (ctx.cancel_requested()) co_return sdk::Failure::Canceled("the batch was stopped");
  }
  co_return ctx.ContinueAsNew(*state);
}

}  // namespace batches
