// A server stream as server-sent events (text/event-stream, HTML Standard section 9.2): one event
// per message, `event: progress` for WatchProgress, with its resume_token as `id`; after the last
// one `event: end`, or `event: error` with the status as JSON. A stream that fails before its first
// message is an ordinary error response.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "gateway/grpc/router.h"
#include "gateway/rest/http.h"

namespace gateway {

inline constexpr char kEventStreamType[] = "text/event-stream";

// One event; no id: none. `data` has one line.
std::string EventText(absl::string_view name, absl::string_view id, absl::string_view data);

// `head` holds the headers of either kind of response. `answered` is told once how it ended:
// the HTTP status, and the error if there was one.
std::shared_ptr<Stream<MessagePtr>> MakeEventStream(
    std::shared_ptr<Exchange> exchange, std::string event_name, HttpResponse head,
    std::function<void(int http_status, const absl::Status& status)> answered);

}  // namespace gateway
