#include "orchestrator/codec/key_ring.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "orchestrator/base/log.h"
#include "orchestrator/base/status_macros.h"

namespace codec {
namespace {

constexpr size_t kKeyBytes = 32;
constexpr size_t kIdLengthMax = 64;
constexpr size_t kFileBytesMax = 64 * 1024;
constexpr absl::Duration kLookEvery = absl::Seconds(1);

void Wipe(std::string& text) {
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

// The key's bytes; empty when it is neither form of 32 bytes.
std::string KeyBytes(absl::string_view text) {
  std::string bytes;
  if (text.size() == 2 * kKeyBytes) {
    for (const char c : text) {
      if (!absl::ascii_isxdigit(static_cast<unsigned char>(c))) return "";
    }
    bytes = absl::HexStringToBytes(text);
  } else if (!absl::Base64Unescape(text, &bytes)) {
    return "";
  }
  return bytes.size() == kKeyBytes ? bytes : "";
}

bool IsId(absl::string_view id) {
  if (id.empty() || id.size() > kIdLengthMax) return false;
  for (const char c : id) {
    if (!absl::ascii_isalnum(static_cast<unsigned char>(c)) && c != '-' && c != '_' && c != '.') {
      return false;
    }
  }
  return true;
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return absl::FailedPreconditionError(
        absl::StrCat("key file ", path, " cannot be opened: ", std::strerror(errno)));
  }
  std::string text(kFileBytesMax + 1, '\0');
  size_t size = 0;
  ssize_t got = 0;
  while (size < text.size() && (got = read(fd, text.data() + size, text.size() - size)) > 0) {
    size += static_cast<size_t>(got);
  }
  close(fd);
  if (got < 0 || size > kFileBytesMax) {
    Wipe(text);
    return absl::FailedPreconditionError(absl::StrCat(
        "key file ", path, " cannot be read, or has more than ", kFileBytesMax, " bytes"));
  }
  text.resize(size);
  return text;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const KeyRing>> KeyRing::Parse(std::string_view text) {
  std::vector<Key> keys;
  int number = 0;
  const auto fault = [&number](const std::string& what) {
    return absl::InvalidArgumentError(absl::StrCat("line ", number, " of the keys: ", what));
  };
  for (absl::string_view line : absl::StrSplit(absl::string_view(text.data(), text.size()), '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty() || line[0] == '#') continue;
    const std::vector<absl::string_view> parts =
        absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty());
    if (parts.size() != 2) return fault("expected an id and a key, with a space between");
    if (!IsId(parts[0]))
      return fault("an id has letters, digits, \"-\", \"_\" and \".\", up to 64");
    Key key{.id = std::string(parts[0]), .bytes = KeyBytes(parts[1])};
    if (key.bytes.empty()) {
      return fault(
          absl::StrCat("the key \"", key.id, "\" is not 32 bytes in base64 or hexadecimal"));
    }
    for (const Key& other : keys) {
      if (other.id == key.id) return fault(absl::StrCat("the id \"", key.id, "\" occurs twice"));
    }
    keys.push_back(std::move(key));
  }
  if (keys.empty()) return absl::InvalidArgumentError("there is no key");
  return std::make_shared<const KeyRing>(std::move(keys));
}

KeyRing::~KeyRing() {
  for (Key& key : keys_) Wipe(key.bytes);
}

const KeyRing::Key* KeyRing::Find(std::string_view id) const {
  for (const Key& key : keys_) {
    if (key.id == id) return &key;
  }
  return nullptr;
}

std::string KeyRing::Ids() const {
  return absl::StrJoin(keys_, ", ",
                       [](std::string* out, const Key& key) { absl::StrAppend(out, key.id); });
}

absl::StatusOr<std::shared_ptr<KeySource>> KeySource::FromFile(std::string path,
                                                               base::Clock& clock) {
  std::shared_ptr<KeySource> source(new KeySource(std::move(path), clock));
  RETURN_IF_ERROR(source->Reload());
  return source;
}

absl::StatusOr<std::shared_ptr<KeySource>> KeySource::FromText(std::string_view text,
                                                               base::Clock& clock) {
  std::shared_ptr<KeySource> source(new KeySource("", clock));
  ASSIGN_OR_RETURN(std::shared_ptr<const KeyRing> ring, KeyRing::Parse(text));
  const absl::MutexLock lock(&source->mutex_);
  source->ring_ = std::move(ring);
  return source;
}

KeySource::Version KeySource::VersionOf(const std::string& path) {
  struct stat found{};
  if (stat(path.c_str(), &found) != 0) return {};
  return {.seconds = found.st_mtim.tv_sec,
          .nanos = found.st_mtim.tv_nsec,
          .size = found.st_size,
          .inode = found.st_ino};
}

absl::Status KeySource::Read() {
  version_ = VersionOf(path_);
  looked_at_ = clock_.Monotonic();
  ASSIGN_OR_RETURN(std::string text, ReadFile(path_));
  absl::StatusOr<std::shared_ptr<const KeyRing>> ring = KeyRing::Parse(text);
  Wipe(text);
  if (!ring.ok()) {
    return absl::FailedPreconditionError(
        absl::StrCat("key file ", path_, ": ", ring.status().message()));
  }
  ring_ = *std::move(ring);
  return absl::OkStatus();
}

absl::Status KeySource::Reload() {
  const absl::MutexLock lock(&mutex_);
  if (path_.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(Read());
  base::Log(base::LogLevel::kInfo, "encryption keys were read", {},
            {{"file", path_}, {"keys", ring_->Ids()}, {"encrypts_with", ring_->first().id}});
  return absl::OkStatus();
}

std::shared_ptr<const KeyRing> KeySource::ring() {
  const absl::MutexLock lock(&mutex_);
  if (path_.empty() || clock_.Monotonic() - looked_at_ < kLookEvery) return ring_;
  looked_at_ = clock_.Monotonic();
  if (VersionOf(path_) == version_) return ring_;
  const absl::Status read = Read();
  if (read.ok()) {
    base::Log(base::LogLevel::kInfo, "encryption keys have changed", {},
              {{"file", path_}, {"keys", ring_->Ids()}, {"encrypts_with", ring_->first().id}});
  } else {
    base::Log(base::LogLevel::kError, "encryption keys cannot be read; the old ones stay", {},
              {{"file", path_}, {"status", std::string(read.message())}});
  }
  return ring_;
}

}  // namespace codec
