// One walk for all that is encoded: every Payload in a message, however deep (also in compensation
// inputs, carried sagas, heartbeats and memos), and on request the texts of failures. Search
// attributes are no payloads and stay readable, as the store has to compare them.
//
// Thread-safety: MessageCodec is thread-safe; `codec` outlives it.
//
// Example:
//   codec::MessageCodec messages(chain, {.failures = true});
//   RETURN_IF_ERROR(messages.Encode(command));
//   RETURN_IF_ERROR(messages.Decode(history_event));
#pragma once

#include <google/protobuf/message.h>

#include "orchestrator/codec/payload_codec.h"

namespace codec {

struct MessageCodecOptions {
  // Encode messages and details of failures too. Their types stay readable.
  bool failures = false;
};

class MessageCodec {
 public:
  MessageCodec(const PayloadCodec& codec, MessageCodecOptions options)
      : codec_(codec), options_(options) {}

  absl::Status Encode(google::protobuf::Message& message, Use use = Use::kStored) const;
  // Stops at the first payload that cannot be decoded.
  absl::Status Decode(google::protobuf::Message& message) const;
  // Leaves what cannot be decoded as it is: for what is only shown.
  void DecodeWhatCan(google::protobuf::Message& message) const;

 private:
  const PayloadCodec& codec_;
  const MessageCodecOptions options_;
};

}  // namespace codec
