// A server stream as JSON lines (application/x-ndjson): a message a line. What goes wrong after the
// first line cannot be an HTTP status any more: the last line is then {"error": STATUS}, and the
// connection is not ended as it should be. A stream that fails before its first message is an
// ordinary error response.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "gateway/grpc/router.h"
#include "gateway/rest/http.h"

namespace gateway {

inline constexpr char kJsonLinesType[] = "application/x-ndjson";

// As MakeEventStream (sse.h).
std::shared_ptr<Stream<MessagePtr>> MakeJsonLines(
    std::shared_ptr<Exchange> exchange, HttpResponse head,
    std::function<void(int http_status, const absl::Status& status)> answered);

}  // namespace gateway
