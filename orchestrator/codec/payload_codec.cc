#include "orchestrator/codec/payload_codec.h"

#include "orchestrator/base/status_macros.h"
#include "orchestrator/history/payload.h"

namespace codec {

bool IsEncoded(const v1::Payload& payload) {
  const auto encoding = payload.metadata().find(history::kEncodingKey);
  return encoding != payload.metadata().end() &&
         (encoding->second == kEncodingZlib || encoding->second == kEncodingEncrypted);
}

absl::Status CodecChain::Encode(v1::Payload& payload, Use use) const {
  for (const auto& codec : codecs_) RETURN_IF_ERROR(codec->Encode(payload, use));
  return absl::OkStatus();
}

absl::Status CodecChain::Decode(v1::Payload& payload) const {
  for (auto codec = codecs_.rbegin(); codec != codecs_.rend(); ++codec) {
    RETURN_IF_ERROR((*codec)->Decode(payload));
  }
  return absl::OkStatus();
}

}  // namespace codec
