// One verb for one run.
//
// Thread-safety: I/O loop thread only.
//
// Example:
//   Applied applied = co_await Apply(slot, ctx, batch, run);
#pragma once

#include "absl/status/status.h"
#include "orchestrator/base/task.h"
#include "orchestrator/client/call.h"
#include "orchestrator/sdk/activity_context.h"
#include "orchestrator/v1/batch.pb.h"
#include "orchestrator/v1/service.pb.h"

namespace batches {

namespace v1 = ::orchestrator::v1;

struct Applied {
  absl::Status status;
  bool already = false;  // there was nothing to do
};

// Repeating it for the same batch and run changes nothing more.
base::Task<Applied> Apply(client::ClientSlot slot, sdk::ActivityContext* ctx, v1::BatchInput batch,
                          v1::WorkflowInfo run);

}  // namespace batches
