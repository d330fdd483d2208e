// google.rpc details of errors that follow from the call itself, the same over gRPC and REST: which
// resource is not there or is there already, and when to try again. Pure; thread-safe.
//
// Example:
//   const Resource resource = ResourceOf(request);          // while there is a request
//   return Answer(WithDetails(status, resource));
#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace gateway {

// What a call is about.
struct Resource {
  std::string
      type;  // workflow, wizard, schedule, batch, breaker, ...; empty: nothing in particular
  std::string name;   // its id
  std::string owner;  // its namespace
};

// How long to wait after UNAVAILABLE: a server that starts or stops, a disk that is busy.
inline constexpr absl::Duration kUnavailableRetryDelay = absl::Seconds(1);

// By the fields of the request that are ids: "wizard_id", or "workflow_id" of its "start".
Resource ResourceOf(const google::protobuf::Message& request);

// `status` with ResourceInfo when it is NOT_FOUND or ALREADY_EXISTS and there is a resource, and
// with RetryInfo when it is UNAVAILABLE; what it has already stays.
absl::Status WithDetails(absl::Status status, const Resource& resource = {});

}  // namespace gateway
