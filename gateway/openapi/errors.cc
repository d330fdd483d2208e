#include "gateway/openapi/errors.h"

namespace openapi {

const std::vector<OperationError>& OperationErrors() {
  constexpr absl::string_view kNoRun = "`NOT_FOUND`: there is no such workflow or run.";
  constexpr absl::string_view kClosed = "`FAILED_PRECONDITION`: the run is closed.";
  constexpr absl::string_view kNoWizard = "`NOT_FOUND`: there is no such wizard.";
  constexpr absl::string_view kNoSchedule = "`NOT_FOUND`: there is no such schedule.";
  constexpr absl::string_view kNoBatch = "`NOT_FOUND`: there is no such batch.";
  constexpr absl::string_view kNoBreaker =
      "`NOT_FOUND`: no breaker has this name; ListBreakers has the names.";
  constexpr absl::string_view kNoStep = "`NOT_FOUND`: there is no such workflow or saga step.";
  constexpr absl::string_view kNotBlocked =
      "`FAILED_PRECONDITION`: the undoing of this step is not blocked.";
  constexpr absl::string_view kTaken =
      "`ALREADY_EXISTS`: the workflow id has an open run, its reuse policy forbids another one, or "
      "the request_id started something else. `ResourceInfo` names it.";
  constexpr absl::string_view kDecided =
      "`ALREADY_EXISTS`: the campaign is decided; the message says by whom, where and when. "
      "`FAILED_PRECONDITION`: it does not wait for a decision.";
  static const auto* const errors = new std::vector<OperationError>{
      {"CreateCampaign", 409,
       "`ALREADY_EXISTS`: the request_id started another campaign. `ResourceInfo` names it."},
      {"CreateWizard", 409, "`ALREADY_EXISTS`: the request_id made another wizard."},
      {"CloneWizard", 404, "`NOT_FOUND`: there is no such wizard or campaign to clone."},
      {"CloneWizard", 409, "`ALREADY_EXISTS`: the request_id made another wizard."},
      {"GetWizard", 404, kNoWizard},
      {"UpdateWizard", 404, kNoWizard},
      {"UpdateWizard", 409,
       "`FAILED_PRECONDITION`: it is approved, or being approved. `ABORTED`: it was changed since "
       "it was read (the etag is another one)."},
      {"DeleteWizard", 404, kNoWizard},
      {"DeleteWizard", 409,
       "`FAILED_PRECONDITION`: it is being approved. `ABORTED`: it was changed since it was read "
       "(the etag is another one)."},
      {"ValidateWizard", 404, kNoWizard},
      {"PreviewWizard", 404, kNoWizard},
      {"ApproveWizard", 404, kNoWizard},
      {"ApproveWizard", 409,
       "`ABORTED`: it was changed since it was read (the etag is another one). `ALREADY_EXISTS`: "
       "its campaign's id is taken."},
      {"GetProgress", 404, kNoRun},
      {"GetProgress", 409, "`FAILED_PRECONDITION`: the workflow is no campaign."},
      {"WatchProgress", 404, kNoRun},
      {"WatchProgress", 409, "`FAILED_PRECONDITION`: the workflow is no campaign."},
      {"ApproveCampaign", 404, kNoRun},
      {"ApproveCampaign", 409, kDecided},
      {"RejectCampaign", 404, kNoRun},
      {"RejectCampaign", 409, kDecided},
      {"UpdateContent", 404, kNoRun},
      {"UpdateContent", 409, kDecided},

      {"StartWorkflow", 409, kTaken},
      {"GetWorkflow", 404, kNoRun},
      {"GetWorkflowHistory", 404, kNoRun},
      {"GetWorkflowResult", 404, kNoRun},
      {"GetSaga", 404, kNoRun},
      {"SignalWorkflow", 404, kNoRun},
      {"SignalWorkflow", 409, kClosed},
      {"QueryWorkflow", 404,
       "`NOT_FOUND`: there is no such workflow or run, or its code answers no such query."},
      {"QueryWorkflow", 409, "`FAILED_PRECONDITION`: the run is stuck and cannot answer."},
      {"UpdateWorkflow", 404, kNoRun},
      {"UpdateWorkflow", 409, kClosed},
      {"CancelWorkflow", 404, kNoRun},
      {"CancelWorkflow", 409, kClosed},
      {"TerminateWorkflow", 404, kNoRun},
      {"TerminateWorkflow", 409, kClosed},
      {"SignalWithStartWorkflow", 409, kTaken},
      {"UpdateWithStartWorkflow", 409, kTaken},
      {"PauseWorkflow", 404, kNoRun},
      {"PauseWorkflow", 409, kClosed},
      {"ResumeWorkflow", 404, kNoRun},
      {"ResumeWorkflow", 409, kClosed},
      {"RetryWorkflowNow", 404, kNoRun},
      {"RetryWorkflowNow", 409, kClosed},
      {"ResetWorkflow", 404, kNoRun},
      {"ResetWorkflow", 409,
       "`FAILED_PRECONDITION`: the run cannot go back there, or would leave saga steps behind and "
       "`force` is not set."},
      {"DeleteWorkflow", 404, kNoRun},
      {"DeleteWorkflow", 409, "`FAILED_PRECONDITION`: the run is open."},
      {"RetryCompensation", 404, kNoStep},
      {"RetryCompensation", 409, kNotBlocked},
      {"SkipCompensation", 404, kNoStep},
      {"SkipCompensation", 409, kNotBlocked},
      {"ResolveCompensation", 404, kNoStep},
      {"ResolveCompensation", 409, kNotBlocked},

      {"CreateSchedule", 409, "`ALREADY_EXISTS`: there is a schedule with this id."},
      {"GetSchedule", 404, kNoSchedule},
      {"UpdateSchedule", 404, kNoSchedule},
      {"UpdateSchedule", 409,
       "`ABORTED`: it was changed since it was read (the revision is another one)."},
      {"PauseSchedule", 404, kNoSchedule},
      {"ResumeSchedule", 404, kNoSchedule},
      {"TriggerSchedule", 404, kNoSchedule},
      {"BackfillSchedule", 404, kNoSchedule},
      {"DeleteSchedule", 404, kNoSchedule},

      {"StartBatch", 409, "`ALREADY_EXISTS`: there is another batch with this id."},
      {"GetBatch", 404, kNoBatch},
      {"StopBatch", 404, kNoBatch},
      {"StopBatch", 409, "`FAILED_PRECONDITION`: it has ended."},

      {"ForceBreakerOpen", 404, kNoBreaker},
      {"ForceBreakerClosed", 404, kNoBreaker},
      {"ResetBreaker", 404, kNoBreaker},
  };
  return *errors;
}

}  // namespace openapi
