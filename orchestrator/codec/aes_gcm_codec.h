// AesGcmCodec: encrypts payloads with AES-256-GCM (NIST SP 800-38D), each with a random nonce of 96
// bits. The whole payload, its metadata too, is the plain text. What it leaves readable in the
// metadata (encoding, cipher, key id, fingerprint) is bound to the text as additional data, so that
// it cannot be exchanged.
//
// A key may encrypt 2^32 payloads at most; rotate it before.
//
// Thread-safety: thread-safe.
//
// Example:
//   codec::AesGcmCodec codec(keys);
//   RETURN_IF_ERROR(codec.Encode(payload, codec::Use::kStored));
#pragma once

#include <memory>

#include "orchestrator/codec/key_ring.h"
#include "orchestrator/codec/payload_codec.h"

namespace codec {

inline constexpr char kKeyIdKey[] = "encryption-key-id";
inline constexpr char kCipherKey[] = "encryption-cipher";

class AesGcmCodec : public PayloadCodec {
 public:
  // `encrypts` false: it only decrypts what was encrypted before.
  explicit AesGcmCodec(std::shared_ptr<KeySource> keys, bool encrypts = true)
      : keys_(std::move(keys)), encrypts_(encrypts) {}
  absl::Status Encode(v1::Payload& payload, Use use) const override;
  absl::Status Decode(v1::Payload& payload) const override;

 private:
  const std::shared_ptr<KeySource> keys_;
  const bool encrypts_;
};

}  // namespace codec
