// Typed values in and out of opaque payloads, and Failures in and out of their stored form.
// Pure functions; thread-safe.
//
// Example:
//   v1::Payload payload = history::ToPayload(order);
//   absl::StatusOr<Order> order = history::FromPayload<Order>(payload);
#pragma once

#include <google/protobuf/message_lite.h>

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "orchestrator/base/outcome.h"
#include "orchestrator/v1/common.pb.h"

namespace history {

namespace v1 = ::orchestrator::v1;

inline constexpr char kEncodingKey[] = "encoding";
inline constexpr char kMessageTypeKey[] = "message_type";
inline constexpr char kEncodingProtobuf[] = "binary/protobuf";

// The message's bytes with encoding "binary/protobuf" and its full type name.
v1::Payload ToPayload(const google::protobuf::MessageLite& message);

// Parses `payload` into `message`; INVALID_ARGUMENT when it holds another type or broken bytes.
// An empty payload gives a default message.
absl::Status ParsePayload(const v1::Payload& payload, google::protobuf::MessageLite* message);

template <typename T>
absl::StatusOr<T> FromPayload(const v1::Payload& payload) {
  T message;
  absl::Status status = ParsePayload(payload, &message);
  if (!status.ok()) return status;
  return message;
}

v1::Failure ToProto(const base::Failure& failure);
base::Failure FromProto(const v1::Failure& failure);

}  // namespace history
