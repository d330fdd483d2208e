// One GraphQL call to Buffer, and what its answers mean: most refusals come as HTTP 200. For the
// .cc files of this folder only. Thread-safety: loop thread only.
//
// Example:
//   base::Outcome<wire::Json> data = co_await Execute(outbound, url, token, kQuery, variables,
//                                                     "channels", Repeat::kSafe, context);
#pragma once

#include <string>

#include "activities/connectors/wire/json.h"
#include "activities/outbound/call.h"
#include "orchestrator/base/task.h"

namespace buffer {

// The `data` object. A typed NotFoundError or errors[].extensions.code NOT_FOUND is the permanent
// failure "NotFound"; other refusals are failures of their kind.
base::Task<base::Outcome<wire::Json>> Execute(outbound::Outbound& outbound, std::string url,
                                              std::string token, std::string query,
                                              wire::Json variables, std::string operation,
                                              outbound::Repeat repeat,
                                              outbound::CallContext context);

outbound::Classification Classify(const outbound::HttpRequest& request,
                                  const outbound::HttpResponse& response);

}  // namespace buffer
