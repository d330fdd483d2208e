// What Slack's answers mean: it says most of its failures in HTTP 200 with {ok: false, error}.
// Thread-safety: free functions on values.
//
// Example:
//   outbound::Vendor{.name = "slack", .classify = slack::Classify};
#pragma once

#include "activities/outbound/call.h"

namespace slack {

// kOk also for "message_not_found", which undo and update expect. internal_error, fatal_error,
// request_timeout and service_unavailable leave the effect unknown, as Slack documents.
outbound::Classification Classify(const outbound::HttpRequest& request,
                                  const outbound::HttpResponse& response);

// {ok: false, error: "message_not_found"}.
bool IsMessageNotFound(const outbound::HttpResponse& response);

}  // namespace slack
