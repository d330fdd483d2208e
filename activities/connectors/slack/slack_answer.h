// What the .cc files of this folder share of asking Slack and reading its answers; for them only.
// Thread-safety: free functions on values.
//
// Example:
//   base::Outcome<wire::Json> body = OkBody(request, *response);
#pragma once

#include <string>

#include "activities/connectors/wire/json.h"
#include "activities/outbound/call.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/base/task.h"

namespace slack {

// Whether a message of a history is the one that EnsureMessage posted with this marker.
bool HasMarker(const wire::Json& message, const std::string& marker);

// The body of an answer that says ok:true, or "SlackRefused" (permanent) with Slack's word.
base::Outcome<wire::Json> OkBody(const outbound::HttpRequest& request,
                                 const outbound::HttpResponse& response);

// Makes the call, which is authorized already, and gives OkBody of its answer.
base::Task<base::Outcome<wire::Json>> Ask(outbound::Outbound& outbound,
                                          const outbound::Vendor& vendor,
                                          outbound::HttpRequest request,
                                          outbound::CallContext context);

}  // namespace slack
