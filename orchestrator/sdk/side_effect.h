// How values of Context::SideEffect are recorded: as protobuf messages, plain types in the messages
// of google/protobuf/wrappers.proto. Internal to the SDK. Pure functions; thread-safe.
//
// Example:
//   history::ToPayload(ToSideEffect<std::string>("eu-1"))  // a google.protobuf.BytesValue
#pragma once

#include <google/protobuf/message_lite.h>
#include <google/protobuf/wrappers.pb.h>

#include <string>
#include <type_traits>
#include <utility>

namespace sdk::internal {

template <typename T>
auto SideEffectMessageOf() {
  if constexpr (std::is_base_of_v<google::protobuf::MessageLite, T>) {
    return std::type_identity<T>();
  } else if constexpr (std::is_same_v<T, std::string>) {
    return std::type_identity<google::protobuf::BytesValue>();  // any bytes, not UTF-8 alone
  } else if constexpr (std::is_same_v<T, bool>) {
    return std::type_identity<google::protobuf::BoolValue>();
  } else if constexpr (std::is_floating_point_v<T>) {
    return std::type_identity<google::protobuf::DoubleValue>();
  } else if constexpr (std::is_unsigned_v<T>) {
    return std::type_identity<google::protobuf::UInt64Value>();
  } else {
    static_assert(std::is_integral_v<T>, "T is a message, std::string, bool, or a number");
    return std::type_identity<google::protobuf::Int64Value>();
  }
}

template <typename T>
using SideEffectMessage = typename decltype(SideEffectMessageOf<T>())::type;

template <typename T>
SideEffectMessage<T> ToSideEffect(T value) {
  if constexpr (std::is_same_v<SideEffectMessage<T>, T>) {
    return value;
  } else {
    SideEffectMessage<T> message;
    message.set_value(std::move(value));
    return message;
  }
}

template <typename T>
T FromSideEffect(const SideEffectMessage<T>& message) {
  if constexpr (std::is_same_v<SideEffectMessage<T>, T>) {
    return message;
  } else {
    return static_cast<T>(message.value());
  }
}

}  // namespace sdk::internal
