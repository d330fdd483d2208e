// A campaign in a test environment whose phases up to the review succeed at once, and whose undos
// do, too. Thread-safety: that of the environment.
//
// Example:
//   AddCampaign(env_, {.approval_timeout = absl::Hours(24), .undo_window = absl::Minutes(15)});
#pragma once

#include <utility>

#include "activities/campaign/activities.h"
#include "activities/campaign/campaign_workflow.h"
#include "orchestrator/sdk/testing/workflow_test_env.h"
#include "tests/unit/campaign/specs.h"

namespace campaign {

inline void AddCampaign(sdk::testing::WorkflowTestEnv& env, const WorkflowSettings& settings) {
  env.AddWorkflow<v1::CampaignSpec, v1::CampaignResult>(
      kWorkflowType, [settings](sdk::Context ctx, v1::CampaignSpec spec) {
        return RunCampaign(ctx, std::move(spec), settings);
      });
  env.OnActivity(kResearch, [](const auto&) { return v1::ResearchOutput(); });
  env.OnActivity(kCreateContent, [](const auto&) {
    v1::ContentOutput output;
    *output.mutable_pieces() = SpringPieces();
    return output;
  });
  env.OnActivity(kDesignAssets, [](const auto&) { return v1::DesignOutput(); });
  env.OnActivity(kModerate, [](const auto&) { return v1::ModerateOutput(); });
  for (const char* undo : {kDeleteDrafts.name, kDeleteAssets.name, kWithdrawReview.name}) {
    env.OnRawActivity(undo, [](const auto&) -> sdk::Outcome<orchestrator::v1::Payload> {
      return history::ToPayload(v1::UndoOutput());
    });
  }
}

}  // namespace campaign
