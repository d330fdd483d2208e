#include "orchestrator/codec/zlib_codec.h"

#include <zlib.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "orchestrator/codec/wrapping.h"
#include "orchestrator/history/payload.h"

namespace codec {
namespace {

constexpr char kSizeKey[] = "decoded-bytes";

}  // namespace

absl::Status ZlibCodec::Encode(v1::Payload& payload, Use use) const {
  (void)use;  // the same payload gives the same bytes
  const bool must = IsEncoded(payload);
  if (!must && payload.data().size() < bytes_min_) return absl::OkStatus();
  const std::string plain = Wrap(payload);
  uLongf size = compressBound(plain.size());
  std::string packed(size, '\0');
  const int code =
      compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
                reinterpret_cast<const Bytef*>(plain.data()), plain.size(), Z_BEST_SPEED);
  if (code != Z_OK) return absl::InternalError(absl::StrCat("zlib cannot compress: ", code));
  packed.resize(size);
  if (!must && packed.size() >= plain.size()) return absl::OkStatus();
  payload.Clear();
  (*payload.mutable_metadata())[history::kEncodingKey] = kEncodingZlib;
  (*payload.mutable_metadata())[kSizeKey] = absl::StrCat(plain.size());
  payload.set_data(std::move(packed));
  return absl::OkStatus();
}

absl::Status ZlibCodec::Decode(v1::Payload& payload) const {
  const auto encoding = payload.metadata().find(history::kEncodingKey);
  if (encoding == payload.metadata().end() || encoding->second != kEncodingZlib) {
    return absl::OkStatus();
  }
  const auto said = payload.metadata().find(kSizeKey);
  uint64_t size = 0;
  if (said == payload.metadata().end() || !absl::SimpleAtoi(said->second, &size) ||
      size > decoded_max_) {
    return absl::DataLossError("a compressed payload does not say its size");
  }
  std::string plain(size, '\0');
  uLongf written = size;
  const int code =
      uncompress(reinterpret_cast<Bytef*>(plain.data()), &written,
                 reinterpret_cast<const Bytef*>(payload.data().data()), payload.data().size());
  if (code != Z_OK || written != size) {
    return absl::DataLossError("a compressed payload is damaged");
  }
  return Unwrap(plain, payload);
}

}  // namespace codec
