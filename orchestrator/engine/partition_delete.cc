#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/engine/partition.h"

namespace engine {

void Partition::Delete(v1::DeleteWorkflowRequest request,
                       Callback<v1::DeleteWorkflowResponse> done) {
  Enqueue(std::move(done), [this, request = std::move(request)](auto done) mutable {
    absl::StatusOr<LiveRun*> found =
        FindByWorkflow(request.namespace_(), request.workflow_id(), request.run_id());
    if (!found.ok()) return done(found.status());
    LiveRun& run = **found;
    if (!run.state.closed()) {
      return done(absl::FailedPreconditionError(absl::StrCat("workflow \"", request.workflow_id(),
                                                             "\" is open (run ", run.id.value(),
                                                             "); cancel or terminate it first")));
    }
    if (run.owes) {
      return done(absl::FailedPreconditionError(absl::StrCat(
          "run ", run.id.value(),
          " is closed, but its parent or its children have not heard of it; try again later")));
    }
    v1::DeleteWorkflowResponse response;
    response.set_run_id(run.id.value());
    const base::LogContext log = LogOf(run);
    Remove(run);
    AfterCommit(
        run, [this, id = run.id, log, request = std::move(request), response = std::move(response),
              done = std::move(done)](absl::Status status) mutable {
          if (!status.ok()) return done(std::move(status));
          Forget(id);
          base::Log(base::LogLevel::kInfo, "audit: run deleted", log,
                    {{"identity", request.identity()}, {"reason", request.reason()}});
          done(std::move(response));
        });
  });
}

void Partition::DeleteClosed(store::RunRow row, absl::AnyInvocable<void(absl::Status)> done) {
  auto shared = std::make_shared<absl::AnyInvocable<void(absl::Status)>>(std::move(done));
  Call(
      [this, row = std::move(row), shared]() mutable {
        const auto live = runs_.find(row.run_id);
        if (live != runs_.end()) {
          LiveRun& run = *live->second;
          if (!run.state.closed() || run.owes) {
            return (*shared)(
                absl::FailedPreconditionError(absl::StrCat("run ", run.id.value(), " is in use")));
          }
          Remove(run);
          return AfterCommit(run, [this, id = run.id, shared](absl::Status status) {
            if (status.ok()) Forget(id);
            (*shared)(std::move(status));
          });
        }
        // It may be loaded while the write is on its way.
        filling_.after.push_back([this, id = row.run_id, shared](absl::Status status) {
          if (status.ok()) Forget(id);
          (*shared)(std::move(status));
        });
        store::RunWrite write;
        write.deletes = true;
        write.row = std::move(row);
        AddWrite(std::move(write));
      },
      [shared](absl::Status status) { (*shared)(std::move(status)); });
}

void Partition::Remove(LiveRun& run) {
  store::RunWrite write;
  write.deletes = true;
  write.row = run.row;
  HandOver(run, std::move(write));
}

}  // namespace engine
