#include "orchestrator/history/payload.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <utility>

#include "orchestrator/history/time.h"

namespace history {

v1::Payload ToPayload(const google::protobuf::MessageLite& message) {
  v1::Payload payload;
  (*payload.mutable_metadata())[kEncodingKey] = kEncodingProtobuf;
  (*payload.mutable_metadata())[kMessageTypeKey] = message.GetTypeName();
  // The same message has the same bytes, also when it holds maps: requests are compared by them.
  google::protobuf::io::StringOutputStream stream(payload.mutable_data());
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return payload;
}

absl::Status ParsePayload(const v1::Payload& payload, google::protobuf::MessageLite* message) {
  if (payload.metadata().empty() && payload.data().empty()) return absl::OkStatus();
  const auto type = payload.metadata().find(kMessageTypeKey);
  if (type != payload.metadata().end() && type->second != message->GetTypeName()) {
    return absl::InvalidArgumentError(
        absl::StrCat("payload holds a ", type->second, ", expected a ", message->GetTypeName()));
  }
  if (!message->ParseFromString(payload.data())) {
    return absl::InvalidArgumentError(
        absl::StrCat("payload is not a valid ", message->GetTypeName()));
  }
  return absl::OkStatus();
}

v1::Failure ToProto(const base::Failure& failure) {
  v1::Failure proto;
  proto.set_type(failure.type);
  proto.set_message(failure.message);
  proto.set_non_retryable(!failure.retryable);
  if (failure.retry_after > absl::ZeroDuration()) {
    *proto.mutable_retry_after() = ToProto(failure.retry_after);
  }
  proto.set_effect_unknown(failure.effect_unknown);
  proto.set_not_attempted(failure.not_attempted);
  proto.set_detail_json(failure.detail_json);
  if (failure.cause != nullptr) *proto.mutable_cause() = ToProto(*failure.cause);
  return proto;
}

base::Failure FromProto(const v1::Failure& proto) {
  base::Failure failure;
  failure.type = proto.type();
  failure.message = proto.message();
  failure.retryable = !proto.non_retryable();
  failure.retry_after = FromProto(proto.retry_after());
  failure.effect_unknown = proto.effect_unknown();
  failure.not_attempted = proto.not_attempted();
  failure.detail_json = proto.detail_json();
  if (proto.has_cause()) {
    failure.cause = std::make_shared<base::Failure>(FromProto(proto.cause()));
  }
  return failure;
}

}  // namespace history
