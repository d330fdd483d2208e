// The second sample of docs/writing-workflows.md: a batch of orders, each a child workflow, and a
// report that is sent to another workflow. The guide shows parts of it word for word.
//
// Example:
//   samples::RegisterOrder(registry, &shop);
//   samples::RegisterBatch(registry);
#pragma once

#include "orchestrator/sdk/registry.h"
#include "tests/integration/samples/order.pb.h"

namespace samples {

// The name of the child's workflow type, with its input and output.
inline constexpr sdk::WorkflowType<v1::OrderInput, v1::Receipt> kOrder{"order"};

void RegisterBatch(sdk::Registry& registry);

sdk::Workflow<v1::BatchReport> RunBatch(sdk::Context ctx, v1::BatchInput input);

}  // namespace samples
