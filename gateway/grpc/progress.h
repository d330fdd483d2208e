// Progress of a campaign: one look at it (progress_hub.h follows it). Thread-safe.
#pragma once

#include <string>

#include "campaign/v1/campaign.pb.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/client/client.h"

namespace gateway {

// A look at a run: its progress, and where its history stood just before.
struct ProgressView {
  campaign::v1::CampaignProgress progress;
  std::string run_id;
  int64_t history_length = 0;
  bool closed = false;
};

bool IsClosed(orchestrator::v1::RunStatus::Value status);

// Asks the run's query "progress" and fills in what the run itself knows (status, times, run id).
// A run that cannot answer (it is stuck, say) is shown by what is known of it, with the reason in
// `message`. NOT_FOUND: no such workflow; FAILED_PRECONDITION: its type has no progress.
void LookAtProgress(client::WorkflowClient& client, base::Clock& clock, const std::string& ns,
                    const std::string& workflow_id, client::Callback<ProgressView> done);

}  // namespace gateway
