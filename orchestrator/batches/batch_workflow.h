// The system workflow "system.batch": workflow id "batch:<id>". Query "describe" answers a
// BatchInfo; canceling the run stops the batch.
//
// Pages are found by the place of runs in the list, so runs that leave the filter while the batch
// runs move nothing. A page that is done again after a crash leaves out the runs of its last
// checkpoint; those behind it are asked once more, with the same request ids.
//
// Thread-safety: as of workflows.
//
// Example: batches::Register(registry, slot);
#pragma once

#include <string>

#include "orchestrator/client/call.h"
#include "orchestrator/sdk/registry.h"
#include "orchestrator/v1/batch.pb.h"

namespace batches {

namespace v1 = ::orchestrator::v1;

inline constexpr char kBatchType[] = "system.batch";
inline constexpr char kIdPrefix[] = "batch:";
inline constexpr char kDescribe[] = "describe";
inline constexpr int kRunsPerSecondDefault = 50;
inline constexpr int kRunsPerSecondMax = 1000;
inline constexpr int kFailuresMax = 20;  // kept with their message

std::string WorkflowIdOf(const std::string& batch_id);
// The batch's filter without the system's own runs.
std::string FilterOf(const v1::Batch& batch);

// Counts what the filter finds.
inline constexpr sdk::ActivityType<v1::BatchInput, v1::BatchProgress> kCount{"system.batch.count"};
// Does one page.
inline constexpr sdk::ActivityType<v1::BatchPage, v1::BatchPage> kPage{"system.batch.page"};

sdk::Workflow<v1::BatchInfo> RunBatch(sdk::Context ctx, v1::BatchInput input);

// The workflow and its activities.
void Register(sdk::Registry& registry, client::ClientSlot slot);

}  // namespace batches
