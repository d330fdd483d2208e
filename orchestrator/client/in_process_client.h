// The WorkflowClient of an engine in the same process. Thread-safe; `engine` must outlive it.
//
// Example:
//   std::unique_ptr<client::WorkflowClient> client = client::NewInProcessClient(engine);
#pragma once

#include <memory>

#include "orchestrator/client/client.h"

namespace engine {
class Engine;
}

namespace client {

std::unique_ptr<WorkflowClient> NewInProcessClient(engine::Engine& engine);

}  // namespace client
