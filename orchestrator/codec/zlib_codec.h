// ZlibCodec: compresses payloads from a size on (RFC 1950). A payload that does not become smaller
// is left as it is.
// Thread-safety: thread-safe.
//
// Example:
//   codec::ZlibCodec codec(1024);
//   RETURN_IF_ERROR(codec.Encode(payload, codec::Use::kStored));
#pragma once

#include <cstddef>

#include "orchestrator/codec/payload_codec.h"

namespace codec {

class ZlibCodec : public PayloadCodec {
 public:
  // Compresses from `bytes_min` on; never with SIZE_MAX, but still decodes. A decoded payload of
  // more than `decoded_max` bytes is DATA_LOSS: it cannot be one of ours.
  explicit ZlibCodec(size_t bytes_min, size_t decoded_max = 256 * 1024 * 1024)
      : bytes_min_(bytes_min), decoded_max_(decoded_max) {}
  absl::Status Encode(v1::Payload& payload, Use use) const override;
  absl::Status Decode(v1::Payload& payload) const override;

 private:
  const size_t bytes_min_;
  const size_t decoded_max_;
};

}  // namespace codec
