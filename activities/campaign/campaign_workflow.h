// The workflow "campaign" (requirement O2): research, content, design, review, distribution,
// analytics, as a saga: whatever fails, is rejected or canceled before the campaign is out is
// undone, newest first. After the last phase comes the pivot, and the review is closed.
//
//   input   v1::CampaignSpec          result   v1::CampaignResult
//   updates "approve", "reject"       v1::DecisionInput -> v1::ApprovalDecision
//           "update_content"          v1::UpdateContentInput -> v1::UpdateContentOutput
//   query   "progress"                v1::CampaignProgress
//
// It fails with "CampaignRejected", "ApprovalTimedOut", "Canceled" or the failed step's failure.
//
// Thread-safety: belongs to its workflow's thread.
//
// Example:
//   campaign::RegisterWorkflow(registry, {.approval_timeout = absl::Hours(24)});
//   See Register in activities.h, which adds the activities too.
#pragma once

#include <memory>

#include "absl/time/time.h"
#include "campaign/v1/campaign.pb.h"
#include "orchestrator/sdk/context.h"

namespace sdk {
class Registry;
}

namespace campaign {

inline constexpr char kWorkflowType[] = "campaign";
inline constexpr char kApproveUpdate[] = "approve";
inline constexpr char kRejectUpdate[] = "reject";
inline constexpr char kUpdateContentUpdate[] = "update_content";
inline constexpr char kProgressQuery[] = "progress";

// What the workflow's code needs of the settings. They may change between a run's start and its
// replay: they give the length of timers, never the order of commands.
struct WorkflowSettings {
  absl::Duration approval_timeout;  // of reviews whose history does not say how they wait
  absl::Duration undo_window;
};

sdk::Workflow<v1::CampaignResult> RunCampaign(sdk::Context ctx, v1::CampaignSpec spec,
                                              WorkflowSettings settings);

// Adds the workflow and none of its activities: enough to replay it.
void RegisterWorkflow(sdk::Registry& registry, const WorkflowSettings& settings);

}  // namespace campaign
