#include "orchestrator/codec/wrapping.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

namespace codec {

std::string Wrap(const v1::Payload& payload) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  payload.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

absl::Status Unwrap(const std::string& bytes, v1::Payload& payload) {
  v1::Payload inner;
  if (!inner.ParseFromString(bytes)) {
    return absl::DataLossError("what an encoded payload holds is no payload");
  }
  payload = std::move(inner);
  return absl::OkStatus();
}

}  // namespace codec
