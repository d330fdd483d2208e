#include "orchestrator/codec/aes_gcm_codec.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <map>
#include <string>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "orchestrator/base/sha256.h"
#include "orchestrator/codec/wrapping.h"
#include "orchestrator/history/payload.h"

namespace codec {
namespace {

constexpr char kCipher[] = "AES-256-GCM";
constexpr int kNonceBytes = 12;
constexpr int kTagBytes = 16;
constexpr size_t kFingerprintBytes = 16;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

const unsigned char* Bytes(const std::string& text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

absl::Status Broken(const char* what) {
  return absl::InternalError(absl::StrCat("the cryptographic library failed: ", what));
}

// The readable metadata, in one order, so that no two maps give the same bytes.
std::string AdditionalData(const v1::Payload& payload) {
  std::string data = "campaignd payload 1";
  const std::map<std::string, std::string> sorted(payload.metadata().begin(),
                                                  payload.metadata().end());
  for (const auto& [key, value] : sorted) {
    absl::StrAppend(&data, "\n", key.size(), ":", key, value.size(), ":", value);
  }
  return data;
}

// Says whether two payloads are the same, to those who have the key.
std::string Fingerprint(const KeyRing::Key& key, const std::string& plain) {
  const std::string text = absl::StrCat("campaignd fingerprint 1\n", plain);
  const std::string mac = base::HmacSha256(key.bytes, text);
  return absl::StrCat(key.id, ":", absl::BytesToHexString(mac.substr(0, kFingerprintBytes)));
}

}  // namespace

absl::Status AesGcmCodec::Encode(v1::Payload& payload, Use use) const {
  if (!encrypts_ && !IsEncoded(payload)) return absl::OkStatus();
  const std::shared_ptr<const KeyRing> ring = keys_->ring();
  const KeyRing::Key& key = ring->first();
  const std::string plain = Wrap(payload);
  v1::Payload encoded;
  auto& metadata = *encoded.mutable_metadata();
  metadata[history::kEncodingKey] = kEncodingEncrypted;
  metadata[kCipherKey] = kCipher;
  metadata[kKeyIdKey] = key.id;
  if (use == Use::kCompared) metadata[kFingerprintKey] = Fingerprint(key, plain);
  const std::string additional = AdditionalData(encoded);

  std::string data(kNonceBytes + plain.size() + kTagBytes, '\0');
  if (RAND_bytes(Bytes(data), kNonceBytes) != 1) return Broken("no random bytes");
  const Context context(EVP_CIPHER_CTX_new());
  unsigned char* text = Bytes(data) + kNonceBytes;
  int size = 0;
  const bool sealed =
      context != nullptr &&
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, Bytes(key.bytes),
                         Bytes(data)) == 1 &&
      EVP_EncryptUpdate(context.get(), nullptr, &size, Bytes(additional),
                        static_cast<int>(additional.size())) == 1 &&
      EVP_EncryptUpdate(context.get(), text, &size, Bytes(plain), static_cast<int>(plain.size())) ==
          1 &&
      EVP_EncryptFinal_ex(context.get(), text + size, &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, text + plain.size()) == 1;
  if (!sealed) return Broken("encryption");
  encoded.set_data(std::move(data));
  payload = std::move(encoded);
  return absl::OkStatus();
}

absl::Status AesGcmCodec::Decode(v1::Payload& payload) const {
  const auto value = [&payload](const char* key) {
    const auto found = payload.metadata().find(key);
    return found == payload.metadata().end() ? std::string() : found->second;
  };
  if (value(history::kEncodingKey) != kEncodingEncrypted) return absl::OkStatus();
  const std::string id = value(kKeyIdKey);
  if (value(kCipherKey) != kCipher) {
    return absl::FailedPreconditionError(
        absl::StrCat("a payload is encrypted by \"", value(kCipherKey), "\", which is not known"));
  }
  const std::shared_ptr<const KeyRing> ring = keys_->ring();
  const KeyRing::Key* key = ring->Find(id);
  if (key == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("a payload is encrypted with key \"", id, "\", which is not among the keys (",
                     ring->Ids(), "); put it back into the key file"));
  }
  const absl::Status damaged = absl::DataLossError(
      absl::StrCat("a payload encrypted with key \"", id,
                   "\" cannot be decrypted: it is damaged, or the key of this id is another one"));
  const std::string& data = payload.data();
  if (data.size() < kNonceBytes + kTagBytes) return damaged;
  const std::string additional = AdditionalData(payload);
  std::string plain(data.size() - kNonceBytes - kTagBytes, '\0');
  std::string tag = data.substr(data.size() - kTagBytes);
  const Context context(EVP_CIPHER_CTX_new());
  int size = 0;
  const bool opened =
      context != nullptr &&
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, Bytes(key->bytes),
                         Bytes(data)) == 1 &&
      EVP_DecryptUpdate(context.get(), nullptr, &size, Bytes(additional),
                        static_cast<int>(additional.size())) == 1 &&
      EVP_DecryptUpdate(context.get(), Bytes(plain), &size, Bytes(data) + kNonceBytes,
                        static_cast<int>(plain.size())) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), Bytes(plain) + size, &size) == 1;
  if (!opened) return damaged;
  return Unwrap(plain, payload);
}

}  // namespace codec
