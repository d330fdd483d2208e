// Decisions for coroutines: the calls of Decisions, awaited on the loop that they are made on.
//
// Thread-safety: the loop's thread only.
//
// Example:
//   const DecisionAnswer answer = co_await Decide(loop, decisions, std::move(request));
#pragma once

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "gateway/webhooks/decisions.h"
#include "orchestrator/base/event_loop.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/task.h"

namespace webhooks {

// A status as the failure of a delivery's work: what may pass is retryable.
base::Failure FailureOf(const absl::Status& status);

base::Task<DecisionAnswer> Decide(base::EventLoop& loop, Decisions& decisions,
                                  DecisionRequest request);
base::Task<absl::StatusOr<campaign::v1::UpdateContentOutput>> UpdateContent(base::EventLoop& loop,
                                                                            Decisions& decisions,
                                                                            ContentChange change);
base::Task<absl::StatusOr<campaign::v1::CampaignProgress>> GetProgress(base::EventLoop& loop,
                                                                       Decisions& decisions,
                                                                       std::string ns,
                                                                       std::string workflow_id);

}  // namespace webhooks
