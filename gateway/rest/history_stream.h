// The history of a run as server-sent events: GET .../history with "Accept: text/event-stream".
// Every event once, in order, old ones first, then new ones as they are committed; `event: end`
// with the run's status when it is closed. The id of an event is "RUN_ID/EVENT_ID": sent back as
// Last-Event-ID the stream goes on behind it, so that a caller who connects again misses nothing
// and gets nothing twice.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "gateway/grpc/error_details.h"
#include "gateway/grpc/router.h"
#include "gateway/grpc/stream_slots.h"
#include "gateway/rest/http.h"

namespace gateway {

// The method that can be streamed like this.
inline constexpr char kHistoryMethod[] = "orchestrator.v1.WorkflowService.GetWorkflowHistory";

// Whether the request asks for events.
bool WantsEvents(const HttpRequest& request);

// `request` is a GetWorkflowHistoryRequest, which is repeated by `method` (it outlives the stream)
// until the run is closed or the peer has left; `slot` is kept until then. Errors name `resource`.
// `answered` is told once how it ended.
void StreamHistory(const Router::Method& method, CallInfo call, MessagePtr request,
                   const std::string& last_event_id, StreamSlots::Slot slot, Resource resource,
                   std::shared_ptr<Exchange> exchange, HttpResponse head,
                   std::function<void(int http_status, const absl::Status& status)> answered);

}  // namespace gateway
