// Payload codecs: what is done to payloads at the edge of the SDK and of the gateway, so that the
// engine and its store see only the encoded form. docs/operations/encryption.md says how they are
// set up.
//
// Thread-safety: codecs are thread-safe.
//
// Status codes: FAILED_PRECONDITION (the key is not known; the message names its id), DATA_LOSS
// (the payload is damaged), INTERNAL (the library failed).
//
// Example:
//   codec::CodecChain chain;
//   chain.Add(std::make_unique<codec::ZlibCodec>(1024));
//   chain.Add(std::make_unique<codec::AesGcmCodec>(keys));
//   RETURN_IF_ERROR(chain.Encode(payload, codec::Use::kStored));
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "orchestrator/v1/common.pb.h"

namespace codec {

namespace v1 = ::orchestrator::v1;

// Encodings that codecs leave in a payload's metadata.
inline constexpr char kEncodingZlib[] = "binary/zlib";
inline constexpr char kEncodingEncrypted[] = "binary/encrypted";

// Metadata of a payload that was encoded for Use::kCompared: "<key id>:<hexadecimal>". The engine
// compares by it (engine/partition_start.cc).
inline constexpr char kFingerprintKey[] = "fingerprint";

enum class Use {
  kStored,
  // It will be compared with another payload (the input of a repeated start): what cannot be
  // compared once it is encoded gets a fingerprint in its metadata.
  kCompared,
};

// The payload's own encoding is one of ours, so it must be wrapped whatever else is the case.
bool IsEncoded(const v1::Payload& payload);

class PayloadCodec {
 public:
  virtual ~PayloadCodec() = default;
  // Encodes in place, or leaves the payload alone.
  virtual absl::Status Encode(v1::Payload& payload, Use use) const = 0;
  // Undoes Encode; leaves alone what this codec did not make.
  virtual absl::Status Decode(v1::Payload& payload) const = 0;
};

// Encodes by one codec after the other, and decodes in the reverse order.
class CodecChain : public PayloadCodec {
 public:
  void Add(std::unique_ptr<PayloadCodec> codec) { codecs_.push_back(std::move(codec)); }
  absl::Status Encode(v1::Payload& payload, Use use) const override;
  absl::Status Decode(v1::Payload& payload) const override;

 private:
  std::vector<std::unique_ptr<PayloadCodec>> codecs_;
};

}  // namespace codec
