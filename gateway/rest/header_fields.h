// Headers that say what a field of the request says too, by the field's name:
//   Idempotency-Key -> request_id      If-Match -> etag      Last-Event-ID -> resume_token
// and the way back: a message's etag as the header ETag, RetryInfo as Retry-After.
// Pure functions; thread-safe.
#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "absl/status/status.h"
#include "gateway/json/field_violations.h"
#include "gateway/rest/http.h"

namespace gateway {

// Fills fields that are empty; one that says otherwise than its header is a violation that names
// both. An If-Match that the method cannot heed is a violation too: ignoring it would change what
// somebody else has changed. What is not for this method is left alone.
void ReadHeaderFields(const HttpRequest& http, google::protobuf::Message* request,
                      FieldViolations* violations);

// `"value"` when the message has an etag, else "".
std::string EtagOf(const google::protobuf::Message& message);

// Seconds, rounded up, of the status's google.rpc.RetryInfo; "" when it has none.
std::string RetryAfterOf(const absl::Status& status);

}  // namespace gateway
