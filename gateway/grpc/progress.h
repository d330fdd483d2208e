// Progress of a campaign: one look at it, and following it until it ends. Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "campaign/v1/campaign.pb.h"
#include "gateway/grpc/call_info.h"
#include "gateway/grpc/stream.h"
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
void LookAtProgress(client::WorkflowClient& client, base::Clock& clock,
                    const std::string& workflow_id, client::Callback<ProgressView> done);

// Writes progress now and after each change, and finishes the stream when the run is closed, the
// peer has left, or something fails. `slots` is decremented at the end.
void FollowProgress(client::WorkflowClient& client, base::Clock& clock,
                    const std::string& workflow_id, CallInfo call,
                    std::shared_ptr<Stream<campaign::v1::CampaignProgress>> stream,
                    std::shared_ptr<std::atomic<int>> slots);

}  // namespace gateway
