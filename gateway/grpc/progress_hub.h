// ProgressHub: watches of campaigns' progress. However many watch a campaign, it is looked at once
// for all of them: one wait for its history, one look after a change, and a copy for each watcher.
// A watcher that reads slowly gets the newest progress when it is ready, not all in between.
//
// Each progress carries a resume_token that stands for what it shows. A watch that begins with the
// token of the progress as it is gets nothing until that changes; with any other it gets the
// progress as it is at once. So whoever connects again misses no change and sees none twice.
//
// Thread-safety: thread-safe. What is under way when the hub goes ends by itself: its streams are
// ended by those who own the connections.
//
// Example:
//   hub.Watch("spring-sale", request.resume_token(), std::move(call), slot, std::move(stream));
#pragma once

#include <memory>
#include <string>

#include "campaign/v1/campaign.pb.h"
#include "gateway/grpc/call_info.h"
#include "gateway/grpc/stream.h"
#include "gateway/grpc/stream_slots.h"
#include "orchestrator/base/clock.h"
#include "orchestrator/client/client.h"

namespace gateway {

class ProgressHub {
 public:
  // Both outlive the watches.
  ProgressHub(client::WorkflowClient& client, base::Clock& clock);
  ~ProgressHub();

  // Writes progress now and after each change, and finishes the stream when the run is closed, the
  // peer has left, or something fails. The workflow is one of the call's namespace. `slot` is kept
  // until then.
  void Watch(const std::string& workflow_id, const std::string& resume_token, const CallInfo& call,
             StreamSlots::Slot slot,
             std::shared_ptr<Stream<campaign::v1::CampaignProgress>> stream);

 private:
  struct State;
  class Feed;
  class Watcher;

  const std::shared_ptr<State> state_;
};

}  // namespace gateway
