#include "gateway/grpc/progress.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "orchestrator/history/payload.h"
#include "orchestrator/history/time.h"

namespace gateway {

namespace {

namespace v1 = ::orchestrator::v1;
using campaign::v1::CampaignProgress;

constexpr char kProgressQuery[] = "progress";

absl::Status NoProgress(const v1::WorkflowInfo& info) {
  return absl::FailedPreconditionError(absl::StrCat(
      "workflow ", info.workflow_id(), " is a ", info.workflow_type(), ", which has no progress"));
}

// The run was ended from outside: its code does not know, and speaks as if it went on.
void EndAsTerminated(const v1::WorkflowInfo& info, absl::Time now, CampaignProgress* progress) {
  progress->set_waiting_for_approval(false);
  progress->set_message(info.status_reason().empty() ? "terminated" : info.status_reason());
  for (campaign::v1::PhaseProgress& phase : *progress->mutable_phases()) {
    if (phase.state() != "running") continue;
    phase.set_state("terminated");
    *phase.mutable_completed_at() =
        info.has_close_time() ? info.close_time() : history::ToProto(now);
  }
}

void FillIn(const v1::WorkflowInfo& info, absl::Time now, CampaignProgress* progress) {
  if (info.status() == v1::RunStatus::TERMINATED) EndAsTerminated(info, now, progress);
  progress->set_workflow_id(info.workflow_id());
  progress->set_run_id(info.run_id());
  progress->set_status(v1::RunStatus::Value_Name(info.status()));
  *progress->mutable_started_at() = info.start_time();
  const absl::Time end = info.has_close_time() ? history::FromProto(info.close_time()) : now;
  const absl::Duration elapsed = end - history::FromProto(info.start_time());
  progress->set_elapsed_seconds(std::max(0.0, absl::ToDoubleSeconds(elapsed)));
  if (!info.status_reason().empty() &&
      (info.status() == v1::RunStatus::STUCK || info.status() == v1::RunStatus::PAUSED ||
       progress->message().empty())) {
    progress->set_message(info.status_reason());
  }
}

}  // namespace

bool IsClosed(v1::RunStatus::Value status) { return status >= v1::RunStatus::COMPLETED; }

void LookAtProgress(client::WorkflowClient& client, base::Clock& clock, const std::string& ns,
                    const std::string& workflow_id, client::Callback<ProgressView> done) {
  v1::GetWorkflowRequest get;
  get.set_namespace_(ns);
  get.set_workflow_id(workflow_id);
  client.GetWorkflow(get, [&client, &clock,
                           done = std::move(done)](absl::StatusOr<v1::WorkflowInfo> info) mutable {
    if (!info.ok()) return done(info.status());
    v1::QueryWorkflowRequest query;
    query.set_namespace_(info->namespace_());
    query.set_workflow_id(info->workflow_id());
    query.set_run_id(info->run_id());
    query.set_query_name(kProgressQuery);
    client.Query(std::move(query), [&clock, info = *std::move(info), done = std::move(done)](
                                       absl::StatusOr<v1::QueryWorkflowResponse> answer) mutable {
      ProgressView view;
      view.run_id = info.run_id();
      view.history_length = info.history_length();
      view.closed = IsClosed(info.status());
      if (answer.ok()) {
        auto progress = history::FromPayload<CampaignProgress>(answer->result());
        if (!progress.ok()) return done(NoProgress(info));
        view.progress = *std::move(progress);
        // The query answers later than GetWorkflow: its status is the fresher one.
        if (!view.closed && IsClosed(answer->status())) info.set_status(answer->status());
      } else if (absl::IsNotFound(answer.status())) {
        return done(NoProgress(info));
      } else if (absl::IsUnavailable(answer.status())) {
        return done(answer.status());
      } else if (info.status_reason().empty()) {
        info.set_status_reason(std::string(answer.status().message()));
      }
      FillIn(info, clock.Now(), &view.progress);
      view.closed = IsClosed(info.status());
      done(std::move(view));
    });
  });
}

}  // namespace gateway
