// absl::Status with its payloads to and from google.rpc.Status, and canonical codes to HTTP.
// Pure functions; thread-safe.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace google::rpc {
class Status;
}

namespace gateway {

google::rpc::Status ToRpcStatus(const absl::Status& status);
absl::Status FromRpcStatus(const google::rpc::Status& status);

// The status as JSON: {"code":5,"message":"...","details":[...]}.
std::string StatusJson(const absl::Status& status);

// google.rpc.Code's documented HTTP status, but for FAILED_PRECONDITION: here it always means
// that the resource's state forbids the call, which is 409 (RFC 9110 section 15.5.10).
int HttpStatusOf(absl::StatusCode code);

}  // namespace gateway
