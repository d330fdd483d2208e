// What operators do with a run: pause, resume, retry now. docs/operations/runs.md says when.
#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/engine/partition.h"

namespace engine {
void Partition::Pause(v1::PauseWorkflowRequest request, Callback<v1::PauseWorkflowResponse> done) {
  Enqueue(std::move(done), [this, request = std::move(request)](auto done) mutable {
    if (absl::Status who = CheckIdentity(request.identity()); !who.ok()) return done(who);
    if (absl::Status why = CheckReason(request.reason()); !why.ok()) return done(why);
    absl::StatusOr<LiveRun*> found =
        FindByWorkflow(request.namespace_(), request.workflow_id(), request.run_id());
    if (!found.ok()) return done(found.status());
    LiveRun& run = **found;
    v1::PauseWorkflowResponse response;
    response.set_run_id(run.id.value());
    if (run.state.control_request_ids.contains(request.request_id())) {
      return Answer(run, std::move(done), std::move(response));
    }
    found = FindOpen(request.namespace_(), request.workflow_id(), request.run_id());
    if (!found.ok()) return done(found.status());
    response.set_already_paused(run.state.paused);
    v1::WorkflowExecutionPaused pause;
    pause.set_reason(request.reason());
    pause.set_identity(request.identity());
    pause.set_request_id(request.request_id());
    core::TransitionBuilder transition(run.state, Now());
    core::Pause(transition, std::move(pause));
    if (!transition.empty()) {
      run.stuck_reason.clear();  // when it is resumed its code is tried again
      metrics_.WorkflowPaused("operator");
      base::Log(base::LogLevel::kInfo, "run is paused", LogOf(run),
                {{"by", request.identity()}, {"reason", request.reason()}});
    }
    Advance(run, transition, {});
    Answer(run, std::move(done), std::move(response));
  });
}

void Partition::Resume(v1::ResumeWorkflowRequest request,
                       Callback<v1::ResumeWorkflowResponse> done) {
  Enqueue(std::move(done), [this, request = std::move(request)](auto done) mutable {
    if (absl::Status who = CheckIdentity(request.identity()); !who.ok()) return done(who);
    if (absl::Status why = CheckReason(request.reason()); !why.ok()) return done(why);
    absl::StatusOr<LiveRun*> found =
        FindByWorkflow(request.namespace_(), request.workflow_id(), request.run_id());
    if (!found.ok()) return done(found.status());
    LiveRun& run = **found;
    v1::ResumeWorkflowResponse response;
    response.set_run_id(run.id.value());
    if (run.state.control_request_ids.contains(request.request_id())) {
      return Answer(run, std::move(done), std::move(response));
    }
    found = FindOpen(request.namespace_(), request.workflow_id(), request.run_id());
    if (!found.ok()) return done(found.status());
    response.set_was_running(!run.state.paused);
    v1::WorkflowExecutionResumed resume;
    resume.set_reason(request.reason());
    resume.set_identity(request.identity());
    resume.set_request_id(request.request_id());
    core::TransitionBuilder transition(run.state, Now());
    core::Resume(transition, std::move(resume));
    if (!transition.empty()) {
      base::Log(base::LogLevel::kInfo, "run is resumed", LogOf(run),
                {{"by", request.identity()}, {"reason", request.reason()}});
    }
    Advance(run, transition, {});
    Answer(run, std::move(done), std::move(response));
  });
}

void Partition::RetryNow(v1::RetryWorkflowNowRequest request,
                         Callback<v1::RetryWorkflowNowResponse> done) {
  Enqueue(std::move(done), [this, request = std::move(request)](auto done) mutable {
    if (absl::Status who = CheckIdentity(request.identity()); !who.ok()) return done(who);
    absl::StatusOr<LiveRun*> found =
        FindOpen(request.namespace_(), request.workflow_id(), request.run_id());
    if (!found.ok()) return done(found.status());
    LiveRun& run = **found;
    for (const std::string& id : request.activity_ids()) {
      if (run.state.activity_ids.contains(id)) continue;
      return done(absl::NotFoundError(
          absl::StrCat("run ", run.id.value(), " has no pending activity \"", id, "\"")));
    }
    core::TransitionBuilder transition(run.state, Now());
    v1::RetryWorkflowNowResponse response;
    response.set_run_id(run.id.value());
    for (std::string& id : core::RetryActivitiesNow(
             transition, {request.activity_ids().begin(), request.activity_ids().end()})) {
      response.add_activity_ids(std::move(id));
    }
    // The code of a stuck run is tried in this very turn.
    if (!run.stuck_reason.empty() && request.activity_ids().empty()) run.stuck_retry_at = Now();
    if (!transition.empty() || !run.stuck_reason.empty()) {
      base::Log(base::LogLevel::kInfo, "run is retried now", LogOf(run),
                {{"by", request.identity()}, {"activities", response.activity_ids_size()}});
    }
    Advance(run, transition, {});
    UpdateDue(run);
    response.set_status(run.row.status);
    Answer(run, std::move(done), std::move(response));
  });
}

}  // namespace engine
